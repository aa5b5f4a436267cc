"""What must be true of money after every step (`P4` to `P8` of the list of invariants), read from the tables and from the peer's own books."""

from __future__ import annotations

from collections import Counter, defaultdict

from django.db import connection
from django.db.models import Sum

from payments.enums import DisputeState, LedgerKind, MovementKind, MovementState, PaymentState
from payments.models import Dispute, LedgerEntry, Movement, Payment, PayoutAccount
from payments.peer.engine import Peer
from payments.services.causes import cause_of
from payments.services.splitting import entitlement, parts_after_returns, parts_of_return, parts_of_sale


class Books:
    """All that the tables say, read at once."""

    def __init__(self) -> None:
        entries = LedgerEntry.objects.order_by()
        self.transactions = dict(entries.values_list("transaction").annotate(total=Sum("amount")))
        self.accounts: dict[object, Counter[str]] = defaultdict(Counter)
        self.lost: Counter[object] = Counter()
        rows = entries.values_list("transaction__payment", "account__kind", "transaction__kind").annotate(total=Sum("amount"))
        for payment, account, kind, amount in rows:
            self.accounts[payment][account] += amount
            if (kind, account) == (LedgerKind.DISPUTE_LOST, "dispute"):
                self.lost[payment] -= amount
        self.disputes = list(Dispute.objects.filter(state=DisputeState.OPEN))
        self.movements = list(Movement.objects.all())

    def sum_of(self, payment: Payment, kind: MovementKind, *states: MovementState) -> int:
        """But for what was never owed."""
        return sum(
            each.amount - each.unowed_amount
            for each in self.movements
            if each.payment_id == payment.pk and each.kind == kind and (not states or each.state in states)
        )


