from __future__ import annotations

import dataclasses

from django.db import connection

from accounts.models import User
from core.querysets import COLUMNS_OF_VECTORS
from profiling.enums import ClaimState, SuggestionReason
from profiling.models import Claim, Profile, Suggestion


@dataclasses.dataclass(frozen=True)
class ProfileView:
    """What is held about a person now; empty before the first interview."""

    summary: str
    claims: list[Claim]
    unconfirmed: list[Claim]


def profile_of(user: User) -> ProfileView:
    """A person's profile with its claims; two queries."""
    profile = Profile.objects.visible_to(user).only("summary").first()
    claims = list(Claim.objects.visible_to(user).exclude(state=ClaimState.REJECTED).defer(*COLUMNS_OF_VECTORS))
    return ProfileView(
        profile.summary if profile else "",
        [claim for claim in claims if claim.state == ClaimState.ACTIVE],
        [claim for claim in claims if claim.state == ClaimState.PROPOSED],
    )


def suggestions_for(user: User) -> list[Suggestion]:
    """What a person is asked to look at again; at most one."""
    return list(Suggestion.objects.visible_to(user).open().select_related("claim").defer("claim__embedding", "claim__twin_embedding"))


def why(suggestion: Suggestion) -> str:
    """The reason for a suggestion as a sentence for the person."""
    label = suggestion.claim.label
    if suggestion.reason == SuggestionReason.CONTRADICTION:
        return f"Your profile says “{label}”, but you said: “{suggestion.quote}” Is it still so?"
    return f"You told us “{label}” on {suggestion.claim.updated_at:%d %B %Y}. Is it still so?"


@dataclasses.dataclass(frozen=True)
class ServingFigures:
    """How one ranker's recommendations were served in the last seven days."""

    servings: int
    hit_rate: float
    fallback_rate: float
    median_milliseconds: int


_FIGURES = """
SELECT count(*), coalesce(avg(was_cached::int), 0), coalesce(avg((cardinality(fallbacks) > 0)::int), 0),
    coalesce(percentile_cont(0.5) WITHIN GROUP (ORDER BY milliseconds) FILTER (WHERE NOT was_cached), 0)
FROM profiling_serving WHERE ranker_version = %s AND created_at >= now() - interval '7 days'
"""


def serving_figures(version: int) -> ServingFigures:
    """Answers, the hit rate of the cache, and how often and how fast rankings were computed."""
    with connection.cursor() as cursor:
        cursor.execute(_FIGURES, (version,))
        servings, hit_rate, fallback_rate, median = cursor.fetchone()
    return ServingFigures(servings, float(hit_rate), float(fallback_rate), round(median))
