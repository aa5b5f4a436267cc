from __future__ import annotations

import dataclasses
import uuid

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.enums import ConsentPurpose, ConsentSource
from accounts.errors import ConsentRequired, GuardianRequired
from accounts.models import User
from accounts.policies import can_use_ai, is_minor
from accounts.services.consents import Consent, agree_by_acting, consent_of
from ai.errors import EngineError, InputTooLong
from ai.services.speech import Heard
from ai.services.text import Turn, TurnResult, converse
from catalog.models import Skill
from core.events import publish
from profiling.enums import ClaimKind, ClaimSource, InterviewState, QuestionKind, Slot
from profiling.errors import InterviewFinished, InterviewNotFound, NothingLearned, StepAlreadyAnswered, StepNotAsked
from profiling.events import InterviewCompleted
from profiling.models import Answer, Claim, Interview, Profile
from profiling.services.distress import Support, flag_distress
from profiling.services.profile import embed_profile, rebuild_profile
from profiling.services.questions import MOST_FOLLOW_UPS, PLANS, SKIP_WORDS, SLOTS
from profiling.services.vocabulary import constraint_finder, skill_finder, skills_named

logger = structlog.get_logger(__name__)

_MOST_CLAIMS_AN_ANSWER = 8


@dataclasses.dataclass(frozen=True)
class Question:
    """What is asked at a step. `options` is empty for free text; `audio_url` is None while nothing is spoken."""

    step: int
    text: str
    kind: str = QuestionKind.TEXT
    options: tuple[str, ...] = ()
    audio_url: str | None = None


@dataclasses.dataclass(frozen=True)
class Position:
    """Where an interview stands. `question` is None once everything was asked; `engine` read the last answer.

    `consent` is what the person agrees to by answering, `voice_consent` what by sending a recording, both None once they have; `heard`
    what was heard of a spoken answer; `support` the words for somebody whose answer sounds like distress.
    """

    interview: Interview
    question: Question | None
    progress: float
    engine: str = ""
    degraded_because: str = ""
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
    voice = consent_of(user.pk, ConsentPurpose.VOICE_PROCESSING) if is_voice else None
    return dataclasses.replace(
        _position(interview),
        consent=None if consent.is_granted else consent,
        voice_consent=voice if voice and not voice.is_granted else None,
    )


def submit_answer(*, user: User, interview_id: uuid.UUID, step: int, text: str) -> Position:
    """Take the answer of a step and ask on. The same answer sent again is answered again and changes nothing.

    Raises:
        ConsentRequired, GuardianRequired
        InterviewNotFound, InterviewFinished, StepAlreadyAnswered, StepNotAsked
        InputTooLong: no engine takes so long an answer.
    """
    if len(text) > settings.AI_MAX_INPUT_CHARACTERS:
        raise InputTooLong
    if not Interview.objects.visible_to(user).filter(pk=interview_id).exists():
        raise InterviewNotFound
    agree_by_acting(user=user, purpose=ConsentPurpose.AI_PROFILING, source=ConsentSource.INTERVIEW)
    answer = _keep_answer(user, interview_id, step, text)
    support = flag_distress(answer=answer)
    if answer.read_at is None:
        result = _read(user, answer)
        _conclude(answer.id, result)
    answer.refresh_from_db()
    position = _position(Interview.objects.get(pk=interview_id))
    return dataclasses.replace(position, engine=answer.engine, degraded_because=answer.degraded_because, support=support)


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
            interview.state = InterviewState.COMPLETED
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
    with transaction.atomic():
        interview = _locked(user, interview_id)
        known = interview.answers.filter(step=step).first()
        if known is not None:
            if known.text != text:
                raise StepAlreadyAnswered
            return known
        question = _question(interview)
        if interview.state == InterviewState.COMPLETED or question is None:
            raise InterviewFinished
        if step != interview.step:
            raise StepNotAsked
        return Answer.objects.create(interview=interview, step=step, slot=interview.slot, question=question.text, text=text)


