"""The gateway: every call to an engine goes through here, leaves a usage row, keeps its budget and ends within its time."""

from __future__ import annotations

import dataclasses
import time
import uuid
from collections.abc import Callable, Sequence
from typing import TypeVar

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils import timezone

from accounts.enums import ConsentPurpose
from accounts.services.consents import require_consent
from ai.enums import Engine, Operation, Outcome
from ai.errors import BudgetExceeded, EngineError, InputTooLong
from ai.models import DailyBudget, Usage
from ai.providers.base import (
    Candidate,
    CandidateFinder,
    ConversationEngine,
    EmbeddingEngine,
    Embeddings,
    Mention,
    Reading,
    Turn,
)
from ai.providers.embedded import MiniLm, NeighbourReader, minilm
from ai.providers.openai import OpenAiEmbeddings, OpenAiReader

logger = structlog.get_logger(__name__)

_CHARACTERS_PER_TOKEN = 4
# What a person must have agreed to before their words go to an engine, by the app that asks.
_CONSENTS = {"profiling": ConsentPurpose.AI_PROFILING}
_READING_OVERHEAD_TOKENS = 1_500
Result = TypeVar("Result", Embeddings, Reading)

__all__ = ("Candidate", "CandidateFinder", "Embeddings", "Mention", "Reading", "Turn", "TurnResult", "converse", "embed", "embedding_model")


@dataclasses.dataclass(frozen=True)
class TurnResult:
    """What was read out of an answer, by which engine, and why another one had to stand in, if so."""

    mentions: tuple[Mention, ...]
    engine: str
    model: str
    degraded_because: str = ""


def embedding_model() -> str:
    """The id of the model whose vectors are stored and compared now."""
    return MiniLm.model if settings.AI_EMBEDDING_ENGINE == Engine.EMBEDDED else OpenAiEmbeddings().model


def embed(*, texts: Sequence[str], purpose: str, user_id: uuid.UUID | None = None) -> Embeddings:
    """Unit vectors of 384 numbers for each text. Vectors of another model are never mixed in, so there is no stand-in engine.

    Raises:
        ConsentRequired: the person has not agreed to what `purpose` is for.
        EngineError: the engine in force did not answer within its time, or the budget is used up.
        InputTooLong: the texts together exceed what one call may carry.
    """
    _require_consent(purpose, user_id)
    if not texts:
        return Embeddings(vectors=[], model=embedding_model())
    engine: EmbeddingEngine = minilm() if settings.AI_EMBEDDING_ENGINE == Engine.EMBEDDED else OpenAiEmbeddings()
    call = _Call(Operation.EMBED, settings.AI_EMBEDDING_ENGINE, engine.model, purpose, user_id)
    return _metered(call, sum(len(text) for text in texts) // _CHARACTERS_PER_TOKEN + 1, lambda: engine.embed(texts))


def converse(*, turn: Turn, purpose: str, user_id: uuid.UUID | None = None) -> TurnResult:
    """Read one answer of an interview. If the engine in force fails or is over budget, the embedded one stands in and the result says so.

    Raises:
        ConsentRequired: the person has not agreed to what `purpose` is for.
        InputTooLong: the answer exceeds `AI_MAX_INPUT_CHARACTERS`.
    """
    _require_consent(purpose, user_id)
    if len(turn.answer) > settings.AI_MAX_INPUT_CHARACTERS:
        raise InputTooLong
    because = ""
    if settings.AI_CONVERSATION_ENGINE == Engine.OPENAI:
        try:
            return _read_with(OpenAiReader(), Engine.OPENAI, turn, purpose, user_id)
        except EngineError as error:
            logger.warning("conversation engine failed, the embedded one stands in", outcome=error.outcome, purpose=purpose)
            because = str(error.outcome)
    result = _read_with(NeighbourReader(), Engine.EMBEDDED, turn, purpose, user_id)
    return dataclasses.replace(result, degraded_because=because)


def _require_consent(purpose: str, user_id: uuid.UUID | None) -> None:
    needed = _CONSENTS.get(purpose.partition(".")[0])
    if needed and user_id is not None:
        require_consent(user_id, needed)


def _read_with(reader: ConversationEngine, engine: Engine, turn: Turn, purpose: str, user_id: uuid.UUID | None) -> TurnResult:
    call = _Call(Operation.CONVERSE, engine, reader.model, purpose, user_id)
    estimate = len(turn.answer) // _CHARACTERS_PER_TOKEN + _READING_OVERHEAD_TOKENS
    reading = _metered(call, estimate, lambda: reader.read(turn))
    return TurnResult(mentions=reading.mentions, engine=engine, model=reading.model)


@dataclasses.dataclass(frozen=True)
class _Call:
    operation: Operation
    engine: str
    model: str
    purpose: str
    user_id: uuid.UUID | None


def _metered(call: _Call, estimate: int, ask: Callable[[], Result]) -> Result:
    """Reserve, ask, settle. Tokens of the embedded engine cost nothing and are not budgeted."""
    usage = Usage(user_id=call.user_id, purpose=call.purpose, operation=call.operation, engine=call.engine, model=call.model)
    started = time.perf_counter()
    reserved = 0
    try:
        if call.engine != Engine.EMBEDDED:
            _reserve(call.user_id, estimate)
            reserved = estimate
        result = ask()
    except EngineError as error:
        usage.outcome = error.outcome
        raise
    except Exception:
        usage.outcome = Outcome.FAILED
        raise
    else:
        usage.outcome = Outcome.OK
        usage.input_tokens = result.input_tokens
        if isinstance(result, Reading):
            usage.output_tokens = result.output_tokens
            usage.provider_request_id = result.provider_request_id
        return result
    finally:
        usage.duration_milliseconds = round((time.perf_counter() - started) * 1000)
        usage.save(force_insert=True)
        if reserved:
            _settle(call.user_id, usage.input_tokens + usage.output_tokens - reserved)


def _reserve(user_id: uuid.UUID | None, tokens: int) -> None:
    """Take tokens from today's budgets under their row locks, everybody's first, so that a burst cannot pass the limit together.

    Raises:
        BudgetExceeded
    """
    with transaction.atomic():
        for budget in _locked_budgets(user_id):
            if budget.tokens + tokens > budget.tokens_limit:
                raise BudgetExceeded
            budget.tokens += tokens
            budget.save(update_fields=["tokens", "updated_at"])


def _locked_budgets(user_id: uuid.UUID | None) -> list[DailyBudget]:
    today = timezone.now().date()
    owners: list[tuple[uuid.UUID | None, int]] = [(None, settings.AI_TOKENS_PER_DAY)]
    if user_id is not None:
        owners.append((user_id, settings.AI_TOKENS_PER_PERSON_PER_DAY))
    budgets = []
    for owner, limit in owners:
        DailyBudget.objects.bulk_create([DailyBudget(user_id=owner, day_on=today, tokens_limit=limit)], ignore_conflicts=True)
        budgets.append(DailyBudget.objects.select_for_update().get(user_id=owner, day_on=today))
    return budgets


def _settle(user_id: uuid.UUID | None, difference: int) -> None:
    """Correct a reservation to what was really used."""
    owners = [None] if user_id is None else [None, user_id]
    with transaction.atomic():
        for owner in owners:
            budget = DailyBudget.objects.filter(user_id=owner, day_on=timezone.now().date())
            budget.update(tokens=Greatest(F("tokens") + difference, 0))
