from __future__ import annotations

import dataclasses
import uuid

from django.db import transaction
from django.utils import timezone

from accounts.enums import ConsentPurpose, ConsentSource
from accounts.errors import ConsentRequired, GuardianRequired
from accounts.models import User
from accounts.policies import can_use_ai, is_minor
from accounts.services.consents import Consent, agree_by_acting, consent_of
from ai.services.speech import Heard
from core.events import publish
from core.querysets import COLUMNS_OF_VECTORS
from profiling.enums import ClaimState, InterviewState, QuestionKind
from profiling.errors import InterviewFinished, InterviewNotFound, NothingLearned, NothingToGoBackTo, StepAlreadyAnswered, StepNotAsked
from profiling.events import InterviewCompleted
from profiling.models import Answer, Claim, Interview, Profile
from profiling.services.claims import forget_answer
from profiling.services.commands import Command, command_in
from profiling.services.distress import Support, flag_distress
from profiling.services.planning import next_question, progress_of
from profiling.services.profile import embed_profile, rebuild_profile
from profiling.services.reading import check_length, read_answer


@dataclasses.dataclass(frozen=True)
class Question:
    """What is asked at a step. `options` is empty for free text. `previous_answer` is what was answered before, if one went back."""

    step: int
    text: str
    kind: str = QuestionKind.TEXT
    options: tuple[str, ...] = ()
    slot: str = ""
    previous_answer: str | None = None


@dataclasses.dataclass(frozen=True)
class Position:
    """Where an interview stands. `question` is None once enough is known; `engine` read the last answer and `understood` is what it took
    from it.

    `consent` is what the person agrees to by answering, `voice_consent` what by sending a recording, both None once they have; `heard`
    what was heard of a spoken answer; `support` the words for somebody whose answer sounds like distress.
    """

    interview: Interview
    question: Question | None
    progress: float
    engine: str = ""
    degraded_because: str = ""
    understood: tuple[str, ...] = ()
    consent: Consent | None = None
    voice_consent: Consent | None = None
    heard: Heard | None = None
    support: Support | None = None


def start_interview(*, user: User, language: str = "en", is_voice: bool = False) -> Position:
    """Begin an interview, or go on with the one that is under way, at the step where it stopped.

    Nothing is read yet: the first answer is the yes to the text that comes with the question.

    Raises:
        ConsentRequired: the person said no to AI profiling.
        GuardianRequired: under 18, and no guardian has said yes.
    """
    consent = consent_of(user.pk, ConsentPurpose.AI_PROFILING)
    if not can_use_ai(user) or (is_minor(user) and not consent.is_granted):
        raise GuardianRequired
    if consent.is_decided and not consent.is_granted:
        raise ConsentRequired(purpose=str(ConsentPurpose.AI_PROFILING), text_version=consent.text.version)
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        interview = Interview.objects.filter(user=user, state=InterviewState.ACTIVE).first()
        if interview is None:
            interview = Interview.objects.create(user=user, language=language)
            plan_next(interview)
        else:
            interview.paused_at = None
            _replan_if_groundless(interview)
            interview.save()
    voice = consent_of(user.pk, ConsentPurpose.VOICE_PROCESSING) if is_voice else None
    return dataclasses.replace(
        _position(interview),
        consent=None if consent.is_granted else consent,
        voice_consent=voice if voice and not voice.is_granted else None,
    )


def submit_answer(*, user: User, interview_id: uuid.UUID, step: int, text: str) -> Position:
    """Take the answer of a step and ask on. The same answer sent again is answered again and changes nothing.

    An answer that is a command ("back", "pause", "repeat") is obeyed instead; "skip" is an answer that tells nothing.

    Raises:
        ConsentRequired, GuardianRequired
        InterviewNotFound, InterviewFinished, StepAlreadyAnswered, StepNotAsked, NothingToGoBackTo
        AnswerBeingRead: the same answer is under way; ask again in a moment.
        InputTooLong: no engine takes so long an answer.
    """
    check_length(text)
    if not Interview.objects.visible_to(user).filter(pk=interview_id).exists():
        raise InterviewNotFound
    command = command_in(text)
    if command == Command.BACK:
        return go_back(user=user, interview_id=interview_id, step=step)
    if command == Command.PAUSE:
        return pause_interview(user=user, interview_id=interview_id)
    if command == Command.REPEAT:
        return _position(Interview.objects.get(pk=interview_id))
    agree_by_acting(user=user, purpose=ConsentPurpose.AI_PROFILING, source=ConsentSource.INTERVIEW)
    answer = _keep_answer(user, interview_id, step, text)
    support = flag_distress(answer=answer)
    if answer.read_at is None:
        found_by_moderation = read_answer(answer=answer, go_on=plan_after)
        support = support or found_by_moderation
        answer.refresh_from_db()
    return dataclasses.replace(_after(answer), support=support)


def go_back(*, user: User, interview_id: uuid.UUID, step: int) -> Position:
    """Ask the question before `step` once more, with what was answered. The next answer to it takes the place of the old one.

    Raises:
        InterviewNotFound, InterviewFinished
        NothingToGoBackTo: it was the first.
    """
    with transaction.atomic():
        interview = _locked(user, interview_id)
        if interview.state == InterviewState.COMPLETED:
            raise InterviewFinished
        earlier = interview.answers.filter(step__lt=min(step, interview.step)).order_by("-step").first()
        if earlier is None:
            raise NothingToGoBackTo
        interview.correcting = earlier.step
        interview.save()
    return _position(interview)


