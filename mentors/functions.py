"""How time is taken, as functions of the database: whoever holds a lock does all of it in one call, and keeps nobody waiting for Python.

They are made of the rules in `mentors.bookable`, so that there is one text of each. Whoever changes either adds a migration that runs
`FUNCTIONS` anew; a test compares the two.
"""

from __future__ import annotations

from mentors.bookable import RULES, WANTED

_ARGUMENTS = {"minutes": "p_minutes", "learner_id": "p_learner", "now": "p_clock"}
_REFUSALS = ", ".join(f"CASE WHEN {rule % _ARGUMENTS} THEN '{refusal.value}' END" for refusal, rule in RULES.items())

# Nobody else can be taken as long as no fewer people than the capacity have sessions ahead: until the capacity-th of them, counted from who
# stays the longest, has had their last one.
# A session may not touch what is occupied, and its own buffers may not either: what is occupied grows by the buffer after a session that
# comes before it, and by the buffer before one that comes after.
FUNCTIONS = f"""
CREATE OR REPLACE FUNCTION mentors_key_of_time(p_person uuid) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT hashtextextended('mentors.time ' || p_person, 0)
$$;

CREATE OR REPLACE FUNCTION mentors_lock(p_people uuid[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE person uuid;
BEGIN
    FOR person IN SELECT DISTINCT one FROM unnest(p_people) AS one ORDER BY one LOOP
        PERFORM pg_advisory_xact_lock(mentors_key_of_time(person));
    END LOOP;
END $$;

CREATE OR REPLACE FUNCTION mentors_refusals(p_profile uuid, p_learner uuid, p_start timestamptz, p_minutes integer, p_clock timestamptz)
RETURNS text[] LANGUAGE sql STABLE AS $$
    SELECT coalesce((
        SELECT array_remove(ARRAY[{_REFUSALS}], NULL)
        FROM mentors_schedule AS schedule CROSS JOIN (SELECT p_start AS start) AS starting CROSS JOIN {WANTED % _ARGUMENTS}
        WHERE schedule.profile_id = p_profile
    ), ARRAY['not_open'])
$$;

CREATE OR REPLACE FUNCTION mentors_keep_free_time(p_people uuid[], p_clock timestamptz) RETURNS boolean LANGUAGE sql AS $$
    WITH kept AS (
        UPDATE mentors_schedule AS schedule SET full_until = (
            SELECT max(upper(own.session)) AS last_end
            FROM mentors_occupiedtime AS own
            JOIN mentors_occupiedtime AS other ON other.reference = own.reference AND NOT other.is_mentor
            WHERE own.person_id = profile.user_id AND own.is_mentor AND NOT own.is_group AND upper(own.session) > p_clock
            GROUP BY other.person_id ORDER BY last_end DESC OFFSET profile.capacity - 1 LIMIT 1
        ), free_time = schedule.open_time - coalesce((
            SELECT range_agg(tstzrange(
                lower(occupied.during) - schedule.buffer_after_minutes * interval '1 minute',
                upper(occupied.during) + schedule.buffer_before_minutes * interval '1 minute'
            ))
            FROM mentors_occupiedtime AS occupied
            WHERE occupied.person_id = profile.user_id AND occupied.during && tstzrange(
                lower(schedule.open_time) - interval '1 day', upper(schedule.open_time) + interval '1 day'
            )
        ), '{{}}'::tstzmultirange)
        FROM mentors_mentorprofile AS profile
        WHERE profile.id = schedule.profile_id AND profile.user_id = ANY(p_people)
        RETURNING num_nonnulls(schedule.most_per_day, schedule.most_per_week, schedule.most_per_month) > 0
            OR NOT isempty(schedule.full_time) AS has_limits
    )
    SELECT coalesce(bool_or(has_limits), false) FROM kept
$$;

CREATE OR REPLACE FUNCTION mentors_claim(
    p_profile uuid, p_learner uuid, p_start timestamptz, p_minutes integer, p_clock timestamptz,
    p_reference uuid, p_held_until timestamptz, p_moves integer, p_mentors_row uuid, p_learners_row uuid,
    OUT refusals text[], OUT has_limits boolean
) LANGUAGE plpgsql AS $$
DECLARE
    mentor uuid := (SELECT user_id FROM mentors_mentorprofile WHERE id = p_profile);
    wanted tstzrange := tstzrange(p_start, p_start + p_minutes * interval '1 minute');
    taken integer;
BEGIN
    PERFORM mentors_lock(ARRAY[mentor, p_learner]);
    refusals := mentors_refusals(p_profile, p_learner, p_start, p_minutes, p_clock);
    has_limits := false;
    IF refusals <> '{{}}' THEN
        RETURN;
    END IF;
    INSERT INTO mentors_occupiedtime (
        id, created_at, updated_at, person_id, is_mentor, during, source, session, reference, held_until, moves, is_group, title
    )
    SELECT row_id, p_clock, p_clock, person, is_mentor, during, CASE WHEN p_held_until IS NULL THEN 'session' ELSE 'hold' END,
        wanted, p_reference, p_held_until, p_moves, false, ''
    FROM (
        SELECT p_mentors_row AS row_id, mentor AS person, true AS is_mentor, tstzrange(
            p_start - schedule.buffer_before_minutes * interval '1 minute',
            upper(wanted) + schedule.buffer_after_minutes * interval '1 minute'
        ) AS during
        FROM mentors_schedule AS schedule WHERE schedule.profile_id = p_profile
        UNION ALL SELECT p_learners_row, p_learner, false, wanted
    ) AS places
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS taken = ROW_COUNT;
    IF taken < 2 THEN
        -- Nobody gets here who holds the locks and has looked; the constraint needs neither.
        DELETE FROM mentors_occupiedtime WHERE id IN (p_mentors_row, p_learners_row);
        refusals := ARRAY['taken'];
        RETURN;
    END IF;
    has_limits := mentors_keep_free_time(ARRAY[mentor, p_learner], p_clock);
END $$;

CREATE OR REPLACE FUNCTION mentors_release(p_reference uuid, p_clock timestamptz) RETURNS uuid[] LANGUAGE plpgsql AS $$
DECLARE people uuid[] := ARRAY(SELECT person_id FROM mentors_occupiedtime WHERE reference = p_reference);
BEGIN
    PERFORM mentors_lock(people);
    DELETE FROM mentors_occupiedtime WHERE reference = p_reference;
    RETURN CASE WHEN mentors_keep_free_time(people, p_clock) THEN people ELSE '{{}}' END;
END $$;
"""
