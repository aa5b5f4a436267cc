"""What every call to an engine goes through: consent, a budget, a usage row."""

from __future__ import annotations

import dataclasses
import time
import uuid
from collections.abc import Callable
from typing import Protocol, TypeVar

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils import timezone

from accounts.enums import ConsentPurpose
from accounts.services.consents import require_consent
from ai.enums import Engine, Operation, Outcome
from ai.errors import BudgetExceeded, EngineError, EngineSwitchedOff
from ai.models import DailyBudget, EngineSwitch, Usage

# What a person must have agreed to before their words go to an engine, by the app that asks; and before their voice does, whoever asks.
_CONSENTS = {"profiling": ConsentPurpose.AI_PROFILING}


class Metered(Protocol):
    """What an engine answers: it knows what it cost."""

    @property
    def input_tokens(self) -> int: ...

    @property
    def output_tokens(self) -> int: ...

    @property
    def provider_request_id(self) -> str: ...


Result = TypeVar("Result", bound=Metered)


@dataclasses.dataclass(frozen=True)
class Call:
    operation: Operation
    engine: str
    model: str
    purpose: str
    user_id: uuid.UUID | None
    prompt: str = ""


def metered(call: Call, estimate: int, ask: Callable[[], Result]) -> Result:
    """Ask for consent, reserve, ask, settle. Tokens of the embedded engine cost nothing and are not budgeted.

    Raises:
        ConsentRequired: the person has not agreed to what this call is for.
        EngineError
    """
    _require_consent(call)
    usage = Usage(
        user_id=call.user_id, purpose=call.purpose, operation=call.operation, engine=call.engine, model=call.model, prompt=call.prompt
    )
    started = time.perf_counter()
    is_reserved = False
    try:
        if call.engine != Engine.EMBEDDED:
            _refuse_if_switched_off(call.engine)
            _reserve(call.user_id, estimate)
            is_reserved = True
        result = ask()
    except EngineError as error:
        usage.outcome = error.outcome
        raise
    except Exception:
        usage.outcome = Outcome.FAILED
        raise
    else:
        usage.outcome = Outcome.OK
        usage.input_tokens, usage.output_tokens = result.input_tokens, result.output_tokens
        usage.provider_request_id = result.provider_request_id
        return result
    finally:
        usage.duration_milliseconds = round((time.perf_counter() - started) * 1000)
        usage.save(force_insert=True)
        if is_reserved:
            _settle(call.user_id, usage.input_tokens + usage.output_tokens - estimate)


def _require_consent(call: Call) -> None:
    if call.user_id is None:
        return
    if call.operation == Operation.TRANSCRIBE:
        require_consent(call.user_id, ConsentPurpose.VOICE_PROCESSING)
    needed = _CONSENTS.get(call.purpose.partition(".")[0])
    if needed and call.operation != Operation.SPEAK:
        require_consent(call.user_id, needed)


def _refuse_if_switched_off(engine: str) -> None:
    if EngineSwitch.objects.filter(engine=engine, is_on=False).exists():
        raise EngineSwitchedOff


def _reserve(user_id: uuid.UUID | None, tokens: int) -> None:
    """Take a call and its tokens from today's budgets under their row locks, everybody's first, so that a burst cannot pass together.

    Raises:
        BudgetExceeded
    """
    with transaction.atomic():
        for budget in _locked_budgets(user_id):
            if budget.tokens + tokens > budget.tokens_limit or budget.calls >= budget.calls_limit:
                raise BudgetExceeded
            budget.tokens += tokens
            budget.calls += 1
            budget.save(update_fields=["tokens", "calls", "updated_at"])


def _locked_budgets(user_id: uuid.UUID | None) -> list[DailyBudget]:
    today = timezone.now().date()
    owners: list[tuple[uuid.UUID | None, int, int]] = [(None, settings.AI_TOKENS_PER_DAY, settings.AI_CALLS_PER_DAY)]
    if user_id is not None:
        owners.append((user_id, settings.AI_TOKENS_PER_PERSON_PER_DAY, settings.AI_CALLS_PER_PERSON_PER_DAY))
    budgets = []
    for owner, tokens, calls in owners:
        fresh = DailyBudget(user_id=owner, day_on=today, tokens_limit=tokens, calls_limit=calls)
        DailyBudget.objects.bulk_create([fresh], ignore_conflicts=True)
        budgets.append(DailyBudget.objects.select_for_update().get(user_id=owner, day_on=today))
    return budgets


def _settle(user_id: uuid.UUID | None, difference: int) -> None:
    """Correct a reservation to what was really used. A call that failed was made all the same and stays counted."""
    owners = [None] if user_id is None else [None, user_id]
    with transaction.atomic():
        for owner in owners:
            budget = DailyBudget.objects.filter(user_id=owner, day_on=timezone.now().date())
            budget.update(tokens=Greatest(F("tokens") + difference, 0))
