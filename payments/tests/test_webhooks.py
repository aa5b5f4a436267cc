"""Events of the provider: in any order, twice, late, lost, and forged (T8)."""

from __future__ import annotations

import itertools
import json
import time
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from conftest import Api
from core.money import Money
from payments.enums import EventState, RefundReason
from payments.models import LedgerEntry, Payment, ProviderEvent
from payments.peer import WEBHOOK_SECRET
from payments.peer.engine import Peer, body_of, signature_of
from payments.providers.stripe import _notice
from payments.services import inbox, paying, refunding
from payments.tests.invariants import check_always, check_settled
from payments.tests.world import World

PATH = "/api/v1/payments/webhooks/stripe/"


def post(body: bytes, signature: str | None) -> Any:
    headers = {} if signature is None else {"HTTP_STRIPE_SIGNATURE": signature}
    return Client().post(PATH, body, content_type="application/json", **headers)


def books(payment: Payment) -> dict[str, int]:
    """What the ledger has of a payment, by kind of transaction and account."""
    rows = LedgerEntry.objects.filter(transaction__payment=payment).values_list("transaction__kind", "account__kind", "amount")
    return {f"{kind} {account}": amount for kind, account, amount in rows}


@pytest.mark.django_db
class TestOrders:
    def history(self, world: World) -> tuple[Payment, list[dict[str, Any]]]:
        """A payment that is made, taken, paid back in part by the dashboard and disputed, of which nobody here has heard."""
        payment = world.open(5_000, "EUR", tax=790)
        paying.start_payment(payment_id=payment.pk)
        world.confirm(payment)
        payment.refresh_from_db()
        form = f"payment_intent={payment.provider_id}&amount=1111"
        world.peer.handle("POST", "/v1/refunds", form, {"Authorization": "Bearer sk_test_x"})
        charge = next(world.peer.store.of("charge"))
        from payments.peer.banking import act

        act(world.peer, "dispute", charge["id"])
        events, world.events[:] = list(world.events), []
        wanted = ("payment_intent.created", "payment_intent.succeeded", "charge.refunded", "charge.dispute.created")
        by_kind = {event["type"]: event for event in events}
        return payment, [by_kind[kind] for kind in wanted]

    @pytest.mark.parametrize("ways", [2, pytest.param(7, marks=pytest.mark.long)])
    def test_every_order_every_number_and_every_loss_end_in_the_same_books(self, world: World, ways: int) -> None:
        """All orders of four events, each once to three times, and each one lost and then found in the provider's own list. The short run
        takes some of these ways by turns for each order."""
        seen = []
        payment, events = self.history(world)
        from django.db import transaction

        all_ways = itertools.cycle([(1, None), (2, None), (3, None), *((1, number) for number in range(4))])
        for order in itertools.permutations(range(4)):
            for times, lost in itertools.islice(all_ways, ways):
                with transaction.atomic():
                    for number in order:
                        if number == lost:
                            continue
                        for _ in range(times):
                            inbox.receive_notice(notice=_notice(events[number]))
                        world.work()
                    if lost is not None:
                        inbox.catch_up()
                        world.work()
                    payment.refresh_from_db()
                    seen.append((books(payment), payment.state, payment.returned_amount, ProviderEvent.objects.count() > 4))
                    check_always()
                    transaction.set_rollback(True)
        assert len(seen) == 24 * ways
        assert {json.dumps(each[:3]) for each in seen} == {json.dumps(seen[0][:3])}
        assert seen[0][1:3] == ("captured", 1_111)

    def test_an_event_before_our_own_answer(self, world: World) -> None:
        """The provider tells of an agreement to pay of which the row here does not know the name yet."""
        payment = world.open()
        paying.start_payment(payment_id=payment.pk)
        world.confirm(payment)
        Payment.objects.filter(pk=payment.pk).update(provider_id="")
        world.hear()
        payment.refresh_from_db()
        assert (payment.state, payment.provider_id != "") == ("captured", True)

    def test_what_is_not_ours_is_kept_and_ignored(self, world: World) -> None:
        world.peer.handle("POST", "/v1/payment_intents", "amount=500&currency=usd", {"Authorization": "Bearer sk_test_x"})
        event = world.events[0] | {"id": "evt_new", "type": "customer.created", "data": {"object": {"object": "customer", "id": "cus_1"}}}
        inbox.receive_notice(notice=_notice(event))
        world.hear()
        assert dict(ProviderEvent.objects.values_list("kind", "state")) == {
            "customer.created": EventState.IGNORED,
            "payment_intent.created": EventState.IGNORED,
        }

    def test_one_that_breaks_is_tried_again_and_then_shown_to_staff(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        payment = world.open()
        paying.start_payment(payment_id=payment.pk)
        world.confirm(payment)
        monkeypatch.setattr(inbox, "look_at_payment", lambda **_: 1 // 0)
        arrived = [event for event in world.events if event["type"] == "payment_intent.succeeded"]
        inbox.receive_notice(notice=_notice(arrived[0]))
        event = ProviderEvent.objects.get()
        assert inbox.look_into(event_id=event.pk) == EventState.WAITING
        event.refresh_from_db()
        assert (event.attempts, event.last_error.split(":")[0], event.due_at > timezone.now()) == (1, "ZeroDivisionError", True)
        for _ in range(11):
            inbox.look_into(event_id=event.pk)
        event.refresh_from_db()
        assert event.state == EventState.DEAD
        monkeypatch.undo()
        assert inbox.replay_events(event_ids=[event.pk]) == 1
        world.events.clear()
        world.work()
        payment.refresh_from_db()
        assert payment.state == "captured"

    def test_lost_ones_are_found(self, world: World) -> None:
        payment = world.open()
        paying.start_payment(payment_id=payment.pk)
        world.confirm(payment)
        world.events.clear()
        assert inbox.catch_up() == 3
        assert inbox.catch_up() == 0
        world.work()
        payment.refresh_from_db()
        assert payment.state == "captured"
        refunding.refund_payment(payment_id=payment.pk, money=Money(100, "USD"), reason=RefundReason.GOODWILL)
        world.all_due()
        world.hear()
        check_settled(world.peer)


@pytest.mark.django_db
class TestSignatures:
    def event(self, peer: Peer) -> bytes:
        peer.handle("POST", "/v1/payment_intents", "amount=500&currency=usd", {"Authorization": "Bearer sk_test_x"})
        return body_of(next(peer.store.of("event")))

    def test_signed_ones_are_stored_once(self, peer: Peer, settings: Any) -> None:
        body = self.event(peer)
        for _ in range(2):
            assert post(body, signature_of(body, int(time.time()))).json() == {"received": True}
        assert ProviderEvent.objects.count() == 1
        settings.STRIPE_WEBHOOK_SECRETS = ["whsec_new", WEBHOOK_SECRET]
        assert post(body, signature_of(body, int(time.time()))).status_code == 200

    @pytest.mark.parametrize(
        "forge",
        [
            lambda body, now: (body, None),
            lambda body, now: (body, ""),
            lambda body, now: (body, "nonsense"),
            lambda body, now: (body, f"t={now},v1=00"),
            lambda body, now: (body, f"t={now},v0={signature_of(body, now).partition('v1=')[2]}"),
            lambda body, now: (body, signature_of(body, now, "whsec_of_another_endpoint")),
            lambda body, now: (body, signature_of(body, now - 301)),
            lambda body, now: (body, signature_of(body, now).replace(f"t={now}", f"t={now + 1}")),
            lambda body, now: (body[:-1], signature_of(body, now)),
            lambda body, now: (body.replace(b"500", b"501"), signature_of(body, now)),
            lambda body, now: (
                (body.replace(b'"livemode": false', b'"livemode": true'),) * 1
                + (signature_of(body.replace(b'"livemode": false', b'"livemode": true'), now),)
            ),
            lambda body, now: (b"x" * 600_000, signature_of(b"x" * 600_000, now)),
        ],
    )
    def test_forged_old_and_foreign_ones_leave_nothing(self, peer: Peer, forge: Any) -> None:
        answer = post(*forge(self.event(peer), int(time.time())))
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_signature")
        assert ProviderEvent.objects.count() == 0

    def test_only_posts(self, api: Api) -> None:
        assert api.get("payments/webhooks/stripe/").status_code == 405
