from __future__ import annotations

import uuid

from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify

from accounts.models import User
from catalog.enums import MemberRole, OpportunityState, OrganisationState
from catalog.errors import LastOwner, TooManyUnchecked
from catalog.models import Opportunity, Organisation, OrganisationMember
from catalog.querysets import INDEX_COLUMNS
from catalog.services.lifecycle import move
from core.errors import FieldError, InvalidInput, NotFound

# Somebody who founds more than this without one being checked is a flood, not a founder.
_MOST_UNCHECKED = 3


def found_organisation(*, founder: User, name: str, website: str = "") -> Organisation:
    """Register an organisation; the founder owns it. Staff check it before what it posts is live at once.

    Raises:
        TooManyUnchecked: three of theirs wait to be checked.
        InvalidInput: the name has no letter or digit that an address could be made of, or another organisation has it.
    """
    slug = slugify(name)[:100]
    if not slug:
        raise InvalidInput(errors=(FieldError("name", "unusable_name", "Use at least one letter from a to z, or a digit."),))
    with transaction.atomic():
        User.objects.select_for_update(of=("self",), no_key=True).get(pk=founder.pk)
        waiting = Organisation.objects.filter(memberships__user=founder, state=OrganisationState.PENDING)
        if waiting.count() >= _MOST_UNCHECKED:
            raise TooManyUnchecked
        organisation, created = Organisation.objects.get_or_create(slug=slug, defaults={"name": name, "website": website})
        if not created:
            raise InvalidInput(errors=(FieldError("name", "name_taken", "Somebody else has this name."),))
        OrganisationMember.objects.create(organisation=organisation, user=founder, role=MemberRole.OWNER)
    return organisation


def change_organisation(*, organisation: Organisation, fields: dict[str, str]) -> Organisation:
    """Change name or website. A checked organisation that changes its name has to be checked again."""
    with transaction.atomic():
        locked = Organisation.objects.select_for_update().get(pk=organisation.pk)
        if fields.get("name", locked.name) != locked.name and locked.state == OrganisationState.VERIFIED:
            locked.state, locked.verified_at = OrganisationState.PENDING, None
        for name, value in fields.items():
            setattr(locked, name, value)
        locked.save()
    return locked


def decide_organisation(*, organisation: Organisation, state: OrganisationState) -> Organisation:
    """Staff verify an organisation, or suspend it: then what it shows is paused."""
    with transaction.atomic():
        locked = Organisation.objects.select_for_update().get(pk=organisation.pk)
        locked.state = state
        locked.verified_at = timezone.now() if state == OrganisationState.VERIFIED else None
        locked.save()
        if state == OrganisationState.SUSPENDED:
            rows = Opportunity.objects.select_for_update(of=("self",)).filter(posting_organisation=locked, state=OpportunityState.LIVE)
            for opportunity in rows.defer(*INDEX_COLUMNS):
                move(opportunity, OpportunityState.PAUSED)
    return locked


def add_member(*, organisation: Organisation, actor: User, handle: str, role: MemberRole) -> OrganisationMember:
    """Let a person post for the organisation, or change their role.

    Raises:
        InvalidInput: nobody whom the actor may see has this handle.
        LastOwner: the only owner would be none any more.
    """
    with transaction.atomic():
        Organisation.objects.select_for_update().get(pk=organisation.pk)
        person = User.objects.present().visible_to(actor).filter(handle=handle).first()
        if person is None:
            raise InvalidInput(errors=(FieldError("handle", "unknown_person", "Nobody has this handle."),))
        member, _ = OrganisationMember.objects.update_or_create(organisation=organisation, user=person, defaults={"role": role})
        _require_owner(organisation)
    return member


def remove_member(*, organisation: Organisation, user_id: uuid.UUID) -> None:
    """A person posts for the organisation no more.

    Raises:
        NotFound: they are no member.
        LastOwner: nobody would own it any more.
    """
    with transaction.atomic():
        Organisation.objects.select_for_update().get(pk=organisation.pk)
        deleted, _ = OrganisationMember.objects.filter(organisation=organisation, user_id=user_id).delete()
        if not deleted:
            raise NotFound
        _require_owner(organisation)


def _require_owner(organisation: Organisation) -> None:
    if not OrganisationMember.objects.filter(organisation=organisation, role=MemberRole.OWNER).exists():
        raise LastOwner
