"""Adults who answer for minors: invited by teenagers who have an account, or makers of a profile for a child who has none."""

from __future__ import annotations

import contextlib
import datetime
import uuid

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.enums import AgeBand, GuardianshipState, KeyPurpose, SecurityEventKind
from accounts.errors import AdultsOnly, InvalidKey, MailRefused, ManagedProfile, StillAChild, WardsNeedGuardian
from accounts.models import Guardianship, User, age_band_on
from accounts.models.people import WARD_DOMAIN
from accounts.policies import can_be_guardian, can_be_handed_over, can_change_sign_in, can_have_guardian, has_guardian, is_minor
from accounts.providers import headless, limits, tokens
from accounts.providers.tokens import TokenPair
from accounts.services.devices import end_all_devices, note_security_event
from accounts.services.invitations import count_invitation
from accounts.services.keys import issue_key, revoke_keys, spend_key
from accounts.services.mailing import send_mail
from accounts.services.sign_in import require_fresh_sign_in
from core.errors import Conflict, FieldError, Forbidden, InvalidInput, NotFound

MOST_GUARDIANS = 4
MOST_WARDS = 20


def invite_guardian(*, request: HttpRequest, user: User, email: str) -> Guardianship:
    """A teenager asks an adult, by mail, to be their guardian. An address that refuses invitations gets none.

    Raises:
        ManagedProfile: a child's profile; its guardian invites others (`invite_co_guardian`).
        Conflict: the person is no minor, or has invited enough people.
        InvalidInput: their own address.
        TooManyRequests, Unavailable
    """
    if not can_change_sign_in(user):
        raise ManagedProfile
    return _invite(request, inviter=user, ward_id=user.pk, email=email)


def invite_co_guardian(*, request: HttpRequest, user: User, session_key: str, ward_id: uuid.UUID, email: str) -> Guardianship:
    """The guardian of a child's profile asks another adult, by mail, to manage it too.

    Raises:
        FreshSignInRequired
        NotFound: no child's profile of theirs.
        Conflict, InvalidInput, TooManyRequests, Unavailable: as `invite_guardian`.
    """
    require_fresh_sign_in(user=user, session_key=session_key)
    return _invite(request, inviter=user, ward_id=_managed_profile(user, ward_id).pk, email=email)


def _invite(request: HttpRequest, *, inviter: User, ward_id: uuid.UUID, email: str) -> Guardianship:
    limits.consume(request, "invite_guardian", key=str(inviter.pk), is_owner=True)
    if email.lower() == inviter.email.lower():
        raise InvalidInput(errors=(FieldError("email", "own_address", "Name the address of somebody else."),))
    with transaction.atomic():
        ward = User.objects.select_for_update().get(pk=ward_id)
        pending = Guardianship.objects.filter(ward=ward).exclude(state=GuardianshipState.ENDED)
        if not (ward.is_ward or is_minor(ward)) or pending.count() >= MOST_GUARDIANS:
            raise Conflict
        guardianship, _ = pending.get_or_create(ward=ward, guardian_email=email.lower())
        count_invitation(inviter=inviter)
        secret = issue_key(purpose=KeyPurpose.GUARDIAN, user=ward, email=email.lower())
        send_mail(template="guardian_invited", to=email, secret=secret, ward=ward)
    return guardianship


def accept_guardianship(*, request: HttpRequest, user: User, key: str) -> Guardianship:
    """An adult takes on the guardianship that they were mailed about.

    Raises:
        InvalidKey
        AdultsOnly: under 18, or never told their birth date.
        Forbidden: the invitation went to another address than their proven one.
    """
    limits.consume(request, "spend_key")
    if not can_be_guardian(user):
        raise AdultsOnly
    with transaction.atomic():
        spent = spend_key(secret=key, purposes=(KeyPurpose.GUARDIAN,))
        if spent.email.lower() != user.email.lower():
            raise Forbidden
        guardianship = (
            Guardianship.objects.select_for_update()
            .filter(ward=spent.user, guardian_email=spent.email, state=GuardianshipState.INVITED)
            .first()
        )
        if guardianship is None:
            raise NotFound
        guardianship.guardian, guardianship.state, guardianship.accepted_at = user, GuardianshipState.ACTIVE, timezone.now()
        guardianship.save()
    return guardianship


