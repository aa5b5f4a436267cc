"""Recordings from outside, decoded by FFmpeg in a limited child process; and spoken audio, encoded."""

from __future__ import annotations

import io
import wave
from pathlib import Path
from typing import Any

import numpy
import soundfile

from ai.enums import AudioFormat
from core.limited_process import Lane, Limits, ProcessFailed

SAMPLE_RATE = 16_000
BYTES_PER_SECOND = 2 * SAMPLE_RATE
_DECODER = Path(__file__).with_name("audio_decoder.py")
_LANE = Lane("recordings", Limits(memory_bytes=400_000_000, cpu_seconds=15, seconds=20), waiting=3, wait_seconds=15)
_TOO_LONG = 4
# A file is recognised by its own first bytes, and FFmpeg may use the reader for that kind alone: some of its readers open other files.
_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"RIFF", "wav"),
    (0, b"OggS", "ogg"),
    (0, b"fLaC", "flac"),
    (0, b"ID3", "mp3"),
    (0, b"\xff\xfb", "mp3"),
    (0, b"\xff\xf3", "mp3"),
    (0, b"\xff\xf2", "mp3"),
    (4, b"ftyp", "mov"),
    (0, b"\x1a\x45\xdf\xa3", "matroska"),
)
_ENCODINGS: dict[str, dict[str, Any]] = {
    AudioFormat.MP3: {"format": "MP3"},
    AudioFormat.OPUS: {"format": "OGG", "subtype": "OPUS"},
    AudioFormat.WAV: {"format": "WAV", "subtype": "PCM_16"},
}


class UnusableAudio(Exception):
    """`code` is one of not_audio, broken_audio, audio_too_long."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


def decode(content: bytes, *, most_seconds: int) -> bytes:
    """Samples of a WAV, MP3, OGG, Opus, FLAC, M4A or WebM file: 16-bit, 16 kHz, one channel.

    Raises:
        UnusableAudio
        Overloaded: too many recordings are being decoded.
    """
    kind = next((kind for offset, magic, kind in _MAGIC if content[offset : offset + len(magic)] == magic), None)
    if kind is None:
        raise UnusableAudio("not_audio")
    try:
        return _LANE.run(_DECODER, kind, str(most_seconds), content=content)
    except ProcessFailed as error:
        raise UnusableAudio("audio_too_long" if error.status == _TOO_LONG else "broken_audio") from error


def wav(samples: bytes) -> bytes:
    """Samples as `decode` gives them, with the header that makes a file of them."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(samples)
    return out.getvalue()


def opus(samples: bytes) -> bytes:
    """The same as Opus in Ogg."""
    return encode(numpy.frombuffer(samples, dtype=numpy.int16), rate=SAMPLE_RATE, audio_format=AudioFormat.OPUS)


def encode(samples: Any, *, rate: int, audio_format: str) -> bytes:
    """A file of `audio_format` from floats between -1 and 1."""
    out = io.BytesIO()
    soundfile.write(out, samples, rate, **_ENCODINGS[audio_format])
    return out.getvalue()
