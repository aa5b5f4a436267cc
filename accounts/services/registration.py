from __future__ import annotations

import dataclasses
import datetime
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts.enums import AgeBand, KeyPurpose, Role, SecurityEventKind
from accounts.errors import ChildNeedsGuardianProfile, ConfirmSignedIn, MailRefused
from accounts.models import User, age_band_on
from accounts.models.people import WARD_DOMAIN
from accounts.providers import headless, limits
from accounts.services.address_proof import (
    discard_unproven,
    is_registering_app,
    is_registrant,
    new_registrant_secret,
    origin_digest,
    prove_address,
    registrant_digest,
    signed_in_person,
)
from accounts.services.credentials import check_new_password, set_password
from accounts.services.devices import note_security_event
from accounts.services.keys import issue_key, revoke_keys, spend_key
from accounts.services.mailing import send_mail
from core.errors import FieldError, InvalidInput


@dataclasses.dataclass(frozen=True)
class ProvenAddress:
    """`password_key` is set if the password was dropped: the key with which whoever confirmed chooses one."""

    user: User
    password_key: str = ""


def register_person(
    *,
    request: HttpRequest,
    email: str,
    password: str,
    full_name: str,
    birth_date: datetime.date | None = None,
    time_zone: str = "UTC",
) -> str:
    """Create an account and mail a link and a code. Known addresses are not revealed: they get a mail that says so instead. An account
    whose address nobody proved is made anew. Returns the secret by which the browser or app that registers is known when it confirms.

    Raises:
        ChildNeedsGuardianProfile: under 13; nothing of the input is kept.
        InvalidInput: the password is too weak.
        TooManyRequests: this address of the network registers too often.
        MailRefused: there is no such mailbox; nothing was created.
        Unavailable: the mail cannot be sent now; nothing was created.
    """
    refuse_child(birth_date)
    limits.consume(request, "signup")
    check_new_password(user=User(email=email, full_name=full_name), password=password, field="password")
    secret = new_registrant_secret()
    fields = {
        "full_name": full_name,
        "birth_date": birth_date,
        "time_zone": time_zone,
        "registrant_digest": registrant_digest(secret),
        "registrant_origin": origin_digest(request),
    }
    try:
        _sign_up(email, password, fields)
    except IntegrityError:
        # The same address was registered in the same moment; now it is known.
        _sign_up(email, password, fields)
    return secret


def refuse_child(birth_date: datetime.date | None) -> None:
    """Raises ChildNeedsGuardianProfile if somebody born on this day is under 13."""
    if birth_date and age_band_on(birth_date, timezone.now().date()) is AgeBand.CHILD:
        raise ChildNeedsGuardianProfile(
            errors=(FieldError("birth_date", ChildNeedsGuardianProfile.code, ChildNeedsGuardianProfile.message),)
        )


def _sign_up(email: str, password: str, fields: dict[str, Any]) -> None:
    # Without its mail nobody could finish the registration, so then it did not happen.
    with transaction.atomic():
        known = User.objects.select_for_update().filter(email=email).first()
        if known is None:
            headless.add_unverified(User.objects.create_user(email, password, **fields))
        elif known.is_active and not headless.verified_address(known):
            _register_anew(known, password, fields)
        else:
            # A new account costs one hash of its password. So does this one, or the clock would tell them apart.
            make_password(password)
            send_due_mail(due=("known", email))
            return
        send_due_mail(due=("verify", email))


def _register_anew(person: User, password: str, fields: dict[str, Any]) -> None:
    discard_unproven(user=person)
    person.set_password(password)
    for name, value in fields.items():
        setattr(person, name, value)
    person.save()


def send_due_mail(*, due: tuple[str, str] | None) -> None:
    """Send the mail that a sign-up or sign-in calls for: ("verify" or "known", address)."""
    if due is None or not limits.may_mail("verify", due[1]):
        return
    kind, email = due
    person = User.objects.filter(email=email, is_active=True).first() if kind == "verify" else None
    # A known address costs a key too, for the clock's sake; it is worth nothing.
    secret = issue_key(purpose=KeyPurpose.VERIFY_EMAIL, user=person, email=email)
    try:
        send_mail(template="verify_email" if person else "known_account", to=email, secret=secret)
    except MailRefused:
        if person:
            note_security_event(user=person, kind=SecurityEventKind.MAIL_BOUNCED)
        raise


