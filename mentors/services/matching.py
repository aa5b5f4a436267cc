"""Which mentors fit somebody, and would take them. See `mentors.services.scoring` for the score."""

from __future__ import annotations

import dataclasses
import datetime
import uuid
from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.models import Count, Exists, OuterRef, Q
from django.utils import timezone
from psycopg.types.multirange import TimestamptzMultirange
from psycopg.types.range import TimestamptzRange

from accounts.models import User
from core.querysets import vector_literal
from mentors.enums import MatchTerm as Term
from mentors.models import MatchServing, MentorProfile, MentorSkill, OccupiedTime, Offer
from mentors.querysets import MentorProfileQuerySet
from mentors.services.hours import hours_of
from mentors.services.needs import needed_practices
from mentors.services.scoring import PRIOR_ACCEPTED, PRIOR_ANSWERED, Score, score_of
from mentors.services.standing import PRIOR_REVIEWS, PRIOR_STARS
from profiling.services.situation import Situation, situation_of

MOST = 50
DAYS_AHEAD = 14
_BY_MEANING, _BY_SKILLS, _NEWEST = 100, 50, 50
# Two shared skills are as good as more, and ten free hours in two weeks as any number.
_ENOUGH_SKILLS, _ENOUGH_HOURS = 2, 10
_FEWEST_OWN_SKILLS, _LONG_EXPERIENCE = 5, 10

# A private score of 0 to 10 counts in place of the stars, as 1 to 5.
_TERMS = f"""
SELECT profile.id,
    CASE WHEN profile.{{model}} = %(model)s
        THEN greatest(0, least(1, coalesce(1 - (profile.{{vector}} <=> %(vector)s::halfvec), 0))) ELSE 0 END,
    least(1, shared.strength / {_ENOUGH_SKILLS}),
    shared.experience,
    least(1, free.hours / {_ENOUGH_HOURS}),
    CASE WHEN cardinality(%(practices)s::text[]) = 0 THEN 0 ELSE (
        SELECT count(*) FROM unnest(%(practices)s::text[]) AS practice WHERE practice = ANY(profile.accessibility_practices)
    )::float / cardinality(%(practices)s::text[]) END,
    (({PRIOR_REVIEWS} * {PRIOR_STARS} + reviewed.stars) / ({PRIOR_REVIEWS} + reviewed.number) - 1) / 4,
    (answered.accepted + {PRIOR_ACCEPTED}) / (answered.number + {PRIOR_ANSWERED}),
    least(1, shared.number::float / greatest(1, least({_FEWEST_OWN_SKILLS}, shared.own))),
    greatest(1, profile.capacity - ahead.number),
    profile.demand
FROM mentors_mentorprofile AS profile
JOIN mentors_schedule AS schedule ON schedule.profile_id = profile.id
CROSS JOIN LATERAL (
    SELECT count(*) AS own, count(named.id) AS number, coalesce(sum(named.strength), 0) AS strength,
        coalesce(avg(least(1, ln(1 + link.years) / ln(1 + {_LONG_EXPERIENCE}))) FILTER (WHERE named.id IS NOT NULL AND link.years > 0), 0)
            AS experience
    FROM mentors_mentorskill AS link
    LEFT JOIN unnest(%(skills)s::uuid[], %(strengths)s::float[]) AS named(id, strength) ON named.id = link.skill_id
    WHERE link.profile_id = profile.id
) AS shared
CROSS JOIN LATERAL (
    SELECT coalesce(sum(extract(epoch FROM upper(piece) - lower(piece))), 0) / 3600 AS hours
    FROM unnest(schedule.free_time * %(windows)s::tstzmultirange * tstzmultirange(tstzrange(
        %(now)s + schedule.notice_minutes * interval '1 minute', %(now)s + greatest(schedule.horizon_days, 1) * interval '1 day'
    ))) AS piece
) AS free
CROSS JOIN LATERAL (
    SELECT count(*)::float AS number, coalesce(sum(coalesce(1 + 0.4 * review.private_score, review.rating)), 0) AS stars
    FROM mentors_review AS review
    WHERE review.profile_id = profile.id AND review.is_of_mentor AND review.state = 'written' AND review.visible_at <= %(now)s
) AS reviewed
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE request.outcome = 'accepted') AS accepted, count(*)::float AS number
    FROM mentors_sessionrequest AS request
    WHERE request.profile_id = profile.id AND request.asked_at > %(now)s - interval '90 days'
        AND request.outcome IN ('accepted', 'declined', 'missed')
) AS answered
CROSS JOIN LATERAL (
    SELECT count(DISTINCT other.person_id) AS number
    FROM mentors_occupiedtime AS own JOIN mentors_occupiedtime AS other ON other.reference = own.reference AND NOT other.is_mentor
    WHERE own.person_id = profile.user_id AND own.is_mentor AND upper(own.session) > %(now)s
) AS ahead
WHERE profile.id = ANY(%(ids)s)
"""


