"""What every engine has to keep, run on the embedded ones and on the OpenAI client against a fake of the vendor's API."""

from __future__ import annotations

import io
import math
import wave
from collections.abc import Iterator
from typing import Any

import numpy
import pytest

from accounts.models import User
from ai.enums import AudioFormat, Operation
from ai.errors import EngineError
from ai.models import Usage
from ai.services.speech import speak, transcribe
from ai.services.text import Candidate, Kind, Turn, converse, embed
from conftest import at_once
from tests.openai_peer import Server, openai_peer

pytestmark = pytest.mark.django_db
ENGINES = ("embedded", "openai")


@pytest.fixture(scope="module")
def peer() -> Iterator[Server]:
    with openai_peer() as server:
        yield server


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, settings: Any, peer: Server) -> str:
    """All parts of the product on one engine."""
    use(settings, peer, request.param)
    return str(request.param)


def use(settings: Any, peer: Server, engine: str) -> None:
    for part in ("CONVERSATION", "EMBEDDING", "TRANSCRIPTION", "SPEECH"):
        setattr(settings, f"AI_{part}_ENGINE", engine)
    settings.OPENAI_BASE_URL = settings.OPENAI_EMBEDDING_BASE_URL = settings.OPENAI_AUDIO_BASE_URL = peer.url
    settings.OPENAI_API_KEY, settings.OPENAI_MODERATION_MODEL = "test", "omni-moderation-latest"
    peer.peer.requests.clear()


def turn(answer: str) -> Turn:
    def find(clauses: Any) -> list[list[Candidate]]:
        return [[Candidate("baking", 0.8)] if "bake" in clause else [] for clause in clauses]

    kinds = (Kind("skill", "something the person can do", find), Kind("goal", "something the person wants"))
    return Turn("What are you good at?", answer, kinds, lambda sentences: [frozenset({"skill"}) for _ in sentences])


class TestReading:
    ANSWER = "I bake bread and cakes for weddings."

    def test_mentions_are_of_the_kinds_asked_quoted_and_sure_to_a_degree(self, engine: str) -> None:
        result = converse(turn=turn(self.ANSWER), purpose="test")
        assert (str(result.engine), result.degraded_because, result.flags) == (engine, "", ())
        assert [(mention.kind, mention.label) for mention in result.mentions] == [("skill", "baking")]
        mention = result.mentions[0]
        assert mention.quote in self.ANSWER and 0 <= mention.confidence <= 1 and not mention.is_denied
        assert result.model and result.prompt == ("read-answer.1" if engine == "openai" else "")

    @pytest.mark.parametrize("answer", ["", "   ", "...", "😀", "\u202e", "'; DROP TABLE x; --", "x" * 5_000])
    def test_of_nothing_comes_nothing(self, engine: str, answer: str) -> None:
        assert converse(turn=turn(answer), purpose="test").mentions == ()

    def test_every_call_leaves_a_row(self, engine: str, user: User) -> None:
        converse(turn=turn(self.ANSWER), purpose="test", user_id=user.pk)
        row = Usage.objects.get(user=user, operation=Operation.CONVERSE)
        assert (row.engine, row.outcome, row.purpose) == (engine, "ok", "test")
        assert Usage.objects.filter(user=user, operation=Operation.MODERATE).count() == (engine == "openai")


class TestEmbedding:
    def test_unit_vectors_in_order_that_rank_by_meaning(self, engine: str) -> None:
        found = embed(texts=["I look after sick people", "nurse", "welder"], purpose="test")
        assert [len(vector) for vector in found.vectors] == [384] * 3
        assert all(math.isclose(sum(number**2 for number in vector), 1, abs_tol=1e-3) for vector in found.vectors)
        query, near, far = found.vectors
        assert _cosine(query, near) > _cosine(query, far) + 0.1
        assert _cosine(embed(texts=["nurse"], purpose="test").vectors[0], near) > 0.99

    def test_two_models_cannot_be_compared(self, settings: Any, peer: Server) -> None:
        vectors = [embed(texts=["nurse"], purpose="test", model=model).vectors[0] for model in _models(settings, peer)]
        assert abs(_cosine(vectors[0], vectors[1])) < 0.3


