"""Money at length and at once: many refunds, many events, races of every pair, reconciliation of ten thousand payments."""

from __future__ import annotations

import itertools
import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import Sum
from django.utils import timezone

from conftest import Api, at_once
from core.errors import DomainError
from core.money import Money
from payments.enums import AccountKind, FindingKind, RefundReason
from payments.models import Finding, LedgerEntry, Payment
from payments.peer.banking import act
from payments.peer.payins import book as book_there
from payments.providers.stripe import _notice
from payments.services import earning, inbox, moving, paying, reconciling, refunding
from payments.services.ledger import Posting, book
from payments.tests.invariants import check_always, check_settled
from payments.tests.world import World

pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True)]
SEED = 20261125


def test_five_hundred_captures_are_refunded_twice_at_once(world: World) -> None:
    """T6: 500 succeed, 500 are refused, and what all accounts hold sums up to nothing."""
    payments = [world.paid(1_000 + count) for count in range(500)]

    def refund(payment: Payment) -> str:
        try:
            refunding.refund_payment(payment_id=payment.pk, money=payment.captured, reason=RefundReason.GOODWILL)
        except DomainError as error:
            return error.code
        finally:
            connection.close()
        return "done"

    with ThreadPoolExecutor(16) as pool:
        answers = Counter(pool.map(refund, [payment for payment in payments for _ in range(2)]))
    print(f"500 captures refunded twice by 16 threads: {dict(answers)}")
    assert answers == {"done": 500, "invalid_amount": 500}
    assert LedgerEntry.objects.aggregate(total=Sum("amount"))["total"] == 0


class Race:
    """Everything that may be done to one payment, each by a thread of its own."""

    def __init__(self, world: World, payment: Payment) -> None:
        self.world, self.payment = world, payment
        self.acts: dict[str, Callable[[], Any]] = {
            "capture": lambda: paying.capture_payment(payment_id=payment.pk),
            "refund": lambda: self.refund(1),
            "partial refund": lambda: self.refund(3),
            "complete": lambda: earning.mark_earned(payment_id=payment.pk, earned_at=timezone.now() - timedelta(days=8)),
            "payout": lambda: (earning.release_earnings(), earning.plan_transfers()),
            "dispute open": lambda: self.bank("dispute"),
            "won": lambda: self.bank("win"),
            "lost": lambda: self.bank("lose"),
            "cancel": lambda: paying.cancel_payment(payment_id=payment.pk),
            "expire": lambda: self.world.peer.advance(days=0),
        }

    def refund(self, part: int) -> None:
        captured = Payment.objects.get(pk=self.payment.pk).captured
        money = Money(captured.amount // part, captured.currency)
        refunding.refund_payment(payment_id=self.payment.pk, money=money, reason=RefundReason.GOODWILL)

    def bank(self, action: str) -> None:
        charge = Payment.objects.get(pk=self.payment.pk).charge_id
        dispute = next((row["id"] for row in self.world.peer.store.of("dispute") if row["charge"] == charge), "")
        key = charge if action == "dispute" else dispute
        thing = self.world.peer.store.get(key)
        if thing and (_is_disputable(thing) if action == "dispute" else thing["status"] == "needs_response"):
            act(self.world.peer, action, key)

    def run(self, *names: str) -> list[str]:
        """Let these go together, then let the workers of two processes go together."""
        answers = self.together([self.acts[name] for name in names])
        return answers + self.together([self.work, self.work])

    def work(self) -> None:
        for movement_id in moving.due_movements(limit=20):
            moving.carry_out(movement_id=movement_id)

    def together(self, calls: list[Callable[[], Any]]) -> list[str]:
        barrier = threading.Barrier(len(calls))

        def one(call: Callable[[], Any]) -> str:
            barrier.wait()
            try:
                call()
            except DomainError as error:
                return error.code
            finally:
                connection.close()
            return "done"

        with ThreadPoolExecutor(len(calls)) as pool:
            return list(pool.map(one, calls))


def _is_disputable(charge: dict[str, Any]) -> bool:
    return bool(charge["captured"] and not charge["disputed"] and charge["amount_captured"] > charge["amount_refunded"])


RACES = 50
ACTS = ("capture", "refund", "partial refund", "complete", "payout", "dispute open", "won", "lost", "cancel", "expire")


def test_every_pair_of_acts_at_once(world: World) -> None:
    """T10: all pairs, fifty times each, from each state in which a payment can be; then both sides say the same."""
    world.onboard()
    pairs = list(itertools.combinations_with_replacement(ACTS, 2))
    answers: Counter[str] = Counter()
    chance = random.Random(SEED)
    for number in range(RACES):
        for pair in pairs:
            payment = world.paid(4_990, "EUR", mode=chance.choice(("manual", "automatic")), tax=chance.choice((0, 790)))
            if number % 2 and payment.state == "authorised":
                paying.capture_payment(payment_id=payment.pk)
                world.hear()
            answers.update(Race(world, payment).run(*chance.sample(pair, 2)))
            world.all_due()
            world.hear()
        check_always()
        world.settle()
        check_settled(world.peer)
    print(f"{len(pairs)} pairs, {RACES} races each: {dict(answers)}")
    assert answers["done"] > 1_000


def test_one_key_five_hundred_times_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """One payment, one agreement to pay, and one answer: everybody else is told that it is under way, or gets the same answer."""
    payment = world.open()
    api = Api().sign_in(world.payer)
    body = {"booking_id": str(payment.subject_id)}
    answers: list[Any] = []
    for _ in range(10):
        answers += at_once(50, lambda: api.post("payments/create-intent", body, HTTP_IDEMPOTENCY_KEY="one"))
    seen = Counter(answer.status_code for answer in answers)
    secrets = {answer.json()["client_secret"] for answer in answers if answer.status_code == 201}
    print(f"one key, 500 attempts: {dict(seen)}; {len(secrets)} agreement to pay")
    assert len(answers) == 500 and set(seen) <= {201, 409} and seen[201] >= 10
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} <= {"idempotency_key_in_use"}
    assert (len(secrets), Payment.objects.count(), len(list(world.peer.store.of("payment_intent")))) == (1, 1, 1)


