from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
from django.utils import timezone

from accounts.models import User
from ai.errors import EngineTimeout
from ai.models import Usage
from ai.services.text import InputTooLong
from catalog.models import Skill
from conftest import at_once
from core.models import OutboxEvent
from profiling import tasks
from profiling.enums import ClaimKind, ClaimSource, ClaimState
from profiling.errors import (
    AnswerBeingRead,
    InterviewFinished,
    InterviewNotFound,
    NothingLearned,
    NothingToGoBackTo,
    StepAlreadyAnswered,
    StepNotAsked,
)
from profiling.models import Answer, Claim, Interview, Profile
from profiling.services import planning, reading
from profiling.services.interview import Position, complete_interview, go_back, pause_interview, start_interview, submit_answer
from profiling.services.profile import edit_profile, forget_inferred

pytestmark = pytest.mark.django_db
AnswerAll = Callable[..., Position]


def answer(user: User, text: str, position: Position | None = None) -> Position:
    position = position or start_interview(user=user)
    assert position.question
    return submit_answer(user=user, interview_id=position.interview.pk, step=position.question.step, text=text)


class TestCourse:
    def test_asks_nothing_twice_and_never_runs_backwards(self, user: User, skills: dict[str, Skill]) -> None:
        position = start_interview(user=user)
        asked, progress = [], [position.progress]
        while position.question:
            asked.append(position.question.text)
            position = answer(user, "I know Python and nursing. I want both.", position)
            progress.append(position.progress)
        assert len(set(asked)) == len(asked), "nothing is asked twice"
        assert progress == sorted(progress)
        assert (progress[0], progress[-1]) == (0, 1)

    def test_what_was_told_unasked_is_not_asked(self, user: User, skills: dict[str, Skill]) -> None:
        position = answer(user, "I write Python. I live in Lagos. I speak Yoruba and English. I am free in the evenings. I need captions.")
        slots = set()
        while position.question:
            slots.add(position.question.slot)
            position = answer(user, "skip", position)
        assert slots == {"interests", "experience", "goals", "constraints", "skills"}
        held = set(Claim.objects.active().values_list("kind", "label"))
        assert held >= {
            ("skill", "Python"),
            ("location", "Lagos"),
            ("language", "Yoruba"),
            ("language", "English"),
            ("availability", "evenings"),
            ("access_need", "captions"),
        }

    def test_an_answer_that_tells_nothing_is_asked_about_once_more_in_other_words(self, user: User, skills: dict[str, Skill]) -> None:
        first = start_interview(user=user)
        position = answer(user, "xyzzy", first)
        asked = [first.question, position.question]
        while position.question:
            position = answer(user, "xyzzy", position)
            asked.append(position.question)
        about = [question.text for question in asked if question and question.slot == "skills"]
        assert len(about) == len(set(about)) == 2

    @pytest.mark.parametrize("text", ["skip", " SKIP. ", "Next!"])
    def test_a_question_can_be_skipped_and_is_not_asked_again(self, user: User, text: str) -> None:
        position = answer(user, text)
        assert (position.interview.slot, position.engine) == ("interests", "")
        slots = []
        while position.question:
            slots.append(position.question.slot)
            position = answer(user, text, position)
        assert "skills" not in slots and len(slots) == len(set(slots)) == 8

    def test_nothing_is_an_answer_where_there_may_be_nothing(self, user: User, skills: dict[str, Skill]) -> None:
        position, asked = start_interview(user=user), []
        while position.question:
            asked.append(position.question.slot)
            position = answer(user, "No, nothing.", position)
        assert asked.count("constraints") == asked.count("access_needs") == 1
        assert asked.count("skills") == 2
        assert not Claim.objects.exists()

    def test_starting_again_goes_on_where_it_stopped(self, user: User) -> None:
        second = answer(user, "skip")
        resumed = start_interview(user=user)
        assert resumed.interview.pk == second.interview.pk
        assert resumed.question == second.question

    def test_after_the_end_a_new_interview_asks_less_of_what_is_known(self, user: User, answer_all: AnswerAll) -> None:
        done = answer_all(user, skills="I write Python. I do public speaking.", location="Lagos", languages="English and Yoruba")
        complete_interview(user=user, interview_id=done.interview.pk)
        again = start_interview(user=user)
        assert again.interview.pk != done.interview.pk
        assert again.question and again.question.slot == "interests"
        assert 0 < again.progress < 1

    def test_an_interview_ends_after_a_bounded_number_of_questions(self, user: User, skills: dict[str, Skill]) -> None:
        position = start_interview(user=user)
        texts = iter(f"Well, hm, thing number {number}." for number in range(100))
        while position.question:
            position = answer(user, next(texts), position)
        assert position.interview.step <= planning.MOST_QUESTIONS + 1

    def test_words_of_what_was_understood_are_given_back(self, user: User, skills: dict[str, Skill]) -> None:
        assert answer(user, "I write Python.").understood == ("Python",)


