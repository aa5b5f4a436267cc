"""Why a time is not offered: each rule against it by name, and, for the mentor alone, the very hours or events."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable, Mapping

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from mentors.enums import Refusal, TimeSource
from mentors.models import MentorProfile, OccupiedTime, Schedule
from mentors.services.calendars import UNREAD_UNTIL
from mentors.services.expanding import Hours, hours_on, zone_on
from mentors.services.keeping import BOOKED, dates_of, rules_of
from mentors.services.slots import Question, refusals_of

_MINUTE = datetime.timedelta(minutes=1)


@dataclasses.dataclass(frozen=True)
class Reason:
    """One rule that is against a time. `text` may be read by everybody; `details` are lines for the mentor."""

    refusal: Refusal
    text: str
    details: tuple[str, ...] = ()


_TEXTS = {
    Refusal.WRONG_DURATION: "The mentor offers no session of this length.",
    Refusal.NOT_OPEN: "The mentor takes no sessions at this time.",
    Refusal.OFF_GRID: "Sessions of this mentor start at other minutes.",
    Refusal.TOO_SOON: "The mentor needs more notice.",
    Refusal.TOO_FAR: "The mentor cannot be booked that far ahead yet.",
    Refusal.TAKEN: "The mentor is not free then.",
    Refusal.LIMIT_REACHED: "The mentor takes no more sessions in this period.",
    Refusal.MENTOR_FULL: "The mentor has as many people as they can take for now.",
    Refusal.LEARNER_BUSY: "You have a session at this time.",
}


def reasons_against(question: Question, start: datetime.datetime) -> list[Reason]:
    """The rules against a session then, by the very function that decides about bookings; none if it is bookable."""
    return [Reason(refusal, _TEXTS[refusal]) for refusal in refusals_of(question, start)]


def full_reasons_against(profile: MentorProfile, question: Question, start: datetime.datetime) -> list[Reason]:
    """The same with its details, for the mentor."""
    schedule = Schedule.objects.filter(profile=profile).first()
    if schedule is None:
        return [Reason(Refusal.NOT_OPEN, _TEXTS[Refusal.NOT_OPEN], ("You have not said yet when you can be booked.",))]
    asked = _Asked(profile, schedule, question, start)
    return [dataclasses.replace(reason, details=_DETAILS[reason.refusal](asked)) for reason in reasons_against(question, start)]


@dataclasses.dataclass(frozen=True)
class _Asked:
    profile: MentorProfile
    schedule: Schedule
    question: Question
    start: datetime.datetime

    @property
    def end(self) -> datetime.datetime:
        return self.start + self.question.minutes * _MINUTE


def _offered(asked: _Asked) -> tuple[str, ...]:
    lengths = asked.profile.offers.filter(is_active=True).values_list("duration_minutes", flat=True)
    return (f"Your offers last {', '.join(str(length) for length in sorted(set(lengths)))} minutes.",)


def _hours(asked: _Asked) -> tuple[str, ...]:
    rules = rules_of(asked.schedule)
    lines = []
    for date in dates_of(rules, asked.start):
        source = "as you set for this date" if date in rules.overrides else "by your weekly hours"
        stated = ", ".join(_shown(hours) for hours in sorted(hours_on(rules, date))) or "closed"
        lines.append(f"{date:%Y-%m-%d} in {zone_on(rules, date).key}: {stated}, {source}.")
    return tuple(lines)


def _shown(hours: Hours) -> str:
    return "–".join(f"{minute // 60:02}:{minute % 60:02}" for minute in (hours.start, hours.end))


def _grid(asked: _Asked) -> tuple[str, ...]:
    return (f"Your sessions start every {asked.schedule.increment_minutes} minutes, counted from the start of your hours.",)


def _notice(asked: _Asked) -> tuple[str, ...]:
    return (f"You ask for {asked.schedule.notice_minutes} minutes of notice.",)


def _horizon(asked: _Asked) -> tuple[str, ...]:
    return (f"You can be booked {asked.schedule.horizon_days} days ahead.",)


def _taken(asked: _Asked) -> tuple[str, ...]:
    before = asked.schedule.buffer_before_minutes * _MINUTE
    after = asked.schedule.buffer_after_minutes * _MINUTE
    needed = DateTimeTZRange(asked.start - before, asked.end + after, "[)")
    rows = OccupiedTime.objects.filter(person=asked.profile.user_id, during__overlap=needed).select_related("calendar")
    return tuple(_entry(row) for row in rows.order_by("during")[:20])


def _entry(row: OccupiedTime) -> str:
    if row.calendar is not None and row.during.upper == UNREAD_UNTIL:
        return f"{row.calendar.name} has not been read for the time from {row.during.lower:%Y-%m-%d %H:%M} UTC on."
    names = {TimeSource.SESSION: "a session", TimeSource.HOLD: "a session that is being booked", TimeSource.BLOCK: "blocked by you"}
    source = f"an event of {row.calendar.name}" if row.calendar else names[TimeSource(row.source)]
    title = f" “{row.title}”" if row.title else ""
    return f"{row.during.lower:%Y-%m-%d %H:%M} to {row.during.upper:%Y-%m-%d %H:%M} UTC: {source}{title}, buffers minded."


def _limits(asked: _Asked) -> tuple[str, ...]:
    limits = (("day", asked.schedule.most_per_day), ("week", asked.schedule.most_per_week), ("month", asked.schedule.most_per_month))
    booked = OccupiedTime.objects.filter(person=asked.profile.user_id, is_mentor=True, source__in=BOOKED).count()
    stated = ", ".join(f"{limit} a {period}" for period, limit in limits if limit is not None)
    return (f"You take {stated}; {booked} are booked in all.",)


def _capacity(asked: _Asked) -> tuple[str, ...]:
    until = f"{asked.schedule.full_until:%Y-%m-%d %H:%M} UTC"
    return (f"You take {asked.profile.capacity} people at one time, and so many have sessions ahead until {until}.",)


def _learner(asked: _Asked) -> tuple[str, ...]:
    return ()


_DETAILS: Mapping[Refusal, Callable[[_Asked], tuple[str, ...]]] = {
    Refusal.WRONG_DURATION: _offered,
    Refusal.NOT_OPEN: _hours,
    Refusal.OFF_GRID: _grid,
    Refusal.TOO_SOON: _notice,
    Refusal.TOO_FAR: _horizon,
    Refusal.TAKEN: _taken,
    Refusal.LIMIT_REACHED: _limits,
    Refusal.MENTOR_FULL: _capacity,
    Refusal.LEARNER_BUSY: _learner,
}
