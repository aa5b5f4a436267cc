"""Any OpenAI-compatible endpoint through the vendor's SDK. The only file that imports it.

Built on what was measured of SDK 3.54: it obeys Retry-After for up to two minutes and retries time-outs, so it may not retry here;
a server that drips bytes resets its read time-out, so a deadline of our own stands around each call.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import hashlib
import json
import math
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Literal, TypeVar

import openai
import pydantic
from django.conf import settings

from ai.enums import HearingHint
from ai.errors import EngineError, EngineNonsense, EngineRateLimited, EngineTimeout
from ai.providers.audio import wav
from ai.providers.base import Embeddings, Mention, Reading, Speech, Transcript, Turn, Verdict
from ai.providers.prompts import Prompt, prompt
from ai.providers.redaction import Redacted, redact
from core.vectors import DIMENSIONS

_MAX_OUTPUT_TOKENS = 1_200
_BATCH = 128
_MAX_SPEECH_BYTES = 20_000_000
_MAX_ABANDONED_CALLS = 16
_MOST_ENTRIES = 24

Result = TypeVar("Result")
_calls = concurrent.futures.ThreadPoolExecutor(_MAX_ABANDONED_CALLS, thread_name_prefix="openai")


class _Entry(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid")
    label: str
    quote: str
    confidence: float
    denied: bool


@lru_cache(maxsize=16)
def _answer_form(kinds: tuple[str, ...]) -> type[pydantic.BaseModel]:
    """The schema that the model has to answer in: no other kinds than these."""
    closed = pydantic.ConfigDict(extra="forbid")
    # Types that exist only at run time, so a type checker cannot follow.
    entry = pydantic.create_model("Entry", __base__=_Entry, kind=(Literal[kinds], ...))  # type: ignore[arg-type]
    return pydantic.create_model("Entries", __config__=closed, entries=(list[entry], ...))  # type: ignore[valid-type]


@lru_cache(maxsize=4)
def _client(base_url: str, api_key: str, timeout: float) -> openai.OpenAI:
    return openai.OpenAI(base_url=base_url, api_key=api_key or "none", timeout=timeout, max_retries=0)


def client(base_url: str) -> openai.OpenAI:
    """The SDK's client for an endpoint, built at first use."""
    return _client(base_url, settings.OPENAI_API_KEY, settings.AI_TIMEOUT_SECONDS)


