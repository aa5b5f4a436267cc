"""Stripe itself, in its test mode: `STRIPE_TEST_KEY=sk_test_... pytest -m long tests/test_stripe_test_mode.py`. It needs a network and a key, so
nothing in the gate depends on it; without the key there is nothing to collect."""

from __future__ import annotations

import os
import uuid
from typing import Any

import pytest

from core.money import Money
from payments.enums import CaptureMode
from payments.errors import ProviderRefused
from payments.providers import stripe as provider
from payments.providers.base import IntentStatus, Outcome
from payments.providers.stripe import asked

pytestmark = [pytest.mark.long, pytest.mark.enable_socket]
KEY = os.environ.get("STRIPE_TEST_KEY", "")


if KEY:

    @pytest.mark.parametrize("currency", ["USD", "JPY", "KWD", "ISK", "UGX"])
    def test_the_way_of_a_payment(settings: Any, currency: str) -> None:
        settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE = KEY, "https://api.stripe.com"
        name = str(uuid.uuid4())
        money = Money(5_000 if currency != "UGX" else 20_000, currency)
        intent = provider.create_intent(
            money=money, mode=CaptureMode.MANUAL, payment_id=name, subject_id=name, description="test", key=f"pay-{name}"
        )
        again = provider.create_intent(
            money=money, mode=CaptureMode.MANUAL, payment_id=name, subject_id=name, description="test", key=f"pay-{name}"
        )
        assert (intent.id, intent.status, intent.amount) == (again.id, IntentStatus.NEEDS_PAYER, money)
        card: Any = {"payment_method": "pm_card_visa", "return_url": "https://soosh.example"}
        asked(lambda api: api.payment_intents.confirm(intent.id, card))
        assert provider.read_intent(intent.id).status is IntentStatus.AUTHORISED
        provider.capture_intent(intent.id, money=money, key=f"capture-{name}")
        taken = provider.read_intent(intent.id)
        assert (taken.status, taken.captured) == (IntentStatus.SUCCEEDED, money)
        part = Money(money.amount // 5, currency)
        refund = provider.refund_intent(intent.id, money=part, reason="goodwill", movement_id=name, key=f"refund-{name}")
        assert refund.outcome in (Outcome.DONE, Outcome.UNDER_WAY)
        with pytest.raises(ProviderRefused):
            provider.refund_intent(intent.id, money=money, reason="goodwill", movement_id=name, key=f"over-{name}")
