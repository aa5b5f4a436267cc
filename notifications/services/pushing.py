"""Pushes to all phones of a person: one ticket per phone, so that what a phone has is not sent to it again, and a receipt for each."""

from __future__ import annotations

import datetime
import uuid
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from notifications.enums import DeliveryState, Urgency, Why
from notifications.models import Delivery, Notification, PushDevice, PushTicket
from notifications.providers import expo, folder
from notifications.providers.base import Outcome, Push, Receipt, Result
from notifications.services.composing import composed, frame_for, words_for
from notifications.services.queue import Parcel

logger = structlog.get_logger(__name__)

# Expo knows a receipt after a while, and forgets it after a day.
_ASK_AFTER = datetime.timedelta(minutes=15)
_ASK_UNTIL = datetime.timedelta(hours=24)
_DEAD = "DeviceNotRegistered"
_MOST_IN_TITLE = 100
_MOST_IN_BODY = 400
# What is worst decides what becomes of the whole: an answer that was lost, one to try again, nobody there.
_PENDING = (Result.UNKNOWN, Result.BUSY, Result.AWAY)


def send_pushes(parcels: Sequence[Parcel]) -> list[Outcome]:
    """One outcome per parcel; a fixed number of queries, and requests of at most a hundred pushes."""
    devices: dict[uuid.UUID, list[PushDevice]] = defaultdict(list)
    for device in PushDevice.objects.filter(user_id__in={parcel.lead.user_id for parcel in parcels}):
        devices[device.user_id].append(device)
    had = set(PushTicket.objects.filter(delivery__in=[parcel.lead.pk for parcel in parcels]).values_list("delivery_id", "device_id"))
    badges = _unread({parcel.lead.user_id for parcel in parcels})
    wanted = [(parcel, device) for parcel in parcels for device in devices[parcel.lead.user_id] if (parcel.lead.pk, device.pk) not in had]
    outcomes: dict[uuid.UUID, list[Outcome]] = defaultdict(list)
    for start in range(0, len(wanted), expo.MOST_PUSHES):
        chunk = []
        pushes = []
        for parcel, device in wanted[start : start + expo.MOST_PUSHES]:
            push = composed(_push, parcel, device, badges.get(parcel.lead.user_id, 0))
            if isinstance(push, Outcome):
                outcomes[parcel.lead.pk].append(push)
            else:
                chunk.append((parcel, device))
                pushes.append(push)
        _note(chunk, answers := _send()(pushes) if pushes else [])
        for (parcel, _), outcome in zip(chunk, answers, strict=True):
            outcomes[parcel.lead.pk].append(outcome)
    return [_together(outcomes[parcel.lead.pk], was_sent=any(pk == parcel.lead.pk for pk, _ in had)) for parcel in parcels]


def _send() -> Callable[[Sequence[Push]], list[Outcome]]:
    return expo.send_pushes if settings.PUSH_ENGINE == "expo" else folder.send_pushes


def _note(chunk: Sequence[tuple[Parcel, PushDevice]], outcomes: Sequence[Outcome]) -> None:
    """Tickets of what was taken; phones that take nothing any more go."""
    tickets, dead = [], []
    for (parcel, device), outcome in zip(chunk, outcomes, strict=True):
        if outcome.result is Result.ACCEPTED:
            tickets.append(PushTicket(delivery=parcel.lead, device=device, ticket=outcome.provider_id))
        elif outcome.is_dead:
            dead.append(device.pk)
    with transaction.atomic():
        PushTicket.objects.bulk_create(tickets, ignore_conflicts=True)
        PushDevice.objects.filter(pk__in=dead).delete()


def _together(outcomes: Sequence[Outcome], *, was_sent: bool) -> Outcome:
    for result in _PENDING:
        for outcome in outcomes:
            if outcome.result is result:
                return outcome
    accepted = [outcome for outcome in outcomes if outcome.result is Result.ACCEPTED]
    if accepted or was_sent:
        return Outcome(Result.ACCEPTED)
    return outcomes[0] if outcomes else Outcome(Result.REFUSED, error="no phone", is_dead=True)


