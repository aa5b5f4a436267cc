"""A mentor's profile from the first draft to the last day."""

from __future__ import annotations

import dataclasses
import datetime
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Sum
from django.db.models.functions import Length
from django.utils import timezone

from accounts.models import User
from ai.errors import EngineError
from ai.services.spaces import Table, embedding_model, register_table
from ai.services.text import embed
from catalog.enums import TermState
from catalog.models import Skill
from catalog.services.documents import digest, query_parts, query_vector
from core.errors import FieldError, Forbidden, InvalidInput
from core.events import publish
from core.money import Money
from core.querysets import COLUMNS_OF_VECTORS, columns_to_write
from mentors.enums import MentorState, OfferKind, PauseReason
from mentors.errors import IllegalMove, NoteMissing, PausedForStrikes, ProfileIncomplete
from mentors.events import MentorDecided
from mentors.models import MentorProfile, MentorSkill, Offer, Schedule
from mentors.policies import can_mentor
from mentors.services.keeping import keep_free_time_of, lock_people
from payments.services.prices import price_error

MOST_SKILLS = 50
MOST_OFFERS = 20
State = MentorState
_MOVES: Mapping[str, frozenset[State]] = {
    State.DRAFT: frozenset({State.APPLIED, State.LEFT}),
    State.APPLIED: frozenset({State.LIVE, State.REJECTED, State.LEFT}),
    State.REJECTED: frozenset({State.APPLIED, State.LEFT}),
    State.LIVE: frozenset({State.PAUSED, State.SUSPENDED, State.LEFT}),
    State.PAUSED: frozenset({State.LIVE, State.SUSPENDED, State.LEFT}),
    State.SUSPENDED: frozenset({State.LIVE, State.LEFT}),
    State.LEFT: frozenset({State.APPLIED}),
}


@dataclasses.dataclass(frozen=True)
class StatedOffer:
    """An offer as a mentor states it. `id` names one that is kept."""

    kind: OfferKind
    title: str
    duration_minutes: int
    price_amount: int
    price_currency: str
    group_size: int = 1
    id: uuid.UUID | None = None


def save_profile(
    *, user: User, fields: Mapping[str, Any], skills: Sequence[tuple[uuid.UUID, int | None]], offers: Sequence[StatedOffer]
) -> MentorProfile:
    """State the whole of a profile, the first time or again. Offers that are left out are switched off: what was booked keeps them.

    Raises:
        Forbidden: only adults mentor.
        InvalidInput: a skill or offer is unknown or repeated, or a price cannot be charged.
    """
    if not can_mentor(user):
        raise Forbidden
    known = set(Skill.objects.filter(pk__in=[skill_id for skill_id, _ in skills], state=TermState.ACTIVE).values_list("pk", flat=True))
    with transaction.atomic():
        User.objects.select_for_update(of=("self",), no_key=True).get(pk=user.pk)
        profile, _ = MentorProfile.objects.get_or_create(user=user)
        errors = (*_errors_of_skills(skills, known), *_errors_of_offers(profile, offers))
        if errors:
            raise InvalidInput(errors=errors)
        has_new_capacity = fields.get("capacity", profile.capacity) != profile.capacity
        for name, value in fields.items():
            setattr(profile, name, value)
        profile.save(update_fields=[*fields, "updated_at"])
        MentorSkill.objects.filter(profile=profile).delete()
        MentorSkill.objects.bulk_create(MentorSkill(profile=profile, skill_id=skill_id, years=years) for skill_id, years in skills)
        _write_offers(profile, offers)
        _describe(profile)
        if has_new_capacity:
            lock_people([user.pk])
            keep_free_time_of([user.pk])
    return profile


def apply(*, profile: MentorProfile) -> None:
    """Ask staff to be taken as a mentor.

    Raises:
        ProfileIncomplete: naming what is missing.
        IllegalMove: that was done already.
    """
    with transaction.atomic():
        locked = _locked(profile.pk)
        missing = [
            FieldError(field, "required", detail)
            for field, detail, is_there in (
                ("headline", "Say in a line what you help with.", bool(locked.headline)),
                ("bio", "Tell who you are.", bool(locked.bio)),
                ("languages", "Name a language that you mentor in.", bool(locked.languages)),
                ("skills", "Name a skill at least.", locked.skill_links.exists()),
                ("offers", "Offer a session at least.", locked.offers.filter(is_active=True).exists()),
                ("availability", "Say when you can be booked.", Schedule.objects.filter(profile=locked).exists()),
            )
            if not is_there
        ]
        if missing:
            raise ProfileIncomplete(errors=tuple(missing))
        _move(locked, State.APPLIED)
        locked.applied_at, locked.decision_note = timezone.now(), ""
        locked.save(update_fields=["applied_at", "decision_note"])


