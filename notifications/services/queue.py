"""The queue of deliveries is their rows. A worker claims some, most urgent first, asks the provider, and settles them with its answer; a
claim that stays belongs to a worker that died, and nobody but the provider knows whether it sent."""

from __future__ import annotations

import dataclasses
import datetime
import random
import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from notifications.enums import Channel, DeliveryState, Urgency, Why
from notifications.models import WAITING, Delivery, Inbox, Notification, Preferences
from notifications.providers.base import Outcome, Result
from notifications.services.preferences import send_delivery_at
from notifications.services.recipients import changes_calendar, reasons_against

MAX_ATTEMPTS = 8
LEASE = datetime.timedelta(minutes=1)
BATCHES = {Channel.EMAIL: 20, Channel.PUSH: 50, Channel.SMS: 10}
_MOST_BUNDLED = 200
_FIRST_RETRY = datetime.timedelta(seconds=15)
_LONGEST_RETRY = datetime.timedelta(hours=1)


@dataclasses.dataclass(frozen=True)
class Parcel:
    """What goes out as one message: the delivery that is claimed and those bundled with it, oldest notice first."""

    lead: Delivery
    members: Sequence[Delivery]

    @property
    def notifications(self) -> list[Notification]:
        return sorted((member.notification for member in self.members), key=lambda row: row.pk)

    @property
    def ids(self) -> list[uuid.UUID]:
        return [member.pk for member in self.members]


def claim(*, channel: Channel) -> list[Parcel]:
    """Some of what is due, claimed for this worker. What must not be sent is suppressed on the way, and what came due in somebody's night
    is held until its end."""
    now = timezone.now()
    with transaction.atomic():
        rows = _lock_some(channel, now)
        against = reasons_against(channel, rows, now) if rows else {}
        for why in set(against.values()):
            ids = [pk for pk, reason in against.items() if reason == why]
            Delivery.objects.filter(pk__in=ids).update(state=DeliveryState.SUPPRESSED, why=why, bundled_with=None)
        rows = _hold_in_the_night([row for row in rows if row.pk not in against], now)
        parcels = _bundled(rows)
        for parcel in parcels:
            others = [row.pk for row in parcel.members if row.pk != parcel.lead.pk]
            Delivery.objects.filter(pk__in=others).update(bundled_with=parcel.lead)
        leads = [parcel.lead.pk for parcel in parcels]
        Delivery.objects.filter(pk__in=leads).update(claimed_at=now, asked_at=None, bundled_with=None, attempts=F("attempts") + 1)
    for parcel in parcels:
        parcel.lead.claimed_at = now
        parcel.lead.attempts += 1
    return parcels


def has_due(channel: Channel) -> bool:
    """Whether a worker would find something."""
    return _due(channel, timezone.now()).exists()


def _due(channel: Channel, now: datetime.datetime) -> QuerySet[Delivery]:
    waiting = Delivery.objects.filter(channel=channel, state__in=WAITING, claimed_at__isnull=True, bundled_with__isnull=True)
    return waiting.filter(due_at__lte=now)


def _lock_some(channel: Channel, now: datetime.datetime) -> list[Delivery]:
    """Rows to work on, locked, with what they carry. Of a person whose held ones are due all are taken, by one worker alone: it holds the
    inbox before it locks the first of them."""
    due = _due(channel, now)
    found: list[tuple[uuid.UUID, uuid.UUID, str]] = []
    for urgency in sorted(Urgency, reverse=True):
        # One range of the queue's index each; what waits for later in between is never read.
        rows = due.filter(urgency=urgency).order_by("due_at").values_list("pk", "user_id", "state")
        found += rows[: BATCHES[channel] - len(found)]
        if len(found) == BATCHES[channel]:
            break
    people = {user_id for _, user_id, state in found if state == DeliveryState.HELD}
    ours = Inbox.objects.select_for_update(skip_locked=True).filter(pk__in=people).order_by("pk").values_list("pk", flat=True)
    held = due.filter(state=DeliveryState.HELD, user_id__in=list(ours)).order_by("user_id", "due_at").select_for_update()
    ids = _of_whole_people(held.values_list("user_id", "pk")[: _MOST_BUNDLED + 1])
    queued = [pk for pk, _, state in found if state == DeliveryState.QUEUED]
    ids += due.filter(pk__in=queued).select_for_update(skip_locked=True).values_list("pk", flat=True)
    with_bundles = Delivery.objects.filter(pk__in=ids) | Delivery.objects.filter(bundled_with__in=ids, state__in=WAITING)
    return list(with_bundles.select_related("user", "notification", "notification__user", "notification__about").order_by("-urgency", "id"))


def _of_whole_people(rows: Iterable[tuple[uuid.UUID, uuid.UUID]]) -> list[uuid.UUID]:
    """The ids of these rows, which are in the order of their people, without the last person where not all of theirs may be among them. A
    person alone with more than fit gets more than one digest."""
    found = list(rows)
    last = found[-1][0] if len(found) > _MOST_BUNDLED and found[0][0] != found[-1][0] else None
    return [pk for user_id, pk in found if user_id != last]


