from __future__ import annotations

from accounts.events import SafetyChanged
from accounts.models import SecurityEvent
from core.events import subscribe
from notifications.notices import SAFETY_CHANGED
from notifications.services.notifying import notify


@subscribe(SafetyChanged)
def tell_phones_about_safety(event: SafetyChanged) -> None:
    """The mail about it goes out by itself; this one rings, wherever the person is."""
    found = SecurityEvent.objects.filter(pk=event.security_event_id).first()
    if found is not None:
        notify(kind=SAFETY_CHANGED, user_ids=[event.user_id], data={"device": found.device_name}, key=str(event.security_event_id))
