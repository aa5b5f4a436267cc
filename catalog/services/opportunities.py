from __future__ import annotations

import uuid
import zoneinfo
from collections.abc import Sequence
from typing import Any

from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from accounts.models import User
from catalog.enums import OpportunityState
from catalog.models import Opportunity, Organisation, Skill
from catalog.policies import require_posting_right
from catalog.services.indexing import index_opportunities
from catalog.services.lifecycle import after_a_change, locked, publish_or_review
from core.errors import FieldError, InvalidInput

POSTED_SOURCE = "soosh"


def post_opportunity(
    *,
    poster: User,
    fields: dict[str, Any],
    skill_ids: Sequence[uuid.UUID] = (),
    organisation: Organisation | None = None,
    is_draft: bool = False,
) -> Opportunity:
    """Post an opportunity, for an organisation or, as staff, for Soosh. Unless it is a draft, or something about it wants a look by staff
    first, it is found by its words at once, and by its meaning as soon as a worker has embedded it.

    Raises:
        Forbidden: the poster may not post, or not for this organisation.
        InvalidInput: a skill or the time zone is not known, or it would end before it starts.
        DuplicateOpportunity: the poster has posted nearly the same already.
    """
    with transaction.atomic():
        if organisation is not None:
            # Its state must not change meanwhile: a suspension would not see this posting.
            organisation = Organisation.objects.select_for_update(no_key=True).get(pk=organisation.pk)
        require_posting_right(poster, organisation)
        _post_one_at_a_time(poster)
        opportunity = Opportunity(
            source=POSTED_SOURCE,
            state=OpportunityState.DRAFT,
            published_at=None,
            posted_by=poster,
            posting_organisation=organisation,
            is_category_inferred=fields.get("category") is None,
            **({"deadline_zone": poster.time_zone} | fields | ({"organisation": organisation.name} if organisation else {})),
        )
        opportunity.source_id = str(opportunity.id)
        _check_dates(opportunity)
        if not is_draft:
            _check_is_not_over(opportunity)
        opportunity.save()
        opportunity.skills.set(_skills(skill_ids))
        index_opportunities([opportunity.id])
        if not is_draft:
            publish_or_review(opportunity)
    return _reloaded(opportunity.id)


def change_opportunity(*, opportunity_id: uuid.UUID, fields: dict[str, Any], skill_ids: Sequence[uuid.UUID] | None = None) -> Opportunity:
    """Change an opportunity. A live one whose new text wants a look goes back to staff; an expired one with a new deadline is live again.

    Raises:
        OpportunityNotOpen: it is closed.
        InvalidInput, DuplicateOpportunity: as `post_opportunity`.
    """
    with transaction.atomic():
        opportunity = locked(opportunity_id)
        for name, value in fields.items():
            setattr(opportunity, name, value)
        if "category" in fields:
            opportunity.is_category_inferred = fields["category"] is None
        if opportunity.posting_organisation:
            opportunity.organisation = opportunity.posting_organisation.name
        _check_dates(opportunity)
        opportunity.save(update_fields=[*fields, "organisation", "is_category_inferred", "updated_at"])
        if skill_ids is not None:
            opportunity.skills.set(_skills(skill_ids))
        index_opportunities([opportunity.id])
        after_a_change(opportunity)
    return _reloaded(opportunity.id)


def _post_one_at_a_time(poster: User) -> None:
    """Two equal postings at once would not see each other as duplicates."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"catalog.post {poster.pk}",))


def _reloaded(opportunity_id: uuid.UUID) -> Opportunity:
    return Opportunity.objects.for_managing().get(id=opportunity_id)


def _check_dates(opportunity: Opportunity) -> None:
    if opportunity.starts_on and opportunity.ends_on and opportunity.ends_on < opportunity.starts_on:
        raise InvalidInput(errors=(FieldError("ends_on", "ends_before_start", "The end must not be before the start."),))
    if opportunity.deadline_zone != "UTC" and not _database_knows(opportunity.deadline_zone):
        raise InvalidInput(errors=(FieldError("time_zone", "invalid_time_zone", "This time zone is not known here."),))


def _check_is_not_over(opportunity: Opportunity) -> None:
    today = timezone.now().astimezone(zoneinfo.ZoneInfo(opportunity.deadline_zone)).date()
    for field, day in (("deadline", opportunity.deadline_on), ("ends_on", opportunity.ends_on)):
        if day and day < today:
            raise InvalidInput(errors=(FieldError(field, "in_the_past", "This day is over already."),))


def _database_knows(zone: str) -> bool:
    """The database computes when a day is over, and brings its own list of zones."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT now() AT TIME ZONE %s", (zone,))
    except DatabaseError:
        return False
    return True


def _skills(skill_ids: Sequence[uuid.UUID]) -> list[Skill]:
    found = list(Skill.objects.active().filter(id__in=skill_ids))
    missing = set(skill_ids) - {skill.id for skill in found}
    if missing:
        raise InvalidInput(
            errors=(FieldError("skill_ids", "unknown_skill", f"These are not known: {', '.join(sorted(map(str, missing)))}."),)
        )
    return found
