from __future__ import annotations

import dataclasses
import datetime
import re
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

from django.apps import apps
from django.contrib.auth.models import AnonymousUser
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import EmptyResultSet
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.expressions import RawSQL
from django.utils import timezone
from psycopg.types.multirange import TimestamptzMultirange
from psycopg.types.range import TimestamptzRange

from accounts.models import User
from accounts.policies import is_minor
from accounts.querysets import apart
from core.prepared import fetch_planned
from core.querysets import COLUMNS_OF_VECTORS, Vector, VectorQuerySet, columns_of
from core.vectors import Columns
from mentors.bookable import HAS_SLOT
from mentors.enums import CheckKind, CheckScope, CheckState, MentorState, OfferKind, ReviewState

if TYPE_CHECKING:
    from mentors.models import Check, MentorProfile, Review  # noqa: F401  (the base classes name them as strings)

Viewer = User | AnonymousUser
# Mentors are looked at one by one in the order of their rank, until enough match and have a slot. Where fewer than about three in a hundred
# do, it is cheaper to find all of those first; so the walk gives up after so many, whether they match or not.
_WALKED = 700
_NAMED = re.compile(r"%\((\w+)\)s")
SHOWN = (MentorState.LIVE, MentorState.PAUSED)


class _Speaks(models.Func):
    """Whether one of the languages in an array is a form of one of the main languages in another."""

    template = "EXISTS (SELECT FROM unnest(%(expressions)s::text[]))"
    arg_joiner = ") AS stated WHERE split_part(stated, '-', 1) = ANY("
    output_field = models.BooleanField()


@dataclasses.dataclass(frozen=True)
class Windows:
    """When somebody has time: spans of instants, and the session that should lie within one of them."""

    spans: Sequence[tuple[datetime.datetime, datetime.datetime]]
    minutes: int
    now: datetime.datetime
    learner_id: uuid.UUID | None = None

    @property
    def parameters(self) -> dict[str, Any]:
        ranges = [TimestamptzRange(start, end, "[)") for start, end in self.spans]
        return {"windows": TimestamptzMultirange(ranges), "minutes": self.minutes, "now": self.now, "learner_id": self.learner_id}