def decide_application(*, staff: User, profile: MentorProfile, is_accepted: bool, note: str = "") -> None:
    """Staff take a mentor, or do not, with a note that the mentor gets.

    Raises:
        IllegalMove: nobody applied.
    """
    with transaction.atomic():
        locked = _locked(profile.pk)
        if locked.state != State.APPLIED:
            raise IllegalMove(state=locked.state)
        _decide(locked, staff, State.LIVE if is_accepted else State.REJECTED, note)


def suspend(*, staff: User, profile: MentorProfile, note: str = "") -> None:
    """Staff take a mentor down.

    Raises:
        IllegalMove: they are not shown.
    """
    with transaction.atomic():
        _decide(_locked(profile.pk), staff, State.SUSPENDED, note)


def reinstate(*, staff: User, profile: MentorProfile, note: str = "") -> None:
    """Staff let a suspended mentor be found again.

    Raises:
        IllegalMove: they are not suspended.
    """
    with transaction.atomic():
        locked = _locked(profile.pk)
        if locked.state != State.SUSPENDED:
            raise IllegalMove(state=locked.state)
        _decide(locked, staff, State.LIVE, note)


def pause(*, profile: MentorProfile, because: PauseReason = PauseReason.OWN_WISH) -> None:
    """Take no bookings for a while; the profile stays to be seen.

    Raises:
        IllegalMove: the mentor is not live.
    """
    with transaction.atomic():
        _move(_locked(profile.pk), State.PAUSED, paused_because=because)


def bar_until(*, user_id: uuid.UUID, until: datetime.datetime | None) -> None:
    """Bar a mentor from being booked before an instant, because of strikes; None lifts the bar.

    It applies in every state of the profile: a mentor who pauses, leaves or applies again stays paused until then.
    """
    with transaction.atomic():
        profile = MentorProfile.objects.select_for_update(of=("self",)).defer(*COLUMNS_OF_VECTORS).filter(user=user_id).first()
        if profile is None or profile.barred_until == until:
            return
        profile.barred_until = until
        profile.save(update_fields=["barred_until", "updated_at"])
        _pause_if_barred(profile)


def lift_bar(*, staff: User, profile: MentorProfile, note: str) -> None:
    """Lift a mentor's bar for strikes, by staff. The mentor sees the note.

    Raises:
        NoteMissing: without a reason.
        IllegalMove: nothing keeps them from coming back.
    """
    if not note.strip():
        raise NoteMissing
    with transaction.atomic():
        locked = _locked(profile.pk)
        if not is_barred(locked):
            raise IllegalMove(state=locked.state)
        locked.barred_until = None
        locked.decided_by, locked.decided_at, locked.decision_note = staff, timezone.now(), note
        locked.save(update_fields=["barred_until", "decided_by", "decided_at", "decision_note", "updated_at"])


def is_barred(profile: MentorProfile) -> bool:
    """Whether strikes keep this mentor from being booked now."""
    return profile.barred_until is not None and profile.barred_until > timezone.now()


def resume(*, profile: MentorProfile) -> None:
    """Take bookings again.

    Raises:
        IllegalMove: the mentor is not paused.
        PausedForStrikes: not yet; with the instant.
    """
    with transaction.atomic():
        locked = _locked(profile.pk)
        if locked.state != State.PAUSED:
            raise IllegalMove(state=locked.state)
        if locked.barred_until is not None and is_barred(locked):
            raise PausedForStrikes(until=locked.barred_until.isoformat(), reason=PauseReason.STRIKES.value)
        locked.resumed_at = timezone.now()
        locked.save(update_fields=["resumed_at"])
        _move(locked, State.LIVE)


def leave(*, profile: MentorProfile) -> None:
    """Be a mentor no more. What is booked stays booked; the profile is kept for a return.

    Raises:
        IllegalMove: that was done already.
    """
    with transaction.atomic():
        _move(_locked(profile.pk), State.LEFT)


def embed_waiting_mentors(*, limit: int = 100, model: str = "") -> int:
    """Give vectors of `model`, or else the one in force, to profiles of its queue. Returns how many were done."""
    model = model or embedding_model()
    rows = list(MentorProfile.objects.waiting_for(model).order_by("id").prefetch_related("skill_links__skill")[:limit])
    parts = [query_parts(profile_text(row)) for row in rows]
    try:
        found = embed(texts=[part for each in parts for part in each], purpose="mentors.index", model=model).vectors
    except EngineError:
        return 0
    vectors, place = [], 0
    for each in parts:
        vectors.append(query_vector(found[place : place + len(each)]))
        place += len(each)
    with transaction.atomic():
        columns = columns_to_write(model)
        if columns is None:
            return 0
        for row, vector in zip(rows, vectors, strict=True):
            same = MentorProfile.objects.filter(pk=row.pk, content_hash=row.content_hash)
            same.update(**columns.values(vector, model, row.content_hash))
    return len(rows)