def make_ward_profile(*, user: User, full_name: str, birth_date: datetime.date) -> User:
    """A guardian makes a profile for a child under 13, who has no sign-in of their own.

    Raises:
        AdultsOnly
        InvalidInput: the child is 13 or older and can register.
        Conflict: too many profiles.
    """
    if not can_be_guardian(user):
        raise AdultsOnly
    if age_band_on(birth_date, timezone.now().date()) is not AgeBand.CHILD:
        raise InvalidInput(errors=(FieldError("birth_date", "not_a_child", "From 13 on people register themselves and invite you."),))
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        if Guardianship.objects.filter(guardian=user, state=GuardianshipState.ACTIVE).count() >= MOST_WARDS:
            raise Conflict
        ward = User.objects.create_user(
            f"{uuid.uuid4().hex}@{WARD_DOMAIN}",
            None,
            full_name=full_name,
            birth_date=birth_date,
            time_zone=user.time_zone,
            locale=user.locale,
        )
        Guardianship.objects.create(ward=ward, guardian=user, state=GuardianshipState.ACTIVE, accepted_at=timezone.now())
    return ward


def open_ward_session(*, request: HttpRequest, user: User, ward_id: uuid.UUID) -> TokenPair:
    """Tokens with which a guardian uses the profile of a child together with the child.

    Raises:
        NotFound: no ward of theirs with a profile of this kind.
    """
    ward = _managed_profile(user, ward_id)
    answer = headless.log_in_anew(request, person=ward)
    note_security_event(user=ward, kind=SecurityEventKind.SIGNED_IN, request=request, detail="by the guardian")
    return tokens.pair(answer.access_token, answer.refresh_token, ward)


def hand_over_profile(*, request: HttpRequest, user: User, session_key: str, ward_id: uuid.UUID, email: str) -> None:
    """The guardian of a profile whose owner is 13 or older has a key mailed to its owner, who makes it an account of their own with it by
    choosing a password (`passwords.reset_password`). Until then nothing changes. A taken address gets another mail, and the same answer.

    Raises:
        FreshSignInRequired, TooManyRequests, Unavailable
        NotFound: no profile of theirs.
        StillAChild
    """
    require_fresh_sign_in(user=user, session_key=session_key)
    limits.consume(request, "change_email", key=str(user.pk), is_owner=True)
    ward = _managed_profile(user, ward_id)
    if not can_be_handed_over(ward):
        raise StillAChild
    with transaction.atomic():
        count_invitation(inviter=user)
        is_taken = User.objects.filter(email=email).exists()
        secret = issue_key(purpose=KeyPurpose.HAND_OVER, user=None if is_taken else ward, email=email)
        send_mail(template="known_account" if is_taken else "hand_over", to=email, secret=secret)


def take_over_profile(*, request: HttpRequest, ward: User, email: str) -> None:
    """Give a locked profile the address to which its key was mailed. Under 18 its guardians stay; for an adult the guardianships end.

    Raises:
        InvalidKey: the profile has no guardian any more, or was taken over already.
        InvalidInput: somebody else uses the address by now.
    """
    if not (can_be_handed_over(ward) and has_guardian(ward)):
        raise InvalidKey
    if User.objects.filter(email=email).exists():
        raise InvalidInput(errors=(FieldError("key", "email_taken", "Somebody else uses this address by now."),))
    guardians = guardian_addresses(ward)
    ward.email = email
    ward.save(update_fields=["email", "updated_at"])
    if not is_minor(ward):
        unended = Guardianship.objects.filter(ward=ward).exclude(state=GuardianshipState.ENDED)
        unended.update(state=GuardianshipState.ENDED, ended_at=timezone.now(), updated_at=timezone.now())
    note_security_event(user=ward, kind=SecurityEventKind.EMAIL_CHANGED, request=request)
    for address in guardians:
        with contextlib.suppress(MailRefused):
            send_mail(template="handed_over", to=address, ward=ward, is_minor=is_minor(ward))


