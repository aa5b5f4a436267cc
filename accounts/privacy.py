"""What the tables of people, and those of Django and allauth about them, hold (see `core.privacy`), and where people meet each other
(see `accounts.services.blocking`)."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import partial

from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.mfa.models import Authenticator
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.core.files.storage import default_storage
from django.db.models import QuerySet

from accounts.models import (
    Block,
    ConsentDecision,
    DataExport,
    Device,
    Erasure,
    Guardianship,
    Impersonation,
    InvitationRefusal,
    LinkedProvider,
    MailedKey,
    RetiredHandle,
    SecurityEvent,
    User,
)
from accounts.services.avatars import avatar_files, delete_avatar_files
from accounts.services.blocking import register_place
from accounts.services.exporting import delete_export_files, export_files
from accounts.services.profile import handle_digest
from core.privacy import OnErasure, declare, register_files, register_step

# --- Frameworks: nothing about people, or pointers only ---
declare(ContentType, none=("id", "app_label", "model"))
declare(Permission, none=("id", "name", "content_type", "codename"))
declare(Group, none=("id", "name"))
declare(Group.permissions.through, none=("id", "group", "permission"))
declare(Session, secret=("session_key", "session_data"), none=("expire_date",))
declare(
    LogEntry,
    none=("id", "action_time", "user", "content_type", "object_id", "action_flag", "change_message"),
    personal=("object_repr",),
)

# --- The person. Erasure empties the row and keeps it: the books point at it. ---
declare(
    User,
    subject="id",
    on_erasure=OnErasure.CLEAR,
    cleared={
        "email": lambda person_id: f"{person_id.hex}@erased.invalid",
        "password": "!",
        "handle": None,
        "full_name": "",
        "bio": "",
        "languages": [],
        "birth_date": None,
        "time_zone": "UTC",
        "locale": "en",
        "avatar": "",
        "reduced_motion": False,
        "captions": False,
        "screen_reader": False,
        "voice_first": False,
        "plain_language": False,
        "role": "member",
        "is_superuser": False,
        "suspension_reason": "",
        "registrant_digest": "",
        "registrant_origin": "",
        "last_login": None,
    },
    none=("id", "created_at", "updated_at", "is_active", "is_superuser", "role", "erased_at", "has_normalized_password"),
    personal=(
        *("email", "handle", "full_name", "bio", "languages", "birth_date", "time_zone", "locale", "avatar", "last_login"),
        *("suspended_at", "suspension_reason"),
    ),
    special=("reduced_motion", "captions", "screen_reader", "voice_first", "plain_language"),
    secret=("password", "registrant_digest", "registrant_origin"),
)
declare(User.groups.through, subject="user_id", on_erasure=OnErasure.DELETE, none=("id", "user", "group"))
declare(User.user_permissions.through, subject="user_id", on_erasure=OnErasure.DELETE, none=("id", "user", "permission"))
declare(
    EmailAddress,
    subject="user_id",
    on_erasure=OnErasure.DELETE,
    none=("id", "user", "verified", "primary"),
    personal=("email",),
)
declare(
    EmailConfirmation,
    subject="email_address__user_id",
    on_erasure=OnErasure.DELETE,
    none=("id", "email_address", "created", "sent"),
    secret=("key",),
)
declare(
    Authenticator,
    subject="user_id",
    on_erasure=OnErasure.DELETE,
    none=("id", "user", "type", "created_at", "last_used_at"),
    secret=("data",),
)
declare(
    Device,
    subject="user_id",
    on_erasure=OnErasure.DELETE,
    none=("id", "created_at", "updated_at", "user", "kind", "issued_at", "spent_at", "is_successor_used"),
    personal=("name", "user_agent", "ip_address", "last_used_at"),
    secret=("session_key", "refresh_id", "spent_id"),
)
declare(
    LinkedProvider,
    subject="user_id",
    on_erasure=OnErasure.DELETE,
    none=("id", "created_at", "updated_at", "user"),
    personal=("provider", "subject", "email", "last_used_at"),
)
declare(
    MailedKey,
    subject="user_id",
    on_erasure=OnErasure.DELETE,
    none=("id", "created_at", "updated_at", "purpose", "user", "expires_at", "spent_at"),
    personal=("email",),
    secret=("link_digest", "code_digest", "password_print"),
)
declare(
    SecurityEvent,
    subject="user_id",
    on_erasure=OnErasure.DELETE,
    none=("id", "created_at", "updated_at", "user"),
    personal=("kind", "ip_address", "device_name", "detail"),
)
declare(
    ConsentDecision,
    subject="user_id",
    on_erasure=OnErasure.DELETE,
    none=("id", "created_at", "updated_at", "user", "text_version", "text_digest", "decided_by"),
    personal=("purpose", "is_granted", "language", "source"),
)
declare(
    Block,
    subject="blocker_id",
    on_erasure=OnErasure.DELETE,
    none=("id", "created_at", "updated_at", "blocker"),
    personal=("blocked",),
)
declare(
    Guardianship,
    subject="ward_id",
    on_erasure=OnErasure.DELETE,
    none=("id", "created_at", "updated_at", "ward", "state", "accepted_at", "ended_at"),
    personal=("guardian", "guardian_email"),
)
declare(
    Impersonation,
    subject="person_id",
    on_erasure=OnErasure.DELETE,
    none=("id", "created_at", "updated_at", "staff", "person", "ends_at"),
    personal=("reason",),
)
declare(
    DataExport,
    subject="user_id",
    on_erasure=OnErasure.DELETE,
    none=(
        "id",
        "created_at",
        "updated_at",
        "user",
        "state",
        "parts_done",
        "parts_total",
        "size_bytes",
        "attempts",
        "ready_at",
        "expires_at",
    ),
    secret=("file_name",),
)
declare(
    Erasure,
    none=("id", "created_at", "updated_at", "person_id", "state", "due_at", "steps_done", "remains", "started_at", "done_at"),
)
declare(RetiredHandle, none=("digest", "retired_at"))
# A keyed digest of an address that must get no invitations, whoever has it.
declare(InvitationRefusal, none=("id", "created_at", "updated_at", "address_digest"))


def _email_of(person_id: uuid.UUID) -> str:
    return User.objects.filter(pk=person_id).values_list("email", flat=True).first() or ""


# --- What is not the rows of one person in one table ---
def _retire_handle(person_id: uuid.UUID) -> None:
    handle = User.objects.filter(pk=person_id).values_list("handle", flat=True).first()
    if handle:
        RetiredHandle.objects.get_or_create(digest=handle_digest(handle))


def _erase_from_others(person_id: uuid.UUID) -> None:
    """The person in rows that belong to somebody else, or to nobody."""
    email = _email_of(person_id)
    Block.objects.filter(blocked_id=person_id).delete()
    Guardianship.objects.filter(guardian_id=person_id).delete()
    Impersonation.objects.filter(staff_id=person_id).delete()
    Guardianship.objects.filter(guardian_email=email).update(guardian_email="")
    MailedKey.objects.filter(email=email).delete()
    ConsentDecision.objects.filter(decided_by_id=person_id).update(decided_by=None)


def _count_at_others(person_id: uuid.UUID) -> int:
    return (
        Block.objects.filter(blocked_id=person_id).count()
        + Guardianship.objects.filter(guardian_id=person_id).count()
        + ConsentDecision.objects.filter(decided_by_id=person_id).count()
        + Impersonation.objects.filter(staff_id=person_id).count()
    )


def _log_entries(person_id: uuid.UUID) -> QuerySet[LogEntry]:
    return LogEntry.objects.filter(object_id=str(person_id)).exclude(object_repr="")


def _sessions(person_id: uuid.UUID) -> list[str]:
    """Every session that names the person, also half-finished sign-ins. Sessions cannot be searched, so each is read."""
    marks = [mark for mark in (str(person_id), _email_of(person_id)) if mark]
    found = []
    for session in Session.objects.iterator(chunk_size=500):
        content = str(session.get_decoded())
        if any(mark in content for mark in marks):
            found.append(session.session_key)
    return found


def _erase_sessions(person_id: uuid.UUID) -> None:
    Session.objects.filter(pk__in=_sessions(person_id)).delete()


def _empty_log_entries(person_id: uuid.UUID) -> None:
    _log_entries(person_id).update(object_repr="")


def _avatar_for_archive(person_id: uuid.UUID) -> list[tuple[str, Callable[[], bytes]]]:
    return [(name, partial(_content, name)) for name in avatar_files(person_id)]


def _content(name: str) -> bytes:
    with default_storage.open(name) as file:
        content: bytes = file.read()
    return content


register_files(_avatar_for_archive)
register_step("accounts: handle", erase=_retire_handle, count=lambda person_id: 0)
register_step("accounts: pictures", erase=delete_avatar_files, count=lambda person_id: len(avatar_files(person_id)))
register_step("accounts: archives", erase=delete_export_files, count=lambda person_id: len(export_files(person_id)))
register_step(
    "accounts: sessions",
    erase=_erase_sessions,
    count=lambda person_id: len(_sessions(person_id)),
)
register_step("accounts: rows of others", erase=_erase_from_others, count=_count_at_others)
register_step(
    "accounts: admin log",
    erase=_empty_log_entries,
    count=lambda person_id: _log_entries(person_id).count(),
)

register_place("accounts.people", lambda viewer: User.objects.visible_to(viewer).exclude(pk=viewer.pk).values_list("pk", flat=True))
