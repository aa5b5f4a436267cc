"""The gateway for text: every call to an engine goes through here, leaves a usage row, keeps its budget and ends within its time."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Sequence

import structlog
from django.conf import settings

from ai.enums import Engine, Operation
from ai.errors import EngineError, InputTooLong
from ai.providers.base import Candidate, CandidateFinder, ConversationEngine, EmbeddingEngine, Embeddings, Mention, Reading, Turn
from ai.providers.embedded import MiniLm, NeighbourReader, minilm
from ai.providers.openai import OpenAiEmbeddings, OpenAiReader
from ai.services.metering import Call, metered

logger = structlog.get_logger(__name__)

_CHARACTERS_PER_TOKEN = 4
_READING_OVERHEAD_TOKENS = 1_500

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
    if not texts:
        return Embeddings(vectors=[], model=embedding_model())
    engine: EmbeddingEngine = minilm() if settings.AI_EMBEDDING_ENGINE == Engine.EMBEDDED else OpenAiEmbeddings()
    call = Call(Operation.EMBED, settings.AI_EMBEDDING_ENGINE, engine.model, purpose, user_id)
    return metered(call, sum(len(text) for text in texts) // _CHARACTERS_PER_TOKEN + 1, lambda: engine.embed(texts))


def converse(*, turn: Turn, purpose: str, user_id: uuid.UUID | None = None) -> TurnResult:
    """Read one answer of an interview. If the engine in force fails or is over budget, the embedded one stands in and the result says so.

    Raises:
        ConsentRequired: the person has not agreed to what `purpose` is for.
        InputTooLong: the answer exceeds `AI_MAX_INPUT_CHARACTERS`.
    """
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


def _read_with(reader: ConversationEngine, engine: Engine, turn: Turn, purpose: str, user_id: uuid.UUID | None) -> TurnResult:
    call = Call(Operation.CONVERSE, engine, reader.model, purpose, user_id)
    estimate = len(turn.answer) // _CHARACTERS_PER_TOKEN + _READING_OVERHEAD_TOKENS
    reading = metered(call, estimate, lambda: reader.read(turn))
    return TurnResult(mentions=reading.mentions, engine=engine, model=reading.model)
