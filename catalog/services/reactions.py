from __future__ import annotations

import uuid

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from catalog.enums import ReactionKind
from catalog.errors import OpportunityNotOpen
from catalog.events import OpportunityReactedTo
from catalog.models import Opportunity, Reaction
from catalog.querysets import REACTION_FIELDS
from core.errors import NotFound
from core.events import publish


def react(*, user: User, opportunity_id: uuid.UUID, kind: ReactionKind, because: str = "") -> Reaction:
    """Save, dismiss or apply. Doing the same again changes nothing; saving takes a dismissal back, and the other way round.

    Raises:
        NotFound: there is no such opportunity for this person.
        OpportunityNotOpen: it was open when the person met it, and is no more.
    """
    with transaction.atomic():
        _require_open(user, opportunity_id)
        reaction = _locked(user, opportunity_id) or Reaction(user=user, opportunity_id=opportunity_id)
        if kind == ReactionKind.DISMISS:
            reaction.saved_at, reaction.dismissed_because = None, because
        elif kind == ReactionKind.SAVE:
            reaction.dismissed_at, reaction.dismissed_because = None, ""
        is_new = getattr(reaction, REACTION_FIELDS[kind]) is None
        if is_new:
            setattr(reaction, REACTION_FIELDS[kind], timezone.now())
            publish(OpportunityReactedTo(user.pk, opportunity_id, kind))
        reaction.save()
    return reaction


def take_back(*, user: User, opportunity_id: uuid.UUID, kind: ReactionKind) -> None:
    """Undo a reaction. Also works on what is not open any more.

    Raises:
        NotFound: there was none.
    """
    with transaction.atomic():
        reaction = _locked(user, opportunity_id)
        if reaction is None or getattr(reaction, REACTION_FIELDS[kind]) is None:
            raise NotFound
        setattr(reaction, REACTION_FIELDS[kind], None)
        if kind == ReactionKind.DISMISS:
            reaction.dismissed_because = ""
        if any(getattr(reaction, field) for field in REACTION_FIELDS.values()):
            reaction.save()
        else:
            reaction.delete()


def _require_open(user: User, opportunity_id: uuid.UUID) -> None:
    if Opportunity.objects.listed_for(user).filter(pk=opportunity_id).exists():
        return
    if Reaction.objects.visible_to(user).filter(opportunity_id=opportunity_id).exists():
        raise OpportunityNotOpen
    raise NotFound


def _locked(user: User, opportunity_id: uuid.UUID) -> Reaction | None:
    # The person's row is the lock for reactions that do not exist yet.
    User.objects.select_for_update(of=("self",), no_key=True).get(pk=user.pk)
    found: Reaction | None = Reaction.objects.select_for_update().filter(user=user, opportunity_id=opportunity_id).first()
    return found