def end_guardianship(*, user: User, guardianship_id: uuid.UUID) -> None:
    """Either side ends it. A child's profile keeps its last guardian: it can only be erased.

    Raises:
        NotFound
        ManagedProfile: the session of a child's profile; its guardians end it from their own.
        WardsNeedGuardian: the last guardian of a child's profile.
    """
    with transaction.atomic():
        guardianship = Guardianship.objects.select_for_update().filter(pk=guardianship_id).exclude(state=GuardianshipState.ENDED).first()
        if guardianship is None or user.pk not in (guardianship.ward_id, guardianship.guardian_id):
            raise NotFound
        if not can_change_sign_in(user):
            raise ManagedProfile
        if guardianship.ward.is_ward and guardianship.state == GuardianshipState.ACTIVE:
            User.objects.select_for_update().get(pk=guardianship.ward_id)
            if sole_wards(guardianship.guardian, ward_id=guardianship.ward_id):
                raise WardsNeedGuardian
            # Invitations and a handing over that the leaving guardian began, and the sessions that they opened.
            revoke_keys(user=guardianship.ward)
            end_all_devices(user=guardianship.ward)
        guardianship.state, guardianship.ended_at = GuardianshipState.ENDED, timezone.now()
        guardianship.save()


def sole_wards(guardian: User | None, *, ward_id: uuid.UUID | None = None) -> list[User]:
    """Children's profiles, or this one of them, that would be left without a guardian if this one went. Their rows are locked."""
    if guardian is None:
        return []
    own = _wards(guardian).filter(ward__email__endswith=f"@{WARD_DOMAIN}", ward__is_active=True)
    ids = own.values("ward_id") if ward_id is None else own.filter(ward_id=ward_id).values("ward_id")
    wards = list(User.objects.select_for_update().filter(pk__in=ids).order_by("pk"))
    others = Guardianship.objects.filter(ward__in=wards, state=GuardianshipState.ACTIVE, guardian__is_active=True).exclude(
        guardian=guardian
    )
    kept = set(others.values_list("ward_id", flat=True))
    return [ward for ward in wards if ward.pk not in kept]


def guardianships_of(user: User) -> list[Guardianship]:
    """The person's guardians and invitations that have not ended."""
    return list(Guardianship.objects.filter(ward=user).exclude(state=GuardianshipState.ENDED).select_related("guardian"))


def wards_of(user: User) -> list[Guardianship]:
    """For whom this person answers: not for those who have an account and grew up."""
    return [guardianship for guardianship in _wards(user).select_related("ward") if can_have_guardian(guardianship.ward)]


def ward_of(*, user: User, ward_id: uuid.UUID) -> User:
    """The person with this id, if `user` is their guardian.

    Raises:
        NotFound
    """
    guardianship = _wards(user).select_related("ward").filter(ward_id=ward_id).first()
    if guardianship is None or not can_have_guardian(guardianship.ward):
        raise NotFound
    ward: User = guardianship.ward
    return ward


def _managed_profile(user: User, ward_id: uuid.UUID) -> User:
    ward = ward_of(user=user, ward_id=ward_id)
    if not (ward.is_ward and ward.is_active):
        raise NotFound
    return ward


def guardian_addresses(ward: User) -> list[str]:
    """Who is written to in place of a child whose profile has no mailbox. Empty for everybody else."""
    if not ward.email.endswith(f"@{WARD_DOMAIN}"):
        return []
    active = Guardianship.objects.filter(ward=ward, state=GuardianshipState.ACTIVE)
    return list(active.values_list("guardian__email", flat=True))


def _wards(user: User) -> QuerySet[Guardianship]:
    return Guardianship.objects.filter(guardian=user, state=GuardianshipState.ACTIVE)
