"""Copies of the provider's objects in dj-stripe's tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest
import stripe
from djstripe import models as copies

from core.events import run_delivery
from core.models import EventDelivery
from core.money import Money
from payments.enums import RefundReason
from payments.models import LedgerEntry
from payments.providers.copies import _platform
from payments.services import copying, refunding
from payments.tests.world import World

pytestmark = pytest.mark.django_db


class _Nowhere(stripe.HTTPClient):
    """dj-stripe speaks through the SDK's own default client, at an address that is not the peer's. It must have nothing to ask."""

    name = "nowhere"

    def request(self, method: str, url: str, *_: Any, **__: Any) -> Any:
        raise AssertionError(f"{method} {url}")


@pytest.fixture(autouse=True)
def no_calls_of_its_own() -> Iterator[None]:
    _platform.cache_clear()
    with mock.patch.object(stripe, "default_http_client", _Nowhere()):
        yield
    _platform.cache_clear()


def test_what_happened_at_the_provider_is_copied_without_people_and_keys(world: World) -> None:
    payment = world.paid()
    refunding.refund_payment(payment_id=payment.pk, money=Money(1_000, "USD"), reason=RefundReason.GOODWILL)
    world.hear()
    world.act("dispute", payment.charge_id)
    for delivery in EventDelivery.objects.filter(handler__endswith="keep_copy_for_staff"):
        run_delivery(delivery.pk)
        delivery.refresh_from_db()
        assert (delivery.state, delivery.last_error) == ("done", "")
    charge = copies.Charge.objects.get()
    assert (charge.id, charge.amount_refunded, charge.payment_intent.id) == (payment.charge_id, 1_000, payment.provider_id)
    assert not {"billing_details", "payment_method", "customer"} & set(charge.stripe_data)
    assert (copies.Refund.objects.count(), copies.Dispute.objects.count(), copies.PaymentIntent.objects.count()) == (1, 1, 1)
    assert not copies.APIKey.objects.exists()
    assert copies.Account.objects.get().id == "acct_peerplatform"


def test_what_goes_to_mentors_is_copied_too(world: World) -> None:
    world.onboard()
    payment = world.paid()
    world.earn(payment)
    for delivery in EventDelivery.objects.filter(handler__endswith="keep_copy_for_staff"):
        run_delivery(delivery.pk)
        delivery.refresh_from_db()
        assert (delivery.state, delivery.last_error) == ("done", "")
    transfer = payment.movements.get(kind="transfer")
    assert copying.keep_copy(kind="transfer", key=transfer.provider_id)
    assert copies.Transfer.objects.get().id == transfer.provider_id


def test_kinds_of_which_none_is_kept(world: World) -> None:
    assert not copying.keep_copy(kind="customer", key="cus_1")
    assert not copying.keep_copy(kind="charge", key="ch_nowhere")
    assert not LedgerEntry.objects.exists()
