"""What every engine takes and gives: one typed result, whoever made it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Protocol


@dataclasses.dataclass(frozen=True)
class Embeddings:
    """Unit vectors of 384 numbers, in the order of the texts, and the id of the model that made them."""

    vectors: list[list[float]]
    model: str
    input_tokens: int = 0
    output_tokens: int = 0
    provider_request_id: str = ""


@dataclasses.dataclass(frozen=True)
class Candidate:
    """A term of the caller's vocabulary near to a clause; `similarity` is a cosine. `is_named`: the clause says it in so many words."""

    label: str
    similarity: float
    is_named: bool = False


# Clauses in, the candidates of each clause out, best first.
CandidateFinder = Callable[[Sequence[str]], list[list[Candidate]]]


@dataclasses.dataclass(frozen=True)
class Kind:
    """One kind of thing that an answer may tell.

    `description` explains it to a language model. `find` is the caller's vocabulary of the kind, for engines that compare; without one
    a mention is the sentence in the person's own words. `negation_cancels` is false where "no travel" is a mention and not its denial.
    `reads_whole_sentences` where a clause alone misleads: "Saturdays and Sundays" are the weekend.
    """

    name: str
    description: str
    find: CandidateFinder | None = None
    negation_cancels: bool = True
    reads_whole_sentences: bool = False


# Sentences in, for each the names of the kinds that it may tell out.
Router = Callable[[Sequence[str]], list[frozenset[str]]]


@dataclasses.dataclass(frozen=True)
class Turn:
    """One answer of an interview, and what to read out of it: all that it tells, of whatever kind was asked for."""

    question: str
    answer: str
    kinds: tuple[Kind, ...]
    route: Router


@dataclasses.dataclass(frozen=True)
class Mention:
    """Something the answer says, or with `is_denied` says is not so. `quote` is a passage of the answer, word for word; `confidence` is
    the engine's own estimate that a person would agree, 0..1; `alternatives` are what else may be meant, likeliest first."""

    kind: str
    label: str
    quote: str
    confidence: float
    alternatives: tuple[str, ...] = ()
    is_denied: bool = False


@dataclasses.dataclass(frozen=True)
class Reading:
    """What an engine read out of a turn. `prompt` names the versioned instructions that it was given, empty where it takes none."""

    mentions: tuple[Mention, ...]
    model: str
    prompt: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    provider_request_id: str = ""


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What moderation says about a text: the categories that it falls under."""

    categories: tuple[str, ...]
    model: str
    input_tokens: int = 0
    output_tokens: int = 0
    provider_request_id: str = ""


@dataclasses.dataclass(frozen=True)
class Transcript:
    """What was heard. `confidence` is 0..1; `unclear` names words that may be wrong; `hint` says why there is nothing, or a doubt."""

    text: str
    language: str
    confidence: float
    model: str
    unclear: tuple[str, ...] = ()
    hint: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    provider_request_id: str = ""


@dataclasses.dataclass(frozen=True)
class Speech:
    """Spoken words: the bytes of a file of `audio_format`. `text` is what is said, word for word."""

    text: str
    audio: bytes
    audio_format: str
    model: str
    input_tokens: int = 0
    output_tokens: int = 0
    provider_request_id: str = ""


class Listener(Protocol):
    """Raises EngineError and nothing else. `samples` are 16-bit, 16 kHz, one channel."""

    @property
    def model(self) -> str: ...

    def transcribe(self, samples: bytes) -> Transcript: ...


class Speaker(Protocol):
    """Raises EngineError and nothing else. `rate` is 0.5 to 2, 1 is the voice's own pace."""

    @property
    def model(self) -> str: ...

    def speak(self, text: str, *, audio_format: str, rate: float) -> Speech: ...


class EmbeddingEngine(Protocol):
    """Raises EngineError and nothing else."""

    @property
    def model(self) -> str: ...

    def embed(self, texts: Sequence[str]) -> Embeddings: ...


class ConversationEngine(Protocol):
    """Raises EngineError and nothing else. `prompt_id` names the versioned instructions that it gives to a model, if any."""

    @property
    def model(self) -> str: ...

    @property
    def prompt_id(self) -> str: ...

    def read(self, turn: Turn) -> Reading: ...
