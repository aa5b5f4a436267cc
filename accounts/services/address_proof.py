"""Who owns an account: whoever first proves its address.

Until then anybody may have registered it. Nothing that was entered before the proof survives it, unless the same person did both: the
browser or app that registered holds a secret or, if it keeps no cookies, calls again from the same place, or whoever confirms knows the
password (docs/decisions/0028).
"""

from __future__ import annotations

import datetime
import re
import secrets

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponseBase
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts.events import EmailVerified
from accounts.models import LinkedProvider, User
from accounts.providers import headless, second_factors, tokens
from accounts.providers.clients import address_of
from accounts.services.devices import end_all_devices
from accounts.services.keys import revoke_keys
from core.events import publish
from core.networks import network_of
from core.person_names import first_valid_name

REGISTRATION_COOKIE = "registration"
UNNAMED = "New member"
_COOKIE_LIFETIME = datetime.timedelta(days=3)


def new_registrant_secret() -> str:
    """A secret for the browser or app that registers; the account keeps its digest."""
    return secrets.token_urlsafe(32)


def registrant_digest(secret: str) -> str:
    return salted_hmac("accounts.registrant", secret, algorithm="sha256").hexdigest()


def origin_digest(request: HttpRequest) -> str:
    """Of the network and the program from which a request comes."""
    origin = f"{network_of(address_of(request))}|{request.headers.get('User-Agent', '')}"
    return salted_hmac("accounts.registrant-origin", origin, algorithm="sha256").hexdigest()


def is_registering_app(*, request: HttpRequest, user: User) -> bool:
    """Whether the request comes from the network and the program that registered the account. For calls of the API alone: an app without
    cookies has nothing else to show. A page is opened by a click on a link that anybody may have caused."""
    return bool(user.registrant_origin) and constant_time_compare(origin_digest(request), user.registrant_origin)


def remember_registrant(response: HttpResponseBase, secret: str) -> None:
    """Set the cookie that identifies the browser or app when it confirms the address."""
    response.set_cookie(
        REGISTRATION_COOKIE,
        secret,
        max_age=_COOKIE_LIFETIME,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )


def forget_registrant(response: HttpResponseBase) -> None:
    """Take the secret back once the address is confirmed."""
    response.delete_cookie(REGISTRATION_COOKIE, samesite="Lax")


def is_registrant(*, request: HttpRequest, user: User, password: str = "") -> bool:
    """Whether the request comes from whoever registered the account."""
    secret = request.COOKIES.get(REGISTRATION_COOKIE, "")
    has_secret = bool(secret and user.registrant_digest) and constant_time_compare(registrant_digest(secret), user.registrant_digest)
    return has_secret or bool(password and user.has_usable_password() and user.check_password(password))


def prove_address(*, user: User, is_same_person: bool = False) -> bool:
    """Take the person's address as theirs from now on. With the first proof, what was entered before it is dropped unless
    `is_same_person`. Returns whether it was dropped."""
    with transaction.atomic():
        is_first = not headless.verified_address(user)
        is_dropped = is_first and not is_same_person
        if is_dropped:
            discard_unproven(user=user)
        if user.registrant_digest:
            user.registrant_digest = user.registrant_origin = ""
            user.save(update_fields=["registrant_digest", "registrant_origin", "updated_at"])
        headless.mark_verified(user)
        if is_first:
            publish(EmailVerified(user_id=user.pk))
    return is_dropped


def discard_unproven(*, user: User) -> None:
    """Remove every way to sign in, and what else somebody entered who never proved the address."""
    user.set_unusable_password()
    user.full_name, user.birth_date = first_valid_name([mailbox_name(user.email)], otherwise=UNNAMED), None
    user.save()
    LinkedProvider.objects.filter(user=user).delete()
    second_factors.remove_all(user)
    end_all_devices(user=user)
    revoke_keys(user=user)


def mailbox_name(email: str) -> str:
    """A name made from the local part of an address, for a person who has not given one."""
    return " ".join(part for part in re.split(r"[._+-]+", email.partition("@")[0]) if part)


def signed_in_person(request: HttpRequest) -> User | None:
    """The person behind a request whose view requires none: of the page's session or of the access token."""
    if request.user.is_authenticated and not hasattr(request, "impersonation"):
        return request.user
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    found = tokens.person_behind(token) if scheme.lower() == "bearer" else None
    return found[0] if found and tokens.is_for_us(found[1]) else None