class TestSteering:
    def test_back_asks_the_question_before_and_the_new_answer_takes_the_place_of_the_old(
        self, user: User, skills: dict[str, Skill]
    ) -> None:
        first = start_interview(user=user)
        second = answer(user, "I write Python.", first)
        assert second.question and first.question
        back = go_back(user=user, interview_id=first.interview.pk, step=second.question.step)
        assert back.question and (back.question.step, back.question.text) == (1, first.question.text)
        assert back.question.previous_answer == "I write Python."
        assert start_interview(user=user).question == back.question, "also on another device"
        assert back.progress == second.progress
        forward = answer(user, "I am good at nursing.", back)
        assert forward.question == second.question
        assert set(Claim.objects.values_list("label", flat=True)) == {"Nursing"}
        assert answer(user, "I am good at nursing.", back) == forward
        assert Answer.objects.count() == 1

    def test_back_by_a_word_and_twice_sent_is_back_once(self, user: User) -> None:
        third = answer(user, "skip", answer(user, "skip"))
        for _ in range(2):
            back = answer(user, "Go back.", third)
            assert back.question and back.question.step == 2
        back = answer(user, "back", back)
        assert back.question and back.question.step == 1
        with pytest.raises(NothingToGoBackTo):
            answer(user, "back", back)

    def test_after_going_back_one_may_keep_the_answer_or_go_on(self, user: User, skills: dict[str, Skill]) -> None:
        second = answer(user, "I write Python.")
        for text in ("skip", "I write Python."):
            back = answer(user, "back", second)
            assert answer(user, text, back).question == second.question
        answer(user, "back", second)
        assert answer(user, "I like gardening.", second).interview.step == 3
        assert set(Claim.objects.values_list("label", flat=True)) == {"Python", "Gardening"}

    def test_an_edit_outlives_the_correction_of_its_answer(self, user: User, skills: dict[str, Skill]) -> None:
        second = answer(user, "I write Python.")
        edit_profile(user=user, labels={ClaimKind.SKILL: ["Python"]})
        answer(user, "I am good at nursing.", answer(user, "back", second))
        assert Claim.objects.get(label="Python").source == ClaimSource.MINE

    def test_pause_stops_and_start_goes_on_at_the_same_question(self, user: User) -> None:
        second = answer(user, "skip")
        paused = answer(user, "I need a break.", second)
        assert paused.interview.paused_at and paused.question == second.question
        assert not Answer.objects.filter(step=2).exists()
        resumed = start_interview(user=user)
        assert resumed.interview.paused_at is None and resumed.question == second.question

    def test_an_answer_ends_the_pause(self, user: User) -> None:
        second = answer(user, "skip")
        pause_interview(user=user, interview_id=second.interview.pk)
        assert answer(user, "skip", second).interview.paused_at is None

    def test_repeat_asks_the_same_again(self, user: User) -> None:
        first = start_interview(user=user)
        assert answer(user, "Say that again?", first).question == first.question

    def test_a_finished_interview_is_neither_paused_nor_taken_back(self, user: User, answer_all: AnswerAll) -> None:
        done = answer_all(user, skills="I write Python.")
        complete_interview(user=user, interview_id=done.interview.pk)
        with pytest.raises(InterviewFinished):
            pause_interview(user=user, interview_id=done.interview.pk)
        with pytest.raises(InterviewFinished):
            go_back(user=user, interview_id=done.interview.pk, step=2)

    def test_the_last_answer_can_be_corrected_before_completing(self, user: User, answer_all: AnswerAll) -> None:
        done = answer_all(user, skills="I write Python.")
        assert done.question is None
        back = go_back(user=user, interview_id=done.interview.pk, step=done.interview.step)
        assert back.question and back.question.step == done.interview.step - 1