@dataclasses.dataclass(frozen=True)
class Match:
    """A mentor with the terms of the match, each 0..1, and its score."""

    profile_id: uuid.UUID
    terms: dict[Term, float]
    score: Score


def matches_for(situation: Situation) -> list[Match]:
    """The mentors who fit this person and have room, best first. Blocks, age rules, languages and full mentors are no matter of score: they
    are out."""
    rows = eligible_for(situation)
    keys = list(dict.fromkeys([*_nearest(rows, situation), *_with_shared_skills(rows, situation), *_newest(rows)]))
    return sorted(_scored(situation, keys), key=lambda match: (-match.score.total, match.profile_id))


def match_mentors(*, user: User, limit: int) -> tuple[Situation, list[Match]]:
    """The best matches, as they are shown; who was shown is remembered, so that others are shown as well."""
    situation = situation_of(user)
    found = matches_for(situation)[:limit]
    if found:
        MatchServing.objects.create(
            user=user, profile_ids=[match.profile_id for match in found], wanting=[match.score.wanting for match in found]
        )
    return situation, found


def eligible_for(situation: Situation) -> MentorProfileQuerySet:
    """Mentors whom this person may be matched with: they take bookings and sessions, share a language, and have room or have the person
    already."""
    offers = Offer.objects.filter(profile=OuterRef("pk"), is_active=True)
    rows = MentorProfile.objects.bookable_for(situation.user).filter(Exists(offers), schedule__isnull=False)
    if situation.languages:
        rows = rows.speaking(situation.languages)
    is_full = Q(schedule__full_until__gt=timezone.now())
    return rows.exclude(is_full & ~Q(user__in=_mentors_of(situation.user)))


def _mentors_of(user: User) -> Any:
    """With whom the person has a session ahead."""
    ahead = OccupiedTime.objects.filter(person=user, is_mentor=False, session__endswith__gt=timezone.now())
    mentors = OccupiedTime.objects.filter(is_mentor=True, reference__in=ahead.values("reference"))
    return mentors.values("person_id")


def _nearest(rows: MentorProfileQuerySet, situation: Situation) -> list[uuid.UUID]:
    if situation.vector is None:
        return []
    space = situation.space
    return [key for key, _ in rows.ranked_for(situation.vector, model=space.model, limit=_BY_MEANING, columns=space.columns)]


def _with_shared_skills(rows: MentorProfileQuerySet, situation: Situation) -> list[uuid.UUID]:
    if not situation.skills:
        return []
    links = MentorSkill.objects.filter(skill__in=list(situation.skills), profile__in=rows.values("pk")).order_by()
    counted = links.values("profile_id").annotate(number=Count("pk")).order_by("-number", "-profile_id")
    return list(counted.values_list("profile_id", flat=True)[:_BY_SKILLS])


def _newest(rows: MentorProfileQuerySet) -> list[uuid.UUID]:
    return list(rows.order_by("-id").values_list("pk", flat=True)[:_NEWEST])


def _scored(situation: Situation, keys: Sequence[uuid.UUID]) -> list[Match]:
    now = timezone.now()
    spans = hours_of(situation, now, now + datetime.timedelta(days=DAYS_AHEAD))
    columns, skills = situation.space.columns, situation.skills
    parameters: dict[str, Any] = {
        "model": situation.space.model,
        "vector": vector_literal(situation.vector) if situation.vector is not None else None,
        "skills": list(skills),
        "strengths": list(skills.values()),
        "practices": needed_practices(situation),
        "windows": TimestamptzMultirange([TimestamptzRange(start, end, "[)") for start, end in spans]),
        "now": now,
        "ids": list(keys),
    }
    with connection.cursor() as cursor:
        cursor.execute(_TERMS.format(model=columns.model, vector=columns.vector), parameters)
        rows = cursor.fetchall()
    found = []
    for key, *values, room, demand in rows:
        terms = {term: round(float(value), 6) for term, value in zip(Term, values, strict=True)}
        found.append(Match(key, terms, score_of(terms, room=room, demand=demand)))
    return found
