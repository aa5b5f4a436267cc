"""Everything that can happen to money, in any order: single calls, accidents, and whole journeys. Hypothesis chooses; invariants are checked after
each step."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable
from typing import Any
from unittest import mock

from django.db import transaction
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from accounts.models import User
from core.errors import DomainError
from payments.enums import AccountKind, MovementKind, MovementState, PaymentState, RefundReason
from payments.models import Dispute, Movement, Payment
from payments.peer import SECRET_KEY
from payments.peer.engine import Peer
from payments.peer.faults import LostConnection
from payments.peer.payins import CARDS
from payments.providers import stripe as provider
from payments.providers.stripe import _notice
from payments.services import earning, inbox, moving, paying, refunding
from payments.services.ledger import owed_to
from payments.tests.invariants import check_always, check_settled
from payments.tests.world import World, sdk

STEPS = [0]
CURRENCIES = st.sampled_from(["USD", "EUR", "JPY", "KWD", "ISK", "UGX"])
CARD = st.sampled_from([name for name, _ in CARDS.values()] + ["pm_card_visa"] * 5)
SHARE = st.integers(1, 100)


class Killed(BaseException):
    """The process is gone in the middle of something."""


class MoneyMachine(RuleBasedStateMachine):
    payments = Bundle("payments")

    def __init__(self) -> None:
        super().__init__()
        self.outside = transaction.atomic()
        self.outside.__enter__()
        self.peer = Peer()
        client = sdk(self.peer, is_checked=False)
        self.patch = mock.patch.object(provider, "_client", lambda *_: client)
        self.patch.start()
        make: Callable[[str], User] = lambda name: User.objects.create(email=f"{uuid.uuid4().hex}@example.org", full_name=name)  # noqa: E731
        self.world = World(self.peer, make("Payer"), make("Mentor"))

    def teardown(self) -> None:
        try:
            self.drain()
        finally:
            self.patch.stop()
            transaction.set_rollback(True)
            self.outside.__exit__(None, None, None)

    @invariant()
    def always(self) -> None:
        STEPS[0] += 1
        check_always()

    # --- Single calls -------------------------------------------------------------------------------------------------------------
    @rule(
        target=payments,
        amount=st.integers(200, 90_000),
        currency=CURRENCIES,
        mode=st.sampled_from(["automatic", "manual"]),
        tax=st.integers(0, 20),
        fee=st.sampled_from([0, 1, 1_500, 3_333, 10_000]),
    )
    def open(self, amount: int, currency: str, mode: str, tax: int, fee: int) -> Any:
        amount = amount // 10 * 10
        with self.quiet():
            return self.world.open(amount, currency, mode=mode, tax=amount * tax // 1_000 * 10, fee_basis_points=fee).pk
        return multiple()

    @rule(key=payments)
    def start(self, key: uuid.UUID) -> None:
        with self.quiet():
            paying.start_payment(payment_id=key)

    @rule(key=payments, card=CARD)
    def confirm(self, key: uuid.UUID, card: str) -> None:
        with self.quiet():
            self.world.confirm(Payment.objects.get(pk=key), card)

    @rule(key=payments, how=st.sampled_from(["prove", "fail-proof"]))
    def prove(self, key: uuid.UUID, how: str) -> None:
        payment = Payment.objects.get(pk=key)
        if payment.provider_id:
            self.bank(how, payment.provider_id)

    @rule(key=payments, share=SHARE)
    def capture(self, key: uuid.UUID, share: int) -> None:
        payment = Payment.objects.get(pk=key)
        with self.quiet():
            paying.capture_payment(payment_id=key, money=payment.money.part(share, 100))

    @rule(key=payments)
    def cancel(self, key: uuid.UUID) -> None:
        with self.quiet():
            paying.cancel_payment(payment_id=key)

    @rule(key=payments, share=SHARE)
    def refund(self, key: uuid.UUID, share: int) -> None:
        payment = Payment.objects.get(pk=key)
        with self.quiet():
            refunding.refund_payment(payment_id=key, money=payment.captured.part(share, 100), reason=RefundReason.REQUESTED)

    @rule(key=payments, share=SHARE)
    def refund_in_the_dashboard(self, key: uuid.UUID, share: int) -> None:
        payment = Payment.objects.get(pk=key)
        if payment.provider_id and payment.captured_amount:
            from payments.providers.amounts import to_stripe

            form = f"payment_intent={payment.provider_id}&amount={to_stripe(payment.captured.part(share, 100))}"
            with contextlib.suppress(LostConnection):
                self.peer.handle("POST", "/v1/refunds", form, {"Authorization": f"Bearer {SECRET_KEY}"})

    @rule(key=payments)
    def earn(self, key: uuid.UUID) -> None:
        with self.quiet():
            earning.mark_earned(payment_id=key, earned_at=timezone.now())

    @rule(days=st.integers(1, 9))
    def wait(self, days: int) -> None:
        self.world.later(days=days)

    @rule()
    def release(self) -> None:
        earning.release_earnings()
        if earning.plan_transfers():
            # Debts are paid first: nobody is sent what they owe.
            self.no_debt_is_sent()

    @rule()
    def onboard(self) -> None:
        with self.quiet():
            self.world.onboard()

    @rule()
    def pay_out(self) -> None:
        with self.quiet():
            self.world.pay_out()

    # --- What banks do ------------------------------------------------------------------------------------------------------------
    @rule(key=payments)
    def dispute(self, key: uuid.UUID) -> None:
        charge = Payment.objects.get(pk=key).charge_id
        thing = self.peer.store.get(charge)
        if thing and not thing["disputed"] and thing["amount_captured"] > thing["amount_refunded"]:
            self.bank("dispute", charge)

    @rule(is_won=st.booleans())
    def decide(self, is_won: bool) -> None:
        found = next((row for row in self.peer.store.of("dispute") if row["status"] == "needs_response"), None)
        if found:
            self.bank("win" if is_won else "lose", found["id"])

    @rule(arrives=st.booleans())
    def end_refund(self, arrives: bool) -> None:
        found = next((row for row in self.peer.store.of("refund") if row["status"] == "pending"), None)
        if found:
            self.bank("refund-arrives" if arrives else "refund-fails", found["id"])

    @rule(arrives=st.booleans())
    def end_payout(self, arrives: bool) -> None:
        found = next((row for row in self.peer.store.of("payout") if row["status"] == "pending"), None)
        if found:
            self.bank("payout-arrives" if arrives else "payout-fails", found["id"])

    # --- Accidents ----------------------------------------------------------------------------------------------------------------
    @rule(seed=st.integers(0, 2**16), duplicate=st.sampled_from([0, 0.5]), lose=st.sampled_from([0, 0, 0.5, 1]))
    def webhooks_go_wrong(self, seed: int, duplicate: float, lose: float) -> None:
        dial = self.peer.dial
        dial.chance.seed(seed)
        dial.shuffle, dial.duplicate, dial.lose = True, duplicate, lose

    @rule(before=st.sampled_from([0, 0, 0.3]), after=st.sampled_from([0, 0, 0.3]))
    def network_goes_wrong(self, before: float, after: float) -> None:
        self.peer.dial.before, self.peer.dial.after = before, after

    @rule(when=st.sampled_from(["before", "after"]), number=st.integers(1, 3))
    def worker_dies(self, when: str, number: int) -> None:
        """While it asks the provider, before or after it was done there."""
        left = [number]

        def watch(at: str, method: str, path: str) -> None:
            if at == when:
                left[0] -= 1
                if left[0] == 0:
                    raise Killed

        self.peer.dial.watch = watch
        try:
            self.world.all_due()
            self.world.work()
        except Killed:
            pass
        finally:
            self.peer.dial.watch = lambda when, method, path: None

    @rule(some=st.integers(1, 5))
    def hear_some(self, some: int) -> None:
        arrived, self.world.events[:] = self.world.events[:some], self.world.events[some:]
        for event in arrived:
            inbox.receive_notice(notice=_notice(event))
        for event_id in inbox.due_events(limit=some):
            inbox.look_into(event_id=event_id)

    @rule(some=st.integers(1, 3))
    def work_some(self, some: int) -> None:
        self.world.all_due()
        for movement_id in moving.due_movements(limit=some):
            moving.carry_out(movement_id=movement_id)

    @rule()
    def events_are_lost(self) -> None:
        self.world.events.clear()

    @rule()
    def drain(self) -> None:
        """All accidents end, everything is caught up with: then both sides say the same."""
        dial = self.peer.dial
        dial.before = dial.after = dial.duplicate = dial.lose = 0
        for _ in range(3):
            inbox.catch_up()
            self.world.all_due()
            self.world.hear()
        for payment in Payment.objects.exclude(provider_id=""):
            from payments.services.syncing import look_at_payment

            look_at_payment(payment_id=payment.pk)
        self.world.hear()
        check_always()
        check_settled(self.peer)

    # --- Staff --------------------------------------------------------------------------------------------------------------------
    @rule(again=st.booleans())
    def staff_decide(self, again: bool) -> None:
        stuck = Movement.objects.filter(state=MovementState.STUCK).order_by("id").first()
        if stuck is None:
            return
        with self.quiet():
            if again:
                moving.try_again(movement=stuck, staff=self.world.mentor, note="again")
            elif stuck.kind == MovementKind.REFUND:
                refunding.withdraw_refund(movement=stuck, staff=self.world.mentor, note="kept")

    # --- Journeys -----------------------------------------------------------------------------------------------------------------
    @rule(target=payments, amount=st.integers(200, 90_000), currency=CURRENCIES)
    def paid_session(self, amount: int, currency: str) -> Any:
        with self.quiet():
            return self.world.paid(amount // 10 * 10, currency).pk
        return multiple()

    @rule(target=payments, amount=st.integers(2_000, 90_000), share=SHARE, currency=CURRENCIES)
    def reserved_and_taken_in_part(self, amount: int, share: int, currency: str) -> Any:
        with self.quiet():
            amount = amount // 10 * 10
            payment = self.world.paid(amount, currency, mode="manual", tax=amount // 70 * 10, fee_basis_points=3_333)
            paying.capture_payment(payment_id=payment.pk, money=payment.money.part(share, 100))
            self.world.hear()
            return payment.pk
        return multiple()

    @rule(target=payments, share=SHARE, again=SHARE)
    def paid_earned_and_refunded(self, share: int, again: int) -> Any:
        with self.quiet():
            self.world.onboard()
            payment = self.world.paid(4_990, "EUR", tax=790)
            self.world.earn(payment)
            for part in (share, again):
                payment.refresh_from_db()
                money = payment.returnable.part(part, 100)
                if money.amount > 0:
                    refunding.refund_payment(payment_id=payment.pk, money=money, reason=RefundReason.GOODWILL)
                self.world.hear()
            return payment.pk
        return multiple()

    @rule(target=payments, is_won=st.booleans(), is_paid_out=st.booleans())
    def disputed_after_payout(self, is_won: bool, is_paid_out: bool) -> Any:
        with self.quiet():
            self.world.onboard()
            payment = self.world.paid(7_770, "USD")
            self.world.earn(payment)
            if is_paid_out:
                self.world.later(days=3)
                self.world.pay_out()
            payment.refresh_from_db()
            if payment.state == PaymentState.CAPTURED:
                self.bank("dispute", payment.charge_id)
                self.world.hear()
                dispute = Dispute.objects.filter(payment=payment).first()
                if dispute:
                    self.bank("win" if is_won else "lose", dispute.provider_id)
                    self.world.settle()
            return payment.pk
        return multiple()

    @rule(target=payments, share=SHARE)
    def owes_and_earns_again(self, share: int) -> Any:
        """What was paid out goes back to the payer; the mentor owes it, and then earns some more."""
        with self.quiet():
            self.world.onboard()
            payment = self.world.paid(5_000, "USD")
            self.world.earn(payment)
            self.world.later(days=3)
            self.world.pay_out()
            payment.refresh_from_db()
            refunding.refund_payment(payment_id=payment.pk, money=payment.returnable, reason=RefundReason.GOODWILL)
            self.world.hear()
            again = self.world.paid(max(5_000 * share // 100, 200), "USD")
            self.world.earn(again)
            return again.pk
        return multiple()

    @rule(target=payments)
    def called_off_while_paying(self) -> Any:
        """The payer pays at the moment at which it is called off."""
        with self.quiet():
            payment = self.world.open(3_000, "USD")
            paying.start_payment(payment_id=payment.pk)
            self.world.confirm(payment)
            paying.cancel_payment(payment_id=payment.pk)
            self.world.hear()
            return payment.pk
        return multiple()

    @rule(target=payments, share=SHARE, other=SHARE)
    def dashboard_is_quicker(self, share: int, other: int) -> Any:
        with self.quiet():
            payment = self.world.paid(6_000, "USD")
            refunding.refund_payment(payment_id=payment.pk, money=payment.captured.part(share, 100), reason=RefundReason.GOODWILL)
            self.refund_in_the_dashboard(payment.pk, other)
            self.world.hear()
            return payment.pk
        return multiple()

    @rule(target=payments, share=SHARE)
    def answer_to_a_refund_is_lost(self, share: int) -> Any:
        with self.quiet():
            payment = self.world.paid(6_000, "USD")
            refund = refunding.refund_payment(payment_id=payment.pk, money=payment.captured.part(share, 200), reason=RefundReason.GOODWILL)
            self.ask_in_vain(refund.pk)
            return payment.pk
        return multiple()

    @rule(target=payments)
    def answer_to_a_transfer_is_lost(self) -> Any:
        with self.quiet():
            self.world.onboard()
            payment = self.world.paid(6_000, "EUR")
            earning.mark_earned(payment_id=payment.pk, earned_at=timezone.now())
            self.world.later(days=8)
            earning.release_earnings()
            earning.plan_transfers()
            for transfer in Movement.objects.filter(payment=payment, kind=MovementKind.TRANSFER):
                self.ask_in_vain(transfer.pk)
            return payment.pk
        return multiple()

    @rule(target=payments, amount=st.integers(100, 900))
    def debt_is_paid_first(self, amount: int) -> Any:
        """What came to the mentor's bank already is paid back to the payer; then the mentor earns less than they owe."""
        with self.quiet():
            self.world.onboard()
            first = self.world.paid(5_000, "USD")
            self.world.earn(first)
            self.world.later(days=3)
            self.world.pay_out()
            first.refresh_from_db()
            refunding.refund_payment(payment_id=first.pk, money=first.returnable, reason=RefundReason.NOT_DELIVERED)
            self.world.hear()
            second = self.world.paid(amount // 10 * 10, "USD")
            earning.mark_earned(payment_id=second.pk, earned_at=timezone.now())
            self.world.later(days=8)
            earning.release_earnings()
            if earning.plan_transfers():
                self.no_debt_is_sent()
            self.world.hear()
            return second.pk
        return multiple()

    @rule(target=payments, share=SHARE, again=SHARE)
    def refunded_twice_before_anybody_worked(self, share: int, again: int) -> Any:
        with self.quiet():
            self.world.onboard()
            payment = self.world.paid(4_990, "EUR")
            self.world.earn(payment)
            for part in (share, again):
                payment.refresh_from_db()
                money = payment.returnable.part(part, 101)
                if money.amount > 0:
                    refunding.refund_payment(payment_id=payment.pk, money=money, reason=RefundReason.GOODWILL)
                check_always()
            return payment.pk
        return multiple()

    # --- Help ---------------------------------------------------------------------------------------------------------------------
    @contextlib.contextmanager
    def quiet(self) -> Any:
        """A refusal is an answer; a lost connection is one that nobody heard."""
        with contextlib.suppress(DomainError, LostConnection):
            yield

    def ask_in_vain(self, movement_id: uuid.UUID) -> None:
        """It is done, and nobody hears of it; then it is asked again."""
        self.peer.dial.after = 1
        moving.carry_out(movement_id=movement_id)
        self.peer.dial.after = 0
        self.world.all_due()
        moving.carry_out(movement_id=movement_id)

    def no_debt_is_sent(self) -> None:
        """Debts are paid first: with what is on its way, nobody is sent more than they are owed, but for what was refunded since."""
        for row in Movement.objects.filter(kind=MovementKind.TRANSFER, state=MovementState.PLANNED, attempts=0):
            assert row.person_id is not None
            on_the_way = Movement.objects.filter(
                kind=MovementKind.TRANSFER, person=row.person_id, currency=row.currency, state__in=("planned", "sent", "stuck")
            )
            owed = owed_to(AccountKind.AVAILABLE, row.currency, row.person_id).amount
            is_returned = Payment.objects.filter(movements__in=on_the_way, returned_amount__gt=0).exists()
            assert owed >= sum(on_the_way.values_list("amount", flat=True)) or is_returned, owed

    def bank(self, action: str, key: str) -> None:
        from payments.peer.banking import act

        act(self.peer, action, key)

    @initialize()
    def begin(self) -> None:
        check_settled(self.peer)
