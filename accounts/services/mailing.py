from __future__ import annotations

from smtplib import SMTPException, SMTPRecipientsRefused
from typing import Any

import structlog
from django.conf import settings
from django.core.cache import cache
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.utils.crypto import salted_hmac

from accounts.errors import MailRefused
from accounts.services.invitations import refusal_url, refuses_invitations
from core.errors import Unavailable
from core.plain_text import one_line

logger = structlog.get_logger(__name__)

_DAY_SECONDS = 86_400
# E-mail that somebody sends to an address that they say is another person's, or their own at work.
_INVITATIONS = frozenset({"guardian_invited", "work_email", "hand_over"})
# How many of them one address gets a day, whoever asks for them and from wherever.
_MOST_A_DAY = {
    "guardian_invited": 2,
    "hand_over": 2,
    "unknown_account": 3,
    "work_email": 5,
    "known_account": 10,
    "change_email": 10,
    "verify_email": 30,
}
_LONGEST_NAME = 60


def send_mail(*, template: str, to: str, **context: Any) -> None:
    """Send one of the mails in `templates/accounts/email`, whose first line is the subject. Nothing is sent to an address that got enough
    of them today, or refuses invitations; whoever asked for it is not told.

    Raises:
        MailRefused: there is no such mailbox.
        Unavailable: the mail server does not answer.
    """
    is_invitation = template in _INVITATIONS
    if (is_invitation and refuses_invitations(to)) or _has_enough(template, to):
        logger.info("mail held back", template=template)
        return
    refusing = {"refusal_url": refusal_url(to)} if is_invitation else {}
    names = {f"{who}_name": one_line(context[who].full_name, limit=_LONGEST_NAME) for who in ("ward", "person") if who in context}
    text = render_to_string(f"accounts/email/{template}.txt", context | names | refusing | {"site": settings.SITE_URL})
    subject, _, body = text.partition("\n")
    try:
        EmailMessage(one_line(subject), body.strip() + "\n", to=[to], headers=_headers(**refusing)).send()
    except SMTPRecipientsRefused as error:
        logger.warning("mail refused", template=template)
        raise MailRefused from error
    except (SMTPException, OSError) as error:
        logger.warning("mail not sent", template=template, error=type(error).__name__)
        raise Unavailable from error


def _has_enough(template: str, to: str) -> bool:
    if template not in _MOST_A_DAY or not settings.THROTTLE:
        return False
    digest = salted_hmac("accounts.mails-a-day", to.lower(), algorithm="sha256").hexdigest()
    counted: int = cache.count(f"accounts:mails-a-day:{template}:{digest}", _DAY_SECONDS)  # type: ignore[attr-defined]  # of our own cache
    return counted > _MOST_A_DAY[template]


def _headers(refusal_url: str = "") -> dict[str, str]:
    """RFC 3834: no answering machine should answer. RFC 8058: a mail program may refuse further invitations with one POST."""
    headers = {"Auto-Submitted": "auto-generated"}
    if refusal_url:
        headers |= {"List-Unsubscribe": f"<{refusal_url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    return headers
