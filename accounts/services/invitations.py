"""Limits and refusals of e-mail to people who have no account."""

from __future__ import annotations

import datetime

from django.conf import settings
from django.core import signing
from django.core.cache import cache
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts.models import InvitationRefusal, User
from core.errors import TooManyRequests

_SALT = "accounts.invitation-refusal"
_DAY_SECONDS = 86_400
_NEW_FOR = datetime.timedelta(days=1)
# Invitations a day: of one person, of one on the first day of their account, and of everybody together.
_MOST_BY_PERSON, _MOST_BY_NEW_PERSON, _MOST_BY_ALL = 5, 3, 1_000


def count_invitation(*, inviter: User) -> None:
    """Count one invitation by this person.

    Raises:
        TooManyRequests: they have sent enough today, or everybody together has.
    """
    is_new = timezone.now() - inviter.created_at < _NEW_FOR
    limits = {f"person:{inviter.pk}": _MOST_BY_NEW_PERSON if is_new else _MOST_BY_PERSON, "all": _MOST_BY_ALL}
    for who, most in limits.items():
        counted: int = cache.count(f"accounts:invitations:{who}", _DAY_SECONDS)  # type: ignore[attr-defined]  # of our own cache
        if settings.THROTTLE and counted > most:
            raise TooManyRequests(retry_after_seconds=_DAY_SECONDS)


def refusal_url(address: str) -> str:
    """The address of the page that refuses further invitations to a mailbox. It does not contain the e-mail address."""
    return f"{settings.SITE_URL}/no-invitations/{signing.dumps(_digest(address), salt=_SALT)}/"


def digest_of_refusal(token: str) -> str | None:
    """The digest of the address that the token is for; None if the token is not ours."""
    try:
        return str(signing.loads(token, salt=_SALT))
    except signing.BadSignature:
        return None


def refuse_invitations(*, digest: str) -> None:
    """Send no more invitations to the address with this digest."""
    InvitationRefusal.objects.get_or_create(address_digest=digest)


def refuse_invitations_to(*, address: str) -> None:
    """Send no more invitations to this address: its owner marked e-mail of ours as spam."""
    refuse_invitations(digest=_digest(address))


def refuses_invitations(address: str) -> bool:
    """Whether invitations to this address were refused."""
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return InvitationRefusal.objects.filter(address_digest__in=[_digest(address, secret) for secret in secrets]).exists()


def _digest(address: str, secret: str | bytes | None = None) -> str:
    return salted_hmac(_SALT, address.lower(), secret=secret, algorithm="sha256").hexdigest()
