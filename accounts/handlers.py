from __future__ import annotations

from accounts.enums import SecurityEventKind
from accounts.errors import MailRefused
from accounts.events import SafetyChanged
from accounts.models import SecurityEvent
from accounts.services.devices import note_security_event
from accounts.services.mailing import send_mail
from core.events import subscribe


@subscribe(SafetyChanged)
def tell_about_safety(event: SafetyChanged) -> None:
    """Mail the owner of an account what happened to it. An address that takes no mail is noted, and not tried again."""
    found = SecurityEvent.objects.select_related("user").filter(pk=event.security_event_id).first()
    if found is None:
        return
    try:
        send_mail(template="safety", to=found.user.email, event=found)
    except MailRefused:
        note_security_event(user=found.user, kind=SecurityEventKind.MAIL_BOUNCED)