class MentorProfileQuerySet(VectorQuerySet["MentorProfile"]):
    def shown(self) -> Self:
        """Mentors that staff took, who are present and grown up."""
        people = User.objects.present().grown_up().values("pk")
        return self.filter(state__in=SHOWN, user__in=people)

    def listed_for(self, viewer: Viewer) -> Self:
        """Whom this person, staff or not, meets in lists, searches and matches: mentors that are shown and not blocked either way. Who is
        under 18 meets those alone who were checked for work with minors."""
        found: Self = apart(self.shown(), viewer, "user__")  # type: ignore[assignment]  # it gives back the kind that it was given
        return found.cleared_for_minors() if isinstance(viewer, User) and is_minor(viewer) else found

    def cleared_for_minors(self) -> Self:
        """Mentors who want to work with people under 18, and whose checks for it count now: who they are, and, by two of the staff, what
        is on record about them."""
        passed = apps.get_model("mentors", "Check")._default_manager.in_force().filter(profile=OuterRef("pk"))  # type: ignore[attr-defined]
        known = passed.filter(kind=CheckKind.IDENTITY)
        clean = passed.filter(kind=CheckKind.BACKGROUND, scope=CheckScope.MINORS)
        return self.filter(Exists(known), Exists(clean), is_open_to_minors=True)

    def bookable_for(self, viewer: Viewer) -> Self:
        """Of those, the mentors who take bookings now, and not the viewer."""
        found = self.listed_for(viewer).filter(state=MentorState.LIVE)
        return found.exclude(user_id=viewer.pk) if viewer.is_authenticated else found

    def visible_to(self, viewer: Viewer) -> Self:
        """Whom this person may look at by their address: who is listed for them, and themselves in every state. Staff see everybody."""
        if viewer.is_staff:
            return self
        if not viewer.is_authenticated:
            return self.listed_for(viewer)
        own = Q(user_id=viewer.pk)
        return self.filter(own | Q(pk__in=self.model._default_manager.listed_for(viewer).values("pk")))  # type: ignore[attr-defined]  # made of this queryset

    def speaking(self, languages: Sequence[str]) -> Self:
        """Mentors who speak one of these, given by main language codes, in whichever regional form."""
        return self.filter(_Speaks(F("languages"), models.Value(list(languages), output_field=ArrayField(models.CharField()))))

    def offering(self, *, minutes: int | None = None, price_max: int | None = None, currency: str = "") -> Self:
        """Mentors with one offer that meets all conditions. `price_max` needs `currency`, unless it is 0."""
        offers = apps.get_model("mentors", "Offer")._default_manager.filter(profile=OuterRef("pk"), is_active=True)
        if minutes is not None:
            offers = offers.filter(duration_minutes=minutes).exclude(kind=OfferKind.GROUP)
        if price_max is not None:
            offers = offers.filter(price_amount__lte=price_max)
        return self.filter(Exists(offers.filter(price_currency=currency) if currency else offers))

    def free_within(self, windows: Windows) -> Self:
        """Mentors with a slot within one of the windows, found by going over all schedules once."""
        table = f'"{self.model._meta.db_table}"'
        touched = "schedule.free_time && %(windows)s::tstzmultirange"
        sql = f"{table}.id IN (SELECT schedule.profile_id FROM mentors_schedule AS schedule WHERE {touched} AND {HAS_SLOT})"
        return self.filter(RawSQL(*_placed(sql, windows), output_field=models.BooleanField()))

    def ranked_for(
        self, vector: Vector, *, model: str, limit: int = 20, windows: Windows | None = None, columns: Columns | None = None
    ) -> list[tuple[uuid.UUID, float]]:
        """The rows that are nearest in meaning to `vector`, which `model` made, as (primary key, cosine similarity), best first; with
        `windows`, of those that have a slot within them.

        Never fewer than min(limit, matching rows with a vector). One statement where enough of the nearest have a slot; where few have,
        another one that finds those few first, and ranks them exactly.
        """
        columns = columns or columns_of(model)
        if windows is None:
            return self.nearest(vector, model=model, limit=limit, columns=columns)
        try:
            found = self._walked(vector, windows, model, columns, limit)
            if len(found) < limit:
                rows = self.free_within(windows).nearest_first(vector, model=model, exact=True, columns=columns)
                found = fetch_planned(*rows.values_list("pk", "distance")[:limit].query.sql_with_params())
        except EmptyResultSet:
            # Django knows without asking that nothing matches.
            return []
        return [(key, 1.0 - distance) for key, distance in sorted(found, key=lambda pair: pair[1])]

    def _walked(self, vector: Vector, windows: Windows, model: str, columns: Columns, limit: int) -> list[tuple[uuid.UUID, float]]:
        """Go along the nearest of all, and take those of these rows that have a slot until there are enough."""
        everybody = type(self)(self.model, using=self.db).nearest_first(vector, model=model, exact=False, columns=columns)
        nearest, nearest_parameters = everybody.values_list("pk", "distance")[:_WALKED].query.sql_with_params()
        matching, matching_parameters = self.order_by().values_list("pk").query.sql_with_params()
        has_slot, parameters = _placed(HAS_SLOT, windows)
        sql = f"""
        SELECT near.id, near.distance FROM ({nearest}) AS near(id, distance) WHERE near.id IN ({matching})
            AND EXISTS (SELECT FROM mentors_schedule AS schedule WHERE schedule.profile_id = near.id AND {has_slot}) LIMIT %s
        """
        return fetch_planned(sql, (*nearest_parameters, *matching_parameters, *parameters, limit))

    def for_cards(self) -> Self:
        """With what a card shows, and without the wide columns."""
        rows = self.select_related("user").prefetch_related(_skills(), _offers(), _checks()).defer(*COLUMNS_OF_VECTORS)
        return rows.annotate(requests_told=RawSQL(_REQUESTS, (timezone.now(),)), reviews_told=RawSQL(_REVIEWS, (timezone.now(),)))


