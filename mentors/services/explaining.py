"""Why a time is not offered: each rule against it, and, for the mentor only, the hours, sessions and events behind it."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable, Mapping

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import QuerySet
from django.utils import timezone

from mentors.enums import MentorState, Refusal, TimeSource
from mentors.models import MentorProfile, OccupiedTime, Schedule
from mentors.services.calendars import UNREAD_UNTIL
from mentors.services.expanding import Hours, Rules, expand, hours_on, zone_on
from mentors.services.keeping import FullPeriod, dates_of, full_periods, rules_of
from mentors.services.slots import Question, refusals_of

_MINUTE, _DAY = datetime.timedelta(minutes=1), datetime.timedelta(days=1)
_MOST_LINES = 20
# Dates cannot be computed outside these years; there the rules about notice and horizon apply anyway.
_YEARS = range(1970, 9_000)


@dataclasses.dataclass(frozen=True)
class Reason:
    """One rule that is against a time. `text` may be read by everybody; `details` are lines for the mentor."""

    refusal: Refusal
    text: str
    details: tuple[str, ...] = ()


_TEXTS = {
    Refusal.NOT_TAKING: "The mentor takes no bookings at the moment.",
    Refusal.WRONG_DURATION: "The mentor offers no session of this length.",
    Refusal.NOT_OPEN: "The mentor takes no sessions at this time.",
    Refusal.OFF_GRID: "Sessions of this mentor start at other minutes.",
    Refusal.TOO_SOON: "The mentor needs more notice.",
    Refusal.TOO_FAR: "The mentor cannot be booked that far ahead yet.",
    Refusal.TAKEN: "The mentor is not free then.",
    Refusal.MENTOR_FULL: "The mentor has as many people as they can take for now.",
    Refusal.LEARNER_BUSY: "You have a session at this time.",
}


def reasons_against(question: Question, start: datetime.datetime) -> list[Reason]:
    """Every rule against a session at this time; empty if it is bookable, as decided by the function that takes bookings."""
    asked = _asked(question, start)
    if asked is None:
        return [Reason(Refusal.NOT_OPEN, _TEXTS[Refusal.NOT_OPEN])]
    return [Reason(refusal, _text(refusal, asked)) for refusal in _refusals(asked)]


def full_reasons_against(profile: MentorProfile, question: Question, start: datetime.datetime) -> list[Reason]:
    """The same with its details, for the mentor."""
    asked = _asked(question, start)
    if asked is None:
        return [Reason(Refusal.NOT_OPEN, _TEXTS[Refusal.NOT_OPEN], ("You have not said yet when you can be booked.",))]
    return [Reason(refusal, _text(refusal, asked), _DETAILS[refusal](asked)) for refusal in _refusals(asked)]


@dataclasses.dataclass(frozen=True)
class _Asked:
    profile: MentorProfile
    schedule: Schedule
    rules: Rules
    question: Question
    start: datetime.datetime

    @property
    def end(self) -> datetime.datetime:
        return self.start + self.question.minutes * _MINUTE

    def local(self, instant: datetime.datetime) -> str:
        """An instant in the mentor's zone, as text."""
        return f"{instant.astimezone(self.rules.zone):%Y-%m-%d %H:%M}"


def _asked(question: Question, start: datetime.datetime) -> _Asked | None:
    rows = Schedule.objects.filter(profile=question.profile_id).select_related("profile")
    schedule = rows.prefetch_related("weekly_hours", "overrides", "travels").first()
    return _Asked(schedule.profile, schedule, rules_of(schedule), question, start) if schedule is not None else None


def _refusals(asked: _Asked) -> list[Refusal]:
    """All rules against it, in their order. The database skips some rules once another one applies; they are checked here, so that
    removing all listed obstacles makes the time bookable."""
    found = set(refusals_of(asked.question, asked.start))
    if asked.profile.state != MentorState.LIVE:
        found.add(Refusal.NOT_TAKING)
    if found and asked.start.year in _YEARS:
        found |= {refusal for refusal, holds in _LEFT_OPEN.items() if holds(asked)}
    return [refusal for refusal in Refusal if refusal in found]


def _is_closed(asked: _Asked) -> bool:
    spans = expand(asked.rules, asked.start.date() - 2 * _DAY, asked.end.date() + 2 * _DAY).open
    return not any(span.start <= asked.start and asked.end <= span.end for span in spans)


