from __future__ import annotations

import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts.enums import AgeBand, KeyPurpose, Role, SecurityEventKind
from accounts.errors import ChildNeedsGuardianProfile, MailRefused
from accounts.events import EmailVerified
from accounts.models import User, age_band_on
from accounts.providers import headless, limits
from accounts.services.devices import note_security_event
from accounts.services.keys import issue_key, spend_key
from accounts.services.mailing import send_mail
from core.errors import FieldError, InvalidInput, TooManyRequests
from core.events import publish


def register_person(
    *,
    request: HttpRequest,
    email: str,
    password: str,
    full_name: str,
    birth_date: datetime.date | None = None,
    time_zone: str = "",
) -> None:
    """Create an account and mail a link and a code. Known addresses are not revealed: they get a mail that says so instead.

    Raises:
        ChildNeedsGuardianProfile: under 13; nothing of the input is kept.
        InvalidInput: the password is too weak.
        TooManyRequests: this address of the network registers too often.
        MailRefused: there is no such mailbox; nothing was created.
        Unavailable: the mail cannot be sent now; nothing was created.
    """
    if birth_date and age_band_on(birth_date, timezone.now().date()) is AgeBand.CHILD:
        raise ChildNeedsGuardianProfile(
            errors=(FieldError("birth_date", ChildNeedsGuardianProfile.code, ChildNeedsGuardianProfile.message),)
        )
    fields = {"email": email, "password": password, "full_name": full_name, "birth_date": birth_date, "time_zone": time_zone}
    try:
        _sign_up(request, fields)
    except IntegrityError:
        # The same address was registered in the same moment; now it is known.
        _sign_up(request, fields)


def _sign_up(request: HttpRequest, fields: dict[str, Any]) -> None:
    # Without its mail nobody could finish the registration, so then it did not happen.
    with transaction.atomic():
        answer = headless.sign_up(request, fields)
        if answer.is_limited:
            raise TooManyRequests(retry_after_seconds=limits.seconds_to_wait(request, "signup"))
        if answer.errors:
            raise InvalidInput(errors=tuple(FieldError(field, code, message) for field, code, message in answer.errors))
        send_due_mail(due=answer.mail_due)


def send_due_mail(*, due: tuple[str, str] | None) -> None:
    """Send the mail that a sign-up or sign-in calls for: ("verify" or "known", address)."""
    if due is None:
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
    person = User.objects.filter(email=email, is_active=True).first()
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


def verify_email(*, request: HttpRequest, key: str) -> User:
    """Spend the link or the code of a verification mail: of a registration, or of a change of address.

    Raises:
        InvalidKey: wrong, spent or expired.
    """
    limits.consume(request, "spend_key")
    with transaction.atomic():
        spent = spend_key(secret=key, purposes=(KeyPurpose.VERIFY_EMAIL, KeyPurpose.CHANGE_EMAIL))
        assert spent.user is not None
        user = User.objects.select_for_update().get(pk=spent.user.pk)
        if spent.purpose == KeyPurpose.CHANGE_EMAIL:
            _change_address(user, spent.email, request)
        prove_address(user=user)
    return user


def _change_address(user: User, email: str, request: HttpRequest) -> None:
    if User.objects.filter(email=email).exclude(pk=user.pk).exists():
        raise InvalidInput(errors=(FieldError("key", "email_taken", "Somebody else uses this address by now."),))
    former = user.email
    user.email = email.lower()
    user.save(update_fields=["email", "updated_at"])
    note_security_event(user=user, kind=SecurityEventKind.EMAIL_CHANGED, request=request)
    for address in (former, user.email):
        _tell(address, "email_changed", user)


def _tell(address: str, template: str, user: User) -> None:
    try:
        send_mail(template=template, to=address, user=user)
    except MailRefused:
        note_security_event(user=user, kind=SecurityEventKind.MAIL_BOUNCED)


def prove_address(*, user: User) -> None:
    """Take the person's address as theirs from now on."""
    with transaction.atomic():
        is_news = not headless.verified_address(user)
        headless.mark_verified(user)
        if is_news:
            publish(EmailVerified(user_id=user.pk))


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
