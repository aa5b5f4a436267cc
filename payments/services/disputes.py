"""Disputes: the payer's bank takes money back until it has decided. Only the part of the mentor that is concerned waits."""

from __future__ import annotations

from django.utils import timezone

from core.events import publish
from core.money import Money
from payments.enums import AccountKind, DisputeState, LedgerKind
from payments.events import DisputeDecided, PaymentDisputedByPayer
from payments.models import Dispute, Payment
from payments.providers.base import Booking, ProviderDispute
from payments.services.causes import cause_of
from payments.services.earning import open_entitlement
from payments.services.ledger import Posting, balances_of_payment, book
from payments.services.recovering import plan_recovery
from payments.services.splitting import parts_of_next_return


def apply_dispute(payment: Payment, told: ProviderDispute) -> None:
    """Take into account what the provider says of a dispute. Needs the lock of the payment. An inquiry, for which nothing was taken yet,
    changes nothing."""
    if told.taken is None:
        return
    dispute = Dispute.objects.filter(provider_id=told.id).first() or _open(payment, told, told.taken)
    if dispute.state != DisputeState.OPEN or told.is_open:
        return
    if not told.is_won:
        _lose(payment, dispute)
    elif told.given_back is not None:
        _win(payment, dispute, told.given_back)


def _open(payment: Payment, told: ProviderDispute, taken: Booking) -> Dispute:
    dispute = Dispute(
        payment=payment,
        provider_id=told.id,
        amount=told.amount.amount,
        currency=payment.currency,
        counted_amount=min(told.amount, payment.returnable).amount,
        reason=told.reason,
        opened_at=told.created_at,
        evidence_due_at=told.evidence_due_at,
    )
    book(
        kind=LedgerKind.DISPUTE_OPENED,
        cause=cause_of(told.id),
        postings=(
            Posting(AccountKind.DISPUTE, -taken.amount),
            Posting(AccountKind.PLATFORM, taken.fee),
            Posting(AccountKind.PROVIDER, taken.net),
        ),
        payment=payment,
        provider_record=taken.record,
    )
    part = parts_of_next_return(payment, Money(dispute.counted_amount, payment.currency)).payee
    if payment.released_at:
        # What has gone out cannot wait any more.
        part = max(Money.zero(payment.currency), min(part, open_entitlement(payment)))
    else:
        part = min(part, -balances_of_payment(payment).get(AccountKind.PENDING, Money.zero(payment.currency)))
    dispute.frozen_amount = part.amount
    dispute.save()
    book(
        kind=LedgerKind.DISPUTE_FROZEN,
        cause=dispute.pk,
        postings=(Posting(_account(payment), part, payment.payee_id), Posting(AccountKind.FROZEN, -part, payment.payee_id)),
        payment=payment,
    )
    publish(PaymentDisputedByPayer(payment.pk, payment.subject_id, dispute.pk))
    return dispute


def _win(payment: Payment, dispute: Dispute, given_back: Booking) -> None:
    book(
        kind=LedgerKind.DISPUTE_WON,
        cause=dispute.pk,
        postings=(
            Posting(AccountKind.PROVIDER, given_back.net),
            Posting(AccountKind.PLATFORM, given_back.fee),
            Posting(AccountKind.DISPUTE, -given_back.amount),
        ),
        payment=payment,
        provider_record=given_back.record,
    )
    part = Money(dispute.frozen_amount, payment.currency)
    book(
        kind=LedgerKind.DISPUTE_THAWED,
        cause=dispute.pk,
        postings=(Posting(AccountKind.FROZEN, part, payment.payee_id), Posting(_account(payment), -part, payment.payee_id)),
        payment=payment,
    )
    _decide(payment, dispute, DisputeState.WON)


def _lose(payment: Payment, dispute: Dispute) -> None:
    """Everybody bears their part; what was paid back beside the dispute, and so twice, is borne by the platform."""
    counted = min(Money(dispute.counted_amount, payment.currency), payment.returnable)
    parts = parts_of_next_return(payment, counted)
    frozen = Money(dispute.frozen_amount, payment.currency)
    book(
        kind=LedgerKind.DISPUTE_LOST,
        cause=dispute.pk,
        postings=(
            Posting(AccountKind.DISPUTE, -dispute.money),
            Posting(AccountKind.FROZEN, frozen, payment.payee_id),
            Posting(_account(payment), parts.payee - frozen, payment.payee_id),
            Posting(AccountKind.FEE, parts.fee),
            Posting(AccountKind.TAX, parts.tax),
            Posting(AccountKind.PLATFORM, dispute.money - counted),
        ),
        payment=payment,
    )
    payment.returned_amount += counted.amount
    payment.save()
    _decide(payment, dispute, DisputeState.LOST)
    plan_recovery(payment)


def _decide(payment: Payment, dispute: Dispute, state: DisputeState) -> None:
    dispute.state, dispute.decided_at = state, timezone.now()
    dispute.save()
    publish(DisputeDecided(payment.pk, payment.subject_id, dispute.pk, state.value))


def _account(payment: Payment) -> AccountKind:
    return AccountKind.AVAILABLE if payment.released_at else AccountKind.PENDING
