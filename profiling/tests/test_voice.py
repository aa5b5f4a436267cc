from __future__ import annotations

import io
import re
import wave
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from accounts.models import ConsentDecision, User
from ai.enums import AudioFormat
from ai.services.speech import speak, transcribe
from catalog.models import Skill
from conftest import Api
from core.events import run_delivery
from core.models import EventDelivery
from profiling import tasks
from profiling.models import Answer, Claim, Recording
from profiling.services import recordings, voice

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


class TestKeeping:
    """What was said is deleted as soon as it is text, unless the person agreed that it is kept."""

    def say(self, api: Api, text: str = "I am good at gardening.") -> dict[str, Any]:
        started = api.post("ai-profiling/start", {"mode": "voice"}).json()
        answer = send(api, "submit-answer", session_id=started["session_id"], step=started["step"], answer_audio=recording(text))
        assert answer.status_code == 200, answer.content
        return dict(started)

    def decide(self, api: Api, *, is_granted: bool) -> None:
        assert api.post("users/me/consents", {"purpose": "voice_keeping", "is_granted": is_granted, "text_version": 1}).status_code < 300

    def files(self, user: User) -> list[str]:
        return recordings.recording_files(user.pk)

    def test_without_a_yes_nothing_is_kept(self, signed_in: Api, user: User, skills: dict[str, Skill]) -> None:
        self.say(signed_in)
        assert not Recording.objects.exists() and self.files(user) == []

    def test_with_a_yes_it_can_be_heard_again_and_deleted(
        self, signed_in: Api, user: User, skills: dict[str, Skill], django_capture_on_commit_callbacks: Any
    ) -> None:
        self.decide(signed_in, is_granted=True)
        self.say(signed_in)
        (row,) = signed_in.get("ai-profiling/recordings").json()["results"]
        assert (row["step"], "gardening" in row["text"].lower()) == (1, True)
        heard = signed_in.get(f"/api/v1/ai-profiling/recordings/{row['id']}")
        assert (heard.status_code, heard["Content-Type"], heard.content[:4]) == (200, "audio/ogg", b"OggS")
        assert "gardening" in transcribe(audio=heard.content, purpose="test").transcript.text.lower()
        with django_capture_on_commit_callbacks(execute=True):
            assert signed_in.delete(f"ai-profiling/recordings/{row['id']}").status_code == 204
        assert self.files(user) == []
        assert signed_in.get(f"/api/v1/ai-profiling/recordings/{row['id']}").json()["code"] == "recording_not_found"
        assert signed_in.delete(f"ai-profiling/recordings/{row['id']}").status_code == 404

    @pytest.mark.parametrize("purpose", ["voice_keeping", "voice_processing", "ai_profiling"])
    def test_a_yes_that_is_taken_back_deletes_them(self, signed_in: Api, user: User, skills: dict[str, Skill], purpose: str) -> None:
        self.decide(signed_in, is_granted=True)
        self.say(signed_in)
        assert len(self.files(user)) == 1
        signed_in.post("users/me/consents", {"purpose": purpose, "is_granted": False, "text_version": 1})
        for delivery in EventDelivery.objects.filter(handler__startswith="profiling.handlers.forget", state="pending"):
            run_delivery(delivery.pk)
        assert not Recording.objects.exists() and self.files(user) == []

    def test_after_a_month_they_go(
        self, signed_in: Api, user: User, skills: dict[str, Skill], django_capture_on_commit_callbacks: Any
    ) -> None:
        self.decide(signed_in, is_granted=True)
        self.say(signed_in)
        tasks.prune_recordings()
        assert len(self.files(user)) == 1
        Recording.objects.update(expires_at=timezone.now())
        assert signed_in.get("ai-profiling/recordings").json()["results"] == []
        with django_capture_on_commit_callbacks(execute=True):
            tasks.prune_recordings()
        assert not Recording.objects.exists() and self.files(user) == []

    def test_a_corrected_answer_has_the_new_recording_alone(
        self, signed_in: Api, user: User, skills: dict[str, Skill], django_capture_on_commit_callbacks: Any
    ) -> None:
        self.decide(signed_in, is_granted=True)
        started = self.say(signed_in)
        signed_in.post("ai-profiling/back", {"session_id": started["session_id"], "step": 2})
        with django_capture_on_commit_callbacks(execute=True):
            self.say(signed_in, "I am good at nursing.")
        assert len(self.files(user)) == Recording.objects.count() == 1
        assert Recording.objects.get().answer.text.lower().startswith("i am good at nursing")


class TestQuestionsAloud:
    def test_every_question_can_be_heard_word_for_word(self, signed_in: Api) -> None:
        started = signed_in.post("ai-profiling/start", {"mode": "voice"}).json()
        address = started["question"]["audio_url"]
        answer = signed_in.get("/" + address.split("/", 3)[3])
        assert (answer.status_code, answer["Content-Type"]) == (200, "audio/mpeg")
        heard = transcribe(audio=answer.content, purpose="test").transcript.text
        plain = [re.sub(r"[^a-z]+", " ", text.lower()).strip() for text in (heard, started["first_question"])]
        assert plain[0] == plain[1]
        gone = signed_in.get("/" + address.split("/", 3)[3].replace("questions/1", "questions/7"))
        assert (gone.status_code, gone.json()["code"]) == (409, "step_not_asked")

    def test_options_are_numbered_so_that_a_number_is_an_answer(self) -> None:
        assert voice.spoken("Which?", ["evenings", "weekends"]) == "Which? 1: evenings. 2: weekends."

    def test_one_steers_by_voice(self, signed_in: Api, user: User, skills: dict[str, Skill]) -> None:
        started = signed_in.post("ai-profiling/start").json()
        session = started["session_id"]
        first = send(signed_in, "submit-answer", session_id=session, step=1, answer_audio=recording("I am good at gardening.")).json()
        back = send(signed_in, "submit-answer", session_id=session, step=first["step"], answer_audio=recording("Go back.")).json()
        assert (back["step"], back["question"]["text"]) == (1, started["first_question"])
        assert "gardening" in back["question"]["previous_answer"].lower()
        assert (back["progress"], Answer.objects.count()) == (first["progress"], 1)


def test_back_and_pause_over_the_api(signed_in: Api) -> None:
    started = signed_in.post("ai-profiling/start").json()
    body = {"session_id": started["session_id"]}
    assert signed_in.post("ai-profiling/back", body | {"step": 1}).json()["code"] == "nothing_to_go_back_to"
    second = signed_in.post("ai-profiling/submit-answer", body | {"step": 1, "answer_text": "skip"}).json()
    paused = signed_in.post("ai-profiling/pause", body).json()
    assert (paused["is_paused"], paused["next_question"]) == (True, second["next_question"])
    resumed = signed_in.post("ai-profiling/start").json()
    assert (resumed["is_paused"], resumed["first_question"], resumed["step"]) == (False, second["next_question"], 2)
    back = signed_in.post("ai-profiling/back", body | {"step": 2}).json()
    assert (back["step"], back["question"]["previous_answer"]) == (1, "skip")
    assert signed_in.post("ai-profiling/back", {"session_id": started["session_id"]}).json()["errors"][0]["field"] == "step"
