"""What staff do with money: the admin's actions, the commands, and what they are told."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from core.events import run_delivery
from core.models import AuditEntry, EventDelivery
from core.money import Money
from notifications.models import Notification
from payments import tasks
from payments.enums import EventState, FindingKind, MovementKind, RefundReason
from payments.errors import ProviderRefused
from payments.models import Finding, LedgerTransaction, Movement, Payment, ProviderEvent, Reconciliation
from payments.peer.faults import LostConnection
from payments.peer.payins import book as book_there
from payments.services import earning, moving, paying, reconciling, refunding
from payments.tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(staff: User, client: Client) -> Client:
    client.force_login(staff)
    return client


def act(desk: Client, model: str, action: str, row: Any) -> str:
    address = reverse(f"admin:payments_{model}_changelist")
    answer = desk.post(address, {"action": action, "_selected_action": [str(row.pk)]}, follow=True)
    row.refresh_from_db()
    return answer.content.decode()


def gone(*_: Any) -> Any:
    raise LostConnection


class TestDesk:
    def test_every_page_shows_amounts_in_their_currency(self, world: World, desk: Client) -> None:
        world.onboard()
        payment = world.paid(12_340, "KWD")
        world.earn(payment)
        world.act("dispute", payment.charge_id)
        Finding.objects.create(
            kind=FindingKind.WRONG_AMOUNT,
            record="txn_1",
            booked_amount=5,
            currency="JPY",
            found_by=Reconciliation.objects.create(since=timezone.now() - datetime.timedelta(1), until=timezone.now()),
        )
        for model in ("payment", "movement", "dispute"):
            assert "KWD\xa0" in desk.get(reverse(f"admin:payments_{model}_changelist")).content.decode()
        for model in ("payoutaccount", "ledgeraccount", "ledgertransaction", "providerevent", "finding", "reconciliation"):
            assert desk.get(reverse(f"admin:payments_{model}_changelist")).status_code == 200
        assert "KWD\xa012.340" in desk.get(reverse("admin:payments_payment_change", args=[payment.pk])).content.decode()
        sale = LedgerTransaction.objects.filter(kind="captured").get()
        assert "KWD\xa0" in desk.get(reverse("admin:payments_ledgertransaction_change", args=[sale.pk])).content.decode()
        for days in ("30", "76"):
            assert desk.get(reverse("admin:payments_payment_changelist"), {"held": days}).status_code == 200

    def test_nobody_edits(self, world: World, desk: Client) -> None:
        payment = world.paid()
        for name in ("change", "delete"):
            assert desk.post(reverse(f"admin:payments_payment_{name}", args=[payment.pk]), {"state": "open"}).status_code == 403

    def test_paying_back(self, world: World, desk: Client, staff: User, client: Client) -> None:
        payment = world.paid()
        address = reverse("admin:payments_payment_refund", args=[payment.pk])
        assert "$50.00" in desk.get(address).content.decode()
        assert "This field is required" in desk.post(address, {"amount": 1_000}).content.decode()
        desk.post(address, {"amount": 1_000, "reason": "goodwill", "note": "A kind word."})
        refund = Movement.objects.get(kind=MovementKind.REFUND)
        assert (refund.amount, refund.requested_by, refund.note) == (1_000, staff, "A kind word.")
        world.work()
        too_much = desk.post(address, {"amount": 9_000, "reason": "goodwill", "note": "x"}, follow=True)
        assert "This amount cannot be paid." in too_much.content.decode()
        assert AuditEntry.objects.filter(thing_kind="payments.Payment", action="changed").count() == 1

    def test_staff_without_the_right_do_not_move_money(self, world: World, make_user: Any, client: Client) -> None:
        client.force_login(make_user(role="staff"))
        payment = world.paid()
        assert client.get(reverse("admin:payments_payment_refund", args=[payment.pk])).status_code == 403
        assert (
            client.post(reverse("admin:payments_movement_changelist"), {"action": "try_again", "_selected_action": ["x"]}).status_code
            == 403
        )

    def test_what_is_stuck(self, world: World, desk: Client) -> None:
        payment = world.paid(card="pm_card_refundFail")
        refund = refunding.refund_payment(payment_id=payment.pk, money=Money(500, "USD"), reason=RefundReason.GOODWILL)
        world.work()
        assert "Only what is stuck or failed" in act(desk, "movement", "try_again", refund)
        world.act("refund-fails", refund.provider_id)
        act(desk, "movement", "try_again", refund)
        assert refund.state == "planned"
        world.work()
        refund.refresh_from_db()
        world.act("refund-fails", refund.provider_id)
        act(desk, "movement", "give_up", refund)
        assert refund.state == "failed"
        payment.refresh_from_db()
        assert payment.returned_amount == 0

    def test_asking_the_provider(self, world: World, desk: Client) -> None:
        payment = world.open()
        paying.start_payment(payment_id=payment.pk)
        world.confirm(payment)
        act(desk, "payment", "ask_provider", payment)
        assert payment.state == "captured"
        account = world.onboard()
        world.peer.find(account.provider_id, "account")["payouts_enabled"] = False
        act(desk, "payoutaccount", "ask_provider", account)
        assert account.can_pay_out is False

    def test_events_are_looked_into_once_more(self, world: World, desk: Client) -> None:
        world.paid()
        event = ProviderEvent.objects.filter(kind="payment_intent.succeeded").get()
        ProviderEvent.objects.filter(pk=event.pk).update(state=EventState.DEAD)
        act(desk, "providerevent", "replay", event)
        assert event.state == EventState.WAITING


class TestReconciling:
    @pytest.fixture
    def an_hour_ago(self, world: World) -> World:
        world.peer.store.offset = -3_600
        return world

    def test_all_four_kinds_and_nothing_twice(self, an_hour_ago: World, desk: Client, capsys: pytest.CaptureFixture[str]) -> None:
        world = an_hour_ago
        world.paid()
        call_command("reconcile")
        assert capsys.readouterr().out.startswith("1 bookings from ")
        line = next(world.peer.store.of("balance_transaction"))
        line["net"] += 1
        book_there(world.peer, "charge", amount=700, currency="usd", source="xx_1")
        twin = dict(next(world.peer.store.of("charge"))) | {"id": "ch_twin"}
        world.peer.store.put(twin)
        book_there(world.peer, "charge", amount=5_000, fee=175, currency="usd", source="ch_twin")
        book_there(world.peer, "payout", amount=-50, currency="usd", source="po_own")
        with pytest.raises(SystemExit):
            call_command("reconcile")
        assert sorted(Finding.objects.values_list("kind", flat=True)) == ["doubled", "missing_here", "wrong_amount"]
        call_command("reconcile")
        finding = Finding.objects.get(kind="doubled")
        address = reverse("admin:payments_finding_resolve", args=[finding.pk])
        assert desk.get(address).status_code == 200
        desk.post(address, {"note": "Refunded at the provider."})
        finding.refresh_from_db()
        assert finding.resolved_at and finding.note == "Refunded at the provider."

    def test_what_only_we_have(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        payment = world.paid()
        monkeypatch.setattr(reconciling, "_SETTLING", datetime.timedelta(seconds=-5))
        for row in list(world.peer.store.of("balance_transaction")):
            world.peer.store._by_kind["balance_transaction"].remove(row)
            del world.peer.store._things[row["id"]]
        now = timezone.now()
        run = reconciling.reconcile(since=now - datetime.timedelta(hours=1), until=now + datetime.timedelta(hours=1))
        found = Finding.objects.get()
        assert (run.findings, found.kind, found.booked_amount) == (1, FindingKind.MISSING_THERE, 4_825)
        assert payment.captured_amount == 5_000

    def test_a_line_that_was_booked_here_much_later_is_no_difference(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        world.peer.store.offset = -5 * 86_400
        payment = world.open()
        paying.start_payment(payment_id=payment.pk)
        world.confirm(payment)
        world.peer.store.offset = 0
        world.hear()
        monkeypatch.setattr(reconciling, "_SETTLING", datetime.timedelta(seconds=-5))
        now = timezone.now()
        run = reconciling.reconcile(since=now - datetime.timedelta(hours=1), until=now + datetime.timedelta(hours=1))
        assert (run.records, run.findings) == (0, 0)

    def test_the_provider_is_away(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(world.peer, "handle", gone)
        with pytest.raises(CommandError):
            call_command("reconcile")
        assert Reconciliation.objects.get().failure

    def test_bad_times(self, world: World) -> None:
        now = timezone.now()
        with pytest.raises(Exception, match="not valid"):
            reconciling.reconcile(since=now, until=now)
        run = Reconciliation.objects.create(since=now - datetime.timedelta(1), until=now)
        finding = Finding.objects.create(kind="doubled", record="x", currency="USD", found_by=run)
        with pytest.raises(Exception, match="not valid"):
            reconciling.resolve_finding(finding=finding, staff=world.payer, note=" ")


class TestTasks:
    def test_all_of_them_go_through_a_life(self, world: World, capsys: pytest.CaptureFixture[str]) -> None:
        world.onboard()
        payment = world.open()
        paying.start_payment(payment_id=payment.pk)
        world.confirm(payment)
        world.events.clear()
        tasks.catch_up()
        assert tasks.sweep_events() > 0
        earning.mark_earned(payment_id=payment.pk, earned_at=timezone.now() - datetime.timedelta(days=9))
        tasks.release_earnings()
        assert tasks.sweep_movements() == 1
        world.peer.advance(days=3)
        tasks.pay_out()
        payout = Movement.objects.get(kind=MovementKind.PAYOUT)
        tasks.move(str(payout.pk))
        Payment.objects.update(looked_at=timezone.now() - datetime.timedelta(hours=1))
        tasks.look_at_undecided()
        tasks.tell_held_up_earnings()
        tasks.reconcile()
        tasks.look_into(str(ProviderEvent.objects.first().pk))  # type: ignore[union-attr]
        call_command("replay_events")
        assert "0 events: nothing to do" in capsys.readouterr().out
        call_command("replay_events", days=1)
        assert "taken into account" in capsys.readouterr().out
        payment.refresh_from_db()
        assert payment.transferred_amount == 4_250

    def test_the_provider_is_away(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        payment = world.open()
        paying.start_payment(payment_id=payment.pk)
        Payment.objects.update(looked_at=timezone.now() - datetime.timedelta(hours=1))
        monkeypatch.setattr(world.peer, "handle", gone)
        tasks.look_at_undecided()
        tasks.pay_out()
        payment.refresh_from_db()
        assert payment.state == "waiting"

    def test_one_attempt_is_enough_while_the_provider_is_away(self, world: World) -> None:
        payment = world.paid()
        for _ in range(3):
            refunding.refund_payment(payment_id=payment.pk, money=Money(500, "USD"), reason=RefundReason.GOODWILL)
        world.peer.dial.before = 1
        assert (tasks.sweep_movements(), tasks.sweep_movements()) == (1, 1)
        world.peer.dial.before = 0
        assert tasks.sweep_movements() == 1


class TestFaults:
    """Of ours, in the work for one: the others have their turn all the same, and the fault is seen."""

    def test_a_movement(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        payment = world.paid()
        bad, good = (
            refunding.refund_payment(payment_id=payment.pk, money=Money(500, "USD"), reason=RefundReason.GOODWILL) for _ in range(2)
        )
        settle = refunding.settle

        def fail_once(movement: Movement, *arguments: Any, **options: Any) -> None:
            if movement.pk == bad.pk:
                raise ZeroDivisionError
            settle(movement, *arguments, **options)

        monkeypatch.setattr(refunding, "settle", fail_once)
        with pytest.raises(ZeroDivisionError):
            tasks.sweep_movements()
        assert tasks.sweep_movements() == 1
        bad.refresh_from_db()
        good.refresh_from_db()
        assert (bad.state, good.state) == ("planned", "done") and bad.due_at > timezone.now()
        monkeypatch.undo()
        assert moving.carry_out(movement_id=bad.pk) == "done"
        payment.refresh_from_db()
        assert payment.returned_amount == 1_000

    def test_a_payment_that_is_asked_about(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        bad, good = (world.open() for _ in range(2))
        for payment in (bad, good):
            paying.start_payment(payment_id=payment.pk)
            payment.refresh_from_db()
        before = timezone.now() - datetime.timedelta(hours=1)
        Payment.objects.update(looked_at=before)
        Payment.objects.filter(pk=bad.pk).update(provider_id="pi_gone", looked_at=before - datetime.timedelta(hours=1))
        with pytest.raises(ProviderRefused):
            tasks.look_at_undecided()
        good.refresh_from_db()
        assert good.looked_at is not None and good.looked_at > before


def test_everybody_is_told_what_concerns_them(world: World, staff: User) -> None:
    """Each kind of notice, to whom it goes."""
    world.paid(card="pm_card_visa_chargeDeclined")
    payment = world.paid()
    refunding.refund_payment(payment_id=payment.pk, money=Money(500, "USD"), reason=RefundReason.GOODWILL)
    world.hear()
    for outcome in ("win", "lose"):
        other = world.paid(6_000)
        world.act("dispute", other.charge_id)
        world.act(outcome, next(row["id"] for row in world.peer.store.of("dispute") if row["charge"] == other.charge_id))
    failing = world.paid(card="pm_card_refundFail")
    refund = refunding.refund_payment(payment_id=failing.pk, money=Money(500, "USD"), reason=RefundReason.GOODWILL)
    world.work()
    refund.refresh_from_db()
    world.act("refund-fails", refund.provider_id)
    world.earn(payment)
    Payment.objects.filter(pk=payment.pk).update(captured_at=timezone.now() - datetime.timedelta(days=80))
    tasks.tell_held_up_earnings()
    world.onboard()
    world.settle()
    world.later(days=3)
    world.pay_out()
    for delivery in EventDelivery.objects.filter(handler__startswith="payments.handlers").exclude(handler__endswith="keep_copy_for_staff"):
        run_delivery(delivery.pk)
        delivery.refresh_from_db()
        assert delivery.state == "done", delivery.last_error
    told = {(row.kind.partition(".")[2], row.user_id) for row in Notification.objects.filter(kind__startswith="payments.")}
    payer, mentor = world.payer.pk, world.mentor.pk
    assert told == {
        *((kind, payer) for kind in ("payment-declined", "payment-received", "payment-refunded")),
        *((kind, mentor) for kind in ("payment-disputed", "dispute-won", "dispute-lost", "paid-out", "earnings-held-up")),
        *((kind, staff.pk) for kind in ("money-stuck", "holdings-grow-old")),
    }