def _within_deadline(call: Callable[[], Result]) -> Result:
    """Run a call of the SDK for at most `AI_TIMEOUT_SECONDS` and translate what can go wrong."""
    try:
        return _calls.submit(call).result(timeout=settings.AI_TIMEOUT_SECONDS)
    except (openai.APITimeoutError, concurrent.futures.TimeoutError) as error:
        raise EngineTimeout from error
    except openai.RateLimitError as error:
        raise EngineRateLimited from error
    except (openai.LengthFinishReasonError, openai.ContentFilterFinishReasonError, openai.APIResponseValidationError) as error:
        raise EngineNonsense(str(error)[:200]) from error
    except (pydantic.ValidationError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise EngineNonsense("The answer does not have the form that was asked for.") from error
    except EngineError:
        raise
    except openai.OpenAIError as error:
        raise EngineError(str(error)[:200]) from error
    except (AttributeError, TypeError, KeyError, IndexError, ValueError) as error:
        # The SDK does not check a compatible server's answer before it reads it.
        raise EngineNonsense("The answer does not have the form that was asked for.") from error


class OpenAiEmbeddings:
    """`name` is the model as the endpoint knows it: the one in the settings, or the one that older vectors were made with."""

    prefix = "openai/"

    def __init__(self, name: str = "") -> None:
        self._name = name or str(settings.OPENAI_EMBEDDING_MODEL)

    @classmethod
    def of(cls, model: str) -> OpenAiEmbeddings:
        """The engine that made vectors of a stored model id."""
        return cls(model.removeprefix(cls.prefix).rpartition("/")[0])

    @property
    def model(self) -> str:
        return f"{self.prefix}{self._name}/{DIMENSIONS}"

    def embed(self, texts: Sequence[str]) -> Embeddings:
        vectors: list[list[float]] = []
        tokens = 0
        for start in range(0, len(texts), _BATCH):
            batch = [redact(text).text for text in texts[start : start + _BATCH]]
            answer = _within_deadline(
                lambda batch=batch: client(settings.OPENAI_EMBEDDING_BASE_URL).embeddings.create(**self._request(batch))
            )  # type: ignore[misc]
            vectors += [_unit(item.embedding) for item in sorted(answer.data or [], key=lambda item: item.index)]
            tokens += getattr(answer.usage, "prompt_tokens", 0) or 0
        if len(vectors) != len(texts):
            raise EngineNonsense(f"Asked for {len(texts)} vectors, got {len(vectors)}.")
        return Embeddings(vectors=vectors, model=self.model, input_tokens=tokens)

    def _request(self, batch: list[str]) -> dict[str, Any]:
        request: dict[str, Any] = {"model": self._name, "input": batch}
        if settings.OPENAI_EMBEDDING_TAKES_DIMENSIONS:
            request["dimensions"] = DIMENSIONS
        return request


def _unit(vector: Sequence[float]) -> list[float]:
    if len(vector) != DIMENSIONS:
        raise EngineNonsense(f"The endpoint answers vectors of {len(vector)} numbers; Soosh stores {DIMENSIONS}.")
    length = math.sqrt(sum(number * number for number in vector))
    if not math.isfinite(length) or length == 0:
        raise EngineNonsense("The endpoint answered a vector without a direction.")
    return [number / length for number in vector]


class OpenAiReader:
    @property
    def model(self) -> str:
        return str(settings.OPENAI_CHAT_MODEL)

    @property
    def prompt_id(self) -> str:
        return self._prompt.id

    @property
    def _prompt(self) -> Prompt:
        return prompt("read-answer")

    def read(self, turn: Turn) -> Reading:
        redacted = redact(turn.answer)
        sent = dataclasses.replace(turn, answer=redacted.text)
        answer = _within_deadline(lambda: self._stream(sent, time.monotonic() + settings.AI_TIMEOUT_SECONDS))
        choice = answer.choices[0] if answer.choices else None
        # A stream that is cut cleanly raises nothing; only the missing finish reason tells. No tool was offered, so none may be called.
        if choice is None or choice.finish_reason != "stop" or choice.message.parsed is None or choice.message.tool_calls:
            raise EngineNonsense("The answer was refused, cut off, or is not of the form that was asked for.")
        return Reading(
            mentions=tuple(_mention(entry, redacted) for entry in choice.message.parsed.entries[:_MOST_ENTRIES]),
            model=answer.model or self.model,
            prompt=self.prompt_id,
            input_tokens=getattr(answer.usage, "prompt_tokens", 0) or 0,
            output_tokens=getattr(answer.usage, "completion_tokens", 0) or 0,
            provider_request_id=str(getattr(answer, "id", "") or "")[:100],
        )

    def _stream(self, turn: Turn, deadline: float) -> Any:
        """The whole answer, streamed so that leaving at the deadline closes the connection."""
        with client(settings.OPENAI_BASE_URL).chat.completions.stream(**self._request(turn)) as stream:
            for _ in stream:
                if time.monotonic() > deadline:
                    raise EngineTimeout
            return stream.get_final_completion()

    def _request(self, turn: Turn) -> dict[str, Any]:
        # Nobody can write the line that ends the data without knowing the data.
        fence = "=" * 8 + hashlib.sha256(turn.answer.encode()).hexdigest()[:8]
        kinds = "\n".join(f"- {kind.name}: {kind.description}" for kind in turn.kinds)
        return {
            "model": settings.OPENAI_CHAT_MODEL,
            "response_format": _answer_form(tuple(kind.name for kind in turn.kinds)),
            "max_completion_tokens": _MAX_OUTPUT_TOKENS,
            "stream_options": {"include_usage": True},
            "messages": [
                {"role": "system", "content": self._prompt.text.format(kinds=kinds, fence=fence)},
                {"role": "user", "content": f"Question: {turn.question}\n{fence}\n{turn.answer}\n{fence}"},
            ],
        }


class OpenAiModerator:
    @property
    def model(self) -> str:
        return str(settings.OPENAI_MODERATION_MODEL)

    def check(self, text: str) -> Verdict:
        sent = redact(text).text
        answer = _within_deadline(lambda: client(settings.OPENAI_BASE_URL).moderations.create(model=self.model, input=sent))
        result = answer.results[0]
        found = [name for name, is_found in result.categories.model_dump(by_alias=True).items() if is_found] if result.flagged else []
        # The endpoint is free and counts no tokens.
        return Verdict(tuple(found), str(answer.model or self.model)[:100], provider_request_id=str(answer.id or "")[:100])


class OpenAiListener:
    @property
    def model(self) -> str:
        return str(settings.OPENAI_TRANSCRIPTION_MODEL)

    def transcribe(self, samples: bytes) -> Transcript:
        file = ("speech.wav", wav(samples), "audio/wav")
        answer = _within_deadline(
            lambda: client(settings.OPENAI_AUDIO_BASE_URL).audio.transcriptions.create(model=self.model, file=file, response_format="json")
        )
        text = str(answer.text).strip()
        usage = getattr(answer, "usage", None)
        return Transcript(
            text=text,
            language=str(getattr(answer, "language", "") or ""),
            confidence=1.0 if text else 0.0,
            model=self.model,
            hint="" if text else HearingHint.NO_SPEECH,
            input_tokens=getattr(usage, "input_tokens", 0) or 0,
            output_tokens=getattr(usage, "output_tokens", 0) or 0,
            provider_request_id=str(getattr(answer, "_request_id", "") or "")[:100],
        )


class OpenAiSpeaker:
    @property
    def model(self) -> str:
        return f"{settings.OPENAI_SPEECH_MODEL}/{settings.OPENAI_SPEECH_VOICE}"

    def speak(self, text: str, *, audio_format: str, rate: float) -> Speech:
        audio = _within_deadline(lambda: self._bytes(text, audio_format, rate))
        if not audio:
            raise EngineNonsense("The endpoint answered no sound.")
        return Speech(text, audio, audio_format, self.model, input_tokens=len(text) // 4 + 1)

    def _bytes(self, text: str, audio_format: str, rate: float) -> bytes:
        request: dict[str, Any] = {
            "model": settings.OPENAI_SPEECH_MODEL,
            "voice": settings.OPENAI_SPEECH_VOICE,
            "input": text,
            "response_format": audio_format,
            "speed": rate,
        }
        with client(settings.OPENAI_AUDIO_BASE_URL).audio.speech.with_streaming_response.create(**request) as answer:
            parts = []
            for part in answer.iter_bytes():
                parts.append(part)
                if sum(map(len, parts)) > _MAX_SPEECH_BYTES:
                    raise EngineNonsense("The endpoint does not stop speaking.")
            return b"".join(parts)


def _mention(entry: Any, redacted: Redacted) -> Mention:
    """An entry as the model gave it, with what was taken out filled in again. Whether it may count is for the gateway to check."""
    confidence = min(1.0, max(0.0, entry.confidence)) if math.isfinite(entry.confidence) else 0.0
    label, quote = redacted.restore(entry.label).strip(), redacted.restore(entry.quote).strip()
    return Mention(entry.kind, label, quote, confidence, is_denied=entry.denied)
