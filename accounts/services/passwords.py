from __future__ import annotations

from django.db import transaction
from django.http import HttpRequest

from accounts.enums import KeyPurpose, SecurityEventKind
from accounts.errors import ManagedProfile
from accounts.models import User
from accounts.policies import can_change_sign_in
from accounts.providers import limits
from accounts.providers.tokens import TokenPair
from accounts.services.address_proof import prove_address
from accounts.services.credentials import set_password
from accounts.services.devices import note_security_event
from accounts.services.guardianship import take_over_profile
from accounts.services.keys import spend_key
from accounts.services.registration import mail_key_to_owner
from accounts.services.sign_in import log_in_again, prove_password, require_fresh_sign_in


def request_password_reset(*, request: HttpRequest, email: str) -> None:
    """Mail a link and a code for a new password. An unknown address gets a mail that says so: nobody else learns which it was.

    Raises:
        TooManyRequests, Unavailable
    """
    limits.consume(request, "reset_password", key=email)
    mail_key_to_owner(purpose=KeyPurpose.RESET_PASSWORD, email=email, template="reset_password")


def reset_password(*, request: HttpRequest, key: str, password: str) -> User:
    """Spend a key for a new password. Every session ends, every other key is worthless, and the address is proven. The key of a profile
    that a guardian hands over makes it an account with the address that it was mailed to.

    Raises:
        InvalidKey, InvalidInput: the password is too weak; the key is still good then.
        TooManyRequests
    """
    limits.consume(request, "spend_key")
    with transaction.atomic():
        spent = spend_key(secret=key, purposes=(KeyPurpose.RESET_PASSWORD, KeyPurpose.HAND_OVER))
        assert spent.user is not None
        user = User.objects.select_for_update().get(pk=spent.user.pk)
        is_handed_over = spent.purpose == KeyPurpose.HAND_OVER
        if is_handed_over:
            take_over_profile(request=request, ward=user, email=spent.email)
        prove_address(user=user, is_same_person=is_handed_over)
        set_password(user=user, password=password)
        note_security_event(user=user, kind=SecurityEventKind.PASSWORD_RESET, request=request, tell_by_mail=True)
    return user


def change_password(*, request: HttpRequest, user: User, session_key: str, new_password: str, password: str = "") -> TokenPair:
    """Change the password, or set a first one. Every session ends; this device gets new tokens.

    Raises:
        WrongPassword, InvalidInput: the new one is too weak.
        FreshSignInRequired: there is no present password to prove oneself with.
    """
    if not can_change_sign_in(user):
        raise ManagedProfile
    if user.has_usable_password():
        prove_password(request=request, user=user, session_key=session_key, password=password)
    else:
        require_fresh_sign_in(user=user, session_key=session_key)
    with transaction.atomic():
        person = User.objects.select_for_update().get(pk=user.pk)
        set_password(user=person, password=new_password, field="new_password")
        note_security_event(user=person, kind=SecurityEventKind.PASSWORD_CHANGED, request=request, tell_by_mail=True)
        return log_in_again(request=request, person=person)
