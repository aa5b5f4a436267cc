"""Recording a session: off unless both agreed for this very session, started by one of them, stopped by either, kept privately at the
provider for thirty days, and deleted at once when somebody takes their yes back. Sessions for several, and those with somebody under 18,
are never recorded.

The row comes first; the provider is asked outside of all locks, and again until it has done what the row says.
"""

from __future__ import annotations

import dataclasses
import datetime
import uuid

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.policies import is_minor
from bookings.enums import LIVE_STATES, BookingState, RecordingState, RoomState
from bookings.errors import ConsentMissing, ConsentTextChanged, NoRecording, NotRecordable, RecordingAway, RecordingRuns
from bookings.models import Booking, RecordingConsent, Room, Session, SessionRecording
from bookings.providers.base import VideoAway
from bookings.providers.video import RECORDER
from bookings.services.moving import locked_booking, require_state
from core.batches import each_alone

# Whoever agrees, agrees to this text. A new text needs a new number, and old yeses do not count for it.
CONSENT_TEXT_VERSION = 1
CONSENT_TEXT = _(
    "This session may be recorded, with picture and sound. Only the two of us can watch the recording. It is deleted after 30 days, or at "
    "once if one of us takes back this consent. Each of us can stop the recording at any time."
)
KEPT_FOR = datetime.timedelta(days=30)
LINK_FOR = datetime.timedelta(minutes=15)
_AGAIN = datetime.timedelta(minutes=2)
# What the provider has not found by then was never made.
_FOUND_WITHIN = datetime.timedelta(days=1)
_BATCH = 100


@dataclasses.dataclass(frozen=True)
class Consents:
    """Who of the two agrees now, and whether it could be recorded at all."""

    is_possible: bool
    you: bool
    other: bool


def consents_of(booking: Booking, user: User) -> Consents:
    given = set(_consents(booking.session_id).values_list("person_id", flat=True))
    both = {booking.learner_id, booking.session.mentor_id}
    return Consents(_is_recordable(booking), user.pk in given, bool((both - {user.pk}) & given))


def agree(*, booking: Booking, user: User, text_version: int) -> None:
    """One of the two agrees, before or during the session. That starts nothing by itself.

    Raises:
        NotRecordable: it is for several, or somebody is under 18.
        ConsentTextChanged: another text is in force.
        IllegalBookingMove: the session is off or over.
    """
    if text_version != CONSENT_TEXT_VERSION:
        raise ConsentTextChanged
    with transaction.atomic():
        row = locked_booking(booking.pk)
        require_state(row, *LIVE_STATES)
        if not _is_recordable(row):
            raise NotRecordable
        given = {"text_version": text_version, "given_at": timezone.now()}
        RecordingConsent.objects.get_or_create(session=row.session, person=user, withdrawn_at=None, defaults=given)


def take_back(*, booking: Booking, user: User) -> None:
    """Agree no more. What runs is stopped, and what was recorded is deleted."""
    now = timezone.now()
    with transaction.atomic():
        locked_booking(booking.pk)
        if not _consents(booking.session_id).filter(person=user).update(withdrawn_at=now, updated_at=now):
            return
        rows = SessionRecording.objects.filter(session=booking.session_id)
        rows.filter(state=RecordingState.RUNNING).update(state=RecordingState.UNWANTED, stopped_at=now)
        rows.exclude(state=RecordingState.DELETED).update(state=RecordingState.UNWANTED, due_at=now, updated_at=now)
    _look_after_all(SessionRecording.objects.filter(session=booking.session_id, state=RecordingState.UNWANTED))


def start_recording(*, booking: Booking, user: User) -> SessionRecording:
    """Begin to record, while somebody is in the room.

    Raises:
        IllegalBookingMove: it has not begun, or is over.
        ConsentMissing: one of the two has not agreed.
        RecordingRuns: it is recorded already.
        RecordingAway: the room is none that can be recorded, or its provider does not answer.
    """
    with transaction.atomic():
        row = locked_booking(booking.pk)
        require_state(row, BookingState.IN_SESSION)
        if not _is_recordable(row):
            raise NotRecordable
        if _consents(row.session_id).count() < 2:
            raise ConsentMissing
        # What is being deleted is known by its room alone, and another one in that room would be taken for it.
        if SessionRecording.objects.filter(session=row.session, state=RecordingState.UNWANTED).exists():
            raise RecordingAway
        room = _room_of(row.session)
        now = timezone.now()
        try:
            with transaction.atomic():
                # Left alone it is stopped when the room closes.
                recording = SessionRecording.objects.create(session=row.session, started_by=user, started_at=now, due_at=room.closes_at)
        except IntegrityError as error:
            raise RecordingRuns from error
    try:
        RECORDER.start_recording(room.name)
    except VideoAway as error:
        # It may have begun all the same: it is stopped, and what is found of it deleted.
        _stop(recording.pk, RecordingState.UNWANTED)
        raise RecordingAway from error
    # Somebody may have taken their yes back meanwhile, before there was anything to stop.
    _look_after_all(SessionRecording.objects.filter(pk=recording.pk, state=RecordingState.UNWANTED))
    return recording


