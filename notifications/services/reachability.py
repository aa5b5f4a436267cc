"""Suppressed addresses of a person: the reason, and what they can do about it."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Mapping

from django.conf import settings
from django.core.cache import cache

from accounts.models import User
from core.errors import TooManyRequests
from notifications.enums import Channel, Complaint
from notifications.models import Phone, Suppression
from notifications.services.composing import language_of
from notifications.services.recipients import address_hashes, lift_suppression

_DAY_SECONDS = 86_400
_RESUMES_PER_DAY = 3
# By language, channel and reason.
REMEDIES: Mapping[str, Mapping[tuple[str, str], str]] = {
    "en": {
        (
            Channel.SMS,
            Complaint.STOPPED,
        ): "You answered STOP, so we send no text messages to this number. To get them again, text START to {sender}.",
        (
            Channel.SMS,
            Complaint.BOUNCED,
        ): "Text messages do not reach this number. Please check it, or add the number of another mobile phone.",
        (
            Channel.EMAIL,
            Complaint.BOUNCED,
        ): "E-mail to your address came back. Please check the address. If it is right, ask us to try again.",
        (
            Channel.EMAIL,
            Complaint.COMPLAINED,
        ): "An e-mail from us was marked as spam in your mailbox, so we send no more. You can ask us to send them again.",
    },
    "de": {
        (
            Channel.SMS,
            Complaint.STOPPED,
        ): "Du hast STOP geantwortet, deshalb schicken wir keine SMS an diese Nummer. Mit START an {sender} bekommst du wieder welche.",
        (
            Channel.SMS,
            Complaint.BOUNCED,
        ): "SMS an diese Nummer kommen nicht an. Bitte prüfe sie, oder gib die Nummer eines anderen Handys an.",
        (
            Channel.EMAIL,
            Complaint.BOUNCED,
        ): "E-Mails an deine Adresse kamen zurück. Bitte prüfe die Adresse. Wenn sie stimmt, bitte uns, es noch einmal zu versuchen.",
        (
            Channel.EMAIL,
            Complaint.COMPLAINED,
        ): "Eine E-Mail von uns wurde als Spam markiert, deshalb schicken wir keine mehr. Du kannst sie wieder einschalten.",
    },
}
_OUR_NUMBER = {"en": "our number", "de": "unsere Nummer"}


@dataclasses.dataclass(frozen=True)
class ChannelProblem:
    """A channel on which nothing is sent to a person, although they have an address there."""

    channel: str
    reason: str
    since: datetime.datetime
    remedy: str


def channel_problems(user: User) -> list[ChannelProblem]:
    """The problems of a person's e-mail and text messages. Two queries."""
    phone = Phone.objects.filter(user=user).first()
    addresses = {Channel.EMAIL: user.email} | ({Channel.SMS: phone.number} if phone else {})
    channel_of = {digest: channel for channel, address in addresses.items() for digest in address_hashes(address)}
    rows = Suppression.objects.filter(address_hash__in=list(channel_of), channel__in=list(addresses)).order_by("channel")
    return [
        ChannelProblem(row.channel, row.reason, row.created_at, _remedy(row, language_of(user)))
        for row in rows
        if channel_of[row.address_hash] == row.channel
    ]


def problem_of_phone(phone: Phone) -> ChannelProblem | None:
    """Why this number gets no text messages; None if it does."""
    return next((problem for problem in channel_problems(phone.user) if problem.channel == Channel.SMS), None)


def resume_mail(*, user: User) -> None:
    """Send e-mail to the person's own address again. Another bounce suppresses it again.

    Raises:
        TooManyRequests: the daily limit is reached.
    """
    counted: int = cache.count(f"notifications:resume:{user.pk}", _DAY_SECONDS)  # type: ignore[attr-defined]  # of our own cache
    if settings.THROTTLE and counted > _RESUMES_PER_DAY:
        raise TooManyRequests(retry_after_seconds=_DAY_SECONDS)
    lift_suppression(channel=Channel.EMAIL, address=user.email)


def _remedy(row: Suppression, language: str) -> str:
    words = REMEDIES[language].get((row.channel, row.reason)) or REMEDIES[language][row.channel, Complaint.BOUNCED]
    return words.format(sender=settings.TWILIO_FROM or _OUR_NUMBER[language])