def _hold_in_the_night(rows: Sequence[Delivery], now: datetime.datetime) -> list[Delivery]:
    """A queue that stood still for a while, or a person who has travelled, must not wake anybody up."""
    chosen = {row.user_id: row for row in Preferences.objects.filter(user_id__in={row.user_id for row in rows})}
    good, late = [], []
    for row in rows:
        preferences = chosen.get(row.user_id) or Preferences()
        preferences.user = row.user
        due_at = send_delivery_at(preferences, row, now=now, is_gathered=False)
        if due_at > now:
            row.state, row.due_at, row.bundled_with = DeliveryState.HELD, due_at, None
            late.append(row)
        else:
            good.append(row)
    Delivery.objects.bulk_update(late, ["state", "due_at", "bundled_with"])
    return good


def _bundled(rows: Sequence[Delivery]) -> list[Parcel]:
    """Bundle the held deliveries of a person. Retries keep their bundle; an e-mail with a calendar part is sent alone."""
    groups: dict[Any, list[Delivery]] = defaultdict(list)
    for row in rows:
        goes_alone = row.attempts or row.state == DeliveryState.QUEUED or changes_calendar(row)
        first = row.bundled_with_id or (row.pk if goes_alone else None)
        groups[first or row.user_id].append(row)
    return [Parcel(next((row for row in group if row.pk == key), group[0]), group) for key, group in groups.items()]


def note_asking(parcel: Parcel) -> bool:
    """Write down that the provider is asked now. Whether the parcel is still this worker's to send."""
    return bool(_claimed(parcel).update(asked_at=timezone.now()))


def release(parcels: Iterable[Parcel]) -> None:
    """Give back what this worker did not get to."""
    for parcel in parcels:
        _claimed(parcel).update(claimed_at=None, attempts=F("attempts") - 1)


def settle(parcel: Parcel, outcome: Outcome, *, repeats_safely: bool, segments: int = 0) -> None:
    """Write down what became of a parcel. A lost answer is left to `recover`, unless sending again does no harm."""
    error = {"last_error": outcome.error}
    if outcome.result is Result.ACCEPTED:
        sent = {"state": DeliveryState.SENT, "sent_at": timezone.now(), "provider_id": outcome.provider_id, "why": ""}
        _finish(parcel, **sent, segments=segments, last_error="")
    elif outcome.result is Result.REFUSED and outcome.is_dead:
        _finish(parcel, state=DeliveryState.BOUNCED, why=Why.REFUSED, **error)
    elif outcome.result is Result.REFUSED:
        _finish(parcel, state=DeliveryState.FAILED, why=Why.REFUSED, **error)
    elif outcome.result is Result.UNKNOWN and not repeats_safely:
        _claimed(parcel).update(**error)
    elif _is_hopeless(parcel, outcome):
        _finish(parcel, state=DeliveryState.FAILED, why=Why.GAVE_UP, **error)
    else:
        counted = parcel.lead.attempts - (outcome.result is Result.AWAY)
        _claimed(parcel).update(claimed_at=None, due_at=timezone.now() + _pause(counted), attempts=counted, **error)


def _is_hopeless(parcel: Parcel, outcome: Outcome) -> bool:
    """A provider that is away costs no attempt: what it is about decides how long it is worth sending."""
    return outcome.result is not Result.AWAY and parcel.lead.attempts >= MAX_ATTEMPTS


def _pause(attempts: int) -> datetime.timedelta:
    """Longer each time, and not the same for all that failed together."""
    return min(_FIRST_RETRY * 2 ** max(0, attempts - 1), _LONGEST_RETRY) * random.uniform(0.8, 1.2)


def _claimed(parcel: Parcel) -> QuerySet[Delivery]:
    """The parcel's lead, as long as the claim is this worker's."""
    return Delivery.objects.filter(pk=parcel.lead.pk, claimed_at=parcel.lead.claimed_at)


def _finish(parcel: Parcel, **columns: Any) -> None:
    with transaction.atomic():
        if _claimed(parcel).update(claimed_at=None, **columns):
            others = [pk for pk in parcel.ids if pk != parcel.lead.pk]
            # What it cost stands once.
            Delivery.objects.filter(pk__in=others, state__in=WAITING).update(**columns | ({"segments": 0} if "segments" in columns else {}))


def abandoned(channel: Channel) -> list[Parcel]:
    """Claims of workers that died, or whose answer was lost, longer ago than a worker may take."""
    found = Delivery.objects.filter(channel=channel, claimed_at__lt=timezone.now() - LEASE).order_by("claimed_at")
    leads = list(found.select_related("user", "notification", "notification__user", "notification__about")[: BATCHES[channel]])
    bundle: dict[Any, list[Delivery]] = defaultdict(list)
    related = Delivery.objects.filter(bundled_with__in=leads, state__in=WAITING)
    for row in related.select_related("user", "notification", "notification__user", "notification__about"):
        bundle[row.bundled_with_id].append(row)
    return [Parcel(lead, [lead, *bundle[lead.pk]]) for lead in leads]


def give_up_unconfirmed(parcel: Parcel) -> None:
    """It may have been sent. Staff see it; an event of the provider settles it."""
    _finish(parcel, state=DeliveryState.FAILED, why=Why.UNCONFIRMED)


def replay(ids: Iterable[uuid.UUID]) -> int:
    """Send again what was given up. Returns how many."""
    dead = Delivery.objects.filter(pk__in=list(ids), state=DeliveryState.FAILED)
    return dead.update(state=DeliveryState.QUEUED, why="", attempts=0, due_at=timezone.now(), bundled_with=None, provider_id="")
