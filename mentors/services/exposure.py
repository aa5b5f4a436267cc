"""How often mentors were shown as matches: kept for the ranking, so that not everybody is sent to the same few, and reported."""

from __future__ import annotations

import dataclasses
import datetime

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from core.querysets import COLUMNS_OF_VECTORS
from mentors.enums import MentorState
from mentors.models import MatchServing, MentorProfile
from mentors.services.scoring import gini

MEMORY = datetime.timedelta(days=7)
_KEPT_FOR = datetime.timedelta(days=30)
_NEW = datetime.timedelta(days=30)
_BATCH = 1_000

# Looking again and again makes nobody more than one person. The formula is `scoring.demand_of`.
_KEEP = """
WITH shown AS (
    SELECT profile_id, sum(demand) AS demand FROM (
        SELECT serving.user_id, shown.profile_id, max(shown.wanting / (ln(1 + shown.place) / ln(2))) AS demand
        FROM mentors_matchserving AS serving
        CROSS JOIN LATERAL unnest(serving.profile_ids, serving.wanting) WITH ORDINALITY AS shown(profile_id, wanting, place)
        WHERE serving.created_at > %(since)s GROUP BY serving.user_id, shown.profile_id
    ) AS each GROUP BY profile_id
)
UPDATE mentors_mentorprofile AS profile SET demand = coalesce(shown.demand, 0)
FROM mentors_mentorprofile AS same LEFT JOIN shown ON shown.profile_id = same.id
WHERE same.id = profile.id AND abs(profile.demand - coalesce(shown.demand, 0)) > 0.01
"""


@dataclasses.dataclass(frozen=True)
class Group:
    """Some mentors, and how they fare. `impact_ratio` is their mean exposure over that of the best placed group (New York City's Local Law
    144 counts alike); below 0.8 somebody should look."""

    name: str
    number: int
    mean_exposure: float
    impact_ratio: float


@dataclasses.dataclass(frozen=True)
class Exposure:
    """Who was shown over the last week: `gini` is 0 if all with the same capacity were shown as much."""

    mentors: int
    people: int
    gini: float
    groups: list[Group]


def keep_demand() -> int:
    """Count anew to how many people each mentor was shown. Returns for how many that has changed."""
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, {"since": timezone.now() - MEMORY})
        return cursor.rowcount


def prune_match_servings() -> int:
    """Delete what is older than a month. Returns how many."""
    old = MatchServing.objects.filter(created_at__lt=timezone.now() - _KEPT_FOR)
    return MatchServing.objects.filter(pk__in=list(old.order_by("created_at").values_list("pk", flat=True)[:_BATCH])).delete()[0]


def exposure_report() -> Exposure:
    """How evenly mentors were shown over the last week, and groups of them beside each other."""
    rows = MentorProfile.objects.filter(state=MentorState.LIVE).defer(*COLUMNS_OF_VECTORS)
    people = MatchServing.objects.filter(created_at__gt=timezone.now() - MEMORY).order_by().values("user_id").distinct().count()
    spread = [demand / capacity for demand, capacity in rows.values_list("demand", "capacity")]
    is_new = Q(live_since__gt=timezone.now() - _NEW)
    has_practices = ~Q(accessibility_practices=[])
    groups = []
    for names, condition in ((("new mentors", "others"), is_new), (("with accessibility practices", "without"), has_practices)):
        means = []
        for name, chosen in zip(names, (rows.filter(condition), rows.exclude(condition)), strict=True):
            demands = list(chosen.values_list("demand", flat=True))
            means.append((name, len(demands), sum(demands) / len(demands) if demands else 0.0))
        best = max(mean for _, _, mean in means)
        groups += [Group(name, number, mean, mean / best if best else 1.0) for name, number, mean in means]
    return Exposure(len(spread), people, gini(spread), groups)
