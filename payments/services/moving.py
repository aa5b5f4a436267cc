"""The queue of what the provider is asked to do. A movement stands in its row before anybody asks. Whoever asks says so in the row first,
then asks with the movement's key while holding its payment: so it is done once however often a worker dies, and what has no attempts was
never asked.

`carry_out` does one movement; `due_movements` are those that wait. The bell only makes it quick.
"""

from __future__ import annotations

import dataclasses
import datetime
import uuid
from collections.abc import Callable

import structlog
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from core.bell import ring_for
from core.events import publish
from core.models import new_id
from core.money import Money
from payments.enums import MovementKind, MovementState
from payments.errors import NotAMovement, ProviderAway, ProviderRefused
from payments.events import MovementStuck
from payments.models import Movement, Payment

logger = structlog.get_logger(__name__)

_TASK = "payments.tasks.move"
_FIRST_RETRY = datetime.timedelta(seconds=5)
_LONGEST_RETRY = datetime.timedelta(hours=1)
# Stripe forgets idempotency keys after a day at the earliest; what could not be asked for so long is looked at by a person first.
_GIVEN_UP_AFTER = datetime.timedelta(hours=20)
_TRIABLE = (MovementState.STUCK, MovementState.FAILED)


@dataclasses.dataclass(frozen=True)
class Carrier:
    """What is done for a kind of movement, each with its payment held. `is_right` says, before the first attempt, whether it is still
    wanted; `ask` calls the provider, books and settles; `lose` settles what the provider refused."""

    ask: Callable[[Movement, Payment | None], None]
    lose: Callable[[Movement, Payment | None], None]
    is_right: Callable[[Movement, Payment | None], bool] = lambda movement, payment: True


_carriers: dict[MovementKind, Carrier] = {}


def register_carrier(kind: MovementKind, carrier: Carrier) -> None:
    """Say how movements of a kind are carried out."""
    _carriers[kind] = carrier


def plan_movement(
    *,
    kind: MovementKind,
    money: Money,
    payment: Payment | None = None,
    person_id: uuid.UUID | None = None,
    reverses: Movement | None = None,
    reason: str = "",
    requested_by: User | None = None,
    note: str = "",
) -> Movement:
    """Put a movement into the queue, in the open transaction."""
    key = new_id()
    movement = Movement.objects.create(
        id=key,
        kind=kind,
        payment=payment,
        person_id=person_id,
        reverses=reverses,
        amount=money.amount,
        currency=money.currency,
        reason=reason,
        requested_by=requested_by,
        note=note[:500],
        key=f"{kind}-{key}",
    )
    transaction.on_commit(lambda: ring_for(_TASK, str(key)))
    return movement


def carry_out(*, movement_id: uuid.UUID) -> MovementState:
    """Ask the provider, unless that is settled. Safe to call any number of times, from any number of workers. Returns how it stands."""
    if not _announce(movement_id):
        return MovementState(Movement.objects.values_list("state", flat=True).get(pk=movement_id))
    try:
        with transaction.atomic():
            movement, payment = _held(movement_id)
            carrier = _carriers[MovementKind(movement.kind)]
            if movement.state == MovementState.PLANNED:
                try:
                    with transaction.atomic():
                        carrier.ask(movement, payment)
                except ProviderRefused as refusal:
                    movement.failure_code = str(refusal.data["reason"])[:80]
                    carrier.lose(movement, payment)
            return MovementState(movement.state)
    except ProviderAway:
        logger.warning("payment provider away", movement=str(movement_id))
        return _put_off(movement_id, "provider_away")
    except Exception:
        # A fault of ours, for a person to see: the others have their turn first.
        _put_off(movement_id, "fault")
        raise


def settle(movement: Movement, state: MovementState, *, provider_id: str = "") -> None:
    """Write down how a movement stands. Needs its lock."""
    movement.state = state
    movement.provider_id = provider_id or movement.provider_id
    movement.done_at = timezone.now() if state in (MovementState.DONE, MovementState.FAILED) else None
    movement.save()
    if state == MovementState.STUCK:
        publish(MovementStuck(movement.pk))


def due_movements(*, limit: int) -> list[uuid.UUID]:
    """What waits for its turn, the longest first."""
    rows = Movement.objects.filter(state=MovementState.PLANNED, due_at__lte=timezone.now())
    return list(rows.order_by("due_at").values_list("pk", flat=True)[:limit])


def try_again(*, movement: Movement, staff: User, note: str) -> None:
    """Staff let a movement be tried anew, under a new key: the provider refused it, or nobody knows what became of it.

    Raises:
        NotAMovement: it is neither stuck nor failed.
    """
    with transaction.atomic():
        row, _ = _held(movement.pk)
        if row.state not in _TRIABLE or row.kind in (MovementKind.CANCEL, MovementKind.CAPTURE):
            raise NotAMovement
        row.state, row.due_at, row.planned_at, row.attempts = MovementState.PLANNED, timezone.now(), timezone.now(), 0
        row.key, row.provider_id, row.done_at = f"{row.kind}-{new_id()}", "", None
        row.note, row.requested_by = note[:500], staff
        row.save()
        transaction.on_commit(lambda: ring_for(_TASK, str(row.pk)))


def _announce(movement_id: uuid.UUID) -> bool:
    """Say in the row that the provider will now be asked. False if it will not."""
    with transaction.atomic():
        movement, payment = _held(movement_id)
        if movement.state != MovementState.PLANNED:
            return False
        if not movement.attempts and not _carriers[MovementKind(movement.kind)].is_right(movement, payment):
            movement.failure_code = "superseded"
            settle(movement, MovementState.FAILED)
            return False
        movement.attempts += 1
        movement.save(update_fields=("attempts", "updated_at"))
    return True


def _held(movement_id: uuid.UUID) -> tuple[Movement, Payment | None]:
    """A movement and its payment, which nobody else changes until the open transaction ends; the payment is held first, by everybody."""
    payment_id = Movement.objects.values_list("payment_id", flat=True).get(pk=movement_id)
    payment = None if payment_id is None else Payment.objects.select_for_update().get(pk=payment_id)
    return Movement.objects.select_for_update().get(pk=movement_id), payment


def _put_off(movement_id: uuid.UUID, because: str) -> MovementState:
    """It did not go: later, and after most of a day a person looks at it."""
    with transaction.atomic():
        movement, _ = _held(movement_id)
        if movement.state == MovementState.PLANNED:
            now = timezone.now()
            if now - movement.planned_at > _GIVEN_UP_AFTER:
                movement.failure_code = because
                settle(movement, MovementState.STUCK)
            else:
                movement.due_at = now + min(_FIRST_RETRY * 2 ** min(movement.attempts, 12), _LONGEST_RETRY)
                movement.save(update_fields=("due_at", "updated_at"))
        return MovementState(movement.state)
