from django.db import migrations

# A booking keeps what was agreed, moves along the graph alone, and never without a row that says who, why and when. The graph is that of
# `bookings.enums.MOVES`; a test compares the two. `core_refuse_change` is of the core's migrations.
_RULES = """
CREATE TABLE bookings_allowedmove (from_state varchar(22), to_state varchar(22), PRIMARY KEY (from_state, to_state));
INSERT INTO bookings_allowedmove VALUES
    ('held', 'requested'), ('held', 'confirmed'), ('held', 'expired'),
    ('held', 'cancelled_by_learner'), ('held', 'cancelled_by_mentor'), ('held', 'cancelled_by_platform'),
    ('requested', 'confirmed'), ('requested', 'declined'), ('requested', 'expired'),
    ('requested', 'cancelled_by_learner'), ('requested', 'cancelled_by_mentor'), ('requested', 'cancelled_by_platform'),
    ('confirmed', 'in_session'), ('confirmed', 'completed'),
    ('confirmed', 'no_show_by_learner'), ('confirmed', 'no_show_by_mentor'), ('confirmed', 'no_show_by_both'),
    ('confirmed', 'cancelled_by_learner'), ('confirmed', 'cancelled_by_mentor'), ('confirmed', 'cancelled_by_platform'),
    ('in_session', 'completed'), ('in_session', 'cancelled_by_platform'),
    ('in_session', 'no_show_by_learner'), ('in_session', 'no_show_by_mentor'), ('in_session', 'no_show_by_both'),
    ('no_show_by_learner', 'completed'), ('no_show_by_learner', 'cancelled_by_platform'),
    ('no_show_by_mentor', 'completed'), ('no_show_by_mentor', 'cancelled_by_platform'),
    ('no_show_by_both', 'completed'), ('no_show_by_both', 'cancelled_by_platform');

CREATE FUNCTION bookings_check_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> OLD.state AND NOT EXISTS (
        SELECT FROM bookings_allowedmove WHERE from_state = OLD.state AND to_state = NEW.state
    ) THEN
        RAISE EXCEPTION 'booking % cannot move from % to %', NEW.id, OLD.state, NEW.state USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.state <> OLD.state AND NEW.version <> OLD.version + 1 THEN
        RAISE EXCEPTION 'booking % moves without a new version', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER booking_moves_along_the_graph BEFORE UPDATE OF state ON bookings_booking
FOR EACH ROW EXECUTE FUNCTION bookings_check_move();

CREATE FUNCTION bookings_require_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM bookings_booking WHERE id = NEW.id AND version > NEW.version) AND NOT EXISTS (
        SELECT FROM bookings_bookingmove WHERE booking_id = NEW.id AND version = NEW.version AND to_state = NEW.state
    ) AND EXISTS (SELECT FROM bookings_booking WHERE id = NEW.id) THEN
        RAISE EXCEPTION 'version % of booking % has no history', NEW.version, NEW.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER booking_has_its_history AFTER INSERT OR UPDATE OF state, version ON bookings_booking
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION bookings_require_history();

CREATE TRIGGER booking_move_append_only BEFORE UPDATE ON bookings_bookingmove
FOR EACH ROW WHEN ((OLD.booking_id, OLD.version, OLD.from_state, OLD.to_state, OLD.starts_at, OLD.side, OLD.actor_id, OLD.cause, OLD.moved_at)
    IS DISTINCT FROM
    (NEW.booking_id, NEW.version, NEW.from_state, NEW.to_state, NEW.starts_at, NEW.side, NEW.actor_id, NEW.cause, NEW.moved_at))
EXECUTE FUNCTION core_refuse_change();

CREATE TRIGGER booking_keeps_what_was_agreed BEFORE UPDATE ON bookings_booking FOR EACH ROW
WHEN ((OLD.session_id, OLD.learner_id, OLD.price_amount, OLD.price_currency, OLD.policy)
    IS DISTINCT FROM
    (NEW.session_id, NEW.learner_id, NEW.price_amount, NEW.price_currency, NEW.policy))
EXECUTE FUNCTION core_refuse_change();
CREATE TRIGGER session_keeps_what_was_agreed BEFORE UPDATE ON bookings_session FOR EACH ROW
WHEN ((OLD.mentor_id, OLD.kind, OLD.seats) IS DISTINCT FROM (NEW.mentor_id, NEW.kind, NEW.seats))
EXECUTE FUNCTION core_refuse_change();

CREATE FUNCTION bookings_check_seat() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    session record;
BEGIN
    SELECT seats, mentor_id INTO session FROM bookings_session WHERE id = NEW.session_id;
    IF NEW.seat < 1 OR NEW.seat > session.seats THEN
        RAISE EXCEPTION 'there is no seat % in session %', NEW.seat, NEW.session_id USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.learner_id = session.mentor_id THEN
        RAISE EXCEPTION 'nobody is their own mentor' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER booking_has_a_seat BEFORE INSERT OR UPDATE OF seat ON bookings_booking
FOR EACH ROW EXECUTE FUNCTION bookings_check_seat();
"""
_NO_RULES = """
DROP TRIGGER booking_has_a_seat ON bookings_booking;
DROP FUNCTION bookings_check_seat();
DROP TRIGGER session_keeps_what_was_agreed ON bookings_session;
DROP TRIGGER booking_keeps_what_was_agreed ON bookings_booking;
DROP TRIGGER booking_move_append_only ON bookings_bookingmove;
DROP TRIGGER booking_has_its_history ON bookings_booking;
DROP FUNCTION bookings_require_history();
DROP TRIGGER booking_moves_along_the_graph ON bookings_booking;
DROP FUNCTION bookings_check_move();
DROP TABLE bookings_allowedmove;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('bookings', '0001_initial'),
        ('core', '0002_auditentry'),
    ]

    operations = [migrations.RunSQL(_RULES, _NO_RULES)]
