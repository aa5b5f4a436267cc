"""Keys that are mailed: each as a link for a click and as a code for typing, good for one use, kept as digests only."""

from __future__ import annotations

import dataclasses
import datetime
import secrets

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts.enums import KeyPurpose
from accounts.errors import InvalidKey
from accounts.models import MailedKey, User
from accounts.policies import can_change_sign_in
from core.errors import FieldError

# 32 signs that cannot be mistaken for each other. Eight of them are 40 bits: at 20 tries a minute one guess in a thousand million days.
_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_CODE_LENGTH = 8
_MOST_UNSPENT = 5

_KEYS_OF_WARDS = frozenset({KeyPurpose.GUARDIAN, KeyPurpose.HAND_OVER, KeyPurpose.UNDO_ERASURE})
_LIFETIMES = {
    KeyPurpose.VERIFY_EMAIL: datetime.timedelta(days=3),
    KeyPurpose.CHANGE_EMAIL: datetime.timedelta(days=1),
    KeyPurpose.RESET_PASSWORD: datetime.timedelta(hours=1),
    KeyPurpose.LOG_IN: datetime.timedelta(minutes=10),
    KeyPurpose.UNDO_ERASURE: datetime.timedelta(days=60),
    KeyPurpose.GUARDIAN: datetime.timedelta(days=14),
    KeyPurpose.HAND_OVER: datetime.timedelta(days=1),
    KeyPurpose.WORK_EMAIL: datetime.timedelta(days=1),
}


@dataclasses.dataclass(frozen=True)
class Secret:
    """What goes into the mail, and nowhere else."""

    link: str
    code: str

    def __repr__(self) -> str:
        return "Secret(...)"


def issue_key(*, purpose: KeyPurpose, user: User | None, email: str) -> Secret:
    """Make a key. The person's newest few of this purpose stay good until one is spent: whoever else asks for one cannot take the owner's
    away. Without a `user` nothing can be done with it."""
    code = "".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LENGTH))
    secret = Secret(link=secrets.token_urlsafe(32), code=f"{code[:4]}-{code[4:]}")
    with transaction.atomic():
        now = timezone.now()
        same = MailedKey.objects.filter(user=user, email=email, purpose=purpose, spent_at__isnull=True)
        same.filter(pk__in=list(same.order_by("-id").values_list("pk", flat=True)[_MOST_UNSPENT - 1 :])).update(spent_at=now)
        MailedKey.objects.create(
            purpose=purpose,
            user=user,
            email=email,
            link_digest=_digest(secret.link),
            code_digest=_digest(code),
            password_print=_password_print(user),
            expires_at=now + _LIFETIMES[purpose],
        )
    return secret


def spend_key(*, secret: str, purposes: tuple[KeyPurpose, ...]) -> MailedKey:
    """Use a key up, and with it the others of its purpose. Needs an open transaction: if what follows fails, the key is still good.

    Raises:
        InvalidKey: wrong, spent, expired, for another purpose, or older than the person's present password.
    """
    code = secret.upper().replace("-", "").replace(" ", "")
    digests = Q(link_digest=_digest(secret.strip())) | Q(code_digest=_digest(code))
    key = (
        MailedKey.objects.select_for_update(of=("self",))
        .select_related("user")
        .filter(digests, purpose__in=purposes, user__isnull=False, spent_at__isnull=True, expires_at__gt=timezone.now())
        .first()
    )
    if key is None or key.password_print != _password_print(key.user) or not _can_be_spent(key):
        raise InvalidKey(errors=(FieldError("key", InvalidKey.code, InvalidKey.message),))
    same = MailedKey.objects.filter(user=key.user, email=key.email, purpose=key.purpose, spent_at__isnull=True)
    same.update(spent_at=timezone.now())
    return key


def _can_be_spent(key: MailedKey) -> bool:
    """Whoever is shut out can only keep their account; a child's profile has no sign-in that a key could open or set up."""
    person = key.user
    if person is None:
        return False
    if not person.is_active and key.purpose != KeyPurpose.UNDO_ERASURE:
        return False
    return can_change_sign_in(person) or key.purpose in _KEYS_OF_WARDS


def revoke_keys(*, user: User) -> None:
    """Make every unspent key of a person worthless."""
    with transaction.atomic():
        MailedKey.objects.filter(user=user, spent_at__isnull=True).update(spent_at=timezone.now())


def prune_keys() -> int:
    """Delete keys that expired; they say nothing any more."""
    return MailedKey.objects.filter(expires_at__lt=timezone.now()).delete()[0]


def _digest(text: str) -> str:
    return salted_hmac("accounts.mailed-key", text, algorithm="sha256").hexdigest()


def _password_print(user: User | None) -> str:
    return salted_hmac("accounts.password-print", user.password if user else "", algorithm="sha256").hexdigest()