class TestDoubt:
    @pytest.fixture
    def doubtful(self, user: User, skills: dict[str, Skill], openai_engine: Any) -> Position:
        """An interview that stands at a question about a claim that may be wrong."""
        entry = {"kind": "skill", "label": "carpentry", "quote": "I make things of wood", "confidence": 0.45, "denied": False}
        openai_engine.reply(json.dumps({"entries": [entry]}))
        position = answer(user, "I make things of wood.")
        openai_engine.reply(json.dumps({"entries": []}))
        while position.question and position.question.kind != "confirm":
            position = answer(user, "skip", position)
        return position

    def test_low_confidence_asks_with_choices_and_counts_nowhere_until_then(self, user: User, doubtful: Position) -> None:
        assert doubtful.question
        assert doubtful.question.options == ("Carpentry", "None of these")
        assert "I make things of wood" in doubtful.question.text
        assert Claim.objects.get().state == ClaimState.PROPOSED
        assert not Claim.objects.active().exists()

    @pytest.mark.parametrize("text", ["Carpentry", "yes", "the first one", "1", "carpentry, please"])
    def test_what_is_chosen_is_the_persons_own_word(self, user: User, doubtful: Position, text: str) -> None:
        position = answer(user, text, doubtful)
        claim = Claim.objects.get()
        assert (claim.state, claim.source, claim.confidence, claim.skill.name) == (ClaimState.ACTIVE, ClaimSource.MINE, 1.0, "Carpentry")
        assert position.understood == ("Carpentry",)

    @pytest.mark.parametrize("text", ["None of these", "no", "Neither!"])
    def test_what_is_refused_never_comes_back(self, user: User, doubtful: Position, text: str) -> None:
        answer(user, text, doubtful)
        claim = Claim.objects.get()
        assert (claim.state, claim.source) == (ClaimState.REJECTED, ClaimSource.MINE)

    def test_skipping_leaves_it_open_and_it_is_not_asked_again(self, user: User, doubtful: Position) -> None:
        position = answer(user, "skip", doubtful)
        while position.question:
            assert position.question.kind != "confirm"
            position = answer(user, "skip", position)
        assert Claim.objects.get().state == ClaimState.PROPOSED

    def test_correcting_the_answer_behind_it_takes_the_question_away(self, user: User, doubtful: Position) -> None:
        back = go_back(user=user, interview_id=doubtful.interview.pk, step=2)
        position = answer(user, "I sing.", back)
        assert position.question is None or position.question.kind != "confirm"
        assert not Claim.objects.filter(label="Carpentry").exists()

    def test_forgetting_what_was_inferred_takes_the_question_away(self, user: User, doubtful: Position) -> None:
        forget_inferred(user=user)
        position = start_interview(user=user)
        assert position.question is None or position.question.kind != "confirm"

    def test_choosing_another_than_the_likeliest(self, user: User, doubtful: Position) -> None:
        Claim.objects.update(alternatives=["Gardening"])
        Interview.objects.update(options=["Carpentry", "Gardening", "None of these"])
        position = answer(user, "Gardening", doubtful)
        assert position.understood == ("Gardening",)
        assert list(Claim.objects.values_list("label", "state", "source")) == [("Gardening", "active", "mine")]

    def test_what_is_taken_back_in_the_same_answer_is_not_claimed(self, user: User, skills: dict[str, Skill]) -> None:
        answer(user, "I can do carpentry. No, that was my brother. I can't do carpentry.")
        assert not Claim.objects.filter(label="Carpentry").exists()

    def test_a_choice_from_options_is_the_persons_own_word(self, user: User, skills: dict[str, Skill]) -> None:
        position = start_interview(user=user)
        while position.question and not position.question.options:
            position = answer(user, "hm, well" if position.question.slot == "availability" else "skip", position)
        assert position.question and position.question.slot == "availability"
        answer(user, "Evenings and weekends, I think", position)
        held = Claim.objects.filter(kind="availability").values_list("label", "source")
        assert set(held) == {("evenings", "mine"), ("weekends", "mine")}


