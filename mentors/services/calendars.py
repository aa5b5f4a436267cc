"""Outside calendars that keep a mentor busy: read every quarter of an hour; their owner is notified if that fails.

Time for which a calendar was not read counts as busy: everything after `read_until`, and all time before the first reading.
"""

from __future__ import annotations

import dataclasses
import datetime
import uuid
from collections.abc import Iterable

import structlog
from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import User
from core.bell import ring_unless_rung
from core.errors import FieldError, InvalidInput
from core.events import publish
from core.sealing import seal, unseal
from mentors.enums import CalendarKind, TimeSource
from mentors.errors import CalendarNotRead, TooManyCalendars
from mentors.events import CalendarMisread, CalendarWentStale
from mentors.models import OccupiedTime, OutsideCalendar, Schedule
from mentors.providers import caldav
from mentors.providers.calendars import Busy, Reading, UnusableCalendar, read_calendar
from mentors.providers.guarded import Fetched, FetchFailed, fetch, target_of
from mentors.services.calendar_problems import has_news, stored_problems
from mentors.services.keeping import SPARE_DAYS, keep_free_time_of, lock_people
from mentors.services.links import own_suffix

logger = structlog.get_logger(__name__)

MOST_CALENDARS = 10
STALE_AFTER = datetime.timedelta(hours=12)
# The end of the row that marks unread time as busy.
UNREAD_UNTIL = datetime.datetime(9000, 1, 1, tzinfo=datetime.UTC)
_INTERVAL = datetime.timedelta(minutes=15)
_LONGEST_WAIT = datetime.timedelta(hours=6)
# What recurs comes into view day by day, so that a calendar that did not change is still read anew each day.
_READ_ANEW_AFTER = datetime.timedelta(hours=20)
_ADDRESS, _PASSWORD = "mentors.calendar-address", "mentors.calendar-password"
_DETAILS = {
    "not_https": "The address must begin with https://.",
    "invalid_address": "This is no address of a calendar.",
}


def add_calendar(*, person: User, kind: CalendarKind, name: str, address: str, username: str = "", password: str = "") -> OutsideCalendar:
    """Have an outside calendar read, from now on.

    Raises:
        InvalidInput: the address is none, or not https.
        TooManyCalendars
    """
    try:
        target = target_of(address)
    except FetchFailed as error:
        raise InvalidInput(errors=(FieldError("address", error.code, _DETAILS[error.code]),)) from error
    with transaction.atomic():
        lock_people([person.pk])
        if OutsideCalendar.objects.filter(person=person).count() >= MOST_CALENDARS:
            raise TooManyCalendars
        calendar = OutsideCalendar.objects.create(
            person=person,
            kind=kind,
            name=name,
            host=target.host[:255],
            sealed_address=seal(target.address, purpose=_ADDRESS),
            username=username,
            due_at=timezone.now(),
            sealed_password=seal(password, purpose=_PASSWORD) if password else "",
        )
        _write_events(calendar, (), read_until=timezone.now())
        keep_free_time_of([person.pk])
        transaction.on_commit(lambda: ring_unless_rung("mentors.tasks.read_calendars"))
    return calendar


def find_calendars(*, address: str, username: str, password: str) -> list[caldav.Calendar]:
    """The calendars of somebody on a CalDAV server.

    Raises:
        CalendarNotRead: with the reason.
        InvalidInput: the address is none, or not https.
    """
    try:
        return caldav.calendars_of(address, (username, password))
    except FetchFailed as error:
        if error.code in _DETAILS:
            raise InvalidInput(errors=(FieldError("address", error.code, _DETAILS[error.code]),)) from error
        raise CalendarNotRead(reason=error.code) from error


def remove_calendar(*, calendar: OutsideCalendar) -> None:
    """Forget a calendar and what it kept busy."""
    with transaction.atomic():
        lock_people([calendar.person_id])
        OutsideCalendar.objects.filter(pk=calendar.pk).delete()
        keep_free_time_of([calendar.person_id])


def read_due_calendars(*, until: datetime.datetime) -> int:
    """Read what is due, one after the other, until nothing is or it is late. Several workers share the work."""
    number = 0
    while timezone.now() < until and (calendar := _claim()) is not None:
        refresh_calendar(calendar=calendar)
        number += 1
    return number


def refresh_calendar(*, calendar: OutsideCalendar) -> None:
    """Read one calendar now. Where that fails, what it said last stands, and the row says why."""
    try:
        version, reading = _read(calendar)
    except (FetchFailed, UnusableCalendar) as failure:
        _record_failure(calendar, failure.code)
        return
    with transaction.atomic():
        lock_people([calendar.person_id])
        current = OutsideCalendar.objects.select_for_update().filter(pk=calendar.pk).first()
        if current is None:
            return
        if reading is not None:
            _record_reading(current, reading)
        if reading is None or reading.is_complete:
            current.fresh_at, current.failure, current.failures, current.told_stale_at = timezone.now(), "", 0, None
            current.version = version[:300]
        current.save()
    if reading is not None and not reading.is_complete:
        _record_failure(calendar, "incomplete")


def read_anew(*, person_id: uuid.UUID) -> None:
    """Read the calendars of this person again soon, even if unchanged, because the time zone or the horizon changed. Joins the caller's
    transaction."""
    if OutsideCalendar.objects.filter(person=person_id).update(version="", due_at=timezone.now()):
        transaction.on_commit(lambda: ring_unless_rung("mentors.tasks.read_calendars"))


