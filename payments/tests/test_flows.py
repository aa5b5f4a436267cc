"""What happens to money, way by way, to the minor unit."""

from __future__ import annotations

import datetime
import uuid
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from core.errors import DomainError
from core.models import OutboxEvent
from core.money import Money
from payments.enums import AccountKind, CaptureMode, DisputeState, MovementKind, PaymentState, RefundReason
from payments.errors import IllegalPaymentMove, InvalidAmount, MayNotPay, NothingToPay, PaymentDisputed, PaymentExists
from payments.models import Dispute, Movement, Payment
from payments.services import earning, moving, onboarding, paying, payouts, refunding, syncing
from payments.services.ledger import balances_of_payment, owed_to
from payments.services.paying import PaymentPolicy
from payments.services.splitting import parts_of_return
from payments.tests.invariants import check_always, check_settled
from payments.tests.world import World

pytestmark = pytest.mark.django_db


def balances(payment: Payment) -> dict[str, int]:
    return {kind.value: money.amount for kind, money in balances_of_payment(payment).items() if money}


def published(name: str) -> int:
    return OutboxEvent.objects.filter(name=f"payments.{name}").count()


def only(kind: MovementKind) -> Movement:
    return Movement.objects.get(kind=kind)


@pytest.fixture(autouse=True)
def everything_adds_up(world: World) -> Any:
    """After each test: the invariants, and the same on both sides."""
    yield
    world.all_due()
    world.hear()
    check_always()
    check_settled(world.peer)


