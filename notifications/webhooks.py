"""Where providers report. Only what they signed is read."""

from __future__ import annotations

import uuid
from typing import Any

import structlog
from anymail.signals import EventType, tracking
from anymail.webhooks.sendgrid import SendGridTrackingWebhookView
from django.conf import settings
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from notifications.providers import twilio
from notifications.services import events

logger = structlog.get_logger(__name__)

_EMPTY = '<?xml version="1.0" encoding="UTF-8"?><Response></Response>'
_LOST = ("failed", "undelivered")


@method_decorator(csrf_exempt, name="dispatch")
class SendGridEvents(View):
    """SendGrid's event webhook, signed with the key of its settings page; without that key there is no such page."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if not settings.ANYMAIL["SENDGRID_TRACKING_WEBHOOK_VERIFICATION_KEY"]:
            return HttpResponse(status=404)
        try:
            return SendGridTrackingWebhookView.as_view()(request)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            logger.warning("events that SendGrid signed are not as documented", error=type(error).__name__)
            return HttpResponse(status=400)


@receiver(tracking)
def read_mail_event(sender: Any, event: Any, esp_name: str, **_: Any) -> None:
    """anymail's signal, one per event of a call."""
    key = _key(event.metadata.get("key"))
    if event.event_type in (EventType.BOUNCED, EventType.REJECTED, EventType.FAILED):
        events.mail_came_back(key=key, address=event.recipient or "", is_for_good=event.event_type == EventType.BOUNCED)
    elif event.event_type == EventType.COMPLAINED:
        events.mail_annoyed(address=event.recipient or "")
    elif key is not None and event.event_type in (EventType.SENT, EventType.QUEUED, EventType.DELIVERED):
        events.mail_arrived(key=key, is_delivered=event.event_type == EventType.DELIVERED)


def _key(text: Any) -> uuid.UUID | None:
    try:
        return uuid.UUID(str(text))
    except ValueError:
        return None


@method_decorator(csrf_exempt, name="dispatch")
class TwilioWebhook(View):
    """What Twilio calls, with its signature over address and fields."""

    http_method_names = ("post",)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if not settings.TWILIO_ACCOUNT_SID:
            return HttpResponse(status=404)
        # The address as Twilio knows it, whatever a proxy made of it.
        url = f"{settings.SITE_URL}{request.get_full_path()}"
        if request.method == "POST" and not twilio.is_genuine(url, request.POST.dict(), request.headers.get("X-Twilio-Signature", "")):
            return HttpResponse(status=403)
        return super().dispatch(request, *args, **kwargs)


class TwilioStatus(TwilioWebhook):
    def post(self, request: HttpRequest) -> HttpResponse:
        """What became of a text."""
        sid, status = request.POST.get("MessageSid", ""), request.POST.get("MessageStatus", "")
        if status in _LOST:
            events.text_came_back(sid=sid)
        elif status in ("sent", "delivered"):
            events.text_arrived(sid=sid, is_delivered=status == "delivered")
        return HttpResponse(status=204)


class TwilioInbound(TwilioWebhook):
    def post(self, request: HttpRequest) -> HttpResponse:
        """Somebody wrote to our number; Twilio itself answers STOP and START, so we say nothing."""
        events.text_received(number=request.POST.get("From", ""), text=request.POST.get("Body", ""))
        return HttpResponse(_EMPTY, content_type="text/xml")
