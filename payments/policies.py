"""Small questions with a yes or a no."""

from __future__ import annotations

from accounts.models import User
from accounts.policies import is_minor
from payments.enums import PaymentState
from payments.models import Payment


def can_see_receipt(user: User, payment: Payment) -> bool:
    """Who paid, once something was paid."""
    return payment.payer_id == user.pk and payment.state == PaymentState.CAPTURED and not payment.is_free


def can_earn(user: User) -> bool:
    """Adults who are present."""
    return user.is_active and not is_minor(user)
