"""The rules that stand in the database: whoever writes past the services breaks on them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import Sum
from django.utils import timezone

from accounts.models import User
from core.errors import DomainError
from core.money import Money
from payments.enums import AccountKind, LedgerKind, RefundReason
from payments.models import LedgerAccount, LedgerEntry, LedgerTransaction, Movement, Payment
from payments.services.ledger import Posting, Unbalanced, balance_of, book
from payments.services.refunding import refund_payment
from payments.tests.world import World

pytestmark = pytest.mark.django_db
FEE, PLATFORM = AccountKind.FEE, AccountKind.PLATFORM


def booked(amount: int = 100, currency: str = "EUR") -> LedgerTransaction:
    cause = uuid.uuid4()
    postings = (Posting(PLATFORM, Money(amount, currency)), Posting(FEE, Money(-amount, currency)))
    assert book(kind=LedgerKind.CAPTURED, cause=cause, postings=postings)
    return LedgerTransaction.objects.get(cause=cause)


def check_now() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def refused(write: Callable[[], Any]) -> str:
    with pytest.raises(DatabaseError) as found, transaction.atomic():
        write()
        check_now()
    return str(found.value)


class TestRules:
    def test_nothing_is_changed_or_deleted(self) -> None:
        row = booked()
        for write in (
            lambda: LedgerEntry.objects.filter(transaction=row).update(amount=1),
            lambda: LedgerEntry.objects.filter(transaction=row)._raw_delete("default"),
            lambda: LedgerTransaction.objects.filter(pk=row.pk).update(note="x"),
            lambda: LedgerTransaction.objects.filter(pk=row.pk)._raw_delete("default"),
        ):
            assert "append-only" in refused(write)

    def test_what_does_not_balance_is_refused_at_the_end(self) -> None:
        row = booked()
        account = LedgerAccount.objects.get(kind=FEE)
        lone = LedgerTransaction(kind=LedgerKind.RELEASED, cause=uuid.uuid4())
        assert "does not balance" in refused(lone.save)
        assert "does not balance" in refused(lambda: LedgerEntry.objects.create(transaction=row, account=account, amount=5, currency="EUR"))

    def test_an_entry_is_in_the_currency_of_its_account(self) -> None:
        row, account = booked(), LedgerAccount.objects.get_or_create(kind=FEE, currency="EUR")[0]
        message = refused(lambda: LedgerEntry.objects.create(transaction=row, account=account, amount=5, currency="USD"))
        assert "ledger_entry_in_the_currency_of_its_account" in message

    def test_a_cause_and_a_record_are_booked_once(self) -> None:
        row = booked()
        assert not book(
            kind=LedgerKind.CAPTURED, cause=row.cause, postings=(Posting(FEE, Money(1, "EUR")), Posting(PLATFORM, Money(-1, "EUR")))
        )
        twice = {"kind": LedgerKind.CAPTURED, "cause": row.cause}
        assert "every_cause_is_booked_once" in refused(lambda: LedgerTransaction.objects.create(**twice))

    def test_unbalanced_postings_are_an_error_before_that(self) -> None:
        with pytest.raises(Unbalanced):
            book(kind=LedgerKind.CAPTURED, cause=uuid.uuid4(), postings=(Posting(FEE, Money(1, "EUR")),))
        assert not book(kind=LedgerKind.CAPTURED, cause=uuid.uuid4(), postings=(Posting(FEE, Money(0, "EUR")),))

    def test_accounts_of_people_have_owners_and_others_none(self, user: User) -> None:
        assert "accounts_of_people" in refused(lambda: LedgerAccount.objects.create(kind=AccountKind.PENDING, currency="EUR"))
        assert "accounts_of_people" in refused(lambda: LedgerAccount.objects.create(kind=FEE, currency="EUR", owner=user))
        LedgerAccount.objects.create(kind=FEE, currency="CHF")
        assert "one_ledger_account" in refused(lambda: LedgerAccount.objects.create(kind=FEE, currency="CHF"))

    def test_terms_and_ends_of_payments_stay(self, world: World) -> None:
        payment = world.paid()
        rows = Payment.objects.filter(pk=payment.pk)
        for changes in ({"amount": 6_000}, {"fee_amount": 0}, {"payee": world.payer}, {"state": "open"}, {"captured_amount": 1}):
            assert "append-only" in refused(lambda changes=changes: rows.update(**changes))  # type: ignore[misc]
        for changes, name in (
            ({"returned_amount": 5_001}, "no_more_is_returned"),
            ({"transferred_amount": 5_001}, "no_more_is_transferred"),
            ({"returned_amount": -1}, "no_more_is_returned"),
        ):
            assert name in refused(lambda changes=changes: rows.update(**changes))  # type: ignore[misc]

    def test_balances_of_any_instant(self) -> None:
        booked(100)
        between = timezone.now()
        booked(30)
        assert balance_of(FEE, "EUR") == Money(-130, "EUR")
        assert balance_of(FEE, "EUR", at=between) == Money(-100, "EUR")
        assert balance_of(FEE, "EUR", at=between.replace(year=2020)) == Money(0, "EUR")


@pytest.mark.django_db(transaction=True)
def test_everything_is_refunded_twice_at_once_and_once_in_effect(world: World) -> None:
    """T6, in the shape of Formance's stress test: every capture is paid back in full by two threads at once; one succeeds, one is refused, and
    what all accounts hold sums up to nothing."""
    number = 60
    payments = [world.paid(1_000 + count) for count in range(number)]

    def refund(payment: Payment) -> str:
        try:
            refund_payment(payment_id=payment.pk, money=payment.captured, reason=RefundReason.GOODWILL)
        except DomainError as error:
            return error.code
        finally:
            connection.close()
        return "done"

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(refund, [payment for payment in payments for _ in range(2)]))
    assert (answers.count("done"), answers.count("invalid_amount")) == (number, number)
    assert LedgerEntry.objects.aggregate(total=Sum("amount"))["total"] == 0
    assert Movement.objects.filter(kind="refund").count() == number
    world.all_due()
    world.work()
    assert balance_of(AccountKind.CUSTOMER, "USD", world.payer.pk) == Money(0, "USD")
    assert balance_of(FEE, "USD") == Money(0, "USD")