def profile_text(profile: MentorProfile) -> str:
    """What a profile is found by: skills first, then the mentor's own words."""
    skills = ", ".join(sorted(link.skill.name for link in profile.skill_links.all()))
    return "\n".join(text for text in (profile.headline, skills, profile.bio) if text)


def count_characters() -> int:
    """How much text a change of the embedding model has to read of mentors."""
    return int(MentorProfile.objects.aggregate(total=Sum(Length("bio") + Length("headline")))["total"] or 0)


register_table(Table("mentors", MentorProfile, lambda model, limit: embed_waiting_mentors(limit=limit, model=model), count_characters))


def _locked(profile_id: uuid.UUID) -> MentorProfile:
    """The row for a change, without the vectors. Needs an open transaction."""
    return MentorProfile.objects.select_for_update(of=("self",)).defer("embedding", "twin_embedding").get(pk=profile_id)


def _move(profile: MentorProfile, to: State, *, paused_because: str = "") -> None:
    if to not in _MOVES[profile.state]:
        raise IllegalMove(state=profile.state)
    profile.state, profile.paused_because = to, paused_because
    if to == State.LIVE and profile.live_since is None:
        profile.live_since = timezone.now()
    profile.save(update_fields=["state", "paused_because", "live_since", "updated_at"])


def _pause_if_barred(profile: MentorProfile) -> None:
    """Pause a barred profile, with strikes as the reason."""
    if is_barred(profile) and profile.state == State.LIVE:
        _move(profile, State.PAUSED, paused_because=PauseReason.STRIKES)
    elif is_barred(profile) and profile.state == State.PAUSED:
        profile.paused_because = PauseReason.STRIKES
        profile.save(update_fields=["paused_because", "updated_at"])


def _decide(profile: MentorProfile, staff: User, to: State, note: str) -> None:
    _move(profile, to)
    _pause_if_barred(profile)
    profile.decided_by, profile.decided_at, profile.decision_note = staff, timezone.now(), note
    profile.save(update_fields=["decided_by", "decided_at", "decision_note", "updated_at"])
    publish(MentorDecided(profile.user_id, profile.pk, to))


def _describe(profile: MentorProfile) -> None:
    """Queue the profile for its vector if what it is found by has changed."""
    fresh = MentorProfile.objects.prefetch_related("skill_links__skill").get(pk=profile.pk)
    MentorProfile.objects.filter(pk=profile.pk).update(content_hash=digest(profile_text(fresh)))


def _errors_of_skills(skills: Sequence[tuple[uuid.UUID, int | None]], known: set[uuid.UUID]) -> list[FieldError]:
    seen: set[uuid.UUID] = set()
    errors = []
    for index, (skill_id, _) in enumerate(skills):
        if skill_id not in known:
            errors.append(FieldError(f"skills.{index}.skill_id", "unknown_skill", "There is no such skill."))
        elif skill_id in seen:
            errors.append(FieldError(f"skills.{index}.skill_id", "skill_twice", "Each skill can stand here once."))
        seen.add(skill_id)
    return errors


def _errors_of_offers(profile: MentorProfile, offers: Sequence[StatedOffer]) -> list[FieldError]:
    own = set(Offer.objects.filter(profile=profile).values_list("pk", flat=True))
    named = [offer.id for offer in offers if offer.id is not None]
    errors = []
    for index, offer in enumerate(offers):
        if offer.id is not None and (offer.id not in own or named.count(offer.id) > 1):
            errors.append(FieldError(f"offers.{index}.id", "unknown_offer", "You have no such offer, or it stands here twice."))
        if (offer.kind == OfferKind.GROUP) != (offer.group_size > 1):
            detail = "A session for several has 2 seats at least, every other one."
            errors.append(FieldError(f"offers.{index}.group_size", "wrong_group_size", detail))
        price = price_error(Money(offer.price_amount, offer.price_currency), field=f"offers.{index}.price.amount")
        if price is not None:
            errors.append(price)
    return errors


def _write_offers(profile: MentorProfile, offers: Sequence[StatedOffer]) -> None:
    named = [offer.id for offer in offers if offer.id is not None]
    Offer.objects.filter(profile=profile).exclude(pk__in=named).update(is_active=False)
    for offer in offers:
        columns = {name: value for name, value in dataclasses.asdict(offer).items() if name != "id"} | {"is_active": True}
        if offer.id is None:
            Offer.objects.create(profile=profile, **columns)
        else:
            Offer.objects.filter(pk=offer.id).update(**columns)
