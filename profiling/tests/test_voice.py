from __future__ import annotations

import io
import wave
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import ConsentDecision, User
from ai.enums import AudioFormat
from ai.services.speech import speak, transcribe
from catalog.models import Skill
from conftest import Api
from profiling.models import Answer, Claim

pytestmark = pytest.mark.django_db


def recording(text: str) -> bytes:
    return speak(text=text, purpose="test", audio_format=AudioFormat.WAV).audio


def silence() -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(bytes(64_000))
    return out.getvalue()


def send(api: Api, path: str, **fields: Any) -> Any:
    files = {name: SimpleUploadedFile("a.wav", value) if isinstance(value, bytes) else value for name, value in fields.items()}
    return api._client.post(f"/api/v1/ai-profiling/{path}", files, HTTP_AUTHORIZATION=f"Bearer {api.token}")


def test_a_spoken_answer_is_an_answer_like_any_other(signed_in: Api, user: User, skills: dict[str, Skill]) -> None:
    assert signed_in.post("ai-profiling/start").json()["voice_consent"] is None
    started = signed_in.post("ai-profiling/start", {"mode": "voice"}).json()
    assert started["voice_consent"]["purpose"] == "voice_processing" and "voice" in started["voice_consent"]["text"]
    audio = recording("I am good at gardening.")
    answer = send(signed_in, "submit-answer", session_id=started["session_id"], step=1, answer_audio=audio)
    assert answer.status_code == 200, answer.content
    assert "gardening" in answer.json()["heard"]["text"].lower()
    assert answer.json()["step"] == 2
    assert signed_in.post("ai-profiling/start", {"mode": "voice"}).json()["voice_consent"] is None
    assert Claim.objects.get().label == "Gardening"
    assert "gardening" in Answer.objects.get().text.lower()
    decided = set(ConsentDecision.objects.filter(user=user).values_list("purpose", "source"))
    assert decided == {("ai_profiling", "interview"), ("voice_processing", "interview")}
    again = send(signed_in, "submit-answer", session_id=started["session_id"], step=1, answer_audio=audio)
    assert again.status_code == 200
    assert Answer.objects.count() == 1


def test_silence_is_no_answer(signed_in: Api) -> None:
    started = signed_in.post("ai-profiling/start").json()
    answer = send(signed_in, "submit-answer", session_id=started["session_id"], step=1, answer_audio=silence())
    assert (answer.status_code, answer.json()["code"]) == (400, "nothing_heard")
    error = answer.json()["errors"][0]
    assert (error["field"], error["code"]) == ("answer_audio", "silence") and "microphone" in error["detail"]
    assert not Answer.objects.exists()


@pytest.mark.parametrize("fields", [{}, {"answer_text": "x", "answer_audio": b"y"}])
def test_one_kind_of_answer_at_a_time(signed_in: Api, fields: dict[str, Any]) -> None:
    started = signed_in.post("ai-profiling/start").json()
    answer = send(signed_in, "submit-answer", session_id=started["session_id"], step=1, **fields)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "answer_text")


def test_transcribe(signed_in: Api) -> None:
    answer = send(signed_in, "transcribe", audio=recording("I would like to become a nurse."))
    body = answer.json()
    assert (answer.status_code, body["text"].lower().strip(" ."), body["language"]) == (200, "i would like to become a nurse", "en")
    assert 0.5 < body["confidence"] <= 1 and body["engine"] == "embedded"
    nothing = send(signed_in, "transcribe", audio=silence()).json()
    assert (nothing["text"], nothing["hint"], nothing["confidence"]) == ("", "silence", 0.0)
    assert "microphone" in nothing["hint_text"]


def test_transcribe_refuses_what_is_no_recording(signed_in: Api) -> None:
    refused = send(signed_in, "transcribe", audio=b"%PDF-1.7")
    assert (refused.status_code, refused.json()["code"], refused.json()["errors"][0]["code"]) == (400, "audio_refused", "not_audio")
    assert send(signed_in, "transcribe").json()["errors"][0]["field"] == "audio"
    assert send(signed_in, "transcribe", audio=b"RIFF" + bytes(10_020_000)).status_code == 413


def test_a_no_to_the_use_of_ones_voice_holds(signed_in: Api) -> None:
    signed_in.post("users/me/consents", {"purpose": "voice_processing", "is_granted": False, "text_version": 1})
    refused = send(signed_in, "transcribe", audio=recording("Hello."))
    assert (refused.status_code, refused.json()["code"], refused.json()["purpose"]) == (403, "consent_required", "voice_processing")


@pytest.mark.parametrize(("kind", "content_type"), [("mp3", "audio/mpeg"), ("opus", "audio/ogg"), ("wav", "audio/wav")])
def test_speak_says_the_same_words(signed_in: Api, kind: str, content_type: str) -> None:
    text = "What do you like to spend time on, even when nobody asks you to?"
    answer = signed_in.post("ai-profiling/speak", {"text": text, "format": kind, "rate": 0.9})
    assert (answer.status_code, answer["Content-Type"]) == (200, content_type)
    heard = transcribe(audio=answer.content, purpose="test").transcript.text
    assert heard.lower().replace(",", "").strip(" ?.") == text.lower().replace(",", "").strip(" ?.")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"text": ""}, "text"),
        ({"text": "x" * 4001}, "text"),
        ({"rate": 3}, "rate"),
        ({"rate": "fast"}, "rate"),
        ({"format": "flac"}, "format"),
    ],
)
def test_speak_names_what_is_wrong(signed_in: Api, change: dict[str, Any], field: str) -> None:
    answer = signed_in.post("ai-profiling/speak", {"text": "Hello."} | change)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)
