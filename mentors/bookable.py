"""What is bookable, and how it is taken: the rules by which lists, bookings, search and the question why not all decide.

They read the schedule's row as `services.keeping` keeps it, and a session is possible where no rule is against it. Rules are SQL over
`schedule` (the row), `start`, `wanted` (its range, from start up to its end) and three parameters: `minutes`, `learner_id` (may be
null) and `now`, what the clock shows.
"""

from __future__ import annotations

from collections.abc import Mapping

from mentors.enums import Refusal

MINUTE = "interval '1 minute'"
_IS_TOO_FAR = f"start > %(now)s + schedule.horizon_days * 1440 * {MINUTE}"

RULES: Mapping[Refusal, str] = {
    Refusal.WRONG_DURATION: """NOT EXISTS (
        SELECT FROM mentors_offer AS offer
        WHERE offer.profile_id = schedule.profile_id AND offer.is_active AND offer.kind <> 'group' AND offer.duration_minutes = %(minutes)s
    )""",
    # The row holds the hours from now to the horizon; the rules about notice and horizon refuse other times.
    Refusal.NOT_OPEN: f"NOT wanted <@ schedule.open_time AND start >= %(now)s AND NOT ({_IS_TOO_FAR})",
    # Outside the openings there is no grid.
    Refusal.OFF_GRID: """start <@ schedule.open_time AND NOT EXISTS (
        SELECT FROM unnest(schedule.grids) AS grid
        WHERE start <@ grid AND mod(extract(epoch FROM start - lower(grid)), schedule.increment_minutes * 60) = 0
    )""",
    Refusal.TOO_SOON: f"start < %(now)s + schedule.notice_minutes * {MINUTE}",
    Refusal.TOO_FAR: _IS_TOO_FAR,
    Refusal.TAKEN: "wanted <@ schedule.open_time AND NOT wanted <@ schedule.free_time",
    Refusal.LIMIT_REACHED: "start <@ schedule.full_time",
    Refusal.MENTOR_FULL: """schedule.full_until IS NOT NULL AND schedule.full_until > %(now)s AND NOT EXISTS (
        SELECT FROM mentors_mentorprofile AS full_profile
        JOIN mentors_occupiedtime AS own ON own.person_id = full_profile.user_id AND own.is_mentor
        JOIN mentors_occupiedtime AS other ON other.reference = own.reference AND other.person_id = %(learner_id)s
        WHERE full_profile.id = schedule.profile_id AND upper(own.session) > %(now)s
    )""",
    Refusal.LEARNER_BUSY: """EXISTS (
        SELECT FROM mentors_occupiedtime AS occupied
        WHERE occupied.person_id = %(learner_id)s AND occupied.source IN ('session', 'hold') AND occupied.during && wanted
    )""",
}
# Starts that are counted off a grid need not be looked for on it.
AGAINST = " OR ".join(f"({rule})" for refusal, rule in RULES.items() if refusal != Refusal.OFF_GRID)
WANTED = f"LATERAL (SELECT tstzrange(start, start + %(minutes)s * {MINUTE}) AS wanted) AS asked_for"


def starts_from(instant: str, until: str) -> str:
    """SQL of every start on `grid` from an instant up to, not at, another."""
    return f"""generate_series(
        lower(grid) + ceil(greatest(extract(epoch FROM {instant} - lower(grid)), 0) / (schedule.increment_minutes * 60))
            * schedule.increment_minutes * {MINUTE},
        least(upper(grid), {until}) - interval '1 microsecond',
        schedule.increment_minutes * {MINUTE}
    )"""


# The slots of a `schedule` that lie within one of the windows. What is free and wanted is found first, and a start
# looked for in it alone; by its nature it is open and not taken.
_LENGTH = f"%(minutes)s * {MINUTE}"
FROM_SLOTS_WITHIN = f"""FROM unnest(schedule.free_time * %(windows)s::tstzmultirange) AS piece
    CROSS JOIN LATERAL unnest(schedule.grids) AS grid
    CROSS JOIN LATERAL {starts_from("lower(piece)", f"upper(piece) - {_LENGTH} + interval '1 microsecond'")} AS start
    CROSS JOIN {WANTED}
    WHERE upper(piece) - lower(piece) >= {_LENGTH} AND grid && piece AND NOT ({AGAINST})"""