def mail_key_to_owner(*, purpose: KeyPurpose, email: str, template: str) -> None:
    """Mail a key to whoever has this address. An unknown address gets a mail that says so, and costs the same: the caller learns nothing.

    Raises:
        Unavailable
    """
    if not limits.may_mail(purpose, email):
        return
    person = User.objects.filter(email=email, is_active=True).exclude(email__endswith=f"@{WARD_DOMAIN}").first()
    secret = issue_key(purpose=purpose, user=person, email=email)
    send_mail(template=template if person else "unknown_account", to=email, secret=secret)


def resend_verification(*, request: HttpRequest, email: str) -> None:
    """Mail a new link and code to an address that is not verified yet. The answer is the same for every address.

    Raises:
        TooManyRequests, Unavailable
    """
    limits.consume(request, "resend_verification", key=email)
    person = User.objects.filter(email=email, is_active=True).first()
    # Asked for every address, so that each costs the same.
    is_proven = headless.is_proven(email)
    send_due_mail(due=("verify" if person and not is_proven else "known", email))


def verify_email(*, request: HttpRequest, key: str, password: str = "", is_app: bool = False) -> ProvenAddress:
    """Spend the link or the code of a verification mail: of a registration, or of a change of address.

    Whoever confirms a registration chooses the password: the one given here, which may be that of the registration. Without one the
    password of the registration stays only in the browser or app that registered: known by its cookie or, with `is_app`, by its network
    and program.

    Raises:
        InvalidKey: wrong, spent or expired.
        InvalidInput: the password is too weak; the key is still good.
        ConfirmSignedIn: a change of address by somebody who neither is signed in to the account nor knows its password.
    """
    limits.consume(request, "spend_key")
    with transaction.atomic():
        spent = spend_key(secret=key, purposes=(KeyPurpose.VERIFY_EMAIL, KeyPurpose.CHANGE_EMAIL))
        assert spent.user is not None
        user = User.objects.select_for_update().get(pk=spent.user.pk)
        if spent.purpose == KeyPurpose.CHANGE_EMAIL:
            _change_address(request, user, spent.email, password)
            return ProvenAddress(user)
        is_same_person = is_registrant(request=request, user=user, password=password) or (
            is_app and is_registering_app(request=request, user=user)
        )
        return _confirm_registration(user, password, is_same_person=is_same_person)


def _confirm_registration(user: User, password: str, *, is_same_person: bool) -> ProvenAddress:
    is_dropped = prove_address(user=user, is_same_person=is_same_person)
    if password and not (user.has_usable_password() and user.check_password(password)):
        set_password(user=user, password=password)
    elif is_dropped:
        return ProvenAddress(user, issue_key(purpose=KeyPurpose.RESET_PASSWORD, user=user, email=user.email).link)
    return ProvenAddress(user)


def _change_address(request: HttpRequest, user: User, email: str, password: str) -> None:
    # The mailbox may be somebody else's: they must not be made the owner of a stranger's account by a click.
    if signed_in_person(request) != user and not is_registrant(request=request, user=user, password=password):
        raise ConfirmSignedIn
    if User.objects.filter(email=email).exclude(pk=user.pk).exists():
        raise InvalidInput(errors=(FieldError("key", "email_taken", "Somebody else uses this address by now."),))
    former = user.email
    user.email = email
    user.save(update_fields=["email", "updated_at"])
    # Keys that went to the old mailbox open nothing any more.
    revoke_keys(user=user)
    note_security_event(user=user, kind=SecurityEventKind.EMAIL_CHANGED, request=request)
    prove_address(user=user, is_same_person=True)
    for address in (former, user.email):
        _tell(address, "email_changed", user)


def _tell(address: str, template: str, user: User) -> None:
    try:
        send_mail(template=template, to=address, user=user)
    except MailRefused:
        note_security_event(user=user, kind=SecurityEventKind.MAIL_BOUNCED)


def create_verified_person(*, email: str, password: str, full_name: str, role: Role = Role.MEMBER) -> User:
    """A person whose address needs no proof: demo data."""
    with transaction.atomic():
        person, created = User.objects.get_or_create(email=email, defaults={"full_name": full_name, "role": role})
        if created:
            person.set_password(password)
            person.is_superuser = role == Role.STAFF
            person.save()
        headless.mark_verified(person)
    return person
