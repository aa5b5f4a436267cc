"""Reads an answer: what was chosen of the options, what it tells in its own words, or that there is nothing to tell."""

from __future__ import annotations

import datetime
from collections.abc import Callable

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from ai.errors import EngineError, InputTooLong
from ai.services.text import Turn, TurnResult, converse
from profiling.enums import AnswerMeaning, QuestionKind, Slot
from profiling.errors import AnswerBeingRead
from profiling.models import Answer, Claim, Interview
from profiling.services.claims import labels_to_link, linked_skills, settle_proposal, store_choice, store_mentions
from profiling.services.commands import Command, chosen, command_in, says_nothing
from profiling.services.distress import Support, flag_moderated
from profiling.services.questions import PLANS
from profiling.services.routing import router
from profiling.services.vocabulary import kinds_for

logger = structlog.get_logger(__name__)

_RETRY_AFTER_SECONDS = 2


def check_length(text: str) -> None:
    """Refuse what no engine takes, before it is kept.

    Raises:
        InputTooLong
    """
    if len(text) > settings.AI_MAX_INPUT_CHARACTERS:
        raise InputTooLong


def read_answer(*, answer: Answer, go_on: Callable[[Answer], None]) -> Support | None:
    """Read an answer, store what it tells, and call `go_on` in the same transaction. Gives words of support if moderation asks for them.

    Raises:
        AnswerBeingRead: somebody else is at it.
    """
    if not _begins_reading(answer):
        raise AnswerBeingRead(retry_after_seconds=_RETRY_AFTER_SECONDS)
    try:
        options = chosen(answer.text, answer.options) if answer.options else None
        result = None if options is not None else _converse(answer)
        _conclude(answer, options, result, go_on)
    finally:
        Answer.objects.filter(pk=answer.pk).update(reading_until=None)
    return flag_moderated(answer=answer, categories=result.flags) if result else None


def _begins_reading(answer: Answer) -> bool:
    """Whether this is the one that reads. Whoever dies over it loses the right to after a while."""
    now = timezone.now()
    free = Answer.objects.filter(Q(reading_until__isnull=True) | Q(reading_until__lt=now), pk=answer.pk, read_at__isnull=True)
    return bool(free.update(reading_until=now + datetime.timedelta(seconds=4 * settings.AI_TIMEOUT_SECONDS)))


def _converse(answer: Answer) -> TurnResult | None:
    """What an engine reads in the answer; None if there is nothing to read."""
    if command_in(answer.text) == Command.SKIP or says_nothing(answer.text):
        return None
    user_id = answer.interview.user_id
    plan = PLANS[Slot(answer.slot)]
    turn = Turn(answer.question, answer.text, kinds_for(user_id), router(plan.kind))
    try:
        return converse(turn=turn, purpose="profiling.interview", user_id=user_id)
    except EngineError as error:
        # The words are kept; the interview goes on without a conclusion from them.
        logger.warning("answer not read", outcome=error.outcome)
        return TurnResult(mentions=(), engine="", model="", degraded_because=str(error.outcome))


def _conclude(answer: Answer, options: list[str] | None, result: TurnResult | None, go_on: Callable[[Answer], None]) -> None:
    plan = PLANS[Slot(answer.slot)]
    skills = linked_skills(labels_to_link(result) if result else options or [], answer.interview.user_id)
    with transaction.atomic():
        interview = Interview.objects.select_for_update().get(pk=answer.interview_id)
        fresh = Answer.objects.select_related("confirms").get(pk=answer.pk)
        fresh.interview = interview
        if fresh.read_at is not None:
            return
        if fresh.question_kind == QuestionKind.CONFIRM and options is not None:
            told = settle_proposal(fresh, options, skills)
        elif options is not None:
            told = store_choice(fresh, options, plan.kind, skills)
        else:
            told = store_mentions(fresh, result, skills) if result else []
        if result is not None:
            fresh.engine, fresh.model, fresh.prompt = result.engine, result.model[:120], result.prompt
            fresh.degraded_because = result.degraded_because
        fresh.meaning = _meaning(fresh, options, told)
        fresh.read_at = timezone.now()
        fresh.save()
        go_on(fresh)


def _meaning(answer: Answer, options: list[str] | None, told: list[Claim]) -> AnswerMeaning:
    if command_in(answer.text) == Command.SKIP:
        return AnswerMeaning.SKIPPED
    if told or (answer.question_kind == QuestionKind.CONFIRM and options is not None):
        return AnswerMeaning.TOLD
    is_nothing = options == [] or says_nothing(answer.text)
    return AnswerMeaning.NOTHING if is_nothing and PLANS[Slot(answer.slot)].can_be_empty else AnswerMeaning.UNCLEAR