class TestSpeech:
    @pytest.mark.parametrize("text", ["I repair bicycles, and I teach children.", "What are you good at?"])
    def test_what_is_spoken_is_heard(self, engine: str, text: str) -> None:
        spoken = speak(text=text, purpose="test", audio_format=AudioFormat.WAV)
        assert spoken.text == text and spoken.audio[:4] == b"RIFF"
        heard = transcribe(audio=spoken.audio, purpose="test")
        assert (heard.engine, heard.degraded_because) == (engine, "")
        assert _plain(heard.transcript.text) == _plain(text)

    @pytest.mark.parametrize(
        ("audio_format", "magic"), [(AudioFormat.MP3, b"\xff"), (AudioFormat.OPUS, b"OggS"), (AudioFormat.WAV, b"RIFF")]
    )
    def test_speaks_in_every_format_and_from_the_cache_the_second_time(self, engine: str, audio_format: AudioFormat, magic: bytes) -> None:
        first = speak(text="Hello.", purpose="test", audio_format=audio_format).audio
        assert first.startswith(magic) or first.startswith(b"ID3")
        assert speak(text="Hello.", purpose="test", audio_format=audio_format).audio == first
        assert Usage.objects.filter(operation=Operation.SPEAK).count() == 1

    def test_silence_and_noise_are_no_words(self, engine: str) -> None:
        out = io.BytesIO()
        with wave.open(out, "wb") as file:
            file.setparams((1, 2, 16_000, 0, "NONE", ""))
            file.writeframes(bytes(32_000))
        for audio, hint in ((out.getvalue(), "silence"), (_noise(), "no_speech")):
            heard = transcribe(audio=audio, purpose="test").transcript
            assert (heard.text, heard.hint) == ("", hint)

    def test_what_holds_no_words_is_sent_nowhere(self, settings: Any, peer: Server) -> None:
        use(settings, peer, "openai")
        transcribe(audio=_noise(), purpose="test")
        assert peer.peer.requests == []


class TestModeration:
    def test_what_it_flags_is_not_given_to_the_model_and_says_so(self, settings: Any, peer: Server) -> None:
        use(settings, peer, "openai")
        result = converse(turn=turn("I bake. I think about hurting."), purpose="test")
        assert (str(result.engine), result.degraded_because) == ("embedded", "moderated")
        assert "self-harm" in result.flags
        assert peer.peer.requests == ["/v1/moderations"]
        assert [mention.label for mention in result.mentions] == ["baking"]

    def test_without_a_moderation_model_nobody_is_asked(self, settings: Any, peer: Server) -> None:
        use(settings, peer, "openai")
        settings.OPENAI_MODERATION_MODEL = ""
        converse(turn=turn("I bake."), purpose="test")
        assert peer.peer.requests == ["/v1/chat/completions"]


@pytest.mark.django_db(transaction=True)
class TestCalls:
    def test_two_hundred_at_once_with_a_budget_of_ten_make_ten_calls(self, settings: Any, peer: Server, user: User) -> None:
        use(settings, peer, "openai")
        settings.OPENAI_MODERATION_MODEL = ""
        settings.AI_CALLS_PER_PERSON_PER_DAY = 10
        peer.peer.delay_seconds = 0.05

        def ask() -> str:
            return converse(turn=turn("I bake."), purpose="test", user_id=user.pk).degraded_because

        try:
            outcomes = at_once(200, ask)
        finally:
            peer.peer.delay_seconds = 0.0
        assert outcomes.count("over_budget") == 190
        assert peer.peer.requests == ["/v1/chat/completions"] * 10

    def test_a_failed_call_counts_as_a_call(self, settings: Any, peer: Server, user: User) -> None:
        use(settings, peer, "openai")
        settings.AI_CALLS_PER_PERSON_PER_DAY, settings.OPENAI_EMBEDDING_BASE_URL = 1, "http://127.0.0.1:9/v1"
        outcomes = []
        for _ in range(2):
            with pytest.raises(EngineError) as raised:
                embed(texts=["one"], purpose="test", user_id=user.pk)
            outcomes.append(str(raised.value.outcome))
        assert outcomes == ["failed", "over_budget"]


def _models(settings: Any, peer: Server) -> tuple[str, str]:
    use(settings, peer, "openai")
    return "all-MiniLM-L6-v2-onnx-int8", "openai/text-embedding-3-small/384"


def _cosine(left: list[float], right: list[float]) -> float:
    return sum(a * b for a, b in zip(left, right, strict=True))


def _noise() -> bytes:
    """A loud waterfall, without a word."""
    samples = numpy.random.default_rng(7).normal(0, 0.1, 48_000)
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes((samples * 32_767).astype(numpy.int16).tobytes())
    return out.getvalue()


def _plain(text: str) -> str:
    return "".join(character for character in text.lower() if character.isalpha() or character == " ")