def _is_off_grid(asked: _Asked) -> bool:
    """Whether the start is off the grid of its opening; outside openings, off the grid of a whole open day."""
    expansion = expand(asked.rules, asked.start.date() - 2 * _DAY, asked.end.date() + 2 * _DAY)
    if any(span.start <= asked.start < span.end for span in expansion.open):
        grids = [grid for grid in expansion.grids if grid.start <= asked.start < grid.end]
        return not any((asked.start - grid.start) % asked.rules.increment == datetime.timedelta() for grid in grids)
    zone = next((zone_on(asked.rules, date) for date in dates_of(asked.rules, asked.start)), asked.rules.zone)
    local = asked.start.astimezone(zone)
    midnight = datetime.timedelta(hours=local.hour, minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    return midnight % asked.rules.increment != datetime.timedelta()


def _occupied(asked: _Asked) -> QuerySet[OccupiedTime]:
    before = asked.schedule.buffer_before_minutes * _MINUTE
    after = asked.schedule.buffer_after_minutes * _MINUTE
    needed = DateTimeTZRange(asked.start - before, asked.end + after, "[)")
    return OccupiedTime.objects.filter(person=asked.profile.user_id, during__overlap=needed).select_related("calendar").order_by("during")


_LEFT_OPEN: Mapping[Refusal, Callable[[_Asked], bool]] = {
    Refusal.NOT_OPEN: _is_closed,
    Refusal.OFF_GRID: _is_off_grid,
    Refusal.TAKEN: lambda asked: _occupied(asked).exists(),
}


def _text(refusal: Refusal, asked: _Asked) -> str:
    if refusal != Refusal.LIMIT_REACHED:
        return _TEXTS[refusal]
    return " ".join(f"The mentor takes no more sessions {_when(period)} ({asked.rules.zone.key})." for period in _full(asked))


def _full(asked: _Asked) -> list[FullPeriod]:
    dates = dates_of(asked.rules, asked.start)
    return [period for period in full_periods(asked.schedule, asked.rules) if any(period.first <= date <= period.last for date in dates)]


def _when(period: FullPeriod) -> str:
    if period.first == period.last:
        return f"on {period.first:%Y-%m-%d}"
    return f"in the {period.name} from {period.first:%Y-%m-%d} to {period.last:%Y-%m-%d}"


def _not_taking(asked: _Asked) -> tuple[str, ...]:
    return ("You take no bookings at the moment. Resume mentoring to be booked again.",)


def _offered(asked: _Asked) -> tuple[str, ...]:
    lengths = asked.profile.offers.filter(is_active=True).exclude(kind="group").values_list("duration_minutes", flat=True)
    stated = ", ".join(str(length) for length in sorted(set(lengths)))
    return (f"Your offers last {stated} minutes." if stated else "You have no offer for a session of two.",)


def _hours(asked: _Asked) -> tuple[str, ...]:
    lines = []
    for date in dates_of(asked.rules, asked.start):
        source = "as you set for this date" if date in asked.rules.overrides else "by your weekly hours"
        stated = ", ".join(_shown(hours) for hours in sorted(hours_on(asked.rules, date))) or "closed"
        lines.append(f"{date:%Y-%m-%d} in {zone_on(asked.rules, date).key}: {stated}, {source}.")
    return tuple(lines)


def _shown(hours: Hours) -> str:
    return "–".join(f"{minute // 60:02}:{minute % 60:02}" for minute in (hours.start, hours.end))


def _grid(asked: _Asked) -> tuple[str, ...]:
    return (f"Your sessions start every {asked.schedule.increment_minutes} minutes, counted from the start of your hours.",)


def _notice(asked: _Asked) -> tuple[str, ...]:
    if asked.start < asked.question.now:
        return ("This time is over.",)
    first = asked.question.now + asked.schedule.notice_minutes * _MINUTE
    return (
        f"You ask for {asked.schedule.notice_minutes} minutes of notice: nothing before {asked.local(first)} in {asked.rules.zone.key}.",
    )


def _horizon(asked: _Asked) -> tuple[str, ...]:
    last = asked.question.now + asked.schedule.horizon_days * _DAY
    return (f"You can be booked {asked.schedule.horizon_days} days ahead: up to {asked.local(last)} in {asked.rules.zone.key}.",)


def _taken(asked: _Asked) -> tuple[str, ...]:
    return tuple(_entry(row, asked) for row in _occupied(asked)[:_MOST_LINES])


def _entry(row: OccupiedTime, asked: _Asked) -> str:
    zone = asked.rules.zone.key
    if row.calendar is not None and row.during.upper == UNREAD_UNTIL:
        return f"{row.calendar.name} has not been read yet for the time from {asked.local(row.during.lower)} in {zone} on."
    names = {
        TimeSource.SESSION: "a session, with your buffers",
        TimeSource.HOLD: "a session that is being booked, with your buffers",
        TimeSource.BLOCK: "blocked by you",
    }
    source = f"an event of {row.calendar.name}" if row.calendar else names[TimeSource(row.source)]
    title = f" “{row.title}”" if row.title else ""
    return f"{asked.local(row.during.lower)} to {asked.local(row.during.upper)} in {zone}: {source}{title}."


def _limits(asked: _Asked) -> tuple[str, ...]:
    return tuple(
        f"You take {period.limit} a {period.name}. {len(period.starts)} start {_when(period)}, in {asked.rules.zone.key}: "
        f"{', '.join(asked.local(start) for start in period.starts[:_MOST_LINES])}."
        for period in _full(asked)
    )


def _capacity(asked: _Asked) -> tuple[str, ...]:
    until = asked.schedule.full_until or timezone.now()
    return (
        f"You take {asked.profile.capacity} people at one time, and as many have sessions ahead until "
        f"{asked.local(until)} in {asked.rules.zone.key}.",
    )


def _learner(asked: _Asked) -> tuple[str, ...]:
    return ()


_DETAILS: Mapping[Refusal, Callable[[_Asked], tuple[str, ...]]] = {
    Refusal.NOT_TAKING: _not_taking,
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
