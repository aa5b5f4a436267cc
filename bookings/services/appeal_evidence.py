"""Files that one side adds to its account of a contested session: in the private storage, for the two and for staff."""

from __future__ import annotations

import datetime
import hashlib
import uuid

from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts.models import User
from bookings.enums import AppealState
from bookings.errors import NoOpenAppeal, TooMuchEvidence
from bookings.models import Appeal, AppealEvidence, Booking
from bookings.services.moving import side_of
from core.documents import document_type

MOST_FILES = 5
# Staff and both sides may need to look again; then the files go, and the decision stays.
KEPT_FOR = datetime.timedelta(days=180)
# Longer than any upload takes.
_STORING = datetime.timedelta(hours=1)
_BATCH = 200


def add_evidence(*, booking: Booking, user: User, content: bytes) -> AppealEvidence:
    """Add a file to the account of this person's side, until staff decide. The same file sent again is the same evidence.

    Raises:
        BodyTooLarge, InvalidInput: more than 10 MB, or no PDF, JPEG, PNG or WebP.
        NoOpenAppeal: this side has given no account, or it is decided.
        TooMuchEvidence: five files are there.
    """
    content_type = document_type(content)
    with transaction.atomic():
        appeal = Appeal.objects.select_for_update().filter(booking=booking, side=side_of(booking, user)).first()
        if appeal is None or appeal.state != AppealState.OPEN:
            raise NoOpenAppeal
        name = _name_of(appeal, content)
        evidence = AppealEvidence.objects.filter(file=name).first()
        if evidence is None:
            if appeal.evidence.count() >= MOST_FILES:
                raise TooMuchEvidence
            evidence = AppealEvidence.objects.create(appeal=appeal, file=name, content_type=content_type, size=len(content))
    if evidence.is_stored:
        return evidence
    # What an upload that broke off has left there.
    _storage().delete(name)
    _storage().save(name, ContentFile(content))
    AppealEvidence.objects.filter(pk=evidence.pk).update(is_stored=True)
    evidence.is_stored = True
    return evidence


def read_evidence(name: str) -> bytes:
    """A file by its name in the storage."""
    with _storage().open(name) as file:
        return bytes(file.read())


def delete_old_evidence() -> int:
    """Delete files that were decided upon long ago, or were never stored in full. Returns how many."""
    now = timezone.now()
    old = AppealEvidence.objects.filter(appeal__decided_at__lt=now - KEPT_FOR)
    left = AppealEvidence.objects.filter(is_stored=False, created_at__lt=now - _STORING)
    due = list((old | left).order_by("created_at")[:_BATCH])
    for evidence in due:
        _storage().delete(evidence.file)
        AppealEvidence.objects.filter(pk=evidence.pk).delete()
    return len(due)


def evidence_files(person_id: uuid.UUID) -> list[str]:
    """The names of a person's files in the private storage."""
    try:
        _, names = _storage().listdir(_folder(person_id))
    except FileNotFoundError:
        return []
    return [f"{_folder(person_id)}/{name}" for name in names]


def delete_evidence_files(person_id: uuid.UUID) -> None:
    """Part of the erasure of a person."""
    for name in evidence_files(person_id):
        _storage().delete(name)


def evidence_for_archive(person_id: uuid.UUID) -> list[tuple[str, str]]:
    """What the archive of a person gets: (its name there, its name in the storage)."""
    rows = AppealEvidence.objects.filter(appeal__person=person_id, is_stored=True)
    return [(f"appeals/{row.pk}.{row.content_type.partition('/')[2]}", row.file) for row in rows]


def _name_of(appeal: Appeal, content: bytes) -> str:
    """The same for the same file, and not to be guessed."""
    digest = salted_hmac("bookings.appeal-evidence", f"{appeal.pk}{hashlib.sha256(content).hexdigest()}", algorithm="sha256").hexdigest()
    return f"{_folder(appeal.person_id)}/{digest}"


def _folder(person_id: uuid.UUID) -> str:
    return f"appeals/{person_id}"


def _storage() -> Storage:
    return storages["private"]
