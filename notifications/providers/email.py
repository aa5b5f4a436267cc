"""E-mail through Django's backends: SendGrid by anymail, any SMTP server, or files."""

from __future__ import annotations

import warnings
from smtplib import SMTPException, SMTPRecipientsRefused, SMTPResponseException, SMTPServerDisconnected
from typing import Any

import requests
from anymail.exceptions import AnymailAPIError, AnymailNotSupportedWarning, AnymailRecipientsRefused, AnymailRequestsAPIError
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection

from notifications.providers.base import Letter, Outcome, Result, described
from notifications.providers.folder import KEY_HEADER

# anymail says so each time that it makes a backend: nobody there has an account to test with any more. Our own tests speak the protocol.
warnings.filterwarnings("ignore", category=AnymailNotSupportedWarning)


def repeats_safely() -> bool:
    """Whether a message that is sent twice with one key arrives once. Neither SendGrid nor SMTP has a key for that."""
    return bool(settings.EMAIL_BACKEND.startswith("notifications.providers.folder"))


def send(letter: Letter) -> Outcome:
    """Send one message."""
    try:
        message = _message(letter)
        get_connection().send_messages([message])
    except Exception as error:
        return _failed(error)
    status = getattr(message, "anymail_status", None)
    return Outcome(Result.ACCEPTED, str(getattr(status, "message_id", "") or letter.key))


def _message(letter: Letter) -> EmailMultiAlternatives:
    headers = {**letter.headers, KEY_HEADER: str(letter.key)}
    message: Any = EmailMultiAlternatives(letter.subject, letter.text, to=[letter.to], headers=headers)
    message.attach_alternative(letter.html, "text/html")
    if letter.invite:
        # Calendars read the alternative, people save the attachment.
        message.attach_alternative(letter.invite.text, f"text/calendar; method={letter.invite.method}; charset=utf-8")
        message.attach("invite.ics", letter.invite.text, "text/calendar")
    # What SendGrid's events lead back to us by.
    message.metadata = {"key": str(letter.key)}
    return message  # type: ignore[no-any-return]  # anymail's attribute is not in the stubs


def _failed(error: Exception) -> Outcome:
    text = described(error)
    if isinstance(error, SMTPRecipientsRefused):
        codes = [code for code, _ in error.recipients.values()]
        return Outcome(Result.BUSY if all(400 <= code < 500 for code in codes) else Result.REFUSED, error=text, is_dead=True)
    if isinstance(error, AnymailRecipientsRefused):
        return Outcome(Result.REFUSED, error=text, is_dead=True)
    if isinstance(error, AnymailRequestsAPIError) and error.status_code:
        is_busy = error.status_code == 429 or error.status_code >= 500
        return Outcome(Result.BUSY if is_busy else Result.REFUSED, error=text)
    return Outcome(_lost_or_away(error), error=text)


def _lost_or_away(error: BaseException) -> Result:
    """Without an answer: nothing was sent if there was no connection, else nobody knows."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, (requests.ConnectTimeout, ConnectionRefusedError)) or _is_refused(cause):
            return Result.AWAY
        if isinstance(cause, SMTPResponseException):
            return Result.BUSY if cause.smtp_code < 500 else Result.REFUSED
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, (AnymailAPIError, SMTPServerDisconnected, SMTPException, OSError)):
        return Result.UNKNOWN
    return Result.REFUSED


def _is_refused(error: BaseException) -> bool:
    """Whether requests could not even connect; it hides the reason in its arguments."""
    if not isinstance(error, requests.ConnectionError) or not error.args:
        return False
    reason = getattr(error.args[0], "reason", None)
    return type(reason).__name__ in ("NewConnectionError", "ConnectTimeoutError", "NameResolutionError")
