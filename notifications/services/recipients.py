"""Whether a delivery that is due may go out now. Between the notice and its sending anything may have happened."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Collection, Sequence

from django.conf import settings
from django.db.models import Q
from django.db.models.fields.json import KeyTextTransform
from django.utils.crypto import salted_hmac

from accounts.models import Block
from notifications.enums import Channel, Complaint, Urgency, Why
from notifications.models import Delivery, Notification, Phone, PushDevice, Suppression
from notifications.notices import kind_named
from notifications.services.preferences import choices_of, is_wanted


def addresses_of(channel: str, deliveries: Sequence[Delivery]) -> dict[uuid.UUID, str]:
    """Where the people of these are reached on this channel, by person. For push it only says that there is a phone."""
    user_ids = {delivery.user_id for delivery in deliveries}
    if channel == Channel.EMAIL:
        return {delivery.user_id: delivery.user.email for delivery in deliveries}
    if channel == Channel.SMS:
        return dict(Phone.objects.filter(user_id__in=user_ids, verified_at__isnull=False).values_list("user_id", "number"))
    return dict.fromkeys(PushDevice.objects.filter(user_id__in=user_ids).values_list("user_id", flat=True), "phone")


def reasons_against(channel: str, deliveries: Sequence[Delivery], now: datetime.datetime) -> dict[uuid.UUID, Why]:
    """Of these, with `user`, `notification` and `notification.about` loaded, those that must not be sent, and why; a fixed number of
    queries."""
    addresses = addresses_of(channel, deliveries)
    unwanted = _unwanted(channel, addresses.values())
    chosen = choices_of({delivery.user_id for delivery in deliveries})
    apart = _apart([delivery.notification for delivery in deliveries])
    outdated = _outdated_invitations(deliveries)
    found = {}
    for delivery in deliveries:
        notification, address = delivery.notification, addresses.get(delivery.user_id)
        choice = chosen.get((delivery.user_id, notification.topic, channel))
        why = _about_people(notification, apart) or _about_time(notification, now)
        if changes_calendar(delivery):
            why = Why.REPLACED if notification.pk in outdated else _despite_calendar(notification, why)
        why = why or _about_kind(notification, channel, choice)
        if why is None and address is None:
            why = Why.NO_ADDRESS
        elif why is None and address_hash(str(address)) in unwanted:
            why = Why.UNWANTED
        if why is not None:
            found[delivery.pk] = why
    return found


def changes_calendar(delivery: Delivery) -> bool:
    """Whether it is an e-mail with a calendar part: reading the inbox does not update the person's calendar."""
    return delivery.channel == Channel.EMAIL and delivery.notification.calendar is not None


def _despite_calendar(notification: Notification, why: Why | None) -> Why | None:
    """Which reason against sending also applies to an e-mail with a calendar part. A cancellation reaches everybody who has an account."""
    is_cancelled = notification.calendar is not None and notification.calendar["is_cancelled"]
    return None if why == Why.READ or (is_cancelled and why == Why.OTHER_GONE) else why


def _outdated_invitations(deliveries: Sequence[Delivery]) -> set[uuid.UUID]:
    """Ids of notifications whose calendar entry has a newer notification to the same person."""
    uids = {row.pk: (row.user_id, row.calendar["uid"]) for row in (delivery.notification for delivery in deliveries) if row.calendar}
    if not uids:
        return set()
    people = Notification.objects.filter(user_id__in={user_id for user_id, _ in uids.values()}, calendar__isnull=False)
    entries = people.annotate(uid=KeyTextTransform("uid", "calendar")).filter(uid__in={uid for _, uid in uids.values()})
    newest: dict[tuple[uuid.UUID, str], uuid.UUID] = {}
    for user_id, uid, pk in entries.values_list("user_id", "uid", "pk"):
        newest[user_id, uid] = max(newest.get((user_id, uid), pk), pk)
    return {pk for pk, entry in uids.items() if newest.get(entry, pk) != pk}


def _about_people(notification: Notification, apart: set[tuple[uuid.UUID, uuid.UUID]]) -> Why | None:
    if not notification.user.is_active:
        return Why.PERSON_GONE
    other = notification.about
    if other is not None and (not other.is_active or (notification.user_id, other.pk) in apart):
        return Why.OTHER_GONE
    return None


def _about_time(notification: Notification, now: datetime.datetime) -> Why | None:
    if notification.replaced_at is not None:
        return Why.REPLACED
    if notification.expires_at is not None and notification.expires_at <= now:
        return Why.TOO_LATE
    return Why.READ if notification.read_at is not None and notification.urgency < Urgency.BINDING else None


def _about_kind(notification: Notification, channel: str, choice: bool | None) -> Why | None:
    kind = kind_named(notification.kind)
    if kind is None:
        return Why.UNKNOWN_KIND
    return None if is_wanted(kind, Channel(channel), choice) else Why.TURNED_OFF


def _apart(notifications: Sequence[Notification]) -> set[tuple[uuid.UUID, uuid.UUID]]:
    """Who of the people told is apart from the one named, whoever blocked the other."""
    pairs = {(row.user_id, row.about_id) for row in notifications if row.about_id}
    people, others = {person for person, _ in pairs}, {other for _, other in pairs}
    if not pairs:
        return set()
    blocks = Block.objects.filter(Q(blocker__in=people, blocked__in=others) | Q(blocker__in=others, blocked__in=people))
    rows = list(blocks.values_list("blocker_id", "blocked_id"))
    return {(first, second) for one, two in rows for first, second in ((one, two), (two, one))}


def address_hash(address: str, secret: str | None = None) -> str:
    """What stands for an address where it must outlive the account."""
    return salted_hmac("notifications.suppression", address.strip().lower(), secret=secret, algorithm="sha256").hexdigest()


def suppress(*, channel: str, address: str, reason: Complaint) -> None:
    """Send nothing more to this address on this channel. The first reason stays."""
    Suppression.objects.get_or_create(channel=channel, address_hash=address_hash(address), defaults={"reason": reason})


def lift_suppression(*, channel: str, address: str, reasons: Collection[Complaint] = tuple(Complaint)) -> int:
    """Send to it again. Returns how many suppressions were lifted."""
    hashes = address_hashes(address)
    return Suppression.objects.filter(channel=channel, address_hash__in=hashes, reason__in=list(reasons)).delete()[0]


def address_hashes(address: str) -> list[str]:
    """Every digest that may stand for an address: with this key and with those before it."""
    return [address_hash(address, str(secret)) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]


def _unwanted(channel: str, addresses: Collection[str]) -> set[str]:
    """The hashes, with the present key, of those that are suppressed."""
    present = {known: address_hash(address) for address in addresses for known in address_hashes(address)}
    known = Suppression.objects.filter(channel=channel, address_hash__in=list(present)).values_list("address_hash", flat=True)
    return {present[found] for found in known}
