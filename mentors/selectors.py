from __future__ import annotations

import datetime

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet

from accounts.models import User
from core.errors import NotFound
from mentors.enums import CheckKind, CheckScope, Evidence, OfferKind, TimeSource
from mentors.errors import NoSchedule
from mentors.models import Check, MentorProfile, OccupiedTime, Review, Schedule
from mentors.services.expanding import Span, expand
from mentors.services.keeping import rules_of


def own_profile(user: User) -> MentorProfile:
    """The mentor profile of this person.

    Raises:
        NotFound: they have none.
    """
    profile = MentorProfile.objects.filter(user=user).for_cards().first()
    if profile is None:
        raise NotFound
    return profile


def own_schedule(user: User) -> Schedule:
    """What this mentor stated about their time.

    Raises:
        NotFound: they are no mentor.
        NoSchedule: they have not stated anything yet.
    """
    profile = own_profile(user)
    schedule = Schedule.objects.filter(profile=profile).prefetch_related("weekly_hours", "overrides", "travels").first()
    if schedule is None:
        raise NoSchedule
    return schedule


def blocks_of(user: User) -> QuerySet[OccupiedTime]:
    """The stretches that this person blocked."""
    return OccupiedTime.objects.filter(person=user, source=TimeSource.BLOCK)


def kept_busy(user: User, start: datetime.datetime, end: datetime.datetime) -> QuerySet[OccupiedTime]:
    """What this person blocked, and what their calendars elsewhere have, between two instants, by time."""
    rows = OccupiedTime.objects.filter(person=user, source__in=(TimeSource.BLOCK, TimeSource.EVENT), during__overlap=(start, end))
    return rows.order_by("during", "pk")


def open_hours(user: User, first: datetime.date, last: datetime.date) -> tuple[Span, ...]:
    """When this mentor said that they can be booked, between two dates of their schedule's zone, both taken in. Nobody's is empty."""
    schedule = Schedule.objects.filter(profile__user=user).prefetch_related("weekly_hours", "overrides", "travels").first()
    return expand(rules_of(schedule), first, last).open if schedule else ()


def shortest_offer(profile: MentorProfile) -> int | None:
    """The length in minutes of the shortest offer for two; None without one."""
    lengths = profile.offers.filter(is_active=True).exclude(kind=OfferKind.GROUP).order_by("duration_minutes")
    return lengths.values_list("duration_minutes", flat=True).first()


def badge_text(check: Check) -> str:
    """What a passed check says, no more than was done: what was looked into, by which evidence, who looked, when, and until when it
    counts."""
    what = CheckKind(check.kind).label.capitalize()
    if check.statement:
        what = f"{what}: {check.statement}"
    if check.scope == CheckScope.MINORS:
        what = f"{what}, for work with people under 18"
    seen = Evidence(check.evidence).label
    if check.evidence == Evidence.WORK_MAIL:
        seen = f"{seen} at {check.proven_domain}"
    people = "two of our staff" if check.first_reviewed_at else "one of our staff"
    dates = f"on {_day(check.decided_at)}; counts until {_day(check.expires_at)}"
    return f"{what}. {seen[0].upper()}{seen[1:]}, looked at by {people} {dates}."


def _day(instant: datetime.datetime | None) -> str:
    return f"{instant.day} {instant:%B %Y}" if instant else ""


def checks_of(user: User) -> QuerySet[Check]:
    """The checks of this mentor, newest first."""
    return Check.objects.filter(profile__user=user).prefetch_related("documents")


def reviews_of_mentor(profile: MentorProfile, viewer: User | AnonymousUser) -> QuerySet[Review]:
    """What is said about a mentor, newest first."""
    return Review.objects.of_mentor(profile, viewer).select_related("author")


def reviews_to_write(user: User) -> QuerySet[Review]:
    """What this person may write now, what closes first ahead."""
    return Review.objects.writable_by(user).select_related("about").order_by("closes_at", "id")


def reviews_received(user: User) -> QuerySet[Review]:
    """What can be seen of what others wrote about this person, as a mentor and as a learner."""
    return Review.objects.shown().filter(about=user).select_related("author")


def first_name(person: User | None) -> str:
    """How people are named who are not public themselves."""
    return (person.full_name.split() or [""])[0] if person else ""
