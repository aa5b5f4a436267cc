"""Time of sessions for several: the mentor's is taken when the session is announced, each learner's with their seat. How many seats
there are is for bookings to mind. See `services.occupying` for sessions of two."""

from __future__ import annotations

import datetime
import uuid

from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils import timezone

from mentors.enums import Refusal, TimeSource
from mentors.errors import ClaimGone, NoSchedule, SlotUnavailable
from mentors.models import MentorProfile, OccupiedTime, Schedule
from mentors.services.keeping import BOOKED, keep_free_time_of, lock_people
from mentors.services.occupying import give_back_overdue, nearest_as_text, with_buffers
from mentors.services.slots import Question

_MINUTE = datetime.timedelta(minutes=1)


def announce_group(*, profile: MentorProfile, starts_at: datetime.datetime, duration_minutes: int, reference: uuid.UUID) -> None:
    """Take the mentor's time for a session for several, with its buffers. The hours of the schedule do not bind the mentor here; what is
    booked does.

    Raises:
        NoSchedule: the mentor never said when they can be booked.
        SlotUnavailable: something is booked then; with the nearest times that are free.
    """
    schedule = Schedule.objects.filter(profile=profile).first()
    if schedule is None:
        raise NoSchedule
    with transaction.atomic():
        lock_people([profile.user_id])
        give_back_overdue(person_ids=[profile.user_id])
        session = DateTimeTZRange(starts_at, starts_at + duration_minutes * _MINUTE, "[)")
        during = with_buffers(schedule, session)
        if OccupiedTime.objects.filter(person=profile.user_id, source__in=BOOKED, during__overlap=during).exists():
            raise SlotUnavailable(
                reasons=[Refusal.TAKEN.value], find=lambda: nearest_as_text(Question(profile.pk, duration_minutes), starts_at)
            )
        OccupiedTime.objects.create(
            person_id=profile.user_id,
            source=TimeSource.SESSION,
            during=during,
            session=session,
            reference=reference,
            is_mentor=True,
            is_group=True,
        )
        keep_free_time_of([profile.user_id])


def take_seat(*, reference: uuid.UUID, learner_id: uuid.UUID, held_until: datetime.datetime) -> None:
    """Take a learner's time for a session for several, until then.

    Raises:
        ClaimGone: there is no such session.
        SlotUnavailable: the learner has something else then.
    """
    with transaction.atomic():
        lock_people([learner_id])
        give_back_overdue(person_ids=[learner_id])
        mentor = OccupiedTime.objects.filter(reference=reference, is_mentor=True, is_group=True).first()
        if mentor is None:
            raise ClaimGone
        row = OccupiedTime(
            person_id=learner_id,
            source=TimeSource.HOLD,
            during=mentor.session,
            session=mentor.session,
            reference=reference,
            held_until=held_until,
            is_group=True,
        )
        try:
            with transaction.atomic():
                row.save(force_insert=True)
        except IntegrityError as error:
            raise SlotUnavailable(reasons=[Refusal.LEARNER_BUSY.value]) from error
        keep_free_time_of([learner_id])


def hold_seat(*, reference: uuid.UUID, learner_id: uuid.UUID, held_until: datetime.datetime) -> None:
    """Hold it up to another instant.

    Raises:
        ClaimGone: the hold is over.
    """
    with transaction.atomic():
        row = _locked_seat(reference, learner_id)
        if row.source == TimeSource.HOLD:
            row.held_until = held_until
            row.save()


def keep_seat(*, reference: uuid.UUID, learner_id: uuid.UUID) -> None:
    """The seat is the learner's for good.

    Raises:
        ClaimGone: it was held, and is not any more.
    """
    with transaction.atomic():
        row = _locked_seat(reference, learner_id)
        row.source, row.held_until = TimeSource.SESSION, None
        row.save()


def leave_seat(*, reference: uuid.UUID, learner_id: uuid.UUID) -> None:
    """Give a learner's time back. Nothing happens if that was done before."""
    with transaction.atomic():
        lock_people([learner_id])
        OccupiedTime.objects.filter(reference=reference, person=learner_id, is_group=True, is_mentor=False).delete()
        keep_free_time_of([learner_id])


def _locked_seat(reference: uuid.UUID, learner_id: uuid.UUID) -> OccupiedTime:
    """The learner's row, with their time locked. Needs an open transaction."""
    lock_people([learner_id])
    row = OccupiedTime.objects.filter(reference=reference, person=learner_id, is_group=True, is_mentor=False).first()
    if row is None or (row.held_until is not None and row.held_until <= timezone.now()):
        raise ClaimGone
    return row