def test_opening_one_payment_five_hundred_times_at_once(world: World) -> None:
    subject = uuid.uuid4()
    policy = paying.PaymentPolicy()

    def attempt() -> uuid.UUID:
        payment = paying.open_payment(
            subject_id=subject, payer=world.payer, payee=world.mentor, money=Money(5_000, "USD"), policy=policy, description="x"
        )
        paying.start_payment(payment_id=payment.pk)
        return payment.pk

    made = {key for _ in range(10) for key in at_once(50, attempt)}
    assert (len(made), Payment.objects.count(), len(list(world.peer.store.of("payment_intent")))) == (1, 1, 1)


def test_reconciliation_of_ten_thousand_payments_finds_all_and_nothing_else(world: World) -> None:
    """T9: ten thousand payments, of which a tenth of the events was lost; then two hundred faults of each kind are planted."""
    chance = random.Random(SEED)
    world.peer.dial.chance, world.peer.dial.lose = random.Random(SEED), 0.1
    # All of it an hour ago: what is younger than ten minutes may still be on its way and is not compared.
    world.peer.store.offset = -3_600
    begun = time.monotonic()
    _ten_thousand(world)
    world.peer.dial.lose = 0
    lost = inbox.catch_up()
    world.work_all()
    print(f"10,000 payments in {time.monotonic() - begun:.0f} s; {lost} events had been lost")
    now = timezone.now()
    since, until = now - timedelta(days=2), now + timedelta(hours=1)
    _backdate()
    begun = time.monotonic()
    clean = reconciling.reconcile(since=since, until=until)
    print(f"compared {clean.records} bookings in {time.monotonic() - begun:.0f} s: {clean.findings} differences")
    assert (clean.records, clean.findings, Finding.objects.count()) == (10_000, 0, 0)
    planted = _plant(world, chance)
    found = reconciling.reconcile(since=since, until=until)
    kinds = Counter(Finding.objects.values_list("kind", flat=True))
    print(f"planted {dict(planted)}, found {dict(kinds)}")
    assert (kinds, found.findings) == (planted, sum(planted.values()))
    assert reconciling.reconcile(since=since, until=until).findings == 0


def _ten_thousand(world: World) -> None:
    """Payments that were made and taken, by the shortest way."""
    for _ in range(10_000):
        payment = world.open(2_000)
        paying.start_payment(payment_id=payment.pk)
        world.confirm(payment)
        events, world.events[:] = [event for event in world.events if event["type"] == "payment_intent.succeeded"], []
        for event in events:
            inbox.receive_notice(notice=_notice(event))
    world.work_all()


def _backdate() -> None:
    """What happened counts from ten minutes ago on: what is younger may still be on its way. Only a test may move the books."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE payments_ledgertransaction DISABLE TRIGGER ledger_transaction_append_only")
        cursor.execute("UPDATE payments_ledgertransaction SET happened_at = happened_at - interval '1 hour'")
        cursor.execute("ALTER TABLE payments_ledgertransaction ENABLE TRIGGER ledger_transaction_append_only")


def _plant(world: World, chance: random.Random) -> Counter[str]:
    """Two hundred faults of each kind: lines that only they have, that only we have, with other amounts, and done twice."""
    peer, planted = world.peer, Counter[str]()
    charges = chance.sample(list(peer.store.of("charge")), 400)
    for number in range(200):
        book_there(peer, "charge", amount=700 + number, fee=50, currency="usd", source=peer.store.new_id("xx"))
        planted[FindingKind.MISSING_HERE.value] += 1
        booked = (Posting(AccountKind.PROVIDER, Money(100 + number, "USD")), Posting(AccountKind.PLATFORM, Money(-100 - number, "USD")))
        with transaction.atomic():
            book(kind="released", cause=uuid.uuid4(), postings=booked, provider_record=f"txn_nowhere{number}")  # type: ignore[arg-type]
        planted[FindingKind.MISSING_THERE.value] += 1
        line = peer.store.get(charges[number]["balance_transaction"])
        assert line is not None
        line["net"] += 1 + number
        planted[FindingKind.WRONG_AMOUNT.value] += 1
        twin = dict(charges[200 + number]) | {"id": peer.store.new_id("ch")}
        peer.store.put(twin)
        twin["balance_transaction"] = book_there(peer, "charge", amount=2_000, fee=88, currency="usd", source=twin["id"])["id"]
        planted[FindingKind.DOUBLED.value] += 1
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE payments_ledgertransaction DISABLE TRIGGER ledger_transaction_append_only")
        cursor.execute("UPDATE payments_ledgertransaction SET happened_at = now() - interval '1 hour' WHERE kind = 'released'")
        cursor.execute("ALTER TABLE payments_ledgertransaction ENABLE TRIGGER ledger_transaction_append_only")
    return planted
