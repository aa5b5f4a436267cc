from __future__ import annotations

import io
import math
import re
import struct
import wave
from pathlib import Path
from typing import Any
from unittest import mock

import numpy
import pytest
import soundfile

from accounts.enums import ConsentPurpose, ConsentSource
from accounts.errors import ConsentRequired
from accounts.models import User
from accounts.services.consents import decide
from ai.enums import AudioFormat, Operation
from ai.errors import AudioRefused, EngineRateLimited, InputTooLong, UnspeakableText
from ai.models import Usage
from ai.providers import audio
from ai.services import speech
from ai.services.speech import speak, transcribe
from core.errors import BodyTooLarge
from core.limited_process import Lane, Limits

pytestmark = pytest.mark.django_db
SENTENCE = "I repair bicycles, and I would like to learn how to teach other people."
WORDS = "i repair bicycles and i would like to learn how to teach other people"


def plain(text: str) -> str:
    return " ".join(re.findall(r"[a-z]+", text.lower()))


def spoken(text: str = SENTENCE, **options: Any) -> bytes:
    return speak(text=text, purpose="test", audio_format=AudioFormat.WAV, **options).audio


def samples_of(content: bytes) -> tuple[Any, int]:
    with io.BytesIO(content) as file:
        found, rate = soundfile.read(file, dtype="float32")
    return found, rate


def wav_of(sound: Any, rate: int = 16_000) -> bytes:
    out = io.BytesIO()
    soundfile.write(out, sound, rate, format="WAV", subtype="PCM_16")
    return out.getvalue()


def noise(seconds: float, level: float) -> Any:
    return numpy.random.default_rng(7).normal(0, level, int(seconds * 16_000)).astype(numpy.float32)


def hum(seconds: float, level: float = 0.2) -> Any:
    times = numpy.arange(int(seconds * 16_000)) / 16_000
    return (level * (numpy.sin(2 * math.pi * 50 * times) + 0.5 * numpy.sin(2 * math.pi * 100 * times))).astype(numpy.float32)


class TestRoundTrip:
    @pytest.mark.parametrize("rate", [0.8, 1.0, 1.25])
    def test_what_is_spoken_is_heard_word_for_word(self, rate: float) -> None:
        heard = transcribe(audio=spoken(rate=rate), purpose="test")
        assert plain(heard.transcript.text) == WORDS
        assert (heard.engine, heard.transcript.language, heard.transcript.model) == ("embedded", "en", "whisper-tiny.en-int8")
        assert heard.transcript.confidence > 0.6

    @pytest.mark.parametrize("kind", list(AudioFormat))
    def test_every_format_that_goes_out_comes_in(self, kind: AudioFormat) -> None:
        content = speak(text=SENTENCE, purpose="test", audio_format=kind).audio
        assert plain(transcribe(audio=content, purpose="test").transcript.text) == WORDS

    @pytest.mark.parametrize(("container", "codec"), [("mp4", "aac"), ("webm", "libopus"), ("flac", "flac")])
    def test_what_phones_and_browsers_record_comes_in(self, container: str, codec: str) -> None:
        assert plain(transcribe(audio=recoded(spoken(), container, codec), purpose="test").transcript.text) == WORDS

    def test_a_slower_pace_takes_longer(self) -> None:
        slow, usual = (len(samples_of(spoken(rate=rate))[0]) for rate in (0.5, 1.0))
        assert slow > 1.6 * usual


def recoded(content: bytes, container: str, codec: str) -> bytes:
    import av

    out = io.BytesIO()
    with av.open(io.BytesIO(content)) as source, av.open(out, "w", format=container) as target:
        stream = target.add_stream(codec, rate=48_000)
        resampler = av.AudioResampler(format=stream.codec_context.format or "fltp", layout="mono", rate=48_000)
        for frame in source.decode(audio=0):
            for part in resampler.resample(frame):
                target.mux(stream.encode(part))
        for part in resampler.resample(None):
            target.mux(stream.encode(part))
        target.mux(stream.encode(None))
    return out.getvalue()