def check_always() -> None:
    """After every step, whatever is still under way."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    books = Books()
    assert not any(books.transactions.values()), "a transaction does not sum up to zero"
    for payment in Payment.objects.all():
        check_payment(payment, books)
    check_queue(books)
    check_transfers(books)


def check_payment(payment: Payment, books: Books) -> None:
    """P5 and P6: every unit that was captured is held, paid out, paid back, disputed or earned."""
    accounts = books.accounts[payment.pk]
    at_payee = -(accounts["mentor_pending"] + accounts["mentor_available"] + accounts["mentor_frozen"])
    earned = -(accounts["fee"] + accounts["tax"])
    name = f"payment {payment.pk}: {payment} {dict(accounts)}"
    assert at_payee + payment.transferred_amount + earned + payment.returned_amount == payment.captured_amount, name
    assert min(-accounts["fee"], -accounts["tax"], -accounts["mentor_pending"], -accounts["mentor_frozen"]) >= 0, name
    assert at_payee + payment.transferred_amount == entitlement(payment).amount, name
    sale, back = parts_of_sale(payment, payment.captured), parts_of_return(payment, payment.returned)
    assert (-accounts["fee"], -accounts["tax"]) == (sale.fee.amount - back.fee.amount, sale.tax.amount - back.tax.amount), name
    shown = parts_after_returns(payment)
    if payment.state == PaymentState.CAPTURED:
        assert (shown.payee.amount, shown.total + payment.returned) == (at_payee + payment.transferred_amount, payment.captured), name
        assert (shown.fee.amount, shown.tax.amount) == (-accounts["fee"], -accounts["tax"]), name
    assert sale.total == payment.captured and back.total == payment.returned, name
    open_disputes = [each for each in books.disputes if each.payment_id == payment.pk]
    assert accounts["dispute"] == sum(each.amount for each in open_disputes), name
    assert -accounts["mentor_frozen"] == sum(each.frozen_amount for each in open_disputes), name
    lost = books.lost[payment.pk]
    refunds = books.sum_of(payment, MovementKind.REFUND) - books.sum_of(payment, MovementKind.REFUND, MovementState.FAILED)
    # What was paid back beside a dispute that was lost is borne by the platform, and not returned twice.
    assert 0 <= refunds + lost - payment.returned_amount <= lost, name
    paid_back = books.sum_of(payment, MovementKind.REFUND, MovementState.SENT, MovementState.DONE)
    unowed = sum(each.unowed_amount for each in books.movements if each.payment_id == payment.pk)
    assert -accounts["customer"] == refunds - paid_back - unowed, name
    sent = books.sum_of(payment, MovementKind.TRANSFER, MovementState.DONE)
    assert payment.transferred_amount == sent - books.sum_of(payment, MovementKind.REVERSAL, MovementState.DONE), name
    going_back = books.sum_of(payment, MovementKind.REVERSAL, MovementState.PLANNED)
    if going_back and not books.sum_of(payment, MovementKind.REFUND, MovementState.FAILED):
        assert payment.transferred_amount - going_back >= entitlement(payment).amount, name
    if payment.state != PaymentState.CAPTURED:
        assert not any(accounts.values()), name
    if payment.is_unwanted and payment.state == PaymentState.CAPTURED and not open_disputes and lost == 0:
        given_up = books.sum_of(payment, MovementKind.REFUND, MovementState.FAILED)
        assert payment.returned_amount == payment.captured_amount or given_up, name


def check_queue(books: Books) -> None:
    """P8: nothing is done twice, and no more is taken back than was sent."""
    back: Counter[object] = Counter()
    for each in books.movements:
        if each.kind == MovementKind.REVERSAL and each.state != MovementState.FAILED:
            back[each.reverses_id] += each.amount
    sent = {each.pk: each.amount for each in books.movements if each.kind == MovementKind.TRANSFER}
    assert not [key for key, amount in back.items() if amount > sent[key]]


def check_transfers(books: Books) -> None:
    """P6: nothing is sent to a mentor who owes: right after a transfer nobody has less than nothing. Where the first answer was lost, what
    happened before the second one may say otherwise."""
    surely_right = {str(each.provider_id) for each in books.movements if each.kind == MovementKind.TRANSFER and each.attempts == 1}
    causes = {cause_of(key) for key in surely_right if key}
    owed: Counter[object] = Counter()
    entries = LedgerEntry.objects.filter(account__kind="mentor_available").order_by("transaction_id")
    for account, amount, kind, cause in entries.values_list("account", "amount", "transaction__kind", "transaction__cause"):
        owed[account] -= amount
        if kind == LedgerKind.TRANSFERRED and cause in causes:
            assert owed[account] >= 0, "a transfer to a mentor who owes"


def check_settled(peer: Peer) -> None:
    """P7 and P8, once nothing is under way any more: the provider and we say the same."""
    assert not Movement.objects.filter(state=MovementState.PLANNED).exists()
    books = Books()
    for payment in Payment.objects.all():
        # What is in a mentor's account and not theirs was asked back; what could not be had is a debt that stands in the ledger.
        tried = books.sum_of(payment, MovementKind.REVERSAL, MovementState.FAILED)
        assert payment.transferred_amount - entitlement(payment).amount <= tried, payment.pk
    theirs: dict[str, int] = defaultdict(int)
    connected: dict[tuple[str, str], int] = defaultdict(int)
    for row in peer.store.of("balance_transaction"):
        if row["of_account"]:
            connected[row["of_account"], row["currency"]] += row["net"]
        else:
            theirs[row["currency"].upper()] += row["net"]
    ours = dict(
        LedgerEntry.objects.filter(account__kind="provider").order_by().values_list("account__currency").annotate(total=Sum("amount"))
    )
    scale = {code: 100 if code in ("ISK", "UGX") else 1 for code in {*theirs, *ours}}
    assert {code: amount for code, amount in theirs.items() if amount} == {
        code: amount * scale[code] for code, amount in ours.items() if amount
    }
    _check_intents(peer)
    for account in PayoutAccount.objects.exclude(provider_id=""):
        sent = Counter(dict(_sums(account, MovementKind.TRANSFER))) - Counter()
        back = Counter(dict(_sums(account, MovementKind.REVERSAL)))
        for code in {*sent, *back}:
            payouts = sum(
                row["amount"]
                for row in peer.store.of("payout")
                if row["of_account"] == account.provider_id and row["status"] != "failed" and row["currency"] == code.lower()
            )
            assert connected[account.provider_id, code.lower()] == (sent[code] - back[code]) * scale.get(code, 1) - payouts


def _sums(account: PayoutAccount, kind: MovementKind) -> list[tuple[str, int]]:
    rows = Movement.objects.filter(person=account.person, kind=kind, state=MovementState.DONE)
    return list(rows.order_by().values_list("currency").annotate(total=Sum("amount")))


def _check_intents(peer: Peer) -> None:
    """No payer was charged twice or for what was called off, and each got back what we say."""
    intents = Counter(row["metadata"]["payment"] for row in peer.store.of("payment_intent"))
    assert not [key for key, number in intents.items() if number > 1]
    for intent in peer.store.of("payment_intent"):
        payment = Payment.objects.get(pk=intent["metadata"]["payment"])
        scale = 100 if payment.currency in ("ISK", "UGX") else 1
        assert intent["amount_received"] == payment.captured_amount * scale, (intent["status"], payment.state)
        refunds = [row for row in peer.store.of("refund") if row["payment_intent"] == intent["id"] and row["status"] != "failed"]
        done = Movement.objects.filter(payment=payment, kind=MovementKind.REFUND, state__in=("done", "sent"))
        assert sum(row["amount"] for row in refunds) == sum(done.values_list("amount", flat=True)) * scale, payment.pk
