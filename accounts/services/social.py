"""Signing in with Google, Apple or LinkedIn, and linking them.

The rules: an identity that is linked signs its person in, whatever address it shows today. An address that somebody here has proven is
never joined to an identity without a sign-in to that account first. An account that nobody ever proved is taken over by whom the provider
proves, and its password wiped: somebody may have registered it to wait for them (pre-hijacking).
"""

from __future__ import annotations

import secrets
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts.enums import Provider, SecurityEventKind
from accounts.errors import (
    LastWayIn,
    LinkNeedsSignIn,
    ProviderEmailMissing,
    ProviderRefused,
    ProviderTaken,
    ProviderUnknown,
)
from accounts.models import LinkedProvider, User
from accounts.providers import headless, limits, second_factors, social
from accounts.providers.social import Identity
from accounts.providers.tokens import TokenPair
from accounts.services.address_proof import UNNAMED, mailbox_name, prove_address
from accounts.services.devices import note_security_event
from accounts.services.registration import send_due_mail
from accounts.services.sign_in import finish_in_browser, finish_sign_in, require_fresh_sign_in
from core.errors import NotFound, Unavailable
from core.person_names import first_valid_name


def log_in_with_provider(*, request: HttpRequest, provider: str, full_name: str = "", mfa_code: str = "", **proof: str) -> TokenPair:
    """Sign in, or register, with what the provider gave the app: `id_token` (and `nonce`), `access_token`, or `code` with
    `redirect_uri` (and `code_verifier`). `full_name` is for Apple, which tells the name once and to the app alone.

    Raises:
        ProviderUnknown, ProviderRefused, ProviderEmailMissing, LinkNeedsSignIn, Unavailable, and as `log_in`
    """
    limits.consume(request, "provider_login")
    identity = _identify(provider, proof)
    person = _person_of(identity, full_name=full_name)
    answer = headless.log_in_proven(request, person=person, proof=f"provider:{identity.provider}")
    return finish_sign_in(request=request, answer=answer, person=person, mfa_code=mfa_code)


def log_in_to_browser_with_provider(*, request: HttpRequest, provider: str, full_name: str = "", **proof: str) -> bool:
    """The same on a page of Soosh. False while the second factor is awaited."""
    limits.consume(request, "provider_login")
    identity = _identify(provider, proof)
    person = _person_of(identity, full_name=full_name)
    answer = headless.log_in_proven(request, person=person, proof=f"provider:{identity.provider}", in_browser=True)
    return finish_in_browser(request=request, answer=answer, person=person)


def begin_redirect(*, provider: str, redirect_uri: str) -> tuple[str, dict[str, str]]:
    """Where to send a browser, and what its session must remember until it comes back.

    Raises:
        ProviderUnknown, Unavailable
    """
    chosen = _configured(provider)
    memory = {"state": secrets.token_urlsafe(24), "nonce": secrets.token_urlsafe(24), "code_verifier": secrets.token_urlsafe(48)}
    try:
        address = social.authorisation_address(chosen, redirect_uri=redirect_uri, **memory)
    except social.ProviderUnreachable as error:
        raise Unavailable from error
    return address, memory


def link_provider(*, request: HttpRequest, user: User, session_key: str, provider: str, **proof: str) -> LinkedProvider:
    """Add an identity as a way to sign in to this account.

    Raises:
        FreshSignInRequired, ProviderUnknown, ProviderRefused, ProviderTaken, Unavailable
    """
    require_fresh_sign_in(user=user, session_key=session_key)
    identity = _identify(provider, proof)
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        owner = LinkedProvider.objects.filter(provider=identity.provider, subject=identity.subject).first()
        if owner and owner.user_id == user.pk:
            return owner
        if owner or LinkedProvider.objects.filter(user=user, provider=identity.provider).exists():
            raise ProviderTaken
        link = _link(user, identity)
        note_security_event(
            user=user, kind=SecurityEventKind.PROVIDER_LINKED, request=request, detail=identity.provider.label, tell_by_mail=True
        )
    return link


