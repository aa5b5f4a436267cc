"""Offers whose price cannot be charged: saved before prices were checked, or before the provider's limits changed."""

from __future__ import annotations

import uuid

from django.db import transaction
from django.db.models import Q

from core.batches import each_alone
from core.events import publish
from core.money import Money
from mentors.events import OfferSwitchedOff
from mentors.models import Offer
from payments.services.prices import price_error

_BATCH = 200


def can_be_charged(offer: Offer) -> bool:
    """Whether the price of this offer can be charged. Free offers count."""
    return price_error(Money(offer.price_amount, offer.price_currency), field="price") is None


def switch_off_unpayable_offers() -> int:
    """Switch off offers whose price cannot be charged and notify their mentors. Returns the number."""
    priced = Offer.objects.filter(is_active=True, price_amount__gt=0)
    unpayable = Q(pk__in=())
    for currency, amount in priced.order_by().values_list("price_currency", "price_amount").distinct():
        if price_error(Money(amount, currency), field="price"):
            unpayable |= Q(price_currency=currency, price_amount=amount)
    return sum(each_alone(_switch_off, list(priced.filter(unpayable).order_by("pk").values_list("pk", flat=True)[:_BATCH])))


def _switch_off(offer_id: uuid.UUID) -> bool:
    with transaction.atomic():
        offer = Offer.objects.select_for_update(of=("self",)).select_related("profile").get(pk=offer_id)
        if not offer.is_active or can_be_charged(offer):
            return False
        offer.is_active = False
        offer.save(update_fields=["is_active", "updated_at"])
        publish(OfferSwitchedOff(offer.profile.user_id, offer.pk))
    return True
