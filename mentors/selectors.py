from __future__ import annotations

from django.db.models import QuerySet

from accounts.models import User
from core.errors import NotFound
from mentors.enums import TimeSource
from mentors.errors import NoSchedule
from mentors.models import MentorProfile, OccupiedTime, Schedule


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


def shortest_offer(profile: MentorProfile) -> int | None:
    """The length in minutes of the shortest offer; None without one."""
    lengths = profile.offers.filter(is_active=True).order_by("duration_minutes")
    return lengths.values_list("duration_minutes", flat=True).first()