class TestAnswers:
    def test_claims_carry_passage_confidence_engine_and_skill(self, user: User, skills: dict[str, Skill]) -> None:
        position = answer(user, "I write Python every day. I can't sing.")
        claim = Claim.objects.get(user=user, label="Python")
        assert (claim.quote, claim.skill, claim.kind, claim.source) == ("I write Python every day.", skills["Python"], "skill", "inferred")
        assert 0.4 < claim.confidence <= 1
        assert (claim.engine, position.engine) == ("embedded", "embedded")
        assert not Claim.objects.filter(quote__contains="sing").exists()

    def test_the_same_answer_sent_twice_counts_once(self, user: User, skills: dict[str, Skill]) -> None:
        start = start_interview(user=user)
        first, again = answer(user, "I write Python.", start), answer(user, "I write Python.", start)
        assert first == again
        assert Answer.objects.count() == 1

    def test_another_answer_to_the_same_step_is_a_conflict(self, user: User) -> None:
        start = start_interview(user=user)
        answer(user, "skip", start)
        with pytest.raises(StepAlreadyAnswered):
            answer(user, "Something else", start)

    def test_steps_are_answered_in_order(self, user: User) -> None:
        start = start_interview(user=user)
        with pytest.raises(StepNotAsked):
            submit_answer(user=user, interview_id=start.interview.pk, step=5, text="x")

    def test_a_finished_interview_takes_no_answer(self, user: User, answer_all: AnswerAll) -> None:
        done = answer_all(user, skills="I write Python.")
        with pytest.raises(InterviewFinished):
            submit_answer(user=user, interview_id=done.interview.pk, step=done.interview.step, text="x")
        complete_interview(user=user, interview_id=done.interview.pk)
        with pytest.raises(InterviewFinished):
            submit_answer(user=user, interview_id=done.interview.pk, step=1, text="x")

    def test_the_interview_of_somebody_else_is_not_there(self, user: User, make_user: Any) -> None:
        start = start_interview(user=user)
        with pytest.raises(InterviewNotFound):
            answer(make_user(), "x", start)
        with pytest.raises(InterviewNotFound):
            complete_interview(user=make_user(), interview_id=start.interview.pk)

    def test_an_answer_that_was_kept_but_not_read_is_read_on_the_next_try(self, user: User, skills: dict[str, Skill]) -> None:
        start = start_interview(user=user)
        with mock.patch.object(reading, "_converse", side_effect=RuntimeError("killed")), pytest.raises(RuntimeError):
            answer(user, "I write Python.", start)
        assert Answer.objects.get().read_at is None
        assert answer(user, "I write Python.", start).interview.step == 2
        assert Claim.objects.filter(label="Python").exists()

    def test_when_no_engine_answers_the_words_are_kept_and_it_goes_on(self, user: User) -> None:
        with mock.patch.object(reading, "converse", side_effect=EngineTimeout):
            position = answer(user, "I write Python.")
        assert (position.engine, position.degraded_because, position.interview.step) == ("", "timeout", 2)
        assert Answer.objects.get().text == "I write Python."

    def test_too_long_an_answer_is_refused_and_can_be_shortened(self, user: User, settings: Any) -> None:
        settings.AI_MAX_INPUT_CHARACTERS = 20
        start = start_interview(user=user)
        with pytest.raises(InputTooLong):
            answer(user, "x" * 21, start)
        assert not Answer.objects.exists()
        assert answer(user, "skip", start).interview.step == 2

    def test_openai_is_read_linked_and_named(self, user: User, skills: dict[str, Skill], openai_engine: Any) -> None:
        rows = (("skill", "python", "write Python", 0.8), ("skill", "dancing", "dance", 0.8), ("location", "Accra", "in Accra", 0.9))
        entries = [
            {"kind": kind, "label": label, "quote": quote, "confidence": confidence, "denied": False}
            for kind, label, quote, confidence in rows
        ]
        openai_engine.reply(json.dumps({"entries": entries}))
        position = answer(user, "I write Python and dance in Accra.")
        assert position.engine == "openai"
        held = set(Claim.objects.values_list("kind", "label", "skill__name", "prompt"))
        assert held == {
            ("skill", "Python", "Python", "read-answer.1"),
            ("skill", "dancing", None, "read-answer.1"),
            ("location", "Accra", None, "read-answer.1"),
        }

    def test_openai_that_fails_is_replaced_visibly(self, user: User, skills: dict[str, Skill], openai_engine: Any) -> None:
        openai_engine.rate_limit(retry_after=90)
        position = answer(user, "I write Python.")
        assert (position.engine, position.degraded_because) == ("embedded", "rate_limited")
        assert Answer.objects.get().degraded_because == "rate_limited"

    @pytest.mark.django_db(transaction=True)
    def test_of_many_at_once_one_is_read_and_counts(self, user: User, skills: dict[str, Skill]) -> None:
        start = start_interview(user=user)

        def attempt() -> Any:
            try:
                return answer(user, "I write Python.", start).interview.step
            except AnswerBeingRead as error:
                return error.retry_after_seconds

        assert set(at_once(4, attempt)) == {2}, "either the second step, or to ask again in two seconds"
        assert answer(user, "I write Python.", start).interview.step == 2
        assert (Answer.objects.count(), Claim.objects.filter(label="Python").count(), Interview.objects.get().step) == (1, 1, 2)
        assert Usage.objects.filter(operation="converse").count() == 1

    def test_whoever_dies_while_reading_loses_the_right_to(self, user: User, skills: dict[str, Skill]) -> None:
        start = start_interview(user=user)
        with mock.patch.object(reading, "_converse", side_effect=RuntimeError("killed")), pytest.raises(RuntimeError):
            answer(user, "I write Python.", start)
        now = timezone.now()
        Answer.objects.update(reading_until=now + datetime.timedelta(seconds=5))
        with pytest.raises(AnswerBeingRead):
            answer(user, "I write Python.", start)
        Answer.objects.update(reading_until=now - datetime.timedelta(seconds=1))
        assert answer(user, "I write Python.", start).interview.step == 2