class TestNothingToHear:
    @pytest.mark.parametrize(
        ("sound", "hint"),
        [
            (numpy.zeros(48_000, dtype=numpy.float32), "silence"),
            (noise(3, 0.0002), "silence"),
            (noise(3, 0.0002) + 0.3, "silence"),
            (noise(4, 0.02), "no_speech"),
            (noise(4, 0.2), "no_speech"),
            (hum(4), "no_speech"),
            (hum(4) + noise(4, 0.05), "no_speech"),
        ],
        ids=["zeros", "a quiet room", "an offset", "wind", "loud noise", "mains hum", "hum and noise"],
    )
    def test_gives_nothing_and_says_why(self, sound: Any, hint: str) -> None:
        transcript = transcribe(audio=wav_of(sound), purpose="test").transcript
        assert (transcript.text, transcript.hint, transcript.confidence) == ("", hint, 0.0)

    def test_an_instant_is_silence(self) -> None:
        assert transcribe(audio=wav_of(noise(0.05, 0.1)), purpose="test").transcript.hint == "silence"


class TestWhatMustNotGetLost:
    @pytest.mark.parametrize("gain", [0.2, 0.05, 0.02])
    def test_quiet_speech(self, gain: float) -> None:
        sound, rate = samples_of(spoken())
        assert plain(transcribe(audio=wav_of(sound * gain, rate), purpose="test").transcript.text) == WORDS

    def test_quiet_speech_in_a_noisy_room(self) -> None:
        sound, rate = samples_of(spoken())
        room = numpy.random.default_rng(3).normal(0, 0.004, len(sound)).astype(numpy.float32)
        heard = plain(transcribe(audio=wav_of(sound * 0.2 + room, rate), purpose="test").transcript.text).split()
        assert len(set(WORDS.split()) & set(heard)) >= 11

    def test_one_word(self) -> None:
        assert plain(transcribe(audio=spoken("Teaching."), purpose="test").transcript.text) == "teaching"

    def test_speech_after_a_long_pause(self) -> None:
        sound, rate = samples_of(spoken())
        content = wav_of(numpy.concatenate([numpy.zeros(5 * rate, dtype=numpy.float32), sound]), rate)
        assert plain(transcribe(audio=content, purpose="test").transcript.text) == WORDS


