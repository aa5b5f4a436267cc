"""Recordings of spoken answers. They are deleted as soon as they are text, but for people who agreed that they are kept for a month."""

from __future__ import annotations

import datetime
import secrets
import uuid

from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages
from django.db import transaction
from django.utils import timezone

from accounts.enums import ConsentPurpose
from accounts.models import User
from accounts.services.consents import consent_of
from ai.services.speech import compact
from profiling.errors import RecordingNotFound
from profiling.models import Answer, Recording

KEPT_FOR = datetime.timedelta(days=30)


def keep_recording(*, user: User, answer: Answer, audio: bytes) -> Recording | None:
    """Keep what was said, as Opus, for somebody who agreed to it. None for everybody else. An answer given anew replaces its recording."""
    if not consent_of(user.pk, ConsentPurpose.VOICE_KEEPING).is_granted:
        return None
    name = _storage().save(f"{_folder(user.pk)}/{secrets.token_urlsafe(16)}.ogg", ContentFile(compact(audio)))
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        former = Recording.objects.filter(answer=answer).first()
        if former is not None:
            _delete(former)
        return Recording.objects.create(user=user, answer=answer, file=name, expires_at=timezone.now() + KEPT_FOR)


def recording_audio(*, user: User, recording_id: uuid.UUID) -> bytes:
    """The Opus file of a recording.

    Raises:
        RecordingNotFound
    """
    recording = Recording.objects.visible_to(user).filter(pk=recording_id).first()
    if recording is None or not _storage().exists(recording.file):
        raise RecordingNotFound
    with _storage().open(recording.file) as file:
        return bytes(file.read())


def delete_recording(*, user: User, recording_id: uuid.UUID) -> None:
    """Delete a recording of one's own.

    Raises:
        RecordingNotFound
    """
    with transaction.atomic():
        recording = Recording.objects.visible_to(user).select_for_update().filter(pk=recording_id).first()
        if recording is None:
            raise RecordingNotFound
        _delete(recording)


def forget_recordings(*, user_id: uuid.UUID) -> None:
    """Delete every recording of somebody, files that lost their row included. Safe to run twice."""
    Recording.objects.filter(user_id=user_id).delete()
    for name in recording_files(user_id):
        _storage().delete(name)


def prune_recordings() -> int:
    """Delete what was kept long enough. Returns how many."""
    expired = list(Recording.objects.filter(expires_at__lte=timezone.now())[:1_000])
    for recording in expired:
        with transaction.atomic():
            _delete(recording)
    return len(expired)


def recording_files(user_id: uuid.UUID) -> list[str]:
    """The names of a person's files in the private storage."""
    try:
        _, files = _storage().listdir(_folder(user_id))
    except FileNotFoundError:
        return []
    return [f"{_folder(user_id)}/{name}" for name in files]


def read_recording_file(name: str) -> bytes:
    """A file by its name in the private storage, for the archive that a person gets."""
    with _storage().open(name) as file:
        return bytes(file.read())


def _delete(recording: Recording) -> None:
    name = recording.file
    recording.delete()
    transaction.on_commit(lambda: _storage().delete(name))


def _folder(user_id: uuid.UUID) -> str:
    return f"recordings/{user_id}"


def _storage() -> Storage:
    return storages["private"]
