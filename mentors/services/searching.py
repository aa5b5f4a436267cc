"""Finding mentors: by what they are asked for, and by when somebody has time."""

from __future__ import annotations

import dataclasses
import datetime
import uuid
from zoneinfo import ZoneInfo

from django.db.models import Q

from ai.errors import EngineError
from catalog.services.indexing import embed_query
from mentors.models import MentorProfile
from mentors.models.availability import MINUTES_OF_A_DAY
from mentors.querysets import MentorProfileQuerySet, Windows
from mentors.services.expanding import Hours, Rules, Span, expand

MOST_DAYS = 31
_DAY = datetime.timedelta(days=1)


@dataclasses.dataclass(frozen=True)
class Found:
    """Mentors, best first, each with `score`. Without the engine for meaning words decide, and `degraded_because` says why."""

    mentors: list[MentorProfile]
    degraded_because: str = ""


def windows_between(
    start: datetime.datetime, end: datetime.datetime, *, zone: ZoneInfo, daily: Hours | None = None
) -> tuple[tuple[datetime.datetime, datetime.datetime], ...]:
    """The time from start to end, or only certain hours of each date in `zone`, as in "my evenings this week". Hours whose end is not after
    their start cross midnight."""
    if daily is None:
        return ((start, end),)
    is_overnight = daily.end <= daily.start
    hours = (Hours(0, daily.end), Hours(daily.start, MINUTES_OF_A_DAY)) if is_overnight else (daily,)
    rules = Rules(zone, {weekday: [each for each in hours if each.start < each.end] for weekday in range(7)}, {}, (), _DAY)
    spans = expand(rules, start.astimezone(zone).date(), end.astimezone(zone).date()).open
    cut = (Span(max(span.start, start), min(span.end, end)) for span in spans)
    return tuple((span.start, span.end) for span in cut if span.start < span.end)


def search_mentors(*, rows: MentorProfileQuerySet, q: str, windows: Windows | None, limit: int, user_id: uuid.UUID | None = None) -> Found:
    """The best of these mentors for what somebody is looking for; of those alone who have a slot when they have time."""
    try:
        vector, model = embed_query(q, purpose="mentors.search", user_id=user_id)
    except EngineError as error:
        return Found(_by_words(rows, q, windows, limit), error.outcome)
    ranked = rows.ranked_for(vector, model=model, limit=limit, windows=windows)
    by_key = MentorProfile.objects.for_cards().in_bulk([key for key, _ in ranked])
    found = []
    for key, score in ranked:
        if key in by_key:
            by_key[key].score = score
            found.append(by_key[key])
    return Found(found)


def _by_words(rows: MentorProfileQuerySet, q: str, windows: Windows | None, limit: int) -> list[MentorProfile]:
    """Mentors in whose words all of these stand, newest first."""
    for word in q.split()[:10]:
        rows = rows.filter(Q(headline__icontains=word) | Q(bio__icontains=word) | Q(skill_links__skill__name__icontains=word))
    if windows is not None:
        rows = rows.free_within(windows)
    keys = list(rows.order_by("-id").values_list("pk", flat=True).distinct()[:limit])
    return list(MentorProfile.objects.filter(pk__in=keys).for_cards())
