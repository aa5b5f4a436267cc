from __future__ import annotations

from smtplib import SMTPException, SMTPRecipientsRefused
from typing import Any

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string

from accounts.errors import MailRefused
from core.errors import Unavailable

logger = structlog.get_logger(__name__)


def send_mail(*, template: str, to: str, **context: Any) -> None:
    """Send one of the mails in `templates/accounts/email`, whose first line is the subject.

    Raises:
        MailRefused: there is no such mailbox.
        Unavailable: the mail server does not answer.
    """
    text = render_to_string(f"accounts/email/{template}.txt", context | {"site": settings.SITE_URL})
    subject, _, body = text.partition("\n")
    try:
        EmailMessage(" ".join(subject.split()), body.strip() + "\n", to=[to]).send()
    except SMTPRecipientsRefused as error:
        logger.warning("mail refused", template=template)
        raise MailRefused from error
    except (SMTPException, OSError) as error:
        logger.warning("mail not sent", template=template, error=type(error).__name__)
        raise Unavailable from error
