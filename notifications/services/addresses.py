"""Where people are reached: phones that take pushes, and a number for text messages that was proved twice."""

from __future__ import annotations

import datetime
import secrets
import uuid

from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts.errors import ManagedProfile
from accounts.models import Device, User
from accounts.policies import can_change_sign_in
from core.errors import FieldError, InvalidInput, NotFound, TooManyRequests, Unavailable
from core.phone_numbers import normalize_phone, region_of_zone
from notifications.enums import Channel, Complaint
from notifications.errors import NotSignedInByApp, NumberStopped, NumberTaken, WrongCode
from notifications.models import Phone, PushDevice, Suppression
from notifications.providers import folder, twilio
from notifications.providers.base import Result, TextMessage
from notifications.services.composing import frame_for
from notifications.services.recipients import address_hash, lift_suppression

_CODE_LIFETIME = datetime.timedelta(minutes=10)
_MOST_ATTEMPTS = 5
_CODES_PER_HOUR = 5
_HOUR_SECONDS = 3_600
_DAY_SECONDS = 86_400


def register_push_device(*, user: User, session_key: str, token: str, shows_text: bool) -> tuple[PushDevice, bool]:
    """Send pushes to this phone as long as it stays signed in. A phone that changes hands goes with its new person. Returns the phone and
    whether it is new to this person.

    Raises:
        NotSignedInByApp: the request comes from no device of theirs.
    """
    with transaction.atomic():
        device = Device.objects.visible_to(user).filter(session_key=session_key).first()
        if device is None:
            raise NotSignedInByApp
        PushDevice.objects.filter(token=token).exclude(user=user).delete()
        return PushDevice.objects.update_or_create(token=token, defaults={"user": user, "device": device, "shows_text": shows_text})


def forget_push_device(*, user: User, device_id: uuid.UUID) -> None:
    """Send no more pushes to this phone.

    Raises:
        NotFound: it is none of theirs.
    """
    if not PushDevice.objects.visible_to(user).filter(pk=device_id).delete()[0]:
        raise NotFound


def set_phone(*, user: User, number: str) -> Phone:
    """Begin to prove a number: a code goes to it. The number that was proved before is in force no more.

    Raises:
        InvalidInput: it is no number that can receive a text message.
        NumberStopped: whoever has the number wants no messages from us.
        TooManyRequests: too many codes were asked for.
        Unavailable: no message can be sent now.
    """
    if not can_change_sign_in(user):
        raise ManagedProfile
    number = _normalized(number, user)
    if Suppression.objects.filter(channel=Channel.SMS, address_hash=address_hash(number), reason=Complaint.STOPPED).exists():
        raise NumberStopped
    _count_code(f"person:{user.pk}")
    _count_code_to(user, address_hash(number))
    code = f"{secrets.randbelow(1_000_000):06}"
    columns = {
        "number": number,
        "code_hash": _code_hash(user, number, code),
        "code_expires_at": timezone.now() + _CODE_LIFETIME,
        "code_attempts": 0,
        "verified_at": None,
    }
    phone, _ = Phone.objects.update_or_create(user=user, defaults=columns)
    text = TextMessage(uuid.uuid4(), number, frame_for(user).code.format(code=code))
    send = twilio.send_text if settings.TWILIO_ACCOUNT_SID else folder.send_text
    if send(text).result is not Result.ACCEPTED:
        raise Unavailable
    return phone


def confirm_phone(*, user: User, code: str) -> Phone:
    """The second proof: the person has the phone in their hands.

    Raises:
        NotFound: no number waits for a code.
        WrongCode: it is another one, or too late, or the fifth that was wrong.
        NumberTaken: somebody else proved the same number.
    """
    with transaction.atomic():
        phone = Phone.objects.select_for_update().filter(user=user, verified_at__isnull=True).first()
        if phone is None:
            raise NotFound
        is_open = phone.code_attempts < _MOST_ATTEMPTS and phone.code_expires_at is not None and phone.code_expires_at > timezone.now()
        is_right = is_open and constant_time_compare(phone.code_hash, _code_hash(user, phone.number, code))
        if is_right:
            return _verified(phone)
        phone.code_attempts += 1
        phone.save(update_fields=["code_attempts", "updated_at"])
    raise WrongCode


def _verified(phone: Phone) -> Phone:
    phone.verified_at, phone.code_hash, phone.code_expires_at = timezone.now(), "", None
    try:
        with transaction.atomic():
            phone.save()
    except IntegrityError as error:
        raise NumberTaken from error
    # It takes messages again; only STOP is for its owner to take back.
    lift_suppression(channel=Channel.SMS, address=phone.number, reasons=(Complaint.BOUNCED,))
    return phone


def forget_phone(*, user: User) -> None:
    """Send no more text messages.

    Raises:
        NotFound: there is no number.
    """
    if not Phone.objects.visible_to(user).delete()[0]:
        raise NotFound


def _normalized(number: str, user: User) -> str:
    try:
        return normalize_phone(number, region=region_of_zone(user.time_zone))
    except ValidationError as error:
        raise InvalidInput(errors=(FieldError("number", "invalid_number", error.message),)) from error


def _count_code(who: str) -> None:
    counted: int = cache.count(f"notifications:code:{who}", _HOUR_SECONDS)  # type: ignore[attr-defined]  # of our own cache
    if settings.THROTTLE and counted > _CODES_PER_HOUR:
        raise TooManyRequests(retry_after_seconds=_HOUR_SECONDS)


def _count_code_to(user: User, number_hash: str) -> None:
    """Count one code to this number by everybody. When others have used them up, each person still gets one a day: so strangers cannot keep
    the owner of a number from proving it."""
    try:
        _count_code(f"number:{number_hash}")
    except TooManyRequests:
        if not cache.add(f"notifications:code:reserve:{user.pk}:{number_hash}", 1, timeout=_DAY_SECONDS):
            raise


def _code_hash(user: User, number: str, code: str) -> str:
    return salted_hmac("notifications.phone", f"{user.pk} {number} {code}", algorithm="sha256").hexdigest()
