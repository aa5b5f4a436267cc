from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Sequence

from accounts.enums import ConsentPurpose, ConsentSource
from accounts.models import User
from accounts.services.consents import agree_by_acting
from ai.enums import AudioFormat
from ai.services.speech import Heard, Speech, speak, transcribe
from core.errors import FieldError
from profiling.errors import InterviewNotFound, NothingHeard, StepNotAsked
from profiling.models import Interview
from profiling.services.interview import Position, submit_answer
from profiling.services.recordings import keep_recording


def transcribe_recording(*, user: User, audio: bytes) -> Heard:
    """What a recording says. Sending one is the yes to the use of one's voice, unless the person said no before.

    Raises:
        ConsentRequired, GuardianRequired, BodyTooLarge, AudioRefused, EngineError
    """
    agree_by_acting(user=user, purpose=ConsentPurpose.VOICE_PROCESSING, source=ConsentSource.INTERVIEW)
    return transcribe(audio=audio, purpose="voice.transcribe", user_id=user.pk)


def submit_spoken_answer(*, user: User, interview_id: uuid.UUID, step: int, audio: bytes) -> Position:
    """Take the answer of a step from a recording. From here on it is an answer like any other; the recording is gone,
    unless the person agreed that it is kept.

    Raises:
        NothingHeard: silence or noise; the step still waits.
        and as `transcribe_recording` and `submit_answer`
    """
    heard = transcribe_recording(user=user, audio=audio)
    if not heard.transcript.text:
        hint = heard.transcript.hint
        raise NothingHeard(errors=(FieldError("answer_audio", hint, NothingHeard.words(hint)),))
    position = submit_answer(user=user, interview_id=interview_id, step=step, text=heard.transcript.text)
    answer = position.interview.answers.filter(step=step, text=heard.transcript.text).first()
    if answer is not None:
        keep_recording(user=user, answer=answer, audio=audio)
    return dataclasses.replace(position, heard=heard)


def speak_question(*, user: User, interview_id: uuid.UUID, step: int) -> Speech:
    """A question that was asked, with its options, as speech.

    Raises:
        InterviewNotFound
        StepNotAsked
        EngineError
    """
    interview = Interview.objects.visible_to(user).filter(pk=interview_id).first()
    if interview is None:
        raise InterviewNotFound
    asked = interview.answers.filter(step=step).first()
    if asked is not None:
        text, options = asked.question, asked.options
    elif step == interview.step and interview.question:
        text, options = interview.question, interview.options
    else:
        raise StepNotAsked
    return speak_text(user=user, text=spoken(text, options), audio_format=AudioFormat.MP3, rate=1.0)


def spoken(text: str, options: Sequence[str]) -> str:
    """A question as it is said: its options are numbered, so that a number is an answer."""
    numbered = [f"{number}: {option}." for number, option in enumerate(options, start=1)]
    return " ".join([text, *numbered])


def speak_text(*, user: User, text: str, audio_format: AudioFormat, rate: float) -> Speech:
    """Text as speech. What is said is the text, word for word.

    Raises:
        InputTooLong, EngineError
    """
    return speak(text=text, purpose="voice.speak", audio_format=audio_format, rate=rate, user_id=user.pk)
