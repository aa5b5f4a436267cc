"""Random catalogues and random filters: nothing hidden appears in any path, and no path returns fewer rows than there are."""

from __future__ import annotations

import datetime
import random
from typing import Any
from urllib.parse import urlencode

import pytest
from django.utils import timezone

from accounts.models import Block, User
from catalog.enums import OpportunityState
from catalog.models import Category, Opportunity, Reaction
from catalog.services.indexing import embed_opportunities, index_opportunities, refresh_statistics
from conftest import Api
from core import querysets
from profiling.enums import ClaimKind
from profiling.services.profile import edit_profile

pytestmark = pytest.mark.django_db
ROWS = 70
SUBJECTS = ("nurse", "welder", "teacher", "gardener", "cook")
KINDS = ("job", "course", "event")
LANGUAGES = ("en", "de", "")


class World:
    """A random catalogue as one person meets it, and what of it they may see."""

    def __init__(self, seed: int, user: User, make_user: Any) -> None:
        self.chance = random.Random(seed)
        self.user = user
        friend, blocked, blocking = make_user(), make_user(), make_user()
        Block.objects.create(blocker=user, blocked=blocked)
        Block.objects.create(blocker=blocking, blocked=user)
        self.categories = [Category.objects.create(source_id=name, slug=name, name=name) for name in ("a", "b")]
        today = timezone.now().date()
        self.hidden_posters = {blocked.pk, blocking.pk}
        self.rows = [
            Opportunity.objects.create(
                source="t",
                source_id=str(number),
                title=f"{self.chance.choice(SUBJECTS)} {number}",
                kind=self.chance.choice(KINDS),
                language=self.chance.choice(LANGUAGES),
                is_remote=self.chance.choice((True, False, None)),
                category=self.chance.choice((*self.categories, None)),
                is_category_inferred=False,
                state=self.chance.choice((OpportunityState.LIVE,) * 4 + tuple(OpportunityState)),
                deadline_on=self.chance.choice((None, None, today + datetime.timedelta(days=9), today - datetime.timedelta(days=2))),
                ends_on=self.chance.choice((None, None, None, today - datetime.timedelta(days=1))),
                posted_by=self.chance.choice((None, None, None, friend, blocked, blocking)),
            )
            for number in range(ROWS)
        ]
        for row in self.rows[::9]:
            Reaction.objects.create(
                user=user, opportunity=row, **{self.chance.choice(("dismissed_at", "applied_at", "saved_at")): timezone.now()}
            )
        index_opportunities([row.pk for row in self.rows])
        refresh_statistics()
        while embed_opportunities():
            pass
        self.touched = set(Reaction.objects.filter(user=user, saved_at__isnull=True).values_list("opportunity_id", flat=True))

    def is_listed(self, row: Opportunity) -> bool:
        yesterday = timezone.now().date() - datetime.timedelta(days=1)
        over = any(day is not None and day <= yesterday for day in (row.deadline_on, row.ends_on))
        return row.state == OpportunityState.LIVE and not over and row.posted_by_id not in self.hidden_posters

    def draw_filters(self) -> dict[str, Any]:
        drawn = {
            "kind": self.chance.sample(KINDS, self.chance.randint(1, 2)),
            "language": self.chance.choice(("en", "de")),
            "remote": self.chance.choice(("true", "false")),
            "category": self.chance.choice(("a", "b")),
        }
        return {name: drawn[name] for name in self.chance.sample(sorted(drawn), self.chance.randint(0, 3))}

    def expected(self, filters: dict[str, Any]) -> set[str]:
        tests = {
            "kind": lambda row, value: row.kind in value,
            "language": lambda row, value: row.language == value,
            "remote": lambda row, value: row.is_remote is (value == "true"),
            "category": lambda row, value: row.category is not None and row.category.slug == value,
        }
        rows = (row for row in self.rows if self.is_listed(row))
        return {str(row.pk) for row in rows if all(tests[name](row, value) for name, value in filters.items())}


@pytest.mark.parametrize("threshold", [0, 5_000], ids=["by the index", "by the scan"])
@pytest.mark.parametrize("seed", range(2))
def test_what_is_hidden_is_nowhere_and_nothing_else_is_missing(
    signed_in: Api, user: User, make_user: Any, monkeypatch: pytest.MonkeyPatch, seed: int, threshold: int
) -> None:
    monkeypatch.setattr(querysets, "EXACT_BELOW_ROWS", threshold)
    world = World(seed, user, make_user)
    edit_profile(user=user, labels={ClaimKind.GOAL: [f"to work as a {SUBJECTS[seed]}"]})
    for _ in range(8):
        filters = world.draw_filters()
        querysets._decisions.clear()
        query = urlencode(filters, doseq=True)
        expected = world.expected(filters)
        listed = {row["id"] for row in signed_in.get(f"opportunities?page_size=100&{query}").json()["results"]}
        assert listed == expected, filters
        assert signed_in.get(f"opportunities/facets?{query}").json()["total"] == len(expected)
        limit = world.chance.choice((1, 5, 100))
        found = [row["id"] for row in signed_in.get(f"opportunities/search?q=nurse&page_size={limit}&{query}").json()["results"]]
        assert set(found) <= expected and len(found) == min(limit, len(expected)), filters
        saved = signed_in.post("saved-searches", {"name": query or "all", "filters": filters})
        assert saved.status_code in (201, 400), "the same filters may have been drawn before"
    everything = world.expected({})
    counts = {root["slug"]: root["count"] for root in signed_in.get("categories").json()["results"]}
    assert counts == {slug: len(world.expected({"category": slug})) for slug in ("a", "b")}
    for _ in ("computed", "kept"):
        shown = [row["id"] for row in signed_in.get("opportunities/recommended?page_size=100").json()["recommendations"]]
        assert set(shown) == everything - {str(key) for key in world.touched}
        assert len(shown) == len(set(shown))
    for row in world.rows:
        assert (signed_in.get(f"opportunities/{row.pk}").status_code == 200) is (str(row.pk) in everything)
