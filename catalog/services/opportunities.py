from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django.db import transaction

from accounts.models import User
from catalog.enums import OpportunityState
from catalog.errors import OpportunityNotOpen
from catalog.models import Opportunity, Skill
from catalog.querysets import INDEX_COLUMNS
from catalog.services.indexing import index_opportunities
from core.errors import FieldError, InvalidInput

POSTED_SOURCE = "soosh"


def post_opportunity(*, poster: User, fields: dict[str, Any], skill_ids: Sequence[uuid.UUID] = ()) -> Opportunity:
    """Publish an opportunity. It is found by its words at once, and by its meaning as soon as a worker has embedded it.

    Raises:
        InvalidInput: a skill is not known, or it would end before it starts.
    """
    with transaction.atomic():
        opportunity = Opportunity(source=POSTED_SOURCE, posted_by=poster, is_category_inferred=fields.get("category") is None, **fields)
        opportunity.source_id = str(opportunity.id)
        _check_dates(opportunity)
        opportunity.save()
        opportunity.skills.set(_skills(skill_ids))
        index_opportunities([opportunity.id])
    return _reloaded(opportunity.id)


def change_opportunity(*, opportunity_id: uuid.UUID, fields: dict[str, Any], skill_ids: Sequence[uuid.UUID] | None = None) -> Opportunity:
    """Change an opportunity.

    Raises:
        OpportunityNotOpen: it is closed.
        InvalidInput: as `post_opportunity`.
    """
    with transaction.atomic():
        opportunity = _locked(opportunity_id)
        for name, value in fields.items():
            setattr(opportunity, name, value)
        if "category" in fields:
            opportunity.is_category_inferred = fields["category"] is None
        _check_dates(opportunity)
        opportunity.save(update_fields=[*fields, "is_category_inferred", "updated_at"])
        if skill_ids is not None:
            opportunity.skills.set(_skills(skill_ids))
        index_opportunities([opportunity.id])
    return _reloaded(opportunity.id)


def close_opportunity(*, opportunity_id: uuid.UUID) -> None:
    """Take an opportunity out of every list, search and recommendation. Its row and its links stay.

    Raises:
        OpportunityNotOpen: it is closed already.
    """
    with transaction.atomic():
        opportunity = _locked(opportunity_id)
        opportunity.state = OpportunityState.CLOSED
        opportunity.save(update_fields=["state", "updated_at"])


def _locked(opportunity_id: uuid.UUID) -> Opportunity:
    opportunity = Opportunity.objects.select_for_update().defer(*INDEX_COLUMNS).get(id=opportunity_id)
    if opportunity.state != OpportunityState.LIVE:
        raise OpportunityNotOpen
    return opportunity


def _reloaded(opportunity_id: uuid.UUID) -> Opportunity:
    return Opportunity.objects.for_cards().get(id=opportunity_id)


def _check_dates(opportunity: Opportunity) -> None:
    if opportunity.starts_on and opportunity.ends_on and opportunity.ends_on < opportunity.starts_on:
        raise InvalidInput(errors=(FieldError("ends_on", "ends_before_start", "The end must not be before the start."),))


def _skills(skill_ids: Sequence[uuid.UUID]) -> list[Skill]:
    found = list(Skill.objects.active().filter(id__in=skill_ids))
    missing = set(skill_ids) - {skill.id for skill in found}
    if missing:
        raise InvalidInput(errors=(FieldError("skill_ids", "unknown_skill", f"Not known: {', '.join(sorted(map(str, missing)))}"),))
    return found
