"""What would change a match, for either side: promises that were tried out with the real ranker before they are made."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Callable, Sequence

from django.db import transaction

from accounts.errors import ConsentRequired
from accounts.models import User
from ai.errors import EngineError
from core.errors import NotFound
from mentors.models import MatchServing, MentorProfile, MentorSkill, Schedule
from mentors.services.expanding import Hours
from mentors.services.keeping import keep_free_time_of, lock_people
from mentors.services.matching import eligible_for, matches_for
from mentors.services.schedules import WeeklyRule, availability_of, set_availability
from profiling.enums import ClaimKind, ClaimSource
from profiling.models import Claim
from profiling.services.counterfactuals import ordinal, with_claims
from profiling.services.situation import Situation, situation_of

# What a person looks at: the first page.
PAGE = 10
_NOWHERE = 1_000_000
_MOST_SKILLS = 6
_MOST_PEOPLE = 12
# Fewer are not spoken of, so that nobody is found out.
FEWEST_PEOPLE = 5
_EVENING = Hours(18 * 60, 21 * 60)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclasses.dataclass(frozen=True)
class Standing:
    """Where a mentor stands among somebody's matches, from 1 on; None if not among them. `instead` is what would bring them further up."""

    rank: int | None
    matches: int
    text: str
    skills: tuple[str, ...] = ()
    rank_instead: int | None = None


@dataclasses.dataclass(frozen=True)
class Advice:
    """A change, and to how many more of the people asked about the mentor would be shown on the first page."""

    change: str
    text: str
    more_people: int


def standing_of(*, user: User, profile: MentorProfile) -> Standing:
    """Where a mentor stands for somebody, and which interests of theirs, if they had said them, would bring the mentor further up: the
    fewest that bring them onto the first page, or else the one that brings them furthest.

    Raises:
        NotFound: the mentor cannot be seen.
    """
    if not MentorProfile.objects.listed_for(user).filter(pk=profile.pk).exists():
        raise NotFound
    situation = situation_of(user)
    if not eligible_for(situation).filter(pk=profile.pk).exists():
        return Standing(None, 0, _left_out_because(situation, profile))
    rank, number = _rank(situation, profile.pk)
    place = f"They are your {ordinal(rank)} of {number} matches." if rank else f"They are not among your {number} matches."
    if rank is not None and rank <= PAGE:
        return Standing(rank, number, place)
    try:
        skills, instead = _what_would_help(situation, profile, rank)
    except (EngineError, ConsentRequired):
        # Without the engine, or the person's consent to be profiled, nothing can be tried out, so nothing is promised.
        return Standing(rank, number, place)
    if instead is None:
        return Standing(rank, number, place)
    text = f"{place} If you said that {' and '.join(skills)} interests you, they would be your {ordinal(instead)}."
    return Standing(rank, number, text, skills, instead)


def advice_for(*, profile: MentorProfile) -> tuple[int, list[Advice]]:
    """What a mentor could change to be shown to more of those who looked for mentors lately: (of how many people, the changes that would do
    it, best first). Each change is made, the real ranker run for each of the people, and the change taken back."""
    people = _people_who_looked(profile)
    if len(people) < FEWEST_PEOPLE:
        return len(people), []
    situations = [situation_of(person) for person in people]
    before = _shown_to(profile, situations)
    found = []
    for change, text, apply in _changes(profile, situations):
        with transaction.atomic():
            apply()
            more = _shown_to(profile, situations) - before
            transaction.set_rollback(True)
        if more > 0:
            found.append(Advice(change, f"{text}, you would be shown to {more} more of the {len(people)}.", more))
    return len(people), sorted(found, key=lambda advice: (-advice.more_people, advice.change))


def _left_out_because(situation: Situation, profile: MentorProfile) -> str:
    if profile.user_id == situation.user.pk:
        return "That is you."
    if not MentorProfile.objects.bookable_for(situation.user).filter(pk=profile.pk).exists():
        return "They take no sessions for now."
    if situation.languages and not MentorProfile.objects.filter(pk=profile.pk).speaking(situation.languages).exists():
        return "You share no language."
    if not profile.offers.filter(is_active=True).exists() or not Schedule.objects.filter(profile=profile).exists():
        return "They offer no sessions yet."
    return "They have as many people as they can take for now."


def _rank(situation: Situation, profile_id: uuid.UUID) -> tuple[int | None, int]:
    keys = [match.profile_id for match in matches_for(situation)]
    return (keys.index(profile_id) + 1 if profile_id in keys else None), len(keys)


