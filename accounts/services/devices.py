from __future__ import annotations

import uuid

from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest

from accounts.enums import GuardianshipState, SecurityEventKind
from accounts.events import SafetyChanged
from accounts.models import Device, Guardianship, SecurityEvent, User
from accounts.models.people import WARD_DOMAIN
from accounts.providers import tokens
from accounts.providers.clients import address_of, device_name
from core.errors import NotFound
from core.events import publish


def note_security_event(
    *, user: User, kind: SecurityEventKind, request: HttpRequest | None = None, detail: str = "", tell_by_mail: bool = False
) -> SecurityEvent:
    """Add a line to the log that the person sees, and if it matters, have them told by mail."""
    with transaction.atomic():
        event = SecurityEvent.objects.create(
            user=user,
            kind=kind,
            ip_address=address_of(request) if request else None,
            device_name=device_name(request.headers.get("User-Agent", "")) if request else "",
            detail=detail[:200],
        )
        if tell_by_mail:
            publish(SafetyChanged(user_id=user.pk, security_event_id=event.pk))
    return event


def end_device(*, user: User, device_id: uuid.UUID, request: HttpRequest) -> None:
    """Sign one of the person's own devices out.

    Raises:
        NotFound: it is not one of theirs.
    """
    with transaction.atomic():
        device = Device.objects.visible_to(user).select_for_update().filter(pk=device_id).first()
        if device is None:
            raise NotFound
        tokens.end([device])
        note_security_event(user=user, kind=SecurityEventKind.SESSION_REVOKED, request=request, detail=device.name)


def end_all_devices(*, user: User, but: str = "") -> int:
    """Sign a person out everywhere, except in the session `but`, and out of the children's profiles that they manage. Their tokens die
    at once."""
    wards = Guardianship.objects.filter(guardian=user, state=GuardianshipState.ACTIVE, ward__email__endswith=f"@{WARD_DOMAIN}").values(
        "ward_id"
    )
    with transaction.atomic():
        devices = list(Device.objects.select_for_update().filter(Q(user=user) | Q(user__in=wards)).exclude(session_key=but))
        tokens.end(devices)
    return len(devices)


def end_other_devices(*, user: User, session_key: str, request: HttpRequest) -> int:
    """Sign the person out everywhere but here."""
    count = end_all_devices(user=user, but=session_key)
    if count:
        note_security_event(user=user, kind=SecurityEventKind.SESSION_REVOKED, request=request, detail=f"{count} other devices")
    return count
