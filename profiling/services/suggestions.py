"""When to look at a claim again: an answer contradicts it, or it is older than such claims stay true. At most one a month, and a no is
remembered for ever."""

from __future__ import annotations

import datetime
import uuid

from django.db import transaction
from django.utils import timezone

from accounts.enums import ConsentPurpose
from accounts.models import User
from accounts.services.consents import consent_of
from profiling.enums import ClaimKind, SuggestionReason, SuggestionState
from profiling.errors import SuggestionDecided, SuggestionNotFound
from profiling.models import Claim, Profile, Suggestion

_AT_MOST_EVERY = datetime.timedelta(days=30)
# After this long such a claim is likely to have changed. Skills and languages stay.
LIMITS: dict[ClaimKind, datetime.timedelta] = {
    ClaimKind.AVAILABILITY: datetime.timedelta(days=120),
    ClaimKind.GOAL: datetime.timedelta(days=240),
    ClaimKind.CONSTRAINT: datetime.timedelta(days=240),
    ClaimKind.LOCATION: datetime.timedelta(days=365),
    ClaimKind.INTEREST: datetime.timedelta(days=540),
}


def suggest(*, claim: Claim, reason: SuggestionReason, quote: str = "") -> Suggestion | None:
    """Propose to look at a claim again. None if the person was asked anything within a month, or about this claim for this reason ever."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=claim.user_id)
        asked = Suggestion.objects.filter(user_id=claim.user_id)
        if asked.filter(created_at__gt=timezone.now() - _AT_MOST_EVERY).exists() or asked.open().exists():
            return None
        if asked.filter(claim=claim, reason=reason).exists():
            return None
        return Suggestion.objects.create(user_id=claim.user_id, claim=claim, reason=reason, quote=quote)


def suggest_for(*, user_id: uuid.UUID) -> Suggestion | None:
    """Propose the oldest outlived claim of a person, if there is one."""
    if not consent_of(user_id, ConsentPurpose.AI_PROFILING).is_granted:
        return None
    now = timezone.now()
    claims = Claim.objects.filter(user_id=user_id, kind__in=LIMITS).active().order_by("updated_at")
    asked = set(Suggestion.objects.filter(user_id=user_id, reason=SuggestionReason.AGE).values_list("claim_id", flat=True))
    outlived = (claim for claim in claims if claim.pk not in asked and now - claim.updated_at > LIMITS[ClaimKind(claim.kind)])
    oldest = next(outlived, None)
    return suggest(claim=oldest, reason=SuggestionReason.AGE) if oldest is not None else None


def suggest_to_all(*, after: uuid.UUID | None = None, limit: int = 500) -> uuid.UUID | None:
    """Look through the profiles in the order of their ids, `limit` at a time. Returns where to go on, None at the end."""
    profiles = Profile.objects.order_by("id")
    rows = list((profiles.filter(id__gt=after) if after else profiles).values_list("id", "user_id")[:limit])
    for _, user_id in rows:
        suggest_for(user_id=user_id)
    return rows[-1][0] if len(rows) == limit else None


def decide_suggestion(*, user: User, suggestion_id: uuid.UUID, is_accepted: bool) -> Suggestion:
    """A person's yes (they go and look at the claim) or no (they are never asked this again). Deciding the same twice changes nothing.

    Raises:
        SuggestionNotFound
        SuggestionDecided: the other way round, before.
    """
    wanted = SuggestionState.ACCEPTED if is_accepted else SuggestionState.DECLINED
    with transaction.atomic():
        suggestion = Suggestion.objects.visible_to(user).select_for_update().filter(pk=suggestion_id).first()
        if suggestion is None:
            raise SuggestionNotFound
        if suggestion.state == wanted:
            return suggestion
        if suggestion.state != SuggestionState.OPEN:
            raise SuggestionDecided
        suggestion.state, suggestion.decided_at = wanted, timezone.now()
        suggestion.save()
    return suggestion