def _unread(user_ids: set[uuid.UUID]) -> dict[uuid.UUID, int]:
    rows = Notification.objects.filter(user_id__in=user_ids, read_at__isnull=True, replaced_at__isnull=True)
    return dict(rows.values("user_id").annotate(number=Count("pk")).order_by().values_list("user_id", "number"))


def _push(parcel: Parcel, device: PushDevice, badge: int) -> Push:
    """Who looks over the shoulder at a locked phone learns nothing, unless its owner chose that."""
    notifications = parcel.notifications
    first, frame = notifications[-1], frame_for(notifications[-1].user)
    words = words_for(first)
    is_digest = len(notifications) > 1
    title, body = "Soosh", frame.private
    if device.shows_text and is_digest:
        body = frame.digest.format(count=len(notifications))
    elif device.shows_text and words:
        title, body = words.title, words.text
    data: dict[str, Any] = {"notification_id": str(first.pk), "count": len(notifications)}
    if words and not is_digest:
        data["path"] = words.path
    return Push(
        token=device.token,
        title=title[:_MOST_IN_TITLE],
        body=body[:_MOST_IN_BODY],
        tag=_tag(parcel),
        data=data,
        badge=badge,
        is_urgent=any(row.urgency >= Urgency.URGENT for row in notifications),
    )


def _tag(parcel: Parcel) -> str:
    """The same for every attempt, and for all notices that stand for each other."""
    first = parcel.notifications[0]
    name = f"{first.user_id} {first.kind} {first.collapse_key}" if first.collapse_key else str(parcel.lead.pk)
    return uuid.uuid5(uuid.NAMESPACE_URL, name).hex


def collect_receipts() -> int:
    """Ask what became of pushes. Returns how many tickets were settled. Safe to run twice: a receipt says the same each time."""
    now = timezone.now()
    PushTicket.objects.filter(settled_at__isnull=True, created_at__lt=now - _ASK_UNTIL).update(settled_at=now, error="no receipt")
    open_tickets = PushTicket.objects.filter(settled_at__isnull=True, created_at__lte=now - _receipt_delay()).order_by("created_at")
    tickets = {ticket.ticket: ticket for ticket in open_tickets.select_related("delivery")[: expo.MOST_RECEIPTS]}
    if not tickets:
        return 0
    try:
        receipts = _receipts()(list(tickets))
    except Exception as error:
        logger.warning("no receipts", error=type(error).__name__)
        return 0
    with transaction.atomic():
        _settle_tickets([(tickets[receipt.ticket], receipt) for receipt in receipts if receipt.ticket in tickets], now)
    return len(receipts)


def _receipt_delay() -> datetime.timedelta:
    return _ASK_AFTER if settings.PUSH_ENGINE == "expo" else datetime.timedelta(0)


def _receipts() -> Callable[[Sequence[str]], list[Receipt]]:
    return expo.receipts if settings.PUSH_ENGINE == "expo" else folder.receipts


def _settle_tickets(settled: Sequence[tuple[PushTicket, Receipt]], now: datetime.datetime) -> None:
    for ticket, receipt in settled:
        ticket.settled_at, ticket.error = now, receipt.error
    PushTicket.objects.bulk_update([ticket for ticket, _ in settled], ["settled_at", "error"])
    PushDevice.objects.filter(pk__in=[ticket.device_id for ticket, receipt in settled if receipt.error == _DEAD]).delete()
    arrived = {ticket.delivery_id for ticket, receipt in settled if not receipt.error}
    lost = {ticket.delivery_id for ticket, receipt in settled if receipt.error} - arrived
    Delivery.objects.filter(pk__in=arrived, state=DeliveryState.SENT).update(state=DeliveryState.DELIVERED)
    Delivery.objects.filter(bundled_with__in=arrived, state=DeliveryState.SENT).update(state=DeliveryState.DELIVERED)
    gone = Delivery.objects.filter(pk__in=lost, state=DeliveryState.SENT).exclude(tickets__error="", tickets__settled_at__isnull=False)
    gone.exclude(tickets__settled_at__isnull=True).update(state=DeliveryState.BOUNCED, why=Why.REFUSED)