def _what_would_help(situation: Situation, profile: MentorProfile, rank: int | None) -> tuple[tuple[str, ...], int | None]:
    claims = _possible_interests(situation, profile)
    alone = [_tried(situation, profile, (claim,)) for claim in claims]
    pairs = [(one, other) for place, one in enumerate(claims) for other in claims[place + 1 :]]
    best = min(alone, key=lambda tried: (tried[1], tried[0]), default=None)
    if best is None or best[1] > PAGE:
        together = [_tried(situation, profile, pair) for pair in pairs]
        pair = min(together, key=lambda tried: (tried[1], tried[0]), default=None)
        best = pair if pair is not None and pair[1] <= PAGE else best
    if best is None or best[1] >= (rank or _NOWHERE):
        return (), None
    return best[0], best[1]


def _tried(situation: Situation, profile: MentorProfile, claims: Sequence[Claim]) -> tuple[tuple[str, ...], int]:
    rank, _ = _rank(with_claims(situation, claims), profile.pk)
    return tuple(claim.label for claim in claims), rank or _NOWHERE


def _possible_interests(situation: Situation, profile: MentorProfile) -> list[Claim]:
    """What the mentor passes on and the person has neither said nor rejected."""
    settled = {label.lower() for label in Claim.objects.filter(user=situation.user).values_list("label", flat=True)}
    links = MentorSkill.objects.filter(profile=profile).select_related("skill").order_by("-years", "id")
    skills = [link.skill for link in links if link.skill.name.lower() not in settled][:_MOST_SKILLS]
    return [
        Claim(user=situation.user, kind=ClaimKind.INTEREST, label=skill.name, skill=skill, source=ClaimSource.MINE, confidence=1)
        for skill in skills
    ]


def _people_who_looked(profile: MentorProfile) -> list[User]:
    """The last of those who looked for mentors and may meet this one."""
    latest = MatchServing.objects.exclude(user=profile.user_id).order_by("user_id", "-created_at").distinct("user_id")
    recent = sorted(latest.values_list("created_at", "user_id"), reverse=True)[: 2 * _MOST_PEOPLE]
    people = User.objects.in_bulk([user_id for _, user_id in recent])
    may_meet = [
        person
        for _, user_id in recent
        if (person := people.get(user_id)) and MentorProfile.objects.listed_for(person).filter(pk=profile.pk).exists()
    ]
    return may_meet[:_MOST_PEOPLE]


def _shown_to(profile: MentorProfile, situations: Sequence[Situation]) -> int:
    return sum(profile.pk in [match.profile_id for match in matches_for(situation)[:PAGE]] for situation in situations)


def _changes(profile: MentorProfile, situations: Sequence[Situation]) -> list[tuple[str, str, Callable[[], None]]]:
    """What a mentor could do: (name, the start of a sentence, doing it). Never anything about who they are."""
    changes: list[tuple[str, str, Callable[[], None]]] = [
        ("capacity", f"If you took {profile.capacity + 2} people at one time", lambda: _take_more(profile))
    ]
    schedule = Schedule.objects.filter(profile=profile).prefetch_related("weekly_hours", "overrides", "travels").first()
    if schedule is not None:
        taken = {row.weekday for row in schedule.weekly_hours.all() if row.end_minute > _EVENING.start and row.start_minute < _EVENING.end}
        for weekday in (day for day in range(7) if day not in taken):
            changes.append((f"evening-{weekday}", f"If you opened {_DAYS[weekday]} evening, 18:00 to 21:00", _opener(schedule, weekday)))
    spoken = {code.partition("-")[0] for code in profile.languages}
    for language in sorted({language for situation in situations for language in situation.languages} - spoken)[:3]:
        changes.append((f"language-{language}", f"If you mentored in {language} as well", _speaker(profile, language)))
    return changes


def _take_more(profile: MentorProfile) -> None:
    lock_people([profile.user_id])
    MentorProfile.objects.filter(pk=profile.pk).update(capacity=profile.capacity + 2)
    keep_free_time_of([profile.user_id])


def _speaker(profile: MentorProfile, language: str) -> Callable[[], None]:
    def speak() -> None:
        MentorProfile.objects.filter(pk=profile.pk).update(languages=[*profile.languages, language])

    return speak


def _opener(schedule: Schedule, weekday: int) -> Callable[[], None]:
    def open_evening() -> None:
        stated = availability_of(schedule)
        more = dataclasses.replace(stated, weekly=(*stated.weekly, WeeklyRule(weekday, _EVENING)))
        set_availability(profile=schedule.profile, availability=more)

    return open_evening
