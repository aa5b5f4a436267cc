"""From mentors' accounts at the provider to their banks, by our hand: the accounts are kept on manual payouts, so that what has to be taken
back soon after a transfer can be."""

from __future__ import annotations

import datetime
import uuid

from django.db import IntegrityError, transaction
from django.utils import timezone

from core.events import publish
from core.money import Money
from payments.enums import MovementKind, MovementState
from payments.errors import ProviderAway, ProviderRefused
from payments.events import PaidOut
from payments.models import Movement, Payment, PayoutAccount
from payments.providers import stripe
from payments.providers.base import Outcome, Payout
from payments.services.moving import Carrier, plan_movement, register_carrier, settle

_STATES = {Outcome.UNDER_WAY: MovementState.SENT, Outcome.DONE: MovementState.DONE, Outcome.FAILED: MovementState.FAILED}


def plan_payouts(*, until: datetime.datetime) -> int:
    """Plan a payout for every account that has something to pay out. Returns how many were planned; stops at the instant given."""
    planned = 0
    accounts = PayoutAccount.objects.filter(can_pay_out=True, person__is_active=True).order_by("pk")
    for account in accounts.iterator():
        if timezone.now() >= until:
            break
        try:
            balances = stripe.payable_balances(account.provider_id)
        except (ProviderAway, ProviderRefused):
            continue
        planned += sum(_plan(account, money) for money in balances)
    return planned


def look_at_payout(*, provider_id: str) -> None:
    """Ask the provider what became of a payout. Nothing happens for one that is none of ours."""
    with transaction.atomic():
        movement = Movement.objects.select_for_update().filter(kind=MovementKind.PAYOUT, provider_id=provider_id).first()
        if movement is not None:
            account = PayoutAccount.objects.get(person=movement.person_id)
            _apply(movement, stripe.read_payout(provider_id, account_id=account.provider_id))


def _plan(account: PayoutAccount, money: Money) -> int:
    try:
        with transaction.atomic():
            plan_movement(kind=MovementKind.PAYOUT, money=money, person_id=account.person_id)
    except IntegrityError:
        # One is under way already.
        return 0
    return 1


def _apply(movement: Movement, payout: Payout) -> None:
    movement.failure_code = payout.failure_code[:80]
    settle(movement, _STATES[payout.outcome], provider_id=payout.id)


def _ask(movement: Movement, payment: Payment | None) -> None:
    account = PayoutAccount.objects.get(person=movement.person_id)
    payout = stripe.pay_out(money=movement.money, account_id=account.provider_id, movement_id=str(movement.pk), key=movement.key)
    _apply(movement, payout)
    publish(PaidOut(_mentor(movement), movement.pk))


def _mentor(movement: Movement) -> uuid.UUID:
    assert movement.person_id is not None  # by a constraint
    return movement.person_id


def _lose(movement: Movement, payment: Payment | None) -> None:
    """The balance has changed meanwhile. The next run plans anew."""
    settle(movement, MovementState.FAILED)


register_carrier(MovementKind.PAYOUT, Carrier(_ask, _lose))