class TestPaying:
    def test_a_payment_from_the_sale_to_the_mentors_bank(self, world: World) -> None:
        account = world.onboard()
        assert (account.is_submitted, account.can_receive, account.can_pay_out) == (True, True, True)
        payment = world.paid()
        assert (payment.state, payment.captured_amount) == (PaymentState.CAPTURED, 5_000)
        # The provider takes 2.9 % and 30 cents, the platform 15 %.
        assert balances(payment) == {"provider": 4_825, "platform": 175, "mentor_pending": -4_250, "fee": -750}
        world.earn(payment)
        payment.refresh_from_db()
        assert payment.transferred_amount == 4_250
        assert balances(payment) == {"provider": 575, "platform": 175, "fee": -750}
        world.later(days=3)
        world.pay_out()
        payout = only(MovementKind.PAYOUT)
        assert (payout.amount, payout.state) == (4_250, "sent")
        world.act("payout-arrives", payout.provider_id)
        payout.refresh_from_db()
        assert payout.state == "done"
        assert (published("payment-succeeded"), published("earnings-transferred"), published("paid-out")) == (1, 1, 1)

    @pytest.mark.parametrize(
        ("currency", "amount", "pending"),
        [("USD", 5_000, 4_250), ("JPY", 5_000, 4_250), ("KWD", 5_010, 4_260), ("ISK", 5_000, 4_250), ("UGX", 55_555, 47_222)],
    )
    def test_each_kind_of_currency_goes_the_whole_way(self, world: World, currency: str, amount: int, pending: int) -> None:
        world.onboard()
        payment = world.paid(amount, currency, mode="manual")
        assert payment.state == PaymentState.AUTHORISED
        paying.capture_payment(payment_id=payment.pk)
        world.hear()
        assert -balances(payment)["mentor_pending"] == pending
        step = payment.money.step
        part = Money(amount // 3 // step * step, currency)
        refunding.refund_payment(payment_id=payment.pk, money=part, reason=RefundReason.GOODWILL)
        world.hear()
        world.earn(payment)
        payment.refresh_from_db()
        back = parts_of_return(payment, part).payee.amount
        assert payment.transferred_amount == pending - back
        refunding.refund_payment(payment_id=payment.pk, money=payment.returnable, reason=RefundReason.GOODWILL)
        world.hear()
        payment.refresh_from_db()
        assert (payment.transferred_amount, payment.returned_amount) == (0, amount)
        assert set(balances(payment)) == {"provider", "platform"}

    def test_reserved_first_and_taken_in_part(self, world: World) -> None:
        payment = world.paid(10_000, "EUR", mode="manual", tax=1_597)
        assert (payment.state, published("payment-authorised"), balances(payment)) == (PaymentState.AUTHORISED, 1, {})
        first = paying.capture_payment(payment_id=payment.pk, money=Money(3_333, "EUR"))
        assert paying.capture_payment(payment_id=payment.pk, money=Money(3_333, "EUR")) == first
        world.hear()
        payment.refresh_from_db()
        assert (payment.state, payment.captured_amount) == (PaymentState.CAPTURED, 3_333)
        # Tax 15.97 %, fee 15 % of the rest, each of what was taken, rounded down.
        assert balances(payment) == {"provider": 3_207, "platform": 126, "mentor_pending": -2_382, "fee": -419, "tax": -532}
        with pytest.raises(IllegalPaymentMove):
            paying.capture_payment(payment_id=payment.pk)

    def test_more_than_is_reserved_cannot_be_taken(self, world: World) -> None:
        payment = world.paid(mode="manual")
        for amount in (5_001, 0, 10):
            with pytest.raises(InvalidAmount):
                paying.capture_payment(payment_id=payment.pk, money=Money(amount, "USD"))

    def test_a_decline_is_told_and_may_be_tried_again(self, world: World) -> None:
        payment = world.paid(card="pm_card_visa_chargeDeclinedInsufficientFunds")
        assert (payment.state, payment.failure_code, published("payment-failed")) == (PaymentState.WAITING, "insufficient_funds", 1)
        world.confirm(payment)
        world.hear()
        payment.refresh_from_db()
        assert (payment.state, payment.failure_code) == (PaymentState.CAPTURED, "")

    @pytest.mark.parametrize(("how", "state"), [("prove", "captured"), ("fail-proof", "waiting")])
    def test_the_payer_proves_who_they_are(self, world: World, how: str, state: str) -> None:
        payment = world.paid(card="pm_card_authenticationRequired")
        assert payment.state == PaymentState.WAITING
        world.act(how, payment.provider_id)
        payment.refresh_from_db()
        assert payment.state == state

    def test_nothing_to_pay_has_succeeded(self, world: World) -> None:
        payment = world.open(0)
        assert (payment.state, published("payment-succeeded"), balances(payment)) == (PaymentState.CAPTURED, 1, {})
        with pytest.raises(NothingToPay):
            paying.start_payment(payment_id=payment.pk)

    def test_terms_are_kept(self, world: World) -> None:
        subject = uuid.uuid4()
        terms: dict[str, Any] = {
            **{"subject_id": subject, "payer": world.payer, "payee": world.mentor, "policy": PaymentPolicy()},
            "description": "x",
        }
        first = paying.open_payment(money=Money(5_000, "USD"), **terms)
        assert paying.open_payment(money=Money(5_000, "USD"), **terms) == first
        with pytest.raises(PaymentExists):
            paying.open_payment(money=Money(6_000, "USD"), **terms)
        paying.cancel_payment(payment_id=first.pk)
        again = paying.open_payment(money=Money(6_000, "USD"), **terms)
        assert (again.attempt, again.state) == (2, PaymentState.OPEN)

    @pytest.mark.parametrize(("amount", "currency"), [(-1, "USD"), (49, "USD"), (5_005, "KWD"), (100_000_000, "EUR"), (49, "JPY")])
    def test_amounts_that_cannot_be_paid(self, world: World, amount: int, currency: str) -> None:
        with pytest.raises(InvalidAmount):
            world.open(amount, currency)
        assert not Payment.objects.exists()

    def test_children_do_not_pay(self, world: World) -> None:
        User.objects.filter(pk=world.payer.pk).update(birth_date=timezone.now().date() - datetime.timedelta(days=15 * 366))
        world.payer.refresh_from_db()
        with pytest.raises(MayNotPay):
            world.open()
        assert world.open(0).state == PaymentState.CAPTURED


class TestCallingOff:
    def test_before_anybody_was_asked(self, world: World) -> None:
        payment = world.open()
        paying.cancel_payment(payment_id=payment.pk)
        paying.cancel_payment(payment_id=payment.pk)
        payment.refresh_from_db()
        assert (payment.state, published("payment-cancelled")) == (PaymentState.CANCELLED, 1)
        with pytest.raises(IllegalPaymentMove):
            paying.start_payment(payment_id=payment.pk)

    def test_while_it_is_reserved(self, world: World) -> None:
        payment = world.paid(mode="manual")
        capture = paying.capture_payment(payment_id=payment.pk)
        paying.cancel_payment(payment_id=payment.pk)
        with pytest.raises(IllegalPaymentMove):
            paying.capture_payment(payment_id=payment.pk)
        world.work()
        payment.refresh_from_db()
        capture.refresh_from_db()
        assert (payment.state, capture.state, balances(payment)) == (PaymentState.CANCELLED, "failed", {})

    def test_the_payer_was_quicker_and_gets_it_back(self, world: World) -> None:
        payment = world.open()
        paying.start_payment(payment_id=payment.pk)
        world.confirm(payment)
        paying.cancel_payment(payment_id=payment.pk)
        world.hear()
        payment.refresh_from_db()
        refund = only(MovementKind.REFUND)
        assert (payment.state, refund.reason, refund.state) == (PaymentState.CAPTURED, "late_capture", "done")
        assert (payment.returned_amount, published("payment-succeeded")) == (5_000, 0)

    def test_what_was_taken_is_refunded_instead(self, world: World) -> None:
        payment = world.paid()
        with pytest.raises(IllegalPaymentMove):
            paying.cancel_payment(payment_id=payment.pk)

    def test_what_was_reserved_runs_out(self, world: World) -> None:
        payment = world.paid(mode="manual")
        world.later(days=8)
        world.hear()
        payment.refresh_from_db()
        assert (payment.state, published("payment-cancelled")) == (PaymentState.CANCELLED, 1)


class TestRefunding:
    def test_many_parts_make_up_the_whole(self, world: World) -> None:
        payment = world.paid(9_999, "EUR", tax=1_596)
        for amount in (1, 3_333, 3_332, 7, 3_326):
            refunding.refund_payment(payment_id=payment.pk, money=Money(amount, "EUR"), reason=RefundReason.GOODWILL)
            world.hear()
        payment.refresh_from_db()
        assert (payment.returned_amount, payment.returnable) == (9_999, Money(0, "EUR"))
        assert set(balances(payment)) == {"provider", "platform"}
        with pytest.raises(InvalidAmount):
            refunding.refund_payment(payment_id=payment.pk, money=Money(1, "EUR"), reason=RefundReason.GOODWILL)

    def test_after_the_mentor_has_it(self, world: World) -> None:
        world.onboard()
        payment = world.paid()
        world.earn(payment)
        refunding.refund_payment(payment_id=payment.pk, money=Money(2_000, "USD"), reason=RefundReason.NOT_DELIVERED)
        world.hear()
        payment.refresh_from_db()
        reversal = only(MovementKind.REVERSAL)
        assert (reversal.amount, reversal.state, payment.transferred_amount) == (1_700, "done", 2_550)

    def test_what_the_mentor_has_not_any_more_is_their_debt(self, world: World) -> None:
        world.onboard()
        first = world.paid()
        world.earn(first)
        world.later(days=3)
        world.pay_out()
        refunding.refund_payment(payment_id=first.pk, money=first.captured, reason=RefundReason.NOT_DELIVERED)
        world.hear()
        assert (only(MovementKind.REVERSAL).state, only(MovementKind.REVERSAL).failure_code) == ("failed", "balance_insufficient")
        assert owed_to(AccountKind.AVAILABLE, "USD", world.mentor.pk) == Money(-4_250, "USD")
        # The next earnings pay it.
        second = world.paid(8_000)
        world.earn(second)
        second.refresh_from_db()
        assert second.transferred_amount == 6_800 - 4_250
        assert owed_to(AccountKind.AVAILABLE, "USD", world.mentor.pk) == Money(0, "USD")
        # Debts of one currency are not paid in another.
        other = world.paid(8_000, "EUR")
        world.earn(other)
        other.refresh_from_db()
        assert other.transferred_amount == 6_800

    def test_one_that_comes_back_waits_for_a_person(self, world: World, staff: User) -> None:
        payment = world.paid(card="pm_card_refundFail")
        refund = refunding.refund_payment(payment_id=payment.pk, money=Money(2_000, "USD"), reason=RefundReason.GOODWILL)
        world.work()
        refund.refresh_from_db()
        assert refund.state == "sent"
        world.act("refund-fails", refund.provider_id)
        refund.refresh_from_db()
        assert (refund.state, refund.failure_code, published("movement-stuck")) == ("stuck", "expired_or_canceled_card", 1)
        assert balances(payment)["customer"] == -2_000
        moving.try_again(movement=refund, staff=staff, note="another card")
        world.work()
        refund.refresh_from_db()
        assert (refund.state, balances(payment).get("customer")) == ("sent", None)
        world.act("refund-fails", refund.provider_id)
        refund.refresh_from_db()
        refunding.withdraw_refund(movement=refund, staff=staff, note="paid by hand")
        payment.refresh_from_db()
        assert (payment.returned_amount, balances(payment)["mentor_pending"]) == (0, -4_250)

    def test_one_of_the_dashboard_is_booked_too(self, world: World) -> None:
        payment = world.paid()
        world.peer.handle("POST", "/v1/refunds", f"payment_intent={payment.provider_id}&amount=700", {"Authorization": "Bearer sk_test_x"})
        world.hear()
        payment.refresh_from_db()
        assert (payment.returned_amount, only(MovementKind.REFUND).reason) == (700, "at_provider")

    def test_the_dashboard_was_quicker(self, world: World) -> None:
        """Staff pay back at the provider what is planned here as well: the payer gets no more than was taken, and no less than is owed."""
        payment = world.paid()
        ours = refunding.refund_payment(payment_id=payment.pk, money=Money(3_000, "USD"), reason=RefundReason.GOODWILL)
        world.peer.handle("POST", "/v1/refunds", f"payment_intent={payment.provider_id}&amount=4000", {"Authorization": "Bearer sk_test_x"})
        world.hear()
        ours.refresh_from_db()
        payment.refresh_from_db()
        assert (ours.state, ours.failure_code, payment.returned_amount) == ("failed", "paid_otherwise", 5_000)
        rest = Movement.objects.filter(kind=MovementKind.REFUND, reason="goodwill", state="done").get()
        assert (rest.amount, balances(payment).get("customer")) == (1_000, None)

    def test_what_was_not_taken_is_not_paid_back(self, world: World) -> None:
        with pytest.raises(IllegalPaymentMove):
            refunding.refund_payment(payment_id=world.open().pk, money=Money(1, "USD"), reason=RefundReason.GOODWILL)


class TestDisputes:
    def disputed(self, world: World, payment: Payment) -> Dispute:
        world.act("dispute", payment.charge_id)
        return Dispute.objects.get(payment=payment)

    def test_only_its_part_waits(self, world: World) -> None:
        world.onboard()
        payment, other = world.paid(), world.paid(3_000)
        dispute = self.disputed(world, payment)
        assert (dispute.state, dispute.frozen_amount) == (DisputeState.OPEN, 4_250)
        assert balances(payment) == {
            **{"provider": 4_825 - 6_500, "platform": 175 + 1_500, "dispute": 5_000, "mentor_frozen": -4_250, "fee": -750}
        }
        with pytest.raises(PaymentDisputed):
            refunding.refund_payment(payment_id=payment.pk, money=Money(1_000, "USD"), reason=RefundReason.GOODWILL)
        for each in (payment, other):
            world.earn(each)
            each.refresh_from_db()
        assert (payment.transferred_amount, other.transferred_amount) == (0, 2_550)

    def test_won_it_goes_out_once(self, world: World) -> None:
        world.onboard()
        payment = world.paid()
        dispute = self.disputed(world, payment)
        world.earn(payment)
        world.act("win", dispute.provider_id)
        world.settle()
        world.settle()
        payment.refresh_from_db()
        dispute.refresh_from_db()
        assert (dispute.state, payment.transferred_amount, payment.returned_amount) == (DisputeState.WON, 4_250, 0)
        assert Movement.objects.filter(kind=MovementKind.TRANSFER).count() == 1

    def test_lost_everybody_bears_their_part(self, world: World) -> None:
        world.onboard()
        payment = world.paid()
        dispute = self.disputed(world, payment)
        world.act("lose", dispute.provider_id)
        payment.refresh_from_db()
        assert (payment.returned_amount, published("dispute-decided")) == (5_000, 1)
        assert balances(payment) == {"provider": -1_675, "platform": 1_675}

    def test_lost_after_the_mentor_has_it(self, world: World) -> None:
        world.onboard()
        payment = world.paid()
        world.earn(payment)
        dispute = self.disputed(world, payment)
        assert dispute.frozen_amount == 0
        world.act("lose", dispute.provider_id)
        payment.refresh_from_db()
        assert (only(MovementKind.REVERSAL).amount, payment.transferred_amount) == (4_250, 0)

    def test_of_what_is_left_after_a_refund(self, world: World) -> None:
        payment = world.paid()
        refunding.refund_payment(payment_id=payment.pk, money=Money(2_000, "USD"), reason=RefundReason.GOODWILL)
        world.hear()
        dispute = self.disputed(world, payment)
        assert (dispute.amount, dispute.counted_amount, dispute.frozen_amount) == (3_000, 3_000, 2_550)
        world.act("lose", dispute.provider_id)
        payment.refresh_from_db()
        assert payment.returned_amount == 5_000

    def test_evidence_decides_in_test_mode(self, world: World) -> None:
        payment = world.paid(card="pm_card_createDispute")
        dispute = Dispute.objects.get(payment=payment)
        form = "evidence[uncategorized_text]=winning_evidence&submit=true"
        world.peer.handle("POST", f"/v1/disputes/{dispute.provider_id}", form, {"Authorization": "Bearer sk_test_x"})
        world.hear()
        dispute.refresh_from_db()
        assert dispute.state == DisputeState.WON


class TestEarning:
    def test_it_waits_for_the_window(self, world: World) -> None:
        world.onboard()
        payment = world.paid()
        world.settle()
        earning.mark_earned(payment_id=payment.pk, earned_at=timezone.now())
        earning.mark_earned(payment_id=payment.pk, earned_at=timezone.now() + datetime.timedelta(days=9))
        world.later(days=6)
        world.settle()
        payment.refresh_from_db()
        assert (payment.released_at, payment.transferred_amount) == (None, 0)
        world.later(days=1)
        world.settle()
        payment.refresh_from_db()
        assert payment.transferred_amount == 4_250

    def test_it_waits_for_an_account(self, world: World) -> None:
        payment = world.paid()
        world.earn(payment)
        assert owed_to(AccountKind.AVAILABLE, "USD", world.mentor.pk) == Money(4_250, "USD")
        assert (onboarding.tell_held_up_earnings(), onboarding.tell_held_up_earnings(), published("earnings-held-up")) == (1, 0, 1)
        world.onboard()
        world.settle()
        payment.refresh_from_db()
        assert payment.transferred_amount == 4_250
        assert onboarding.tell_held_up_earnings() == 0

    def test_staff_hear_before_it_waits_too_long(self, world: World) -> None:
        payment = world.paid()
        world.earn(payment)
        Payment.objects.filter(pk=payment.pk).update(captured_at=timezone.now() - datetime.timedelta(days=80))
        before = timezone.now() - datetime.timedelta(days=76)
        assert (onboarding.tell_staff_of_old_holdings(before=before), published("holdings-grow-old")) == (1, 1)

    def test_nothing_is_earned_of_what_was_not_taken(self, world: World) -> None:
        with pytest.raises(IllegalPaymentMove):
            earning.mark_earned(payment_id=world.open().pk, earned_at=timezone.now())

    def test_a_transfer_that_was_planned_is_dropped_if_it_is_not_due_any_more(self, world: World) -> None:
        world.onboard()
        payment = world.paid()
        earning.mark_earned(payment_id=payment.pk, earned_at=timezone.now())
        world.later(days=8)
        earning.release_earnings()
        assert earning.plan_transfers() == 1
        assert earning.plan_transfers() == 0
        refunding.refund_payment(payment_id=payment.pk, money=Money(1_000, "USD"), reason=RefundReason.GOODWILL)
        world.work()
        assert (only(MovementKind.TRANSFER).state, only(MovementKind.TRANSFER).failure_code) == ("failed", "superseded")
        world.settle()
        payment.refresh_from_db()
        assert payment.transferred_amount == 3_400

    def test_one_that_the_provider_refuses_waits_for_a_person(self, world: World, staff: User) -> None:
        account = world.onboard()
        payment = world.paid()
        world.peer.find(account.provider_id, "account")["capabilities"]["transfers"] = "inactive"
        world.earn(payment)
        stuck = only(MovementKind.TRANSFER)
        assert (stuck.state, stuck.failure_code) == ("stuck", "insufficient_capabilities_for_transfer")
        assert earning.plan_transfers() == 0
        world.peer.find(account.provider_id, "account")["capabilities"]["transfers"] = "active"
        moving.try_again(movement=stuck, staff=staff, note="they mended it")
        world.work()
        payment.refresh_from_db()
        assert payment.transferred_amount == 4_250

    def test_a_payout_that_comes_back_is_made_again(self, world: World) -> None:
        world.onboard()
        world.earn(world.paid())
        world.later(days=3)
        world.pay_out()
        world.act("payout-fails", only(MovementKind.PAYOUT).provider_id)
        assert (only(MovementKind.PAYOUT).state, only(MovementKind.PAYOUT).failure_code) == ("failed", "account_closed")
        world.pay_out()
        assert list(Movement.objects.filter(kind=MovementKind.PAYOUT).order_by("id").values_list("state", flat=True)) == ["failed", "sent"]

    def test_payouts_stop_in_time(self, world: World) -> None:
        world.onboard()
        assert payouts.plan_payouts(until=timezone.now()) == 0

    def test_whole_units_where_banks_want_them(self, world: World) -> None:
        world.onboard()
        payment = world.paid(50_010, "HUF")
        world.earn(payment)
        world.later(days=3)
        world.pay_out()
        assert only(MovementKind.PAYOUT).amount == 42_500  # of 42,509

    def test_children_and_strange_countries_have_no_account(self, world: World) -> None:
        with pytest.raises(DomainError) as found:
            onboarding.start_onboarding(person=world.mentor, country="KP")
        assert (found.value.code, found.value.errors[0].field) == ("unsupported_country", "country")
        User.objects.filter(pk=world.mentor.pk).update(birth_date=timezone.now().date())
        world.mentor.refresh_from_db()
        with pytest.raises(MayNotPay):
            onboarding.start_onboarding(person=world.mentor, country="DE")


class TestProviderAway:
    def test_it_is_asked_again_and_at_last_a_person_is(self, world: World) -> None:
        payment = world.paid()
        refund = refunding.refund_payment(payment_id=payment.pk, money=Money(500, "USD"), reason=RefundReason.GOODWILL)
        world.peer.dial.before = 1
        assert moving.carry_out(movement_id=refund.pk) == "planned"
        refund.refresh_from_db()
        assert refund.due_at > timezone.now() and refund.attempts == 1
        assert moving.due_movements(limit=5) == []
        Movement.objects.filter(pk=refund.pk).update(planned_at=timezone.now() - datetime.timedelta(hours=21))
        assert moving.carry_out(movement_id=refund.pk) == "stuck"
        world.peer.dial.before = 0
        refund.refresh_from_db()
        assert refund.failure_code == "provider_away"
        moving.try_again(movement=refund, staff=world.mentor, note="it is back")
        world.work()
        refund.refresh_from_db()
        assert refund.state == "done"
        with pytest.raises(DomainError):
            moving.try_again(movement=refund, staff=world.mentor, note="once more")

    def test_the_payer_is_told_to_try_again(self, world: World) -> None:
        payment = world.open()
        world.peer.dial.after = 1
        with pytest.raises(DomainError) as found:
            paying.start_payment(payment_id=payment.pk)
        assert (found.value.code, found.value.status) == ("payment_provider_away", 503)
        world.peer.dial.after = 0
        first, second = (paying.start_payment(payment_id=payment.pk) for _ in range(2))
        assert first.client_secret == second.client_secret

    def test_what_nobody_told_is_asked_for(self, world: World) -> None:
        payment = world.open()
        paying.start_payment(payment_id=payment.pk)
        world.confirm(payment)
        world.events.clear()
        assert syncing.undecided_payments(limit=5, asked_before=timezone.now()) == [payment.pk]
        syncing.look_at_payment(payment_id=payment.pk)
        payment.refresh_from_db()
        assert payment.state == PaymentState.CAPTURED
        assert CaptureMode(payment.capture_mode) is CaptureMode.AUTOMATIC
