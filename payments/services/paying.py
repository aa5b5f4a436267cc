"""From the agreement to pay up to the money: opening, asking the payer, taking, calling off."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Callable

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone

from accounts.models import User
from accounts.policies import can_pay
from core.errors import FieldError
from core.events import publish
from core.money import Money
from payments.enums import LIVE_STATES, CaptureMode, MovementKind, PaymentState, RefundReason
from payments.errors import (
    AlreadyPaid,
    IllegalPaymentMove,
    InvalidAmount,
    MayNotPay,
    NothingToPay,
    NothingToPayFor,
    PaymentExists,
)
from payments.events import PaymentCancelled, PaymentSucceeded
from payments.models import Movement, Payment
from payments.providers import stripe
from payments.providers.amounts import is_chargeable
from payments.providers.base import IntentStatus
from payments.services.moving import plan_movement
from payments.services.refunding import refund_payment


@dataclasses.dataclass(frozen=True)
class Tax:
    """Tax that is contained in the amount, as it is shown on the receipt: "VAT", 1900 basis points."""

    name: str
    basis_points: int
    amount: Money


@dataclasses.dataclass(frozen=True)
class PaymentPolicy:
    """The terms of a sale. What is not given is what the settings say on the day of the sale."""

    capture_mode: CaptureMode = CaptureMode.AUTOMATIC
    fee_basis_points: int = dataclasses.field(default_factory=lambda: settings.PLATFORM_FEE_BASIS_POINTS)
    window_days: int = dataclasses.field(default_factory=lambda: settings.DISPUTE_WINDOW_DAYS)


@dataclasses.dataclass(frozen=True)
class Started:
    """A payment that the payer can now agree to, with the secret for it."""

    payment: Payment
    client_secret: str


def open_payment(
    *, subject_id: uuid.UUID, payer: User, payee: User, money: Money, policy: PaymentPolicy, description: str, tax: Tax | None = None
) -> Payment:
    """Open a payment for something; nothing is asked of the payer yet. Called again on the same terms it gives the same payment, and after
    one that was called off a new attempt. A payment over nothing has succeeded at once. The description stays in the books when people
    go, so it names nobody; receipts say who paid whom.

    Raises:
        InvalidAmount: negative, more than the provider takes, less than it takes, or no multiple of what can be paid.
        MayNotPay: the payer is under 18, and it costs something.
        PaymentExists: there is one on other terms.
    """
    if money and not can_pay(payer):
        raise MayNotPay
    if money.amount < 0 or (money and not is_chargeable(money)):
        raise InvalidAmount(errors=(FieldError("amount", "invalid_amount", InvalidAmount.message),))
    terms = {
        "payer": payer,
        "payee": payee,
        "amount": money.amount,
        "currency": money.currency,
        "fee_amount": _fee(money, tax, policy.fee_basis_points).amount,
        "tax_amount": tax.amount.amount if tax else 0,
        "tax_name": tax.name if tax else "",
        "tax_basis_points": tax.basis_points if tax else 0,
        "capture_mode": policy.capture_mode,
        "window_days": policy.window_days,
        "description": description,
    }
    try:
        with transaction.atomic():
            payment = _live_payment(subject_id) or _created(subject_id, terms)
    except IntegrityError:
        # Somebody else opened it at the same moment.
        payment = _live_payment(subject_id)  # type: ignore[assignment]  # it is what the index found
    if payment is None or any(getattr(payment, name) != value for name, value in terms.items()):
        raise PaymentExists
    return payment


Resolver = Callable[[User, uuid.UUID], Payment | None]
_resolvers: list[Resolver] = []


def register_resolver(resolver: Resolver) -> None:
    """Let an app that sells find the payment of something it sold by the id that its clients know. The resolver returns None for what it
    did not sell to this person, and raises a coded error where nothing may be paid any more."""
    _resolvers.append(resolver)


def payment_for(*, payer: User, subject_id: uuid.UUID) -> Payment:
    """The payment that this person is to make for something.

    Raises:
        NothingToPayFor: there is none, or somebody else is to make it.
        Conflict: whoever sold it waits for no payment.
        NothingToPay, IllegalPaymentMove, AlreadyPaid: as `start_payment` does.
    """
    known = (payment for resolver in _resolvers if (payment := resolver(payer, subject_id)) is not None)
    newest = Payment.objects.filter(payer=payer, subject_id=subject_id).order_by("-attempt")
    payment = next(known, None) or newest.first()
    if payment is None or payment.payer_id != payer.pk:
        raise NothingToPayFor
    _require_startable(payment)
    return payment


def start_payment(*, payment_id: uuid.UUID) -> Started:
    """Make the agreement to pay at the provider, or find the one that was made and that the payer has not agreed to yet.

    Raises:
        NothingToPay: the payment is over nothing.
        IllegalPaymentMove: it was called off.
        AlreadyPaid: the payer has agreed to it already.
        ProviderAway: try again.
    """
    with transaction.atomic():
        payment = locked_payment(payment_id)
        _require_startable(payment)
        if payment.provider_id:
            intent = stripe.read_intent(payment.provider_id)
            if intent.status != IntentStatus.NEEDS_PAYER:
                raise AlreadyPaid
            return Started(payment, intent.client_secret)
        intent = stripe.create_intent(
            money=payment.money,
            mode=CaptureMode(payment.capture_mode),
            payment_id=str(payment.pk),
            subject_id=str(payment.subject_id),
            description=payment.description,
            # Of what is paid and of how often it was tried, so that no retry of anybody makes a second one.
            key=f"pay-{payment.subject_id}-{payment.attempt}",
        )
        payment.provider_id, payment.state, payment.looked_at = intent.id, PaymentState.WAITING, timezone.now()
        payment.save()
    return Started(payment, intent.client_secret)


def _require_startable(payment: Payment) -> None:
    if payment.is_free:
        raise NothingToPay
    if payment.state == PaymentState.CANCELLED or payment.is_unwanted:
        raise IllegalPaymentMove
    if payment.state not in (PaymentState.OPEN, PaymentState.WAITING):
        raise AlreadyPaid


def capture_payment(*, payment_id: uuid.UUID, money: Money | None = None) -> Movement:
    """Take what is reserved, or less of it and let the rest go. It is taken soon; `PaymentSucceeded` tells when.

    Raises:
        IllegalPaymentMove: nothing is reserved, or it is being called off.
        InvalidAmount: more than is reserved, or nothing.
    """
    with transaction.atomic():
        payment = locked_payment(payment_id)
        taken = payment.money if money is None else money
        if payment.state != PaymentState.AUTHORISED or payment.is_unwanted:
            raise IllegalPaymentMove
        if not is_chargeable(taken) or taken > payment.money:
            raise InvalidAmount(errors=(FieldError("amount", "invalid_amount", InvalidAmount.message),))
        waiting = Movement.objects.filter(payment=payment, kind=MovementKind.CAPTURE, state="planned").first()
        if waiting is not None:
            return waiting
        return plan_movement(kind=MovementKind.CAPTURE, money=taken, payment=payment)


def cancel_payment(*, payment_id: uuid.UUID) -> None:
    """Call a payment off before it is taken; called again it does nothing. Whatever the payer's bank takes all the same, because it was
    quicker, is paid back in full.

    Raises:
        IllegalPaymentMove: it was taken already. Refund it.
    """
    with transaction.atomic():
        payment = locked_payment(payment_id)
        if payment.state == PaymentState.CAPTURED and not payment.is_unwanted:
            raise IllegalPaymentMove
        if payment.is_unwanted or payment.state == PaymentState.CANCELLED:
            return
        payment.is_unwanted = True
        if payment.provider_id:
            payment.save()
            Movement.objects.filter(payment=payment, kind=MovementKind.CAPTURE, state="planned", attempts=0).update(
                state="failed", failure_code="called_off"
            )
            plan_movement(kind=MovementKind.CANCEL, money=Money.zero(payment.currency), payment=payment)
        else:
            mark_cancelled(payment)


def mark_cancelled(payment: Payment) -> None:
    """Nothing will be taken any more. Needs the lock of the payment."""
    payment.state, payment.cancelled_at = PaymentState.CANCELLED, timezone.now()
    payment.save()
    publish(PaymentCancelled(payment.pk, payment.subject_id))


def pay_back_unwanted(payment: Payment) -> None:
    """What was taken although the payment was called off goes back. Needs the lock of the payment."""
    if payment.is_unwanted and payment.returnable:
        refund_payment(payment_id=payment.pk, money=payment.returnable, reason=RefundReason.LATE_CAPTURE)


def locked_payment(payment_id: uuid.UUID) -> Payment:
    """The payment, which nobody else changes until the open transaction ends."""
    return Payment.objects.select_for_update().get(pk=payment_id)


def _live_payment(subject_id: uuid.UUID) -> Payment | None:
    return Payment.objects.filter(subject_id=subject_id, state__in=LIVE_STATES).select_related("payer", "payee").first()


def _created(subject_id: uuid.UUID, terms: dict[str, object]) -> Payment:
    last = Payment.objects.filter(subject_id=subject_id).aggregate(last=Max("attempt"))["last"] or 0
    payment = Payment(subject_id=subject_id, attempt=last + 1, **terms)
    if payment.is_free:
        payment.state, payment.captured_at = PaymentState.CAPTURED, timezone.now()
    payment.save(force_insert=True)
    if payment.is_free:
        publish(PaymentSucceeded(payment.pk, payment.subject_id))
    return payment


def _fee(money: Money, tax: Tax | None, basis_points: int) -> Money:
    """The platform's part of what is left without the tax."""
    return (money - tax.amount if tax else money).share(basis_points)
