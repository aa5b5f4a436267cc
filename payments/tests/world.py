"""A small world for tests of money: a peer that the product asks through Stripe's own SDK, a payer, a mentor, and steps between them."""

from __future__ import annotations

import contextlib
import datetime
import json
import urllib.parse
import uuid
from collections.abc import Iterator, Mapping
from typing import Any
from unittest import mock

import stripe
from django.utils import timezone

from accounts.models import User
from core.money import Money
from payments.enums import CaptureMode
from payments.models import Movement, Payment, PayoutAccount, ProviderEvent
from payments.peer import API_VERSION, SECRET_KEY, connect, payins
from payments.peer.banking import act
from payments.peer.engine import Peer
from payments.peer.faults import LostConnection
from payments.providers import stripe as provider
from payments.providers.stripe import _notice
from payments.services import earning, inbox, moving, onboarding, paying, payouts
from payments.services.paying import PaymentPolicy, Tax
from payments.tests import published

assert connect and payins  # they register their routes


class Wire(stripe.HTTPClient):
    """The SDK's way to the peer without a socket: the same requests, byte by byte."""

    name = "in-process"

    def __init__(self, peer: Peer, *, is_checked: bool = False) -> None:
        super().__init__()
        self.peer = peer
        self.is_checked = is_checked and published.FILE.exists()

    def request(self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None, **_: Any) -> Any:
        parts = urllib.parse.urlsplit(url)
        form = parts.query if method == "get" else post_data or ""
        if self.is_checked:
            published.check_request(method.upper(), parts.path, form)
        try:
            answer = self.peer.handle(method.upper(), parts.path, form, headers or {})
        except LostConnection as error:
            raise stripe.APIConnectionError("lost") from error
        if self.is_checked:
            published.check_answer(method.upper(), parts.path, answer.status, answer.body)
        return json.dumps(answer.body), answer.status, dict(answer.headers)

    def close(self) -> None:
        pass


def sdk(peer: Peer, *, is_checked: bool = True) -> stripe.StripeClient:
    """Stripe's SDK on the way to the peer; each request and each answer is looked at with Stripe's own description."""
    wire = Wire(peer, is_checked=is_checked)
    return stripe.StripeClient(SECRET_KEY, http_client=wire, max_network_retries=0, stripe_version=API_VERSION)


@contextlib.contextmanager
def peer_in_force() -> Iterator[Peer]:
    """A peer that the product asks instead of Stripe. For tests of other apps: what is said is not looked at with Stripe's description."""
    peer = Peer()
    client = sdk(peer, is_checked=False)
    with mock.patch.object(provider, "_client", lambda *_: client):
        yield peer


class World:
    """Two people, the peer, and its events as they arrive here."""

    def __init__(self, peer: Peer, payer: User, mentor: User) -> None:
        self.peer, self.payer, self.mentor = peer, payer, mentor
        self.events: list[dict[str, Any]] = []
        peer.deliver = self.events.extend

    def open(self, amount: int = 5_000, currency: str = "USD", *, mode: str = "automatic", tax: int = 0, **policy: Any) -> Payment:
        money = Money(amount, currency)
        return paying.open_payment(
            subject_id=uuid.uuid4(),
            payer=self.payer,
            payee=self.mentor,
            money=money,
            policy=PaymentPolicy(capture_mode=CaptureMode(mode), **policy),
            description="Session with Ada, 60 minutes",
            tax=Tax("VAT", 1_900, Money(tax, currency)) if tax else None,
        )

    def confirm(self, payment: Payment, card: str = "pm_card_visa") -> None:
        """The payer agrees, as the page of the provider does it."""
        payment.refresh_from_db()
        form = urllib.parse.urlencode({"payment_method": card})
        self.peer.handle("POST", f"/v1/payment_intents/{payment.provider_id}/confirm", form, {"Authorization": f"Bearer {SECRET_KEY}"})

    def paid(self, amount: int = 5_000, currency: str = "USD", card: str = "pm_card_visa", **options: Any) -> Payment:
        payment = self.open(amount, currency, **options)
        paying.start_payment(payment_id=payment.pk)
        self.confirm(payment, card)
        self.hear()
        payment.refresh_from_db()
        return payment

    def hear(self) -> None:
        """Let the events arrive, and everything that follows happen."""
        arrived, self.events[:] = list(self.events), []
        for event in arrived:
            inbox.receive_notice(notice=_notice(event))
        self.work()
        if self.events:
            self.hear()

    def work(self) -> None:
        """What the workers do until nothing is due."""
        for _ in range(20):
            events, movements = inbox.due_events(limit=100), moving.due_movements(limit=100)
            for event_id in events:
                inbox.look_into(event_id=event_id)
            for movement_id in movements:
                moving.carry_out(movement_id=movement_id)
            if not events and not movements:
                return
        raise AssertionError("the work never ends")

    def work_all(self) -> None:
        """The same for very many events."""
        while events := inbox.due_events(limit=1_000):
            for event_id in events:
                inbox.look_into(event_id=event_id)
        self.work()

    def later(self, *, days: int) -> None:
        """Put the clocks of the peer and of all rows here forward."""
        self.peer.advance(days=days)
        shift = datetime.timedelta(days=days)
        for payment in Payment.objects.filter(release_at__isnull=False, released_at__isnull=True):
            Payment.objects.filter(pk=payment.pk).update(release_at=payment.release_at - shift)

    def all_due(self) -> None:
        """What was put off is due now."""
        Movement.objects.filter(state="planned").update(due_at=timezone.now())
        ProviderEvent.objects.filter(state="waiting").update(due_at=timezone.now())

    def onboard(self) -> PayoutAccount:
        onboarding.start_onboarding(person=self.mentor, country="DE")
        account = PayoutAccount.objects.get(person=self.mentor)
        act(self.peer, "onboard", account.provider_id)
        self.hear()
        account.refresh_from_db()
        return account

    def earn(self, payment: Payment) -> None:
        """What was paid for took place, and the window is over."""
        earning.mark_earned(payment_id=payment.pk, earned_at=timezone.now())
        self.later(days=8)
        self.settle()

    def settle(self) -> None:
        """Release and transfer what can be."""
        while earning.release_earnings():
            pass
        earning.plan_transfers()
        self.hear()

    def pay_out(self) -> None:
        payouts.plan_payouts(until=timezone.now() + datetime.timedelta(minutes=1))
        self.hear()

    def act(self, action: str, key: str) -> None:
        act(self.peer, action, key)
        self.hear()
