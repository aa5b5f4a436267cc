"""Scores hearing: sentences that are spoken by the voice in force and heard by the engine in force, clean, quiet and in noise; sounds
without words; and recordings of people, where there are some."""

from __future__ import annotations

import csv
import dataclasses
import io
import re
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy

from ai.enums import AudioFormat
from ai.services.speech import speak, transcribe

SENTENCES = (
    "I repair bicycles, and I would like to learn how to teach other people.",
    "What are you good at? Think of things that people ask you for help with.",
    "My goal is to become a nurse in a small town.",
    "I have time on weekday evenings and on Sunday.",
    "Please read the last question to me once more.",
    "I worked in a kitchen for two years before I moved.",
    "Nobody in my family has a computer at home.",
    "I need captions, because I do not hear well.",
)
_RATE = 16_000
# Both are right, so neither is an error.
_NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_SPELLINGS = {str(number): word for number, word in enumerate(_NUMBERS)} | {"mister": "mr"}
# 1 % of the voice's own loudness, and noise that is fifteen decibels softer than the voice.
_QUIET, _NOISE_RATIO = 0.01, 10 ** (-15 / 20)


@dataclasses.dataclass(frozen=True)
class Hearing:
    """Word error rates: edits (substitutions, deletions, insertions) per word that was said. `invented` counts words heard in sounds
    that hold none."""

    clean: float
    quiet: float
    noisy: float
    invented: int
    people: float | None = None


def review_hearing(*, recordings: Path | None = None) -> Hearing:
    """Speak, disturb, listen and compare. `recordings` is a folder with transcripts.tsv (file, language, kind, transcript)."""
    spoken = [(sentence, _samples(sentence)) for sentence in SENTENCES]
    chance = numpy.random.default_rng(4)
    return Hearing(
        clean=_rate((sentence, samples) for sentence, samples in spoken),
        quiet=_rate((sentence, samples * _QUIET) for sentence, samples in spoken),
        noisy=_rate((sentence, samples + chance.normal(0, samples.std() * _NOISE_RATIO, samples.size)) for sentence, samples in spoken),
        invented=sum(len(_words(_heard(_file(sound)))) for sound in _sounds_without_words()),
        people=_people(recordings) if recordings else None,
    )


def word_edits(said: list[str], heard: list[str]) -> int:
    """The least number of substitutions, deletions and insertions that make one of the other (Levenshtein)."""
    row = list(range(len(heard) + 1))
    for number, word in enumerate(said, start=1):
        before, row[0] = row[0], number
        for index, other in enumerate(heard, start=1):
            before, row[index] = row[index], min(row[index] + 1, row[index - 1] + 1, before + (word != other))
    return row[-1]


def _samples(sentence: str) -> Any:
    audio = speak(text=sentence, purpose="review.hearing", audio_format=AudioFormat.WAV).audio
    with wave.open(io.BytesIO(audio)) as file:
        rate, frames = file.getframerate(), file.readframes(file.getnframes())
    samples = numpy.frombuffer(frames, dtype=numpy.int16).astype(numpy.float64) / 32768
    times = numpy.arange(0, samples.size / rate, 1 / _RATE)
    return numpy.interp(times, numpy.arange(samples.size) / rate, samples)


def _file(samples: Any) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(_RATE)
        file.writeframes((numpy.clip(samples, -1, 1) * 32767).astype(numpy.int16).tobytes())
    return out.getvalue()


def _heard(audio: bytes) -> str:
    return transcribe(audio=audio, purpose="review.hearing").transcript.text


def _rate(pairs: Iterator[tuple[str, Any]]) -> float:
    edits = words = 0
    for sentence, samples in pairs:
        said = _words(sentence)
        edits += word_edits(said, _words(_heard(_file(samples))))
        words += len(said)
    return round(edits / words, 4)


def _sounds_without_words() -> Iterator[Any]:
    times, chance = numpy.arange(3 * _RATE) / _RATE, numpy.random.default_rng(7)
    yield numpy.zeros(3 * _RATE)
    yield chance.normal(0, 0.02, 3 * _RATE)
    yield chance.normal(0, 0.2, 3 * _RATE)
    yield 0.2 * numpy.sin(2 * numpy.pi * 50 * times)


def _people(folder: Path) -> float:
    edits = words = 0
    with (folder / "transcripts.tsv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            if row["language"] == "en" and row["kind"].endswith("speech"):
                said = _words(row["transcript"])
                edits += word_edits(said, _words(_heard((folder / row["file"]).read_bytes())))
                words += len(said)
    return round(edits / max(1, words), 4)


def _words(text: str) -> list[str]:
    """Words as they are compared: one spelling for what has two."""
    return [_SPELLINGS.get(word, word) for word in re.findall(r"[a-z0-9]+", text.lower().replace("'", ""))]