def report_stale_calendars() -> int:
    """Notify owners once of each calendar that was never read, or not for half a day."""
    number = 0
    with transaction.atomic():
        for calendar in stale_calendars().filter(told_stale_at__isnull=True, failures__gt=0).select_for_update(skip_locked=True)[:500]:
            OutsideCalendar.objects.filter(pk=calendar.pk).update(told_stale_at=timezone.now())
            publish(CalendarWentStale(calendar.person_id, calendar.pk))
            number += 1
    return number


def stale_calendars() -> QuerySet[OutsideCalendar]:
    """Calendars that were never read, or so long ago that their busy times may be wrong."""
    return OutsideCalendar.objects.filter(Q(fresh_at__isnull=True) | Q(fresh_at__lt=timezone.now() - STALE_AFTER))


def is_confirmed(person_id: uuid.UUID) -> bool:
    """Whether every outside calendar of this person was heard of lately, so that what is offered is surely free."""
    return not stale_calendars().filter(person_id=person_id).exists()


def _claim() -> OutsideCalendar | None:
    """The calendar that is due for the longest. Should this worker die, it is due again after the interval."""
    with transaction.atomic():
        due = OutsideCalendar.objects.filter(due_at__lte=timezone.now()).order_by("due_at")
        calendar = due.select_for_update(skip_locked=True).first()
        if calendar is not None:
            OutsideCalendar.objects.filter(pk=calendar.pk).update(due_at=timezone.now() + _INTERVAL)
    return calendar


def _read(calendar: OutsideCalendar) -> tuple[str, Reading | None]:
    """The version of a calendar, and what it says; None where it says what it said before."""
    schedule = Schedule.objects.filter(profile__user_id=calendar.person_id).first()
    zone = schedule.time_zone if schedule else calendar.person.time_zone
    now = timezone.now().replace(microsecond=0)
    first = now - datetime.timedelta(days=1)
    last = now + datetime.timedelta(days=(schedule.horizon_days if schedule else 0) + SPARE_DAYS)
    # Whole days, so that the row for unread time changes once a day.
    last = last.replace(hour=0, minute=0, second=0)
    known = calendar.version if calendar.read_at and calendar.read_at > now - _READ_ANEW_AFTER else ""
    version, content, is_complete = _caldav(calendar, known, first, last) if calendar.kind == CalendarKind.CALDAV else _ics(calendar, known)
    if content is None:
        return version, None
    reading = Reading(read_until=last)
    if content or calendar.kind == CalendarKind.ICS:
        reading = read_calendar(content, first=first, last=last, zone=zone, own_suffix=own_suffix())
    return version, dataclasses.replace(reading, is_complete=reading.is_complete and is_complete)


def _ics(calendar: OutsideCalendar, known: str) -> tuple[str, bytes | None, bool]:
    target = target_of(unseal(calendar.sealed_address, purpose=_ADDRESS))
    answer: Fetched = fetch(target, headers={"If-None-Match": known} if known else {})
    return answer.headers.get("etag", ""), None if answer.status == 304 else answer.content, True


def _caldav(calendar: OutsideCalendar, known: str, first: datetime.datetime, last: datetime.datetime) -> tuple[str, bytes | None, bool]:
    address = unseal(calendar.sealed_address, purpose=_ADDRESS)
    credentials = (calendar.username, unseal(calendar.sealed_password, purpose=_PASSWORD) if calendar.sealed_password else "")
    version = caldav.version_of(address, credentials)
    if version and version == known:
        return version, None, True
    content, is_complete = caldav.content_of(address, credentials, first=first, last=last)
    return version, content, is_complete


def _record_reading(calendar: OutsideCalendar, reading: Reading) -> None:
    """Store a reading. An incomplete one removes no stored event."""
    problems = stored_problems(reading.problems)
    if has_news(calendar.problems, problems):
        publish(CalendarMisread(calendar.person_id, calendar.pk))
    calendar.problems = problems
    if reading.is_complete:
        calendar.read_at = timezone.now()
    _write_events(calendar, reading.busy, read_until=reading.read_until if reading.is_complete else None)
    keep_free_time_of([calendar.person_id])


def _write_events(calendar: OutsideCalendar, busy: Iterable[Busy], *, read_until: datetime.datetime | None) -> None:
    """Update only the stored events that differ. All time from `read_until` on is busy; without it no stored event is removed."""
    wanted = {(each.start, each.end, each.title) for each in busy}
    if read_until is not None:
        wanted.add((read_until, UNREAD_UNTIL, ""))
    gone = []
    for pk, during, title in calendar.events.values_list("pk", "during", "title"):
        key = (during.lower, during.upper, title)
        if key in wanted:
            wanted.remove(key)
        elif read_until is not None:
            gone.append(pk)
    OccupiedTime.objects.filter(pk__in=gone).delete()
    OccupiedTime.objects.bulk_create(
        (
            OccupiedTime(
                person_id=calendar.person_id,
                source=TimeSource.EVENT,
                during=DateTimeTZRange(start, end, "[)"),
                title=title,
                calendar=calendar,
            )
            for start, end, title in sorted(wanted)
        ),
        batch_size=1_000,
    )


def _record_failure(calendar: OutsideCalendar, code: str) -> None:
    failures = min(calendar.failures + 1, 1_000)
    wait = min(_INTERVAL * 2 ** min(failures - 1, 10), _LONGEST_WAIT)
    changes = {"failure": code, "failures": failures, "due_at": timezone.now() + wait, "updated_at": timezone.now()}
    OutsideCalendar.objects.filter(pk=calendar.pk).update(**changes)
    logger.info("outside calendar not read", calendar_id=str(calendar.pk), code=code)
