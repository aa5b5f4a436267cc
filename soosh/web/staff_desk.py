"""What staff see first: what waits for a person, and how the week went."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Mapping
from typing import Any

from django.db.models import Count, Min, Model
from django.db.models.functions import TruncDate
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from bookings.models import Appeal, Booking
from catalog.models import Organisation, PostingReview
from core.models import EventDelivery
from mentors.models import Check, MentorProfile, Review
from payments.models import Dispute, Finding, Movement, ProviderEvent


@dataclasses.dataclass(frozen=True)
class Queue:
    """Rows that a person has to look at: those that `where` names, in the ORM and in the list of the admin alike."""

    name: str
    model: type[Model]
    where: Mapping[str, str]


QUEUES = (
    Queue("Mentors who applied", MentorProfile, {"state__exact": "applied"}),
    Queue("Checks to look at", Check, {"state__exact": "submitted"}),
    Queue("Checks for a second look", Check, {"state__exact": "second_review"}),
    Queue("Reviews held back", Review, {"state__exact": "held"}),
    Queue("Postings to look at", PostingReview, {"state__exact": "open"}),
    Queue("Organisations to check", Organisation, {"state__exact": "pending"}),
    Queue("Appeals", Appeal, {"state__exact": "open"}),
    Queue("Disputes at a bank", Dispute, {"state__exact": "open"}),
    Queue("Findings of the reconciliation", Finding, {"resolved_at__isempty": "1"}),
    Queue("Payments that are stuck", Movement, {"state__exact": "stuck"}),
    Queue("Events of the payment provider that failed", ProviderEvent, {"state__exact": "dead"}),
    Queue("Dead letters", EventDelivery, {"state__exact": "dead"}),
)
_WEEK = 7
# (what, whose rows, the instant that counts)
_PLOTS: tuple[tuple[str, type[Model], str], ...] = (
    ("New people", User, "created_at"),
    ("Bookings made", Booking, "created_at"),
    ("Sessions that ended", Booking, "ended_at"),
)
# In units of the drawing: a day, its bar, the tallest bar.
_STEP, _BAR, _HEIGHT = 32, 22, 60


def add_desk(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """For the first page of the admin: `queues` and `plots`, as far as this member of staff may see the rows."""
    now = timezone.now()
    context["queues"] = [_waiting(queue) for queue in QUEUES if _may_see(request, queue.model)]
    context["plots"] = [_plot(name, model, column, now) for name, model, column in _PLOTS if _may_see(request, model)]
    return context


def zone_of_times(request: HttpRequest) -> list[str]:
    """Stands at the top of every page of the admin: its words, and their colour."""
    return [f"Times are {timezone.get_current_timezone_name()}", "info"]


def _may_see(request: HttpRequest, model: type[Model]) -> bool:
    return request.user.has_perm(f"{model._meta.app_label}.view_{model._meta.model_name}")  # type: ignore[union-attr]  # staff


def _waiting(queue: Queue) -> dict[str, Any]:
    conditions = {
        name.removesuffix("empty") + "null" if name.endswith("__isempty") else name: value == "1" if name.endswith("__isempty") else value
        for name, value in queue.where.items()
    }
    found = queue.model._default_manager.filter(**conditions).aggregate(number=Count("pk"), since=Min("created_at"))
    address = reverse(f"admin:{queue.model._meta.app_label}_{queue.model._meta.model_name}_changelist")
    query = "&".join(f"{name}={value}" for name, value in queue.where.items())
    return {"name": queue.name, "address": f"{address}?{query}", **found}


def _plot(name: str, model: type[Model], column: str, now: datetime.datetime) -> dict[str, Any]:
    first = now.date() - datetime.timedelta(days=_WEEK - 1)
    rows = model._default_manager.filter(**{f"{column}__date__gte": first}).order_by().annotate(day=TruncDate(column))
    numbers = dict(rows.values_list("day").annotate(number=Count("pk")))
    days = [first + datetime.timedelta(days=number) for number in range(_WEEK)]
    most = max(1, *numbers.values(), 1)
    bars = []
    for position, day in enumerate(days):
        number = numbers.get(day, 0)
        height = number * _HEIGHT // most
        bars.append({"day": day, "number": number, "x": position * _STEP, "y": _HEIGHT - height, "height": height, "width": _BAR})
    return {"name": name, "bars": bars, "total": sum(numbers.values()), "width": _WEEK * _STEP, "height": _HEIGHT}
