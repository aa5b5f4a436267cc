"""Taking and giving back people's time. Bookings claims through here; nobody else writes `OccupiedTime`.

Each function locks the people it concerns, then looks, then writes; the exclusion constraint stands behind it. Whoever is too late anyway
is told so before that, and waits for nobody.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Collection

from django.db import IntegrityError, connection, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Exists, OuterRef
from django.utils import timezone

from accounts.models import User
from core.models import new_id
from core.prepared import fetch_one
from core.wall_time import as_text
from mentors.enums import Refusal, TimeSource
from mentors.errors import ClaimGone, SlotUnavailable
from mentors.models import MentorProfile, OccupiedTime, Schedule
from mentors.services.keeping import keep_free_time_of, keep_full_time_of, lock_people, try_lock
from mentors.services.slots import Question, refusals_and_overdue, refusals_of, slots_between

ALTERNATIVES = 3
_ALTERNATIVES_WITHIN = datetime.timedelta(days=14)
_BATCH = 200
_CLAIM = "SELECT refusals, has_overdue, has_limits FROM mentors_claim(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"


def claim_time(
    *,
    profile: MentorProfile,
    learner_id: uuid.UUID,
    starts_at: datetime.datetime,
    duration_minutes: int,
    reference: uuid.UUID,
    held_until: datetime.datetime | None = None,
) -> None:
    """Take the time of a session for mentor and learner; until `held_until` only, if that is given.

    Raises:
        SlotUnavailable: with the rules that are against it, and the nearest times that are bookable.
    """
    question = Question(profile.pk, duration_minutes, learner_id)
    refusals, has_overdue = _claim(question, starts_at, reference=reference, held_until=held_until)
    if has_overdue and give_back_overdue(person_ids=(profile.user_id, learner_id)):
        refusals, _ = _claim(question, starts_at, reference=reference, held_until=held_until)
    _refuse(refusals, question, starts_at)


def move_claim(*, reference: uuid.UUID, starts_at: datetime.datetime, duration_minutes: int) -> None:
    """Take another time for what was booked, which may overlap the present one. If that cannot be had, the present one stays.

    Raises:
        ClaimGone: nothing is booked under this reference.
        SlotUnavailable: as `claim_time` does.
    """
    with transaction.atomic():
        mentor, learner = _locked_claim(reference)
        release_claim(reference=reference)
        question = Question(MentorProfile.objects.only("pk").get(user_id=mentor.person_id).pk, duration_minutes, learner.person_id)
        refusals, _ = _claim(question, starts_at, reference=reference, held_until=mentor.held_until, moves=mentor.moves + 1)
        _refuse(refusals, question, starts_at)


def confirm_claim(*, reference: uuid.UUID) -> None:
    """Make a session of what was held.

    Raises:
        ClaimGone: the hold is over.
    """
    with transaction.atomic():
        rows = _locked_claim(reference)
        OccupiedTime.objects.filter(pk__in=[row.pk for row in rows]).update(
            source=TimeSource.SESSION, held_until=None, updated_at=timezone.now()
        )


def prolong_claim(*, reference: uuid.UUID, held_until: datetime.datetime) -> None:
    """Hold it up to another instant.

    Raises:
        ClaimGone: the hold is over.
    """
    with transaction.atomic():
        rows = _locked_claim(reference)
        OccupiedTime.objects.filter(pk__in=[row.pk for row in rows], source=TimeSource.HOLD).update(
            held_until=held_until, updated_at=timezone.now()
        )


def release_claim(*, reference: uuid.UUID) -> None:
    """Give the time back. Nothing happens if that was done before."""
    is_alone = not connection.in_atomic_block
    (limited,) = fetch_one("SELECT mentors_release(%s, %s, %s)", (reference, timezone.now(), is_alone))
    if limited and is_alone:
        with transaction.atomic():
            release_claim(reference=reference)
    elif limited:
        keep_full_time_of(limited)


def keep_for_waiting(
    *, mentor_id: uuid.UUID, starts_at: datetime.datetime, ends_at: datetime.datetime, held_until: datetime.datetime
) -> None:
    """Let nobody have a mentor's time, which was just given back, but those who wait for it. Where something else stands by now, nothing
    happens."""
    with transaction.atomic():
        lock_people([mentor_id])
        session = DateTimeTZRange(starts_at, ends_at, "[)")
        row = OccupiedTime(
            person_id=mentor_id,
            source=TimeSource.HOLD,
            during=with_buffers(Schedule.objects.get(profile__user=mentor_id), session),
            session=session,
            reference=new_id(),
            held_until=held_until,
            is_mentor=True,
        )
        try:
            with transaction.atomic():
                row.save(force_insert=True)
        except IntegrityError:
            return
        keep_free_time_of([mentor_id])


def release_kept(*, mentor_id: uuid.UUID, held_until: datetime.datetime | None = None) -> list[OccupiedTime]:
    """What is kept of a mentor's time for those who wait, or of it what is kept up to an instant at the latest, is free for everybody.
    Returns what was kept."""
    with transaction.atomic():
        lock_people([mentor_id])
        learners = OccupiedTime.objects.filter(reference=OuterRef("reference"), is_mentor=False)
        kept = OccupiedTime.objects.filter(person=mentor_id, source=TimeSource.HOLD, is_mentor=True).exclude(Exists(learners))
        rows = list(kept if held_until is None else kept.filter(held_until__lte=held_until))
        if rows:
            OccupiedTime.objects.filter(pk__in=[row.pk for row in rows]).delete()
            keep_free_time_of([mentor_id])
    return rows


def expire_holds() -> int:
    """Give back what was held for too long. Returns how many people had something held."""
    overdue = OccupiedTime.objects.filter(source=TimeSource.HOLD, held_until__lte=timezone.now())
    people = list(overdue.order_by("held_until").values_list("person_id", flat=True)[:_BATCH])
    if people:
        give_back_overdue(person_ids=people)
    return len(people)


def block_time(*, person: User, starts_at: datetime.datetime, ends_at: datetime.datetime, title: str = "") -> OccupiedTime:
    """Keep sessions out of a stretch of time. What is booked in it already stays booked."""
    with transaction.atomic():
        lock_people([person.pk])
        during = DateTimeTZRange(starts_at, ends_at, "[)")
        row = OccupiedTime.objects.create(person=person, source=TimeSource.BLOCK, during=during, title=title)
        keep_free_time_of([person.pk])
    return row


def unblock_time(*, block: OccupiedTime) -> None:
    """Open a blocked stretch again."""
    with transaction.atomic():
        lock_people([block.person_id])
        OccupiedTime.objects.filter(pk=block.pk, source=TimeSource.BLOCK).delete()
        keep_free_time_of([block.person_id])


def nearest_slots(question: Question, wanted: datetime.datetime, *, number: int = ALTERNATIVES) -> list[datetime.datetime]:
    """The bookable starts that are nearest to the wanted one, within two weeks either way; the earlier first where two are as near."""
    found = slots_between(question, wanted - _ALTERNATIVES_WITHIN, wanted + _ALTERNATIVES_WITHIN)
    return sorted(sorted(found, key=lambda start: (abs(start - wanted), start))[:number])


def nearest_as_text(question: Question, wanted: datetime.datetime) -> list[str]:
    """The same, as the API writes instants."""
    return [as_text(start) for start in nearest_slots(question, wanted)]


def require_bookable(question: Question, starts_at: datetime.datetime) -> None:
    """Raises:
    SlotUnavailable: with the rules that are against it, and the nearest times that are bookable.
    """
    refusals, has_overdue = refusals_and_overdue(question, starts_at)
    if has_overdue:
        mentors = MentorProfile.objects.filter(pk=question.profile_id).values_list("user_id", flat=True)
        if give_back_overdue(person_ids=[key for key in (*mentors, question.learner_id) if key is not None]):
            refusals = refusals_of(question, starts_at)
    _refuse(refusals, question, starts_at)


def _refuse(refusals: list[Refusal], question: Question, starts_at: datetime.datetime) -> None:
    if refusals:
        raise SlotUnavailable(reasons=[refusal.value for refusal in refusals], find=lambda: nearest_as_text(question, starts_at))


def _claim(
    question: Question, starts_at: datetime.datetime, *, reference: uuid.UUID, held_until: datetime.datetime | None, moves: int = 0
) -> tuple[list[Refusal], bool]:
    """Ask by the rules, lock both, ask again, and write both rows; or say what is against it, and whether something overdue may be."""
    asked = (question.profile_id, question.learner_id, starts_at, question.minutes, question.now)
    is_alone = not connection.in_atomic_block
    refusals, has_overdue, has_limits = fetch_one(_CLAIM, (*asked, reference, held_until, moves, new_id(), new_id(), is_alone))
    if has_limits and is_alone:
        with transaction.atomic():
            return _claim(question, starts_at, reference=reference, held_until=held_until, moves=moves)
    if has_limits:
        keep_full_time_of(OccupiedTime.objects.filter(reference=reference).values_list("person_id", flat=True))
    return [Refusal(refusal) for refusal in refusals], has_overdue


def with_buffers(schedule: Schedule, session: DateTimeTZRange) -> DateTimeTZRange:
    """What nothing else of the mentor may touch, around a session."""
    before, after = (datetime.timedelta(minutes=minutes) for minutes in (schedule.buffer_before_minutes, schedule.buffer_after_minutes))
    return DateTimeTZRange(session.lower - before, session.upper + after, "[)")


def _locked_claim(reference: uuid.UUID) -> tuple[OccupiedTime, OccupiedTime]:
    """The mentor's row and the learner's, with their people locked. Needs an open transaction."""
    lock_people(OccupiedTime.objects.filter(reference=reference).values_list("person_id", flat=True))
    rows = {row.is_mentor: row for row in OccupiedTime.objects.filter(reference=reference)}
    if len(rows) < 2 or any(row.held_until is not None and row.held_until <= timezone.now() for row in rows.values()):
        raise ClaimGone
    return rows[True], rows[False]


def give_back_overdue(*, person_ids: Collection[uuid.UUID]) -> bool:
    """Give back what these people were held for too long, and lock them. Whoever is on the other side of it is locked with them, and
    where somebody else is at that one's time, it is left for later: two who have locks must not wait for each other. Returns whether
    something was given back."""
    overdue = OccupiedTime.objects.filter(source=TimeSource.HOLD, held_until__lte=timezone.now())
    references = list(overdue.filter(person_id__in=person_ids).values_list("reference", flat=True))
    if not references:
        return False
    with transaction.atomic():
        lock_people(person_ids)
        rows = list(overdue.filter(reference__in=references))
        locked = {*person_ids, *(key for key in {row.person_id for row in rows}.difference(person_ids) if try_lock(key))}
        left = {row.reference for row in rows if row.person_id not in locked}
        gone = [row for row in rows if row.reference not in left]
        OccupiedTime.objects.filter(pk__in=[row.pk for row in gone]).delete()
        keep_free_time_of({row.person_id for row in gone})
    return bool(gone)
