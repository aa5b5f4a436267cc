"""From the queue to the providers. Each message has one key for all its attempts; where a provider knows no keys, a claim is written down
before it is asked, so that a crash in between is seen and never sends twice unseen."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from core.locks import only_here
from notifications.enums import Channel, Complaint, DeliveryState, Why
from notifications.models import Delivery
from notifications.providers import email, folder, twilio
from notifications.providers.base import Outcome, Result, TextMessage
from notifications.services import queue
from notifications.services.composing import composed
from notifications.services.letters import letter_for
from notifications.services.pushing import send_pushes
from notifications.services.queue import Parcel
from notifications.services.recipients import addresses_of, suppress
from notifications.services.texts import is_within_budget, segments_of, spent_today, spent_today_by, text_for

logger = structlog.get_logger(__name__)


def send_some(channel: Channel) -> bool:
    """Send some of what is due. Whether there may be more, and the provider takes it."""
    parcels = queue.claim(channel=channel)
    return bool(parcels) and _SENDERS[channel](parcels)


def _send_mail(parcels: Sequence[Parcel]) -> bool:
    def send(parcel: Parcel) -> Outcome:
        letter = composed(letter_for, parcel.lead.pk, parcel.notifications)
        outcome = letter if isinstance(letter, Outcome) else email.send(letter)
        if outcome.is_dead and outcome.result is Result.REFUSED:
            suppress(channel=Channel.EMAIL, address=parcel.lead.user.email, reason=Complaint.BOUNCED)
        return outcome

    return _one_by_one(parcels, send, repeats_safely=email.repeats_safely())


def _one_by_one(parcels: Sequence[Parcel], send: Callable[[Parcel], Outcome], *, repeats_safely: bool) -> bool:
    """Whether the provider took all that it was asked for. When it is away, or time is short, the rest goes back into the queue."""
    for number, parcel in enumerate(parcels):
        if timezone.now() > parcel.lead.claimed_at + queue.LEASE / 2:  # type: ignore[operator]  # it is claimed
            queue.release(parcels[number:])
            return True
        if not queue.note_asking(parcel):
            continue
        outcome = send(parcel)
        queue.settle(parcel, outcome, repeats_safely=repeats_safely)
        if outcome.result is Result.AWAY:
            queue.release(parcels[number + 1 :])
            return False
    return True


def _send_pushes(parcels: Sequence[Parcel]) -> bool:
    outcomes = send_pushes(parcels)
    for parcel, outcome in zip(parcels, outcomes, strict=True):
        # On the phone a second one takes the place of the first.
        queue.settle(parcel, outcome, repeats_safely=True)
    return all(outcome.result is not Result.AWAY for outcome in outcomes)


def _send_texts(parcels: Sequence[Parcel]) -> bool:
    """One worker at a time, so that the budget holds to the last part."""
    with only_here("notifications.texts") as is_ours:
        if not is_ours:
            queue.release(parcels)
            return False
        numbers = addresses_of(Channel.SMS, [parcel.lead for parcel in parcels])
        spent, spent_by = spent_today(), dict(spent_today_by([parcel.lead.user_id for parcel in parcels]))
        for number, parcel in enumerate(parcels):
            text = composed(text_for, parcel.notifications)
            if isinstance(text, Outcome):
                queue.settle(parcel, text, repeats_safely=True)
                continue
            segments, person = segments_of(text), parcel.lead.user_id
            if not is_within_budget(segments, spent=spent, spent_by_person=spent_by.get(person, 0)):
                _put_aside(parcel, Why.OVER_BUDGET)
                continue
            if not queue.note_asking(parcel):
                continue
            outcome = _text_provider()(TextMessage(parcel.lead.pk, numbers[person], text))
            _note_dead_number(numbers[person], outcome)
            queue.settle(parcel, outcome, repeats_safely=not settings.TWILIO_ACCOUNT_SID, segments=segments)
            if outcome.result is Result.AWAY:
                queue.release(parcels[number + 1 :])
                return False
            spent, spent_by[person] = spent + segments, spent_by.get(person, 0) + segments
    return True


def _text_provider() -> Callable[[TextMessage], Outcome]:
    return twilio.send_text if settings.TWILIO_ACCOUNT_SID else folder.send_text


def _note_dead_number(number: str, outcome: Outcome) -> None:
    if outcome.is_dead:
        reason = Complaint.STOPPED if str(twilio.STOPPED) in outcome.error else Complaint.BOUNCED
        suppress(channel=Channel.SMS, address=number, reason=reason)


def _put_aside(parcel: Parcel, why: Why) -> None:
    rows = Delivery.objects.filter(pk__in=parcel.ids)
    rows.update(state=DeliveryState.SUPPRESSED, why=why, claimed_at=None)


_SENDERS: Mapping[Channel, Callable[[Sequence[Parcel]], bool]] = {
    Channel.EMAIL: _send_mail,
    Channel.PUSH: _send_pushes,
    Channel.SMS: _send_texts,
}


def recover(*, channel: Channel) -> int:
    """Take up what dead workers left. Returns how many claims were settled. What the provider was not asked for goes back into the queue.

    Files and pushes are sent again: the second takes the place of the first. Twilio is asked whether it has the text. Of a mail that went
    to SendGrid or SMTP nobody can tell: it is shown as unconfirmed until an event of the provider says that it arrived.
    """
    parcels = queue.abandoned(channel)
    for parcel in parcels:
        with transaction.atomic():
            _take_up(channel, parcel)
    return len(parcels)


def _take_up(channel: Channel, parcel: Parcel) -> None:
    if parcel.lead.asked_at is None and channel != Channel.PUSH:
        queue.release([parcel])
    elif channel == Channel.SMS and settings.TWILIO_ACCOUNT_SID:
        outcome = _asked(parcel)
        # While Twilio cannot say, the claim stays, and is taken up again by the next sweep.
        if outcome is not None:
            queue.settle(parcel, outcome, repeats_safely=True)
    elif channel == Channel.EMAIL and not email.repeats_safely():
        queue.give_up_unconfirmed(parcel)
    else:
        queue.settle(parcel, Outcome(Result.BUSY, error="the worker died"), repeats_safely=True)


def _asked(parcel: Parcel) -> Outcome | None:
    """What Twilio knows of a text; None where it does not answer."""
    number = addresses_of(Channel.SMS, [parcel.lead]).get(parcel.lead.user_id)
    if number is None:
        return Outcome(Result.REFUSED, error="the number is gone")
    text = composed(text_for, parcel.notifications)
    if isinstance(text, Outcome):
        return text
    message = TextMessage(parcel.lead.pk, number, text)
    since = (parcel.lead.claimed_at or timezone.now()) - datetime.timedelta(minutes=1)
    try:
        found = twilio.sent_since(message, since)
    except Exception as error:
        logger.warning("not known whether a text was sent", error=type(error).__name__)
        return None
    known = set(Delivery.objects.filter(channel=Channel.SMS, provider_id__in=found).values_list("provider_id", flat=True))
    ours = [sid for sid in found if sid not in known]
    return Outcome(Result.ACCEPTED, ours[0]) if ours else Outcome(Result.BUSY, error="not sent")
