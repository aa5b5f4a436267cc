"""The gateway for speech: what was said, as text, and text, as speech. Recordings are not kept: they live as long as the call."""

from __future__ import annotations

import dataclasses
import hashlib
import uuid

import structlog
from django.conf import settings
from django.core.cache import cache

from ai.enums import AudioFormat, Engine, Operation
from ai.errors import AudioRefused, EngineError, InputTooLong
from ai.providers.audio import BYTES_PER_SECOND, UnusableAudio, decode, opus
from ai.providers.base import Listener, Speaker, Speech, Transcript
from ai.providers.embedded_speech import hibari_voice, nothing_said, whisper
from ai.providers.openai import OpenAiListener, OpenAiSpeaker
from ai.services.metering import Call, metered
from core.errors import BodyTooLarge, FieldError

logger = structlog.get_logger(__name__)

MOST_BYTES = 10_000_000
MOST_CHARACTERS = 4_000
SLOWEST, FASTEST = 0.5, 2.0
CONTENT_TYPES = {AudioFormat.MP3: "audio/mpeg", AudioFormat.OPUS: "audio/ogg", AudioFormat.WAV: "audio/wav"}
_TOKENS_PER_SECOND = 10
_CHARACTERS_PER_TOKEN = 4
_CACHE_SECONDS = 86_400
_REFUSALS = {
    "not_audio": "Send a WAV, MP3, OGG, Opus, FLAC, M4A or WebM file.",
    "broken_audio": "The recording cannot be read.",
    "audio_too_long": "The recording is too long.",
}


@dataclasses.dataclass(frozen=True)
class Heard:
    """A transcript, by which engine, and why another one had to stand in, if so."""

    transcript: Transcript
    engine: str
    degraded_because: str = ""


def transcribe(*, audio: bytes, purpose: str, user_id: uuid.UUID | None = None) -> Heard:
    """What a recording says. Silence and noise give an empty text and a hint. Nothing of the recording is kept.

    Raises:
        ConsentRequired: the person has not agreed to the use of their voice.
        BodyTooLarge: more than 10 MB.
        AudioRefused: not audio, broken, or longer than `AI_MAX_AUDIO_SECONDS`.
        EngineError: no engine can hear now.
    """
    if len(audio) > MOST_BYTES:
        raise BodyTooLarge
    samples = _decoded(audio)
    because = ""
    if settings.AI_TRANSCRIPTION_ENGINE == Engine.OPENAI:
        hint = nothing_said(samples)
        if hint is not None:
            return Heard(Transcript("", "", 0.0, "", hint=str(hint)), str(Engine.EMBEDDED))
        try:
            return _heard_by(OpenAiListener(), Engine.OPENAI, samples, purpose, user_id)
        except EngineError as error:
            logger.warning("transcription engine failed, the embedded one stands in", outcome=error.outcome, purpose=purpose)
            because = str(error.outcome)
    return dataclasses.replace(_heard_by(whisper(), Engine.EMBEDDED, samples, purpose, user_id), degraded_because=because)


def compact(audio: bytes) -> bytes:
    """A recording as Opus in Ogg, whatever it came as: small, and nothing in it but sound.

    Raises:
        AudioRefused
    """
    return opus(_decoded(audio))


def _decoded(audio: bytes) -> bytes:
    try:
        return decode(audio, most_seconds=settings.AI_MAX_AUDIO_SECONDS)
    except UnusableAudio as error:
        raise AudioRefused(errors=(FieldError("audio", error.code, _REFUSALS[error.code]),)) from error


def _heard_by(listener: Listener, engine: Engine, samples: bytes, purpose: str, user_id: uuid.UUID | None) -> Heard:
    call = Call(Operation.TRANSCRIBE, engine, listener.model, purpose, user_id)
    estimate = len(samples) // BYTES_PER_SECOND * _TOKENS_PER_SECOND + _TOKENS_PER_SECOND
    return Heard(metered(call, estimate, lambda: listener.transcribe(samples)), str(engine))


def speak(
    *, text: str, purpose: str, audio_format: AudioFormat = AudioFormat.MP3, rate: float = 1.0, user_id: uuid.UUID | None = None
) -> Speech:
    """Text as speech. What was said before in the same voice and pace comes from the cache.

    Raises:
        InputTooLong: more than 4,000 characters.
        UnspeakableText: no words of the voice's language.
        EngineError: no engine can speak now.
    """
    if len(text) > MOST_CHARACTERS:
        raise InputTooLong
    wish = _Wish(text, audio_format, min(FASTEST, max(SLOWEST, rate)), purpose, user_id)
    if settings.AI_SPEECH_ENGINE == Engine.OPENAI:
        try:
            return _spoken_by(OpenAiSpeaker(), Engine.OPENAI, wish)
        except EngineError as error:
            logger.warning("speech engine failed, the embedded one stands in", outcome=error.outcome, purpose=purpose)
    return _spoken_by(hibari_voice(), Engine.EMBEDDED, wish)


@dataclasses.dataclass(frozen=True)
class _Wish:
    text: str
    audio_format: AudioFormat
    rate: float
    purpose: str
    user_id: uuid.UUID | None

    def cache_key(self, model: str) -> str:
        content = f"{model}|{self.audio_format}|{self.rate:.2f}|{self.text}"
        return f"ai:speech:{hashlib.sha256(content.encode()).hexdigest()}"


def _spoken_by(speaker: Speaker, engine: Engine, wish: _Wish) -> Speech:
    key = wish.cache_key(speaker.model)
    audio: bytes | None = cache.get(key)
    if audio is not None:
        return Speech(wish.text, audio, wish.audio_format, speaker.model)
    call = Call(Operation.SPEAK, engine, speaker.model, wish.purpose, wish.user_id)
    estimate = len(wish.text) // _CHARACTERS_PER_TOKEN + 1
    spoken = metered(call, estimate, lambda: speaker.speak(wish.text, audio_format=wish.audio_format, rate=wish.rate))
    cache.set(key, spoken.audio, timeout=_CACHE_SECONDS)
    return spoken