def pause_interview(*, user: User, interview_id: uuid.UUID) -> Position:
    """Stop for now. `start_interview` goes on at the same step, on whatever device.

    Raises:
        InterviewNotFound, InterviewFinished
    """
    with transaction.atomic():
        interview = _locked(user, interview_id)
        if interview.state == InterviewState.COMPLETED:
            raise InterviewFinished
        interview.paused_at = interview.paused_at or timezone.now()
        interview.save()
    return _position(interview)


def complete_interview(*, user: User, interview_id: uuid.UUID) -> Profile:
    """Finish an interview, at any step, and make the profile. Completing twice gives the same profile.

    Raises:
        InterviewNotFound
        NothingLearned: no question was answered.
    """
    with transaction.atomic():
        interview = _locked(user, interview_id)
        if not interview.answers.filter(read_at__isnull=False).exists():
            raise NothingLearned
        if interview.state == InterviewState.ACTIVE:
            interview.state, interview.correcting, interview.paused_at = InterviewState.COMPLETED, None, None
            interview.completed_at = timezone.now()
            interview.save()
            publish(InterviewCompleted(user_id=user.pk, interview_id=interview.pk))
            rebuild_profile(user_id=user.pk)
    # Here for the person who waits; the event repeats it in a worker should this process die or the engine be out.
    embed_profile(user_id=user.pk)
    return Profile.objects.get(user=user)


def _locked(user: User, interview_id: uuid.UUID) -> Interview:
    interview = Interview.objects.visible_to(user).select_for_update().filter(pk=interview_id).first()
    if interview is None:
        raise InterviewNotFound
    return interview


def _keep_answer(user: User, interview_id: uuid.UUID, step: int, text: str) -> Answer:
    """The answer's row, written before anything reads it."""
    with transaction.atomic():
        interview = _locked(user, interview_id)
        known = interview.answers.filter(step=step).first()
        if known is not None and (known.text == text or interview.state == InterviewState.ACTIVE):
            return _given_again(interview, known, text)
        if interview.state == InterviewState.COMPLETED or not interview.question:
            raise InterviewFinished
        if step != interview.step:
            raise StepNotAsked
        return Answer.objects.create(
            interview=interview,
            step=step,
            slot=interview.slot,
            question=interview.question,
            question_kind=interview.question_kind,
            options=interview.options,
            confirms=interview.confirms,
            text=text,
        )


def _given_again(interview: Interview, answer: Answer, text: str) -> Answer:
    """An answer to a step that has one: the same once more, or the correction of it."""
    if interview.correcting != answer.step:
        if answer.text != text:
            raise StepAlreadyAnswered
        return answer
    if answer.text == text or command_in(text) == Command.SKIP:
        interview.correcting = None
        interview.save()
        return answer
    forget_answer(answer)
    answer.text, answer.read_at, answer.meaning, answer.reading_until = text, None, "", None
    answer.engine, answer.model, answer.prompt, answer.degraded_because = "", "", "", ""
    answer.save()
    return answer


def plan_after(answer: Answer) -> None:
    """Move the interview on once an answer was read. Needs an open transaction that holds the interview."""
    interview = answer.interview
    interview.correcting, interview.paused_at = None, None
    if answer.step == interview.step:
        interview.step += 1
        plan_next(interview)
    elif not interview.question:
        # An earlier answer was corrected after the last one was given, and more may be unknown now.
        plan_next(interview)
    else:
        _replan_if_groundless(interview)
        interview.save()


def _replan_if_groundless(interview: Interview) -> None:
    """A question about a claim that is gone, corrected or forgotten, is not asked any more."""
    if interview.question_kind == QuestionKind.CONFIRM and interview.confirms_id is None:
        plan_next(interview)


def plan_next(interview: Interview) -> None:
    """Choose and store the question that the interview asks now. Needs an open transaction."""
    answers = list(interview.answers.all())
    claims = list(Claim.objects.filter(user_id=interview.user_id).exclude(state=ClaimState.REJECTED).defer(*COLUMNS_OF_VECTORS))
    proposal = next_question(answers, claims)
    interview.progress = max(interview.progress, progress_of(answers, claims))
    interview.slot = proposal.slot if proposal else ""
    interview.question = proposal.text if proposal else ""
    interview.question_kind = proposal.kind if proposal else QuestionKind.TEXT
    interview.options = list(proposal.options) if proposal else []
    interview.confirms = proposal.claim if proposal else None
    interview.save()


def _after(answer: Answer) -> Position:
    understood = Claim.objects.filter(answer=answer).active().order_by("id").values_list("label", flat=True)
    return dataclasses.replace(
        _position(Interview.objects.get(pk=answer.interview_id)),
        engine=answer.engine,
        degraded_because=answer.degraded_because,
        understood=tuple(understood),
    )


def _position(interview: Interview) -> Position:
    return Position(interview, question_of(interview), interview.progress)


def question_of(interview: Interview) -> Question | None:
    """The question that waits for an answer: an earlier one while it is corrected, None once enough is known."""
    if interview.state == InterviewState.COMPLETED:
        return None
    if interview.correcting is not None:
        earlier = interview.answers.get(step=interview.correcting)
        return Question(earlier.step, earlier.question, earlier.question_kind, tuple(earlier.options), earlier.slot, earlier.text)
    if not interview.question:
        return None
    return Question(interview.step, interview.question, interview.question_kind, tuple(interview.options), interview.slot)
