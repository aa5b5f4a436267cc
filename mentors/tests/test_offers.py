"""A price that nobody can be charged is refused when it is stated; where it is there already, nobody can book it and its mentor is told."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from conftest import Api
from core.events import run_delivery
from core.models import DeliveryState, EventDelivery
from core.money import Money
from mentors.models import Offer
from mentors.services.offers import switch_off_unpayable_offers
from notifications.models import Notification

pytestmark = pytest.mark.django_db
LIMITS = [
    ("EUR", 49, "price_too_low", "€0.50"),
    ("USD", 1, "price_too_low", "$0.50"),
    ("JPY", 49, "price_too_low", "¥50"),
    ("HUF", 17_499, "price_too_low", "HUF\xa0175.00"),
    ("KRW", 1, "price_too_low", "₩1,450"),
    ("ISK", 1, "price_too_low", "ISK\xa0140"),
    ("KWD", 10, "price_too_low", "KWD\xa01.000"),
    ("KWD", 1_005, "invalid_amount", "0.010"),
    ("EUR", 100_000_000, "price_too_high", "€999,999.99"),
    ("ISK", 1_000_000, "price_too_high", "ISK\xa0999,999"),
    ("MGA", 5_000, "currency_not_charged", "MGA"),
    ("KPW", 5_000, "currency_not_charged", "KPW"),
]


def offer(amount: int, currency: str) -> dict[str, Any]:
    return {"kind": "session", "title": "T", "duration_minutes": 60, "price": {"amount": amount, "currency": currency}}


@pytest.mark.parametrize(("currency", "amount", "code", "words"), LIMITS)
def test_it_is_refused_when_it_is_stated(
    make_mentor: Any, user: User, signed_in: Api, client: Client, currency: str, amount: int, code: str, words: str
) -> None:
    profile = make_mentor(user=user)
    refused = signed_in.put("mentors/me", {"offers": [offer(500, "EUR"), offer(amount, currency)]})
    (error,) = refused.json()["errors"]
    assert (refused.status_code, error["field"], error["code"]) == (400, "offers.1.price.amount", code)
    assert words in error["detail"]
    client.force_login(user)
    form = {
        **{"headline": "Mentor", "bio": "Bio", "languages": "en", "capacity": "5", "skills": ""},
        **{"offers-TOTAL_FORMS": "1", "offers-INITIAL_FORMS": "0", "offers-0-title": "T", "offers-0-kind": "session"},
        **{"offers-0-duration_minutes": "60", "offers-0-price": str(Money(amount, currency).major), "offers-0-currency": currency},
    }
    page = client.post("/dashboard/profile", form)
    assert page.status_code == 400 and words.replace("\xa0", " ") in page.content.decode().replace("\xa0", " ").replace("&nbsp;", " ")
    assert [row.price_amount for row in profile.offers.all()] == [4_500]


def test_what_was_saved_before_is_switched_off_and_told(make_mentor: Any, user: User, signed_in: Api) -> None:
    profile = make_mentor(user=user, durations=(30, 60, 90))
    profile.offers.filter(duration_minutes=30).update(price_amount=10)
    profile.offers.filter(duration_minutes=90).update(price_amount=0)
    assert (switch_off_unpayable_offers(), switch_off_unpayable_offers()) == (1, 0)
    assert set(Offer.objects.filter(is_active=True).values_list("duration_minutes", flat=True)) == {60, 90}
    for delivery in EventDelivery.objects.filter(state=DeliveryState.PENDING, handler__startswith="mentors."):
        run_delivery(delivery.pk)
    notice = Notification.objects.get(user=user, kind="mentors.offer-switched-off")
    assert notice.data == {"what": "Talk", "amount": 10, "least": 50, "currency": "EUR"}
    window = "from=2027-06-01T00:00:00Z&to=2027-06-08T00:00:00Z"
    assert signed_in.get(f"mentors/{profile.pk}/slots?{window}&duration_minutes=30").json().get("slots", []) == []