HAS_SLOT = f"EXISTS (SELECT {FROM_SLOTS_WITHIN})"


# --- How time is taken ----------------------------------------------------------------------------------------------------------------
# Functions of the database: whoever holds a lock does all of it in one call, and keeps nobody waiting for Python. They are made of the same
# rules. Whoever changes either adds a migration that runs `FUNCTIONS` anew; a test compares the two.
# Taking and giving back may stand alone (`p_is_alone`), outside of a transaction, which keeps a lock shortest. Then a mentor's limits by
# day, week and month, which Python keeps, could not be kept together with it: nothing is done, and the answer says that there are limits.
_UNDO = "MT001"
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

CREATE OR REPLACE FUNCTION mentors_has_overdue(p_people uuid[], p_clock timestamptz) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM mentors_occupiedtime WHERE source = 'hold' AND held_until <= p_clock AND person_id = ANY(p_people)
    )
$$;

-- Planned once: PostgreSQL would take twice as long to plan it for these very people as it takes to run.
CREATE OR REPLACE FUNCTION mentors_keep_free_time(p_people uuid[], p_clock timestamptz) RETURNS boolean
LANGUAGE sql SET plan_cache_mode = force_generic_plan AS $$
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
    p_reference uuid, p_held_until timestamptz, p_moves integer, p_mentors_row uuid, p_learners_row uuid, p_is_alone boolean,
    OUT refusals text[], OUT has_overdue boolean, OUT has_limits boolean
) LANGUAGE plpgsql AS $$
DECLARE
    mentor uuid := (SELECT user_id FROM mentors_mentorprofile WHERE id = p_profile);
    wanted tstzrange := tstzrange(p_start, p_start + p_minutes * interval '1 minute');
    taken integer;
BEGIN
    has_limits := false;
    -- Before anybody is locked: most of those who come too late need to wait for nobody to be told so.
    refusals := mentors_refusals(p_profile, p_learner, p_start, p_minutes, p_clock);
    IF refusals = '{{}}' THEN
        BEGIN
            PERFORM mentors_lock(ARRAY[mentor, p_learner]);
            refusals := mentors_refusals(p_profile, p_learner, p_start, p_minutes, p_clock);
            IF refusals <> '{{}}' THEN
                RAISE EXCEPTION USING ERRCODE = '{_UNDO}';
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
                refusals := ARRAY['taken'];
                RAISE EXCEPTION USING ERRCODE = '{_UNDO}';
            END IF;
            has_limits := mentors_keep_free_time(ARRAY[mentor, p_learner], p_clock);
            IF has_limits AND p_is_alone THEN
                RAISE EXCEPTION USING ERRCODE = '{_UNDO}';
            END IF;
        EXCEPTION WHEN SQLSTATE '{_UNDO}' THEN
            -- What was written is undone, and the locks are let go at once: whoever is refused keeps nobody waiting.
        END;
    END IF;
    has_overdue := refusals <> '{{}}' AND mentors_has_overdue(ARRAY[mentor, p_learner], p_clock);
END $$;

CREATE OR REPLACE FUNCTION mentors_release(p_reference uuid, p_clock timestamptz, p_is_alone boolean) RETURNS uuid[] LANGUAGE plpgsql AS $$
DECLARE
    people uuid[] := ARRAY(SELECT person_id FROM mentors_occupiedtime WHERE reference = p_reference);
BEGIN
    PERFORM mentors_lock(people);
    DELETE FROM mentors_occupiedtime WHERE reference = p_reference;
    IF NOT mentors_keep_free_time(people, p_clock) THEN
        RETURN '{{}}';
    END IF;
    IF p_is_alone THEN
        RAISE EXCEPTION USING ERRCODE = '{_UNDO}';
    END IF;
    RETURN people;
EXCEPTION WHEN SQLSTATE '{_UNDO}' THEN
    RETURN people;
END $$;
"""
