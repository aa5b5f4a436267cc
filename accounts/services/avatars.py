"""Pictures of people: whatever comes in, what is kept is two small WebP files that we encoded ourselves from the pixels alone."""

from __future__ import annotations

import secrets
import uuid

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction

from accounts.errors import ImageRefused
from accounts.models import User
from accounts.providers.images import UnusableImage, squares
from core.errors import BodyTooLarge, FieldError

MOST_BYTES = 5_000_000
SIZES = (512, 96)


def set_avatar(*, user: User, content: bytes) -> User:
    """Replace the person's picture.

    Raises:
        BodyTooLarge: more than 5 MB.
        ImageRefused: not a JPEG, PNG, WebP or GIF by its content, broken, or with too many pixels.
        Overloaded: too many pictures are being read.
    """
    if len(content) > MOST_BYTES:
        raise BodyTooLarge
    try:
        pictures = squares(content, SIZES)
    except UnusableImage as error:
        raise ImageRefused(errors=(FieldError("image", error.code, error.detail),)) from error
    stem = f"{_folder(user.pk)}/{secrets.token_urlsafe(16)}"
    for size, picture in pictures.items():
        default_storage.save(f"{stem}-{size}.webp", ContentFile(picture))
    with transaction.atomic():
        person = User.objects.select_for_update().get(pk=user.pk)
        former, person.avatar = person.avatar, stem
        person.save(update_fields=["avatar", "updated_at"])
        transaction.on_commit(lambda: _delete_files(former))
    return person


def remove_avatar(*, user: User) -> User:
    """Delete the person's picture; without one this does nothing."""
    with transaction.atomic():
        person = User.objects.select_for_update().get(pk=user.pk)
        former, person.avatar = person.avatar, ""
        person.save(update_fields=["avatar", "updated_at"])
        transaction.on_commit(lambda: _delete_files(former))
    return person


def avatar_addresses(user: User) -> dict[str, str] | None:
    """The picture's addresses by its width in pixels, or None."""
    if not user.avatar:
        return None
    return {str(size): default_storage.url(f"{user.avatar}-{size}.webp") for size in SIZES}


def avatar_files(person_id: uuid.UUID) -> list[str]:
    """Every file of a person's pictures that the storage holds, also one that a crash left behind."""
    try:
        _, names = default_storage.listdir(_folder(person_id))
    except FileNotFoundError:
        return []
    return [f"{_folder(person_id)}/{name}" for name in names]


def delete_avatar_files(person_id: uuid.UUID) -> None:
    """Part of the erasure of a person."""
    for name in avatar_files(person_id):
        default_storage.delete(name)


def _folder(person_id: uuid.UUID) -> str:
    return f"avatars/{person_id}"


def _delete_files(stem: str) -> None:
    for size in SIZES if stem else ():
        default_storage.delete(f"{stem}-{size}.webp")
