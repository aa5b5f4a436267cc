"""Files that prove something about a mentor: in the private storage, for staff alone, and only until it is decided."""

from __future__ import annotations

import datetime
import secrets
import uuid

from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages
from django.db import transaction
from django.utils import timezone

from core.documents import document_type
from mentors.enums import CheckState
from mentors.errors import IllegalCheckMove, TooManyDocuments
from mentors.models import Check, CheckDocument

MOST_DOCUMENTS = 5
_BATCH = 200
# Longer than any upload takes.
_STORING = datetime.timedelta(hours=1)


def add_document(*, check: Check, content: bytes) -> CheckDocument:
    """Keep a file until the check is decided.

    Raises:
        BodyTooLarge: more than 10 MB.
        InvalidInput: no PDF, JPEG, PNG or WebP by its content.
        TooManyDocuments: five are there.
        IllegalCheckMove: the check is submitted or over.
    """
    content_type = document_type(content)
    with transaction.atomic():
        locked = _locked(check.pk)
        if locked.documents.count() >= MOST_DOCUMENTS:
            raise TooManyDocuments
        name = f"{_folder(locked.profile.user_id)}/{secrets.token_urlsafe(16)}"
        document = CheckDocument.objects.create(check_of=locked, file=name, content_type=content_type, size=len(content))
    _storage().save(name, ContentFile(content))
    with transaction.atomic():
        _locked(check.pk)
        CheckDocument.objects.filter(pk=document.pk).update(is_stored=True)
    document.is_stored = True
    return document


def remove_document(*, document: CheckDocument) -> None:
    """Delete a file again.

    Raises:
        IllegalCheckMove: the check is submitted or over.
    """
    with transaction.atomic():
        _locked(document.check_of_id)
        CheckDocument.objects.filter(pk=document.pk).update(is_stored=False)
    _delete(document)


def delete_documents(*, check_id: uuid.UUID) -> None:
    """Delete the files of a check that is over. May run twice."""
    for document in CheckDocument.objects.filter(check_of_id=check_id, is_stored=False):
        _delete(document)


def delete_left_documents() -> int:
    """Delete files that should be gone: a process died before it deleted them, or while it stored them. Returns how many."""
    left = CheckDocument.objects.filter(is_stored=False, created_at__lt=timezone.now() - _STORING)
    documents = list(left.order_by("created_at")[:_BATCH])
    for document in documents:
        _delete(document)
    return len(documents)


def document_files(person_id: uuid.UUID) -> list[str]:
    """The names of a person's files in the private storage."""
    try:
        _, names = _storage().listdir(_folder(person_id))
    except FileNotFoundError:
        return []
    return [f"{_folder(person_id)}/{name}" for name in names]


def delete_document_files(person_id: uuid.UUID) -> None:
    """Part of the erasure of a person."""
    for name in document_files(person_id):
        _storage().delete(name)


def files_for_archive(person_id: uuid.UUID) -> list[tuple[str, str]]:
    """What the archive of a person gets: (its name there, its name in the storage)."""
    documents = CheckDocument.objects.filter(check_of__profile__user_id=person_id, is_stored=True).select_related("check_of")
    return [(f"documents/{each.check_of.kind}-{each.pk}.{each.content_type.partition('/')[2]}", each.file) for each in documents]


def read_stored(name: str) -> bytes:
    """A file by its name in the storage: for staff who review, and for the archive that its owner gets."""
    with _storage().open(name) as file:
        return bytes(file.read())


def _delete(document: CheckDocument) -> None:
    _storage().delete(document.file)
    CheckDocument.objects.filter(pk=document.pk).delete()


def _locked(check_id: uuid.UUID) -> Check:
    check = Check.objects.select_for_update(of=("self",)).select_related("profile").get(pk=check_id)
    if check.state != CheckState.OPEN:
        raise IllegalCheckMove(state=check.state)
    return check


def _folder(person_id: uuid.UUID) -> str:
    return f"checks/{person_id}"


def _storage() -> Storage:
    return storages["private"]
