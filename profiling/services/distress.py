"""Words of crisis in an answer. Found by patterns that people wrote, the same on every engine, and met with words that people wrote:
no model decides here, and none answers. Rather once too often than once too little."""

from __future__ import annotations

import dataclasses
import re
import uuid
from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from profiling.models import Answer, DistressFlag

_SELF = r"(?:my ?self|me|my own life|my life)"
_PATTERNS = (
    rf"\b(?:kill|killing|hurt|hurting|harm|harming|cut|cutting|hang|hanging|shoot|drown)\s+{_SELF}\b",
    r"\bsuicid\w*",
    r"\bself[- ]?harm\w*",
    r"\b(?:want|wanted|wish|wanna|ready|going|like)\s+(?:to\s+)?(?:die|be dead|disappear for ?ever|not wake up)\b",
    r"\bwish\s+(?:that\s+)?i\s+(?:was|were|had)\s+(?:dead|never (?:been )?born)\b",
    r"\b(?:end|ending|take|taking)\s+(?:it all|my (?:own )?life)\b",
    r"\b(?:no|not any|without (?:a|any))\s+(?:reason|point)\s+(?:to|in)\s+(?:live|living|go on|going on)\b",
    r"\b(?:can'?t|cannot|can not)\s+(?:go on|take it|live like this|do this)\s*(?:any ?more|any longer)\b",
    r"\bbetter off (?:dead|without me)\b",
    r"\b(?:he|she|they|my \w+)\s+(?:beats?|hits?|rapes?|raped|abuses?|abused)\s+me\b",
)
_DISTRESS = re.compile("|".join(_PATTERNS), re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class Support:
    """What is shown and said at once, word for word."""

    title: str
    text: str


SUPPORT = Support(
    title=str(_("You matter more than this interview")),
    text=str(
        _(
            "What you wrote sounds very heavy. You do not have to carry it alone. If you are in danger now, call your local emergency "
            "number: 112 in Europe, 911 in North America. You can talk to somebody for free, by phone or chat, in your country and your "
            "language: https://findahelpline.com. A person of our team will also see that you may need support. You can stop here and "
            "go on at any time, or never."
        )
    ),
)


def sounds_like_distress(text: str) -> bool:
    """Whether an answer holds words of crisis."""
    return bool(_DISTRESS.search(" ".join(text.replace("\u2019", "'").split())))


def flag_distress(*, answer: Answer) -> Support | None:
    """Tell staff of an answer that sounds like distress, once, and give the words to meet it with. None for every other answer."""
    if not sounds_like_distress(answer.text):
        return None
    _flag(answer)
    return SUPPORT


def flag_moderated(*, answer: Answer, categories: Sequence[str]) -> Support | None:
    """The same, where an engine's moderation found self-harm in an answer that no pattern knows."""
    if not any(category.startswith(("self-harm", "self_harm")) for category in categories):
        return None
    _flag(answer)
    return SUPPORT


def _flag(answer: Answer) -> None:
    with transaction.atomic():
        DistressFlag.objects.get_or_create(answer=answer, defaults={"user_id": answer.interview.user_id})


def mark_seen(*, flag_ids: list[uuid.UUID], actor_id: uuid.UUID) -> int:
    """Note that somebody of staff has seen to these. Returns how many had waited."""
    with transaction.atomic():
        waiting = DistressFlag.objects.filter(pk__in=flag_ids, seen_at__isnull=True)
        return waiting.update(seen_at=timezone.now(), seen_by_id=actor_id)
