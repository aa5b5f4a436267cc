from __future__ import annotations

from django.contrib.auth.models import AnonymousUser

from accounts.models import User
from catalog.enums import MemberRole, OrganisationState
from catalog.errors import OrganisationMayNotPost
from catalog.models import Opportunity, Organisation, OrganisationMember
from core.errors import Forbidden


def can_manage_catalogue(user: User | AnonymousUser) -> bool:
    """Staff decide about postings and organisations, and keep the taxonomy."""
    return bool(user.is_authenticated and user.is_staff)


def can_post(user: User | AnonymousUser) -> bool:
    """Staff, and members of an organisation."""
    return can_manage_catalogue(user) or (user.is_authenticated and OrganisationMember.objects.filter(user_id=user.pk).exists())


def require_posting_right(user: User, organisation: Organisation | None) -> None:
    """Staff post for Soosh and for every organisation, others for those that they are members of.

    Raises:
        Forbidden: not for this one.
        OrganisationMayNotPost: it is suspended.
    """
    is_member = organisation is not None and OrganisationMember.objects.filter(organisation=organisation, user=user).exists()
    if not is_member and not can_manage_catalogue(user):
        raise Forbidden
    if organisation is not None and organisation.state == OrganisationState.SUSPENDED:
        raise OrganisationMayNotPost


def can_manage_opportunity(user: User | AnonymousUser, opportunity: Opportunity) -> bool:
    """Staff, and whoever posted it, alone or for their organisation."""
    return can_manage_catalogue(user) or Opportunity.objects.managed_by(user).filter(pk=opportunity.pk).exists()


def needs_review(opportunity: Opportunity) -> bool:
    """What an organisation posts before it was checked waits for a look by staff."""
    organisation = opportunity.posting_organisation
    return organisation is not None and organisation.state == OrganisationState.PENDING


def can_manage_organisation(user: User | AnonymousUser, organisation: Organisation) -> bool:
    """Staff and its owners."""
    if can_manage_catalogue(user):
        return True
    owners = OrganisationMember.objects.filter(organisation=organisation, role=MemberRole.OWNER)
    return user.is_authenticated and owners.filter(user_id=user.pk).exists()