class TestEdits:
    def test_what_the_person_rejected_never_comes_back(self, user: User, skills: dict[str, Skill]) -> None:
        second = answer(user, "I write Python.")
        edit_profile(user=user, labels={ClaimKind.SKILL: ["Baking"]})
        third = answer(user, "skip", second)
        complete_interview(user=user, interview_id=third.interview.pk)
        answer(user, "I know Python all day and all night.")
        claim = Claim.objects.get(label="Python")
        assert (claim.state, claim.source) == (ClaimState.REJECTED, ClaimSource.MINE)
        assert list(Claim.objects.active().values_list("label", "source")) == [("Baking", "mine")]

    def test_a_stronger_passage_replaces_a_weaker_one(self, user: User, skills: dict[str, Skill]) -> None:
        second = answer(user, "I write Python code.")
        Claim.objects.filter(label="Python").update(confidence=0.7)
        complete_interview(user=user, interview_id=second.interview.pk)
        answer(user, "Python")
        claim = Claim.objects.get(label="Python")
        assert (claim.confidence > 0.7, claim.quote) == (True, "Python")


class TestCompletion:
    def test_makes_the_profile_and_tells_it_once(self, user: User, answer_all: AnswerAll) -> None:
        done = answer_all(
            user,
            skills="I write Python.",
            experience="I worked as a cook. It was fun.",
            goals="I want to teach.",
            access_needs="I use a wheelchair.",
        )
        first = complete_interview(user=user, interview_id=done.interview.pk)
        second = complete_interview(user=user, interview_id=done.interview.pk)
        assert first == second
        assert first.summary == (
            "You can do: Python. You have done: I worked as a cook. You want: I want to teach. What helps you take part: wheelchair access."
        )
        assert first.embedding is not None
        assert first.embedded_hash == first.content_hash
        assert OutboxEvent.objects.filter(name="profiling.interview-completed").count() == 1

    def test_nothing_learned_makes_no_profile(self, user: User) -> None:
        start = start_interview(user=user)
        with pytest.raises(NothingLearned):
            complete_interview(user=user, interview_id=start.interview.pk)
        assert not Profile.objects.exists()

    def test_an_engine_that_is_out_leaves_the_profile_in_the_queue(self, user: User, answer_all: AnswerAll) -> None:
        done = answer_all(user, skills="I write Python.")
        with mock.patch("profiling.services.profile.embed", side_effect=EngineTimeout):
            profile = complete_interview(user=user, interview_id=done.interview.pk)
            assert profile.embedding is None
            assert tasks.embed_waiting() == 0
        assert tasks.embed_waiting() == 1
        assert tasks.embed_waiting() == 0
        profile.refresh_from_db()
        assert profile.embedding is not None