def unlink_provider(*, request: HttpRequest, user: User, session_key: str, provider: str) -> None:
    """Remove a way to sign in.

    Raises:
        FreshSignInRequired, NotFound: it is not linked.
        LastWayIn: without it there would be neither password nor passkey nor another provider.
    """
    require_fresh_sign_in(user=user, session_key=session_key)
    with transaction.atomic():
        person = User.objects.select_for_update().get(pk=user.pk)
        link = LinkedProvider.objects.filter(user=person, provider=provider).first()
        if link is None:
            raise NotFound
        others = LinkedProvider.objects.filter(user=person).exclude(pk=link.pk).exists()
        if not (others or person.has_usable_password() or second_factors.has_passkey(person)):
            raise LastWayIn
        link.delete()
        note_security_event(
            user=person, kind=SecurityEventKind.PROVIDER_UNLINKED, request=request, detail=Provider(provider).label, tell_by_mail=True
        )


def _configured(provider: str) -> Provider:
    if not social.is_configured(provider):
        raise ProviderUnknown
    return Provider(provider)


def _identify(provider: str, proof: dict[str, str]) -> Identity:
    chosen = _configured(provider)
    try:
        if proof.get("id_token"):
            return social.identity_from_id_token(chosen, proof["id_token"], nonce=proof.get("nonce", ""))
        if proof.get("access_token"):
            return social.identity_from_access_token(chosen, proof["access_token"])
        wanted: dict[str, Any] = {name: proof.get(name, "") for name in ("redirect_uri", "code_verifier", "nonce")}
        return social.identity_from_code(chosen, proof["code"], **wanted)
    except social.RefusedByProvider as error:
        raise ProviderRefused from error
    except social.ProviderUnreachable as error:
        raise Unavailable from error


def _person_of(identity: Identity, *, full_name: str) -> User:
    try:
        return _find_or_register(identity, full_name)
    except IntegrityError:
        # Somebody registered the same address in another way in the same moment; now they are there.
        return _find_or_register(identity, full_name)


def _find_or_register(identity: Identity, full_name: str) -> User:
    with transaction.atomic():
        # One sign-in of an identity at a time, so that two first ones do not take each other for somebody else.
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"{identity.provider}:{identity.subject}",))
        link = (
            LinkedProvider.objects.select_for_update()
            .select_related("user")
            .filter(provider=identity.provider, subject=identity.subject)
            .first()
        )
        if link:
            link.last_used_at, link.email = timezone.now(), identity.email or link.email
            link.save(update_fields=["last_used_at", "email", "updated_at"])
            return link.user
        if not identity.email:
            raise ProviderEmailMissing
        person = User.objects.select_for_update().filter(email=identity.email).first()
        if person is None:
            return _register(identity, full_name)
        if headless.verified_address(person) or not identity.is_email_verified:
            raise LinkNeedsSignIn
        return _take_over(person, identity, full_name)


def _register(identity: Identity, full_name: str) -> User:
    person = User.objects.create_user(identity.email, None, full_name=_name_of(identity, full_name))
    _link(person, identity)
    if identity.is_email_verified:
        prove_address(user=person, is_same_person=True)
    else:
        headless.add_unverified(person)
        send_due_mail(due=("verify", person.email))
    return person


def _name_of(identity: Identity, full_name: str) -> str:
    """What the provider or the app says, or else what the address begins with."""
    return first_valid_name([identity.full_name, full_name, mailbox_name(identity.email)], otherwise=UNNAMED)


def _take_over(person: User, identity: Identity, full_name: str) -> User:
    """Whoever registered this address never proved it. Nothing that they entered stays."""
    prove_address(user=person)
    person.full_name, person.time_zone = _name_of(identity, full_name), "UTC"
    person.save(update_fields=["full_name", "time_zone", "updated_at"])
    _link(person, identity)
    return person


def _link(user: User, identity: Identity) -> LinkedProvider:
    return LinkedProvider.objects.create(user=user, provider=identity.provider, subject=identity.subject, email=identity.email)
