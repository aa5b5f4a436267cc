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

from core.parsers import parse_json
from core.signed_events import UnreadableEvent, mapping_in, text_in
from notifications.providers import twilio
from notifications.services import events

logger = structlog.get_logger(__name__)

_EMPTY = '<?xml version="1.0" encoding="UTF-8"?><Response></Response>'
_LOST = ("failed", "undelivered")
# Fields that are read from an event of SendGrid, besides its kind and time.
_MAIL_EVENT_TEXTS = ("email", "key", "type", "reason", "response", "sg_event_id", "smtp-id")


class _SignedEvents(SendGridTrackingWebhookView):
    """Anymail's view, which skips events that are not as documented: an error would make SendGrid repeat the whole call for days."""

    def parse_events(self, request: HttpRequest) -> list[Any]:
        events = parse_json(request.body)
        if not isinstance(events, list):
            raise UnreadableEvent("the body is no list of events")
        return [self.esp_to_anymail_event(fields) for event in events if (fields := _fields_of_mail_event(event))]


def _fields_of_mail_event(event: Any) -> dict[str, Any] | None:
    """The fields that are read from an event; None if they do not have the documented types."""
    try:
        event = mapping_in({"event": event}, "event")
        optional = {name: text_in(event, name, longest=2_000, is_required=False) for name in _MAIL_EVENT_TEXTS if name in event}
        return {"event": text_in(event, "event", longest=100)} | optional
    except UnreadableEvent as error:
        logger.warning("an event that SendGrid signed is not as documented", error=str(error))
        return None


@method_decorator(csrf_exempt, name="dispatch")
class SendGridEvents(View):
    """SendGrid's event webhook, signed with the key of its settings page; without that key there is no such page."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if not settings.ANYMAIL["SENDGRID_TRACKING_WEBHOOK_VERIFICATION_KEY"]:
            return HttpResponse(status=404)
        try:
            return _SignedEvents.as_view()(request)
        except ValueError as error:
            logger.warning("a call of the webhook of SendGrid is not as documented", error=type(error).__name__)
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
        if any("\x00" in value for value in request.POST.values()):
            return HttpResponse(status=400)
        return super().dispatch(request, *args, **kwargs)


class TwilioStatus(TwilioWebhook):
    def post(self, request: HttpRequest) -> HttpResponse:
        """What became of a text."""
        sid, status = request.POST.get("MessageSid", ""), request.POST.get("MessageStatus", "")
        if status in _LOST:
            events.text_came_back(sid=sid, number=request.POST.get("To", ""), error_code=request.POST.get("ErrorCode", ""))
        elif status in ("sent", "delivered"):
            events.text_arrived(sid=sid, is_delivered=status == "delivered")
        return HttpResponse(status=204)


class TwilioInbound(TwilioWebhook):
    def post(self, request: HttpRequest) -> HttpResponse:
        """Somebody wrote to our number; Twilio itself answers STOP and START, so we say nothing."""
        fields = request.POST
        events.text_received(number=fields.get("From", ""), text=fields.get("Body", ""), opt_out_type=fields.get("OptOutType", ""))
        return HttpResponse(_EMPTY, content_type="text/xml")