def _read(user: User, answer: Answer) -> TurnResult | None:
    """What the answer says; None if the person skips or no engine at all can read it now."""
    if answer.text.strip().lower().rstrip(".!") in SKIP_WORDS:
        return None
    plan = PLANS[Slot(answer.slot)]
    finder = None if plan.is_own_words else (constraint_finder if plan.kind == ClaimKind.CONSTRAINT else skill_finder)(user.pk)
    turn = Turn(answer.question, answer.text, plan.kind, finder, plan.negation_cancels)
    try:
        return converse(turn=turn, purpose="profiling.interview", user_id=user.pk)
    except EngineError as error:
        logger.warning("no engine could read the answer", answer_id=str(answer.id), outcome=error.outcome)
        return TurnResult(mentions=(), engine="", model="", degraded_because=str(error.outcome))


def _conclude(answer_id: uuid.UUID, result: TurnResult | None) -> None:
    """Store what was read and move on. Whoever comes second finds the step done and changes nothing."""
    owner = Answer.objects.select_related("interview").get(pk=answer_id).interview.user_id
    skills = _linked_skills(result, owner)
    with transaction.atomic():
        interview = Interview.objects.select_for_update().get(answers=answer_id)
        answer = Answer.objects.get(pk=answer_id)
        if answer.read_at is not None:
            return
        if result is not None:
            answer.engine, answer.model, answer.degraded_because = result.engine, result.model[:120], result.degraded_because
            _store_claims(interview, answer, result, skills)
        answer.read_at = timezone.now()
        answer.save()
        _advance(interview, learned=result is None or bool(result.mentions))


def _linked_skills(result: TurnResult | None, user_id: uuid.UUID) -> dict[str, Skill]:
    labels = [mention.label for mention in result.mentions if mention.kind in (ClaimKind.SKILL, ClaimKind.INTEREST)] if result else []
    try:
        return skills_named(labels[:_MOST_CLAIMS_AN_ANSWER], user_id)
    except EngineError:
        return {}


def _store_claims(interview: Interview, answer: Answer, result: TurnResult, skills: dict[str, Skill]) -> None:
    for mention in result.mentions[:_MOST_CLAIMS_AN_ANSWER]:
        skill = skills.get(mention.label)
        label = (skill.name if skill else mention.label)[:300]
        known = Claim.objects.filter(user_id=interview.user_id, kind=mention.kind, label__iexact=label).first()
        if known is not None and (known.source == ClaimSource.MINE or known.confidence >= mention.confidence):
            continue
        claim = known or Claim(user_id=interview.user_id, kind=mention.kind, label=label)
        claim.source, claim.skill, claim.answer = ClaimSource.INFERRED, skill, answer
        claim.quote, claim.confidence = mention.quote, mention.confidence
        claim.engine, claim.model = result.engine, result.model[:120]
        claim.save()


def _advance(interview: Interview, *, learned: bool) -> None:
    interview.step += 1
    if learned or interview.follow_ups >= MOST_FOLLOW_UPS:
        following = SLOTS.index(Slot(interview.slot)) + 1
        interview.slot = SLOTS[following] if following < len(SLOTS) else ""
        interview.follow_ups = 0
    else:
        interview.follow_ups += 1
    interview.save()


def _question(interview: Interview) -> Question | None:
    if not interview.slot or interview.state == InterviewState.COMPLETED:
        return None
    plan = PLANS[Slot(interview.slot)]
    return Question(interview.step, plan.follow_up if interview.follow_ups else plan.question)


def _position(interview: Interview) -> Position:
    asked = SLOTS.index(Slot(interview.slot)) if interview.slot else len(SLOTS)
    half_a_slot = 0.5 if interview.follow_ups else 0.0
    return Position(interview, _question(interview), round((asked + half_a_slot) / len(SLOTS), 2))