class TestHostileFiles:
    @pytest.mark.parametrize(
        ("content", "code"),
        [
            (b"", "not_audio"),
            (b"hello", "not_audio"),
            (b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n", "not_audio"),
            (b"ffconcat version 1.0\nfile /etc/passwd\n", "not_audio"),
            (b"<?xml version='1.0'?><MPD/>", "not_audio"),
            (b"RIFF" + b"\x00" * 100, "broken_audio"),
            (b"RIFF\xff\xff\xff\xffWAVEfmt ", "broken_audio"),
            (b"OggS" + b"\xff" * 200, "broken_audio"),
            (b"\x00\x00\x00\x20ftypM4A " + b"\x00" * 100, "broken_audio"),
            (b"\x1a\x45\xdf\xa3" + b"\x00" * 100, "broken_audio"),
            (b"fLaC" + b"\x00" * 100, "broken_audio"),
        ],
    )
    def test_are_refused_by_name(self, content: bytes, code: str) -> None:
        with pytest.raises(AudioRefused) as refusal:
            transcribe(audio=content, purpose="test")
        assert [(error.field, error.code) for error in refusal.value.errors] == [("audio", code)]

    def test_two_hours_of_silence_are_too_long(self) -> None:
        out = io.BytesIO()
        with wave.open(out, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(1)
            file.setframerate(8_000)
            file.writeframes(b"\x80" * 8_000 * 150)
        with pytest.raises(AudioRefused, match="not a recording") as refusal:
            transcribe(audio=out.getvalue(), purpose="test")
        assert refusal.value.errors[0].code == "audio_too_long"

    def test_too_large_is_refused_before_it_is_read(self) -> None:
        with pytest.raises(BodyTooLarge):
            transcribe(audio=b"RIFF" + b"\x00" * speech.MOST_BYTES, purpose="test")

    def test_a_header_that_promises_much_costs_nothing(self) -> None:
        header = (
            b"RIFF\xff\xff\xff\x7fWAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 64, 2**31 - 1, 2**31 - 1, 128, 16) + b"data\xff\xff\xff\x7f"
        )
        with pytest.raises(AudioRefused):
            transcribe(audio=header + b"\x00" * 1000, purpose="test")

    def test_a_decoder_that_hangs_is_ended(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        (tmp_path / "hanging.py").write_text("import time; time.sleep(60)")
        limits = Limits(memory_bytes=400_000_000, cpu_seconds=15, seconds=1)
        monkeypatch.setattr(audio, "_LANE", Lane("hanging", limits, waiting=0, wait_seconds=1))
        monkeypatch.setattr(audio, "_DECODER", tmp_path / "hanging.py")
        with pytest.raises(AudioRefused):
            transcribe(audio=spoken(), purpose="test")

    def test_what_was_said_before_a_file_breaks_off_counts(self) -> None:
        content = speak(text=SENTENCE, purpose="test", audio_format=AudioFormat.MP3).audio
        assert "repair" in transcribe(audio=content[: len(content) * 2 // 3], purpose="test").transcript.text.lower()


class TestGateway:
    def test_a_voice_needs_its_own_consent(self, user: User) -> None:
        with pytest.raises(ConsentRequired) as refusal:
            transcribe(audio=spoken(), purpose="voice.test", user_id=user.pk)
        assert refusal.value.data["purpose"] == "voice_processing"
        decide(user=user, purpose=ConsentPurpose.VOICE_PROCESSING, is_granted=True, text_version=1, source=ConsentSource.SETTINGS)
        assert transcribe(audio=spoken(), purpose="voice.test", user_id=user.pk).transcript.text
        usage = Usage.objects.get(operation=Operation.TRANSCRIBE)
        assert (usage.user_id, usage.engine, usage.outcome, usage.model) == (user.pk, "embedded", "ok", "whisper-tiny.en-int8")

    def test_the_same_words_are_made_once(self) -> None:
        first = speak(text="Once and for all.", purpose="test")
        assert speak(text="Once and for all.", purpose="test").audio == first.audio
        assert Usage.objects.filter(operation=Operation.SPEAK).count() == 1
        speak(text="Once and for all.", purpose="test", rate=0.9)
        assert Usage.objects.filter(operation=Operation.SPEAK).count() == 2

    def test_too_much_text_is_refused(self) -> None:
        with pytest.raises(InputTooLong):
            speak(text="x" * 4_001, purpose="test")

    @pytest.mark.parametrize("text", ["…", "😀", "¹£", "½ ①", "日本語", "<b>bold</b>", "a" * 300, "1,000.50 $", "\n\n"])
    def test_strange_text_is_spoken_or_refused_by_name(self, text: str) -> None:
        try:
            assert speak(text=text, purpose="test").audio
        except UnspeakableText as refusal:
            assert not any(sign.isascii() and sign.isalnum() for sign in text)
            assert [error.field for error in refusal.errors] == ["text"]

    def test_when_the_engine_in_force_fails_the_embedded_one_stands_in_by_name(self, settings: Any) -> None:
        settings.AI_TRANSCRIPTION_ENGINE = settings.AI_SPEECH_ENGINE = "openai"
        settings.OPENAI_AUDIO_BASE_URL = "http://127.0.0.1:9/v1"
        content = spoken()
        heard = transcribe(audio=content, purpose="test")
        assert (heard.engine, heard.degraded_because, plain(heard.transcript.text)) == ("embedded", "failed", WORDS)
        outcomes = list(Usage.objects.order_by("id").values_list("operation", "engine", "outcome"))
        assert outcomes == [
            ("speak", "openai", "failed"),
            ("speak", "embedded", "ok"),
            ("transcribe", "openai", "failed"),
            ("transcribe", "embedded", "ok"),
        ]

    def test_the_other_engines_answers_are_taken(self, settings: Any) -> None:
        settings.AI_TRANSCRIPTION_ENGINE = settings.AI_SPEECH_ENGINE = "openai"
        content = spoken("Hello there.")
        client = mock.MagicMock()
        client.audio.transcriptions.create.return_value = mock.Mock(
            text=" Hello there. ", language="en", usage=mock.Mock(input_tokens=14, output_tokens=3), _request_id="req"
        )
        client.audio.speech.with_streaming_response.create.return_value.__enter__.return_value.iter_bytes.return_value = [b"ab", b"cd"]
        with mock.patch("ai.providers.openai.client", return_value=client):
            heard = transcribe(audio=content, purpose="test")
            assert (heard.engine, heard.transcript.text, heard.transcript.input_tokens) == ("openai", "Hello there.", 14)
            assert speak(text="Hello.", purpose="test").audio == b"abcd"
        assert client.audio.transcriptions.create.call_args.kwargs["model"] == settings.OPENAI_TRANSCRIPTION_MODEL

    def test_a_limit_at_the_provider_is_named(self, settings: Any) -> None:
        settings.AI_TRANSCRIPTION_ENGINE = "openai"
        content = spoken()
        with mock.patch("ai.services.speech.OpenAiListener.transcribe", side_effect=EngineRateLimited):
            assert transcribe(audio=content, purpose="test").degraded_because == "rate_limited"