def stop_recording(*, booking: Booking) -> None:
    """Stop it; each of the two may.

    Raises:
        NoRecording: none runs.
    """
    row = SessionRecording.objects.filter(session=booking.session_id, state=RecordingState.RUNNING).first()
    if row is None:
        raise NoRecording
    _stop(row.pk, RecordingState.STOPPED)


def link_to_recording(*, booking: Booking) -> tuple[str, datetime.datetime]:
    """Where it can be watched for a quarter of an hour, and until when. For the two of the session alone.

    Raises:
        NoRecording: there is none, not yet, or not any more.
        RecordingAway: the provider does not answer.
    """
    row = SessionRecording.objects.filter(session=booking.session_id, state=RecordingState.STORED).order_by("-started_at").first()
    if row is None:
        raise NoRecording
    until = timezone.now() + LINK_FOR
    try:
        return RECORDER.link_to(row.provider_id, seconds=int(LINK_FOR.total_seconds())), until
    except VideoAway as error:
        raise RecordingAway from error


def forget_recordings_of(*, person_id: uuid.UUID) -> None:
    """Somebody leaves for good: what they are heard in goes."""
    now = timezone.now()
    _recordings_with(person_id).filter(state=RecordingState.RUNNING).update(state=RecordingState.UNWANTED, stopped_at=now)
    _recordings_with(person_id).update(state=RecordingState.UNWANTED, due_at=now, updated_at=now)


def count_recordings_of(person_id: uuid.UUID) -> int:
    """How many recordings somebody is heard in, that are not about to be deleted."""
    return _recordings_with(person_id).exclude(state=RecordingState.UNWANTED).count()


def look_after_recordings() -> int:
    """Stop, find and delete what is due. Returns how many were looked at."""
    due = SessionRecording.objects.exclude(state=RecordingState.DELETED).filter(due_at__lte=timezone.now()).order_by("due_at")
    return _look_after_all(due[:_BATCH])


def _look_after_all(rows: QuerySet[SessionRecording]) -> int:
    return len(each_alone(_look_after, list(rows.values_list("pk", flat=True))))


def _look_after(key: uuid.UUID) -> None:
    row = SessionRecording.objects.select_related("session__room").get(pk=key)
    SessionRecording.objects.filter(pk=key).update(due_at=timezone.now() + _AGAIN)
    if row.state == RecordingState.RUNNING:
        _stop(key, RecordingState.STOPPED)
    elif row.state == RecordingState.STOPPED:
        _find(row)
    else:
        _delete(row)


def _stop(key: uuid.UUID, state: RecordingState) -> None:
    now = timezone.now()
    SessionRecording.objects.filter(pk=key, state=RecordingState.RUNNING).update(state=state, stopped_at=now, due_at=now, updated_at=now)
    _look_after_all(SessionRecording.objects.filter(pk=key, state__in=(RecordingState.STOPPED, RecordingState.UNWANTED)))


def _find(row: SessionRecording) -> None:
    """Stopped: what the provider made of it is known by its name once it is stored there."""
    room = row.session.room
    try:
        RECORDER.stop_recording(room.name)
        found = [each for each in RECORDER.recordings_of(room.name) if not SessionRecording.objects.filter(provider_id=each).exists()]
    except VideoAway:
        return
    now = timezone.now()
    rows = SessionRecording.objects.filter(pk=row.pk, state=RecordingState.STOPPED)
    if found:
        rows.update(state=RecordingState.STORED, provider_id=found[0], due_at=row.started_at + KEPT_FOR, updated_at=now)
    elif now > row.started_at + _FOUND_WITHIN:
        rows.update(state=RecordingState.DELETED, updated_at=now)


def _delete(row: SessionRecording) -> None:
    """Stored for long enough, or not wanted any more: everything that the provider has of this room goes."""
    room = row.session.room
    try:
        RECORDER.stop_recording(room.name)
        found = {row.provider_id, *RECORDER.recordings_of(room.name)} - {""} if row.state == RecordingState.UNWANTED else {row.provider_id}
        for provider_id in found:
            RECORDER.delete_recording(provider_id)
    except VideoAway:
        return
    now = timezone.now()
    # The provider stores what was running a moment later: what is unwanted is looked for until it was found, or cannot come any more.
    if found or now > row.started_at + _FOUND_WITHIN:
        SessionRecording.objects.filter(pk=row.pk).update(state=RecordingState.DELETED, updated_at=now)


def _recordings_with(person_id: uuid.UUID) -> QuerySet[SessionRecording]:
    sessions = Booking.objects.filter(Q(learner=person_id) | Q(session__mentor=person_id)).values("session_id")
    return SessionRecording.objects.filter(session__in=sessions).exclude(state=RecordingState.DELETED)


def _consents(session_id: uuid.UUID) -> QuerySet[RecordingConsent]:
    return RecordingConsent.objects.filter(session=session_id, withdrawn_at__isnull=True, text_version=CONSENT_TEXT_VERSION)


def _is_recordable(booking: Booking) -> bool:
    return not booking.session.is_group and not is_minor(booking.learner) and not is_minor(booking.session.mentor)


def _room_of(session: Session) -> Room:
    room = Room.objects.filter(session=session, state=RoomState.OPEN).first()
    if room is None or room.provider != RECORDER.name:
        raise RecordingAway
    return room