# Over 30 days: how many requests were answered or missed, how many accepted, and the median minutes to an answer.
_REQUESTS = """(
    SELECT json_build_object(
        'number', count(*),
        'accepted', count(*) FILTER (WHERE request.outcome = 'accepted'),
        'minutes', percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM request.ended_at - request.asked_at) / 60)
            FILTER (WHERE request.outcome IN ('accepted', 'declined'))
    )
    FROM mentors_sessionrequest AS request
    WHERE request.profile_id = "mentors_mentorprofile".id AND request.asked_at > %s - interval '30 days'
        AND request.outcome IN ('accepted', 'declined', 'missed')
)"""
_REVIEWS = """(
    SELECT json_build_object('number', count(*), 'sum', sum(review.rating))
    FROM mentors_review AS review
    WHERE review.profile_id = "mentors_mentorprofile".id AND review.is_of_mentor AND review.state = 'written' AND review.visible_at <= %s
)"""


class ReviewQuerySet(models.QuerySet["Review"]):
    def shown(self) -> Self:
        """What both wrote, or what nobody can answer in kind any more."""
        return self.filter(state=ReviewState.WRITTEN, visible_at__lte=timezone.now())

    def writable_by(self, user: User) -> Self:
        """What this person may write now."""
        return self.filter(author=user, state=ReviewState.OPEN, closes_at__gt=timezone.now())

    def of_mentor(self, profile: MentorProfile, viewer: Viewer) -> Self:
        """What is said about a mentor, but for what people wrote whom the viewer keeps away from."""
        return apart(self.shown().filter(profile=profile, is_of_mentor=True), viewer, "author__")  # type: ignore[return-value]  # as above

    def readable_by(self, viewer: User) -> Self:
        """What this person may read: about themselves, and about mentors whom they see, but for what people wrote whom they keep away
        from."""
        mentors = apps.get_model("mentors", "MentorProfile")._default_manager.visible_to(viewer)  # type: ignore[attr-defined]
        about = Q(about=viewer) | Q(is_of_mentor=True, profile__in=mentors.values("pk"))
        return apart(self.shown().filter(about), viewer, "author__")  # type: ignore[return-value]  # as above


class CheckQuerySet(models.QuerySet["Check"]):
    def in_force(self) -> Self:
        """Passed, and neither over nor made for somebody who goes by another name now. What the clock ends, ends at that instant."""
        is_same_name = Q(profile__user__full_name=F("checked_name"))
        return self.filter(is_same_name, state=CheckState.PASSED, expires_at__gt=timezone.now())

    def to_review(self) -> Self:
        """What waits for staff, the longest first."""
        return self.filter(state__in=(CheckState.SUBMITTED, CheckState.SECOND_REVIEW)).order_by("submitted_at")


def _placed(sql: str, windows: Windows) -> tuple[str, tuple[Any, ...]]:
    """SQL with named parameters as Django takes it: with the values in their places."""
    values = windows.parameters
    return _NAMED.sub("%s", sql), tuple(values[name] for name in _NAMED.findall(sql))


def _skills() -> models.Prefetch[Any]:
    wide = (f"skill__{name}" for name in COLUMNS_OF_VECTORS)
    return models.Prefetch("skill_links", apps.get_model("mentors", "MentorSkill")._default_manager.select_related("skill").defer(*wide))


def _offers() -> models.Prefetch[Any]:
    active = apps.get_model("mentors", "Offer")._default_manager.filter(is_active=True)
    return models.Prefetch("offers", active, to_attr="active_offers")


def _checks() -> models.Prefetch[Any]:
    passed = apps.get_model("mentors", "Check")._default_manager.in_force().order_by("kind", "-decided_at")  # type: ignore[attr-defined]
    return models.Prefetch("checks", passed, to_attr="checks_in_force")
