from __future__ import annotations

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest

from accounts.enums import KeyPurpose, SecurityEventKind
from accounts.errors import WrongPassword
from accounts.models import User
from accounts.providers import limits
from accounts.providers.tokens import TokenPair
from accounts.services.devices import end_all_devices, note_security_event
from accounts.services.keys import revoke_keys, spend_key
from accounts.services.registration import mail_key_to_owner, prove_address
from accounts.services.sign_in import log_in_again, require_fresh_sign_in
from core.errors import FieldError, InvalidInput


def request_password_reset(*, request: HttpRequest, email: str) -> None:
    """Mail a link and a code for a new password. An unknown address gets a mail that says so: nobody else learns which it was.

    Raises:
        TooManyRequests, Unavailable
    """
    limits.consume(request, "reset_password", key=email)
    mail_key_to_owner(purpose=KeyPurpose.RESET_PASSWORD, email=email, template="reset_password")


def reset_password(*, request: HttpRequest, key: str, password: str) -> User:
    """Spend a key for a new password. Every session ends, every other key is worthless, and the address is proven.

    Raises:
        InvalidKey, InvalidInput: the password is too weak; the key is still good then.
        TooManyRequests
    """
    limits.consume(request, "spend_key")
    with transaction.atomic():
        spent = spend_key(secret=key, purposes=(KeyPurpose.RESET_PASSWORD,))
        assert spent.user is not None
        user = User.objects.select_for_update().get(pk=spent.user.pk)
        _set_password(user, password, field="password")
        prove_address(user=user)
        note_security_event(user=user, kind=SecurityEventKind.PASSWORD_RESET, request=request, tell_by_mail=True)
    return user


def change_password(*, request: HttpRequest, user: User, session_key: str, new_password: str, password: str = "") -> TokenPair:
    """Change the password, or set a first one. Every session ends; this device gets new tokens.

    Raises:
        WrongPassword, InvalidInput: the new one is too weak.
        FreshSignInRequired: there is no present password to prove oneself with.
    """
    if user.has_usable_password():
        limits.consume(request, "prove_password", key=str(user.pk))
        if not user.check_password(password):
            raise WrongPassword(errors=(FieldError("password", WrongPassword.code, WrongPassword.message),))
    else:
        require_fresh_sign_in(user=user, session_key=session_key)
    with transaction.atomic():
        person = User.objects.select_for_update().get(pk=user.pk)
        _set_password(person, new_password, field="new_password")
        note_security_event(user=person, kind=SecurityEventKind.PASSWORD_CHANGED, request=request, tell_by_mail=True)
        return log_in_again(request=request, person=person)


def _set_password(user: User, password: str, *, field: str) -> None:
    try:
        validate_password(password, user=user)
    except ValidationError as error:
        errors = tuple(FieldError(field, problem.code or "invalid", problem.messages[0]) for problem in error.error_list)
        raise InvalidInput(errors=errors) from error
    user.set_password(password)
    user.save(update_fields=["password", "updated_at"])
    end_all_devices(user=user)
    revoke_keys(user=user)
