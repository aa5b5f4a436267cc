"""Small questions with a yes or a no. Other apps ask them before they let somebody do something."""

from __future__ import annotations

import datetime

from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from accounts.enums import AgeBand, GuardianshipState, Role
from accounts.models import Guardianship, User, age_band_on


def can_manage_people(user: User | AnonymousUser) -> bool:
    """Staff."""
    return bool(user.is_authenticated and user.is_staff)


def can_manage_person(actor: User, person: User) -> bool:
    """Staff manage everybody but each other: that takes a superuser. Nobody manages themselves in this way."""
    return can_manage_people(actor) and actor.pk != person.pk and (actor.is_superuser or not person.is_staff)


def can_impersonate(actor: User, person: User) -> bool:
    """Staff with the permission for it, those whom they manage."""
    return can_manage_person(actor, person) and person.is_active and actor.has_perm("accounts.add_impersonation")


def can_moderate(user: User | AnonymousUser) -> bool:
    """Moderators and staff."""
    return isinstance(user, User) and user.role in (Role.MODERATOR, Role.STAFF)


def is_minor(user: User) -> bool:
    """Known to be under 18."""
    return user.age_band in (AgeBand.CHILD, AgeBand.TEENAGER)


def can_change_sign_in(user: User) -> bool:
    """Everybody but children whose profile a guardian manages: no address, password, provider, second step or phone of their own."""
    return not user.is_ward


def can_be_born_on(user: User, birth_date: datetime.date | None) -> bool:
    """Under 13 only as a profile that a guardian manages; no guardian without being an adult."""
    if birth_date is None:
        return not user.is_ward and not Guardianship.objects.filter(guardian=user, state=GuardianshipState.ACTIVE).exists()
    band = age_band_on(birth_date, timezone.now().date())
    if band is not AgeBand.ADULT and Guardianship.objects.filter(guardian=user, state=GuardianshipState.ACTIVE).exists():
        return False
    return user.is_ward or band is not AgeBand.CHILD


def can_have_guardian(user: User) -> bool:
    """Everybody but adults with an account of their own, for whom a former guardian decides nothing any more."""
    return user.is_ward or user.age_band is not AgeBand.ADULT


def can_be_handed_over(user: User) -> bool:
    """A profile that a guardian manages becomes an account of its own from 13 on."""
    return user.is_ward and user.age_band in (AgeBand.TEENAGER, AgeBand.ADULT)


def can_have_role(user: User, role: str, *, is_superuser: bool) -> bool:
    """Whether this person may have this role: a profile without a sign-in of its own is a plain member's."""
    return not user.is_ward or (role == Role.MEMBER and not is_superuser)


def is_guardian_of(guardian: User, ward: User) -> bool:
    """Whether an accepted, unended guardianship joins the two, and the ward still needs it."""
    if not can_have_guardian(ward):
        return False
    return Guardianship.objects.filter(guardian=guardian, guardian__is_active=True, ward=ward, state=GuardianshipState.ACTIVE).exists()


def has_guardian(user: User) -> bool:
    """Whether some adult answers for this person now."""
    return Guardianship.objects.filter(ward=user, guardian__is_active=True, state=GuardianshipState.ACTIVE).exists()


def can_use_ai(user: User) -> bool:
    """Adults; minors once a guardian answers for them. Voice, chat and payments go by the same rule."""
    return not is_minor(user) or has_guardian(user)


def can_book(user: User) -> bool:
    """Adults; minors with a guardian, who approves each booking."""
    return can_use_ai(user)


def can_pay(user: User) -> bool:
    """Adults only: a guardian pays for a minor."""
    return not is_minor(user)


def can_have_public_profile(user: User) -> bool:
    """Adults only."""
    return user.is_active and not is_minor(user)


def can_be_named_on_leaderboards(user: User) -> bool:
    """Adults only."""
    return can_have_public_profile(user)


def can_be_recorded(user: User) -> bool:
    """Adults only; their consent comes on top."""
    return not is_minor(user)


def can_share_contact_details(user: User) -> bool:
    """Adults only, in either direction of a conversation."""
    return not is_minor(user)


def can_be_guardian(user: User) -> bool:
    """Adults who told their birth date: a guardian's age is not taken on trust."""
    return user.is_active and not user.is_ward and user.age_band is AgeBand.ADULT
