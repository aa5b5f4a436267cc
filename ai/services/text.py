"""The gateway for text: every call to an engine goes through here, leaves a usage row, keeps its budget and ends within its time."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Sequence

import structlog
from django.conf import settings

from ai.enums import Engine, Operation, Outcome
from ai.errors import EngineError, InputTooLong
from ai.providers.base import (
    Candidate,
    CandidateFinder,
    ConversationEngine,
    Embeddings,
    Kind,
    Mention,
    Reading,
    Router,
    Turn,
)
from ai.providers.embedded import NeighbourReader
from ai.providers.openai import OpenAiModerator, OpenAiReader
from ai.services.checking import checked
from ai.services.metering import Call, metered
from ai.services.spaces import embedding_model, engine_for

logger = structlog.get_logger(__name__)

_CHARACTERS_PER_TOKEN = 4
_READING_OVERHEAD_TOKENS = 1_500

__all__ = (
    "Candidate",
    "CandidateFinder",
    "Embeddings",
    "Kind",
    "Mention",
    "Reading",
    "Router",
    "Turn",
    "TurnResult",
    "converse",
    "embed",
    "embedding_model",
)


@dataclasses.dataclass(frozen=True)
class TurnResult:
    """What was read out of an answer, by which engine, and why another one had to stand in, if so."""

    mentions: tuple[Mention, ...]
    engine: str
    model: str
    prompt: str = ""
    degraded_because: str = ""
    # What moderation found in the answer; such an answer is not given to an outside model.
    flags: tuple[str, ...] = ()


def embed(*, texts: Sequence[str], purpose: str, user_id: uuid.UUID | None = None, model: str = "") -> Embeddings:
    """Unit vectors of 384 numbers for each text, by `model` or else the one in force. Vectors of another model are never mixed in, so
    there is no stand-in engine.

    Raises:
        ConsentRequired: the person has not agreed to what `purpose` is for.
        EngineError: the engine did not answer within its time, or the budget is used up.
        InputTooLong: the texts together exceed what one call may carry.
    """
    model = model or embedding_model()
    if not texts:
        return Embeddings(vectors=[], model=model)
    engine, embedder = engine_for(model)
    call = Call(Operation.EMBED, engine, model, purpose, user_id)
    return metered(call, sum(len(text) for text in texts) // _CHARACTERS_PER_TOKEN + 1, lambda: embedder.embed(texts))


def converse(*, turn: Turn, purpose: str, user_id: uuid.UUID | None = None) -> TurnResult:
    """Read one answer of an interview. If the engine in force fails or is over budget, the embedded one stands in and the result says so.

    Raises:
        ConsentRequired: the person has not agreed to what `purpose` is for.
        InputTooLong: the answer exceeds `AI_MAX_INPUT_CHARACTERS`.
    """
    if len(turn.answer) > settings.AI_MAX_INPUT_CHARACTERS:
        raise InputTooLong
    if settings.AI_CONVERSATION_ENGINE != Engine.OPENAI:
        return _read_with(NeighbourReader(), Engine.EMBEDDED, turn, purpose, user_id)
    flags: tuple[str, ...] = ()
    try:
        flags = _moderated(turn.answer, purpose, user_id)
        if not flags:
            return _read_with(OpenAiReader(), Engine.OPENAI, turn, purpose, user_id)
        because = str(Outcome.MODERATED)
    except EngineError as error:
        logger.warning("conversation engine failed, the embedded one stands in", outcome=error.outcome, purpose=purpose)
        because = str(error.outcome)
    result = _read_with(NeighbourReader(), Engine.EMBEDDED, turn, purpose, user_id)
    return dataclasses.replace(result, degraded_because=because, flags=flags)


def _moderated(text: str, purpose: str, user_id: uuid.UUID | None) -> tuple[str, ...]:
    """The categories of content that an outside model is not to be given; none where the endpoint has no moderation."""
    if not settings.OPENAI_MODERATION_MODEL:
        return ()
    moderator = OpenAiModerator()
    call = Call(Operation.MODERATE, Engine.OPENAI, moderator.model, purpose, user_id)
    return metered(call, 0, lambda: moderator.check(text)).categories


def _read_with(reader: ConversationEngine, engine: Engine, turn: Turn, purpose: str, user_id: uuid.UUID | None) -> TurnResult:
    call = Call(Operation.CONVERSE, engine, reader.model, purpose, user_id, reader.prompt_id)
    estimate = len(turn.answer) // _CHARACTERS_PER_TOKEN + _READING_OVERHEAD_TOKENS
    reading = metered(call, estimate, lambda: reader.read(turn))
    mentions = checked(reading.mentions, turn, is_outside=engine != Engine.EMBEDDED)
    return TurnResult(mentions=mentions, engine=engine, model=reading.model, prompt=reading.prompt)
