from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest

from accounts.models import User
from ai.errors import EngineTimeout
from ai.services.text import InputTooLong
from catalog.models import Skill
from conftest import at_once
from core.models import OutboxEvent
from profiling import tasks
from profiling.enums import ClaimSource, ClaimState
from profiling.errors import InterviewFinished, InterviewNotFound, NothingLearned, StepAlreadyAnswered, StepNotAsked
from profiling.models import Answer, Claim, Interview, Profile
from profiling.services import interview as module
from profiling.services.interview import Position, complete_interview, start_interview, submit_answer
from profiling.services.profile import edit_profile

pytestmark = pytest.mark.django_db
AnswerAll = Callable[..., Position]


def answer(user: User, text: str, position: Position | None = None) -> Position:
    position = position or start_interview(user=user)
    assert position.question
    return submit_answer(user=user, interview_id=position.interview.pk, step=position.question.step, text=text)


class TestCourse:
    def test_asks_slot_by_slot_and_never_runs_backwards(self, user: User, skills: dict[str, Skill]) -> None:
        position = start_interview(user=user)
        asked, progress = [], [position.progress]
        while position.question:
            asked.append(position.question.text)
            position = answer(user, "I know Python and nursing. I want both.", position)
            progress.append(position.progress)
        assert len(set(asked)) == len(asked), "nothing is asked twice"
        assert progress == sorted(progress)
        assert (progress[0], progress[-1]) == (0, 1)

    def test_an_answer_that_tells_nothing_is_asked_about_once_more(self, user: User, skills: dict[str, Skill]) -> None:
        first = start_interview(user=user)
        second = answer(user, "xyzzy", first)
        third = answer(user, "xyzzy", second)
        assert first.question and second.question and third.question
        assert second.interview.slot == first.interview.slot == "skills"
        assert third.interview.slot == "interests"
        assert (first.progress, second.progress, third.progress) == (0, 0.1, 0.2)

    @pytest.mark.parametrize("text", ["skip", " SKIP. ", "Next!"])
    def test_a_question_can_be_skipped(self, user: User, text: str) -> None:
        position = answer(user, text)
        assert (position.interview.slot, position.engine) == ("interests", "")

    def test_starting_again_goes_on_where_it_stopped(self, user: User) -> None:
        second = answer(user, "skip")
        resumed = start_interview(user=user)
        assert resumed.interview.pk == second.interview.pk
        assert resumed.question == second.question

    def test_after_the_end_a_new_interview_can_begin(self, user: User, answer_all: AnswerAll) -> None:
        done = answer_all(user, skills="I write Python.")
        complete_interview(user=user, interview_id=done.interview.pk)
        assert start_interview(user=user).interview.pk != done.interview.pk


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

    def test_the_interview_of_somebody_else_is_not_there(self, user: User, make_user: Any) -> None:
        start = start_interview(user=user)
        with pytest.raises(InterviewNotFound):
            answer(make_user(), "x", start)
        with pytest.raises(InterviewNotFound):
            complete_interview(user=make_user(), interview_id=start.interview.pk)

    def test_an_answer_that_was_kept_but_not_read_is_read_on_the_next_try(self, user: User, skills: dict[str, Skill]) -> None:
        start = start_interview(user=user)
        with mock.patch.object(module, "_read", side_effect=RuntimeError("killed")), pytest.raises(RuntimeError):
            answer(user, "I write Python.", start)
        assert Answer.objects.get().read_at is None
        assert answer(user, "I write Python.", start).interview.step == 2
        assert Claim.objects.filter(label="Python").exists()

    def test_when_no_engine_answers_the_words_are_kept_and_it_goes_on(self, user: User) -> None:
        with mock.patch.object(module, "converse", side_effect=EngineTimeout):
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
        openai_engine.reply(
            '{"entries": [{"label": "python", "quote": "write Python", "confidence": 0.7}, {"label": "zumba", "quote": "dance", "confidence": 0.6}]}'
        )
        position = answer(user, "I write Python and dance.")
        assert position.engine == "openai"
        assert set(Claim.objects.values_list("label", "skill__name")) == {("Python", "Python"), ("zumba", None)}

    def test_openai_that_fails_is_replaced_visibly(self, user: User, skills: dict[str, Skill], openai_engine: Any) -> None:
        openai_engine.rate_limit(retry_after=90)
        position = answer(user, "I write Python.")
        assert (position.engine, position.degraded_because) == ("embedded", "rate_limited")
        assert Answer.objects.get().degraded_because == "rate_limited"

    @pytest.mark.django_db(transaction=True)
    def test_of_many_at_once_one_counts(self, user: User, skills: dict[str, Skill]) -> None:
        start = start_interview(user=user)
        outcomes = at_once(4, lambda: answer(user, "I write Python.", start).interview.step)
        assert outcomes == [2] * 4
        assert (Answer.objects.count(), Claim.objects.filter(label="Python").count(), Interview.objects.get().step) == (1, 1, 2)


class TestEdits:
    def test_what_the_person_rejected_never_comes_back(self, user: User, skills: dict[str, Skill]) -> None:
        second = answer(user, "I write Python.")
        edit_profile(user=user, labels={module.ClaimKind.SKILL: ["Baking"]})
        third = answer(user, "skip", second)
        complete_interview(user=user, interview_id=third.interview.pk)
        answer(user, "I write Python all day and all night.")
        claim = Claim.objects.get(label="Python")
        assert (claim.state, claim.source) == (ClaimState.REJECTED, ClaimSource.MINE)
        assert list(Claim.objects.active().values_list("label", "source")) == [("Baking", "mine")]

    def test_a_stronger_passage_replaces_a_weaker_one(self, user: User, skills: dict[str, Skill]) -> None:
        second = answer(user, "I write Python code at home sometimes with friends.")
        weak = Claim.objects.get(label="Python").confidence
        complete_interview(user=user, interview_id=second.interview.pk)
        answer(user, "Python")
        assert Claim.objects.get(label="Python").confidence > weak


class TestCompletion:
    def test_makes_the_profile_and_tells_it_once(self, user: User, answer_all: AnswerAll) -> None:
        done = answer_all(
            user,
            skills="I write Python.",
            experience="I worked as a cook. It was fun.",
            goals="I want to teach.",
            constraints="I use a wheelchair.",
        )
        first = complete_interview(user=user, interview_id=done.interview.pk)
        second = complete_interview(user=user, interview_id=done.interview.pk)
        assert first == second
        assert first.summary == (
            "You can do: Python. You have done: I worked as a cook; It was fun. You want: I want to teach. What has to be respected: wheelchair access."
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
