"""What is bookable: the rules by which lists, bookings, search and the question why not all decide.

They read the schedule's row as `services.keeping` keeps it, and a session is possible where no rule is against it. Rules are SQL over
`schedule` (the row), `start`, `wanted` (its range, from start up to its end) and three parameters: `minutes`, `learner_id` (may be
null) and `now`, what the clock shows.
"""

from __future__ import annotations

from collections.abc import Mapping

from mentors.enums import Refusal

MINUTE = "interval '1 minute'"

RULES: Mapping[Refusal, str] = {
    Refusal.WRONG_DURATION: """NOT EXISTS (
        SELECT FROM mentors_offer AS offer
        WHERE offer.profile_id = schedule.profile_id AND offer.is_active AND offer.kind <> 'group' AND offer.duration_minutes = %(minutes)s
    )""",
    Refusal.NOT_OPEN: "NOT wanted <@ schedule.open_time",
    Refusal.OFF_GRID: """NOT EXISTS (
        SELECT FROM unnest(schedule.grids) AS grid
        WHERE start <@ grid AND mod(extract(epoch FROM start - lower(grid)), schedule.increment_minutes * 60) = 0
    )""",
    Refusal.TOO_SOON: f"start < %(now)s + schedule.notice_minutes * {MINUTE}",
    Refusal.TOO_FAR: f"start > %(now)s + schedule.horizon_days * 1440 * {MINUTE}",
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


# Whether the mentor of a `schedule` has a slot that lies within one of the windows. What is free and wanted is found first, and a start
# looked for in it alone; by its nature it is open and not taken.
_LENGTH = f"%(minutes)s * {MINUTE}"
HAS_SLOT = f"""EXISTS (
    SELECT FROM unnest(schedule.free_time * %(windows)s::tstzmultirange) AS piece
    CROSS JOIN LATERAL unnest(schedule.grids) AS grid
    CROSS JOIN LATERAL {starts_from("lower(piece)", f"upper(piece) - {_LENGTH} + interval '1 microsecond'")} AS start
    CROSS JOIN {WANTED}
    WHERE upper(piece) - lower(piece) >= {_LENGTH} AND grid && piece AND NOT ({AGAINST})
)"""
