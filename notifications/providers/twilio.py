"""Twilio's SMS, by its own SDK. https://www.twilio.com/docs/messaging/api/message-resource"""

from __future__ import annotations

import datetime
import functools
from collections.abc import Mapping
from typing import Any

import requests
from django.conf import settings
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from notifications.providers.base import Outcome, Result, TextMessage, described

_VENDOR_URL = "https://api.twilio.com"
# Their error codes: answered STOP; not a mobile number; no such number; not a number at all.
STOPPED = 21610
_DEAD = {STOPPED, 21614, 21211, 21217}


class _HttpClient(TwilioHttpClient):
    """Speaks to the address in the settings, which the SDK does not let one choose."""

    def request(self, method: str, url: str, *arguments: Any, **options: Any) -> Any:
        return super().request(method, url.replace(_VENDOR_URL, settings.TWILIO_URL, 1), *arguments, **options)


@functools.cache
def _client(account: str, token: str) -> Client:
    return Client(account, token, http_client=_HttpClient(timeout=settings.NOTICE_TIMEOUT_SECONDS))


def _our_client() -> Client:
    return _client(settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN)


def send_text(message: TextMessage) -> Outcome:
    """Send one text message; Twilio reports to our webhook what becomes of it."""
    callback = f"{settings.SITE_URL}/webhooks/twilio/status/"
    try:
        sent = _our_client().messages.create(to=message.to, from_=settings.TWILIO_FROM, body=message.text, status_callback=callback)
    except TwilioRestException as error:
        is_busy = error.status == 429 or error.status >= 500
        text = f"answered {error.status}, code {error.code}"
        return Outcome(Result.BUSY if is_busy else Result.REFUSED, error=text, is_dead=error.code in _DEAD)
    except requests.RequestException as error:
        is_away = isinstance(error, requests.ConnectTimeout) or "NewConnectionError" in str(error)
        return Outcome(Result.AWAY if is_away else Result.UNKNOWN, error=described(error))
    return Outcome(Result.ACCEPTED, str(sent.sid))


def sent_since(message: TextMessage, since: datetime.datetime) -> list[str]:
    """The ids of messages with this text that went to this number: Twilio has no key against sending twice, but can be asked.

    Raises:
        requests.RequestException, TwilioRestException: it does not answer.
    """
    found = _our_client().messages.list(to=message.to, date_sent_after=since, limit=100)
    return [str(sent.sid) for sent in found if sent.body == message.text]


def is_genuine(url: str, fields: Mapping[str, str], signature: str) -> bool:
    """Whether Twilio signed this call of our webhook."""
    return bool(RequestValidator(settings.TWILIO_AUTH_TOKEN).validate(url, dict(fields), signature))
