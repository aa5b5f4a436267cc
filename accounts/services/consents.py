"""Consent: which text somebody said yes or no to, and when. A purpose without a yes to its present text has no consent."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import uuid
from collections.abc import Collection

from django.db import transaction
from django.template.loader import render_to_string

from accounts.enums import AgeBand, ConsentPurpose, ConsentSource
from accounts.errors import ConsentRequired, ConsentTextOutdated, GuardianRequired
from accounts.events import ConsentGranted, ConsentWithdrawn
from accounts.models import ConsentDecision, User
from accounts.policies import is_guardian_of
from core.events import publish

# A published text is never edited: a new wording is a new file and a new number here, and everybody is asked again.
VERSIONS = {
    ConsentPurpose.AI_PROFILING: 1,
    ConsentPurpose.VOICE_PROCESSING: 1,
    ConsentPurpose.VOICE_KEEPING: 1,
    ConsentPurpose.RECORDING: 1,
    ConsentPurpose.MARKETING: 1,
    ConsentPurpose.AGENT_ACTING: 1,
}


@dataclasses.dataclass(frozen=True)
class ConsentText:
    purpose: ConsentPurpose
    version: int
    title: str
    text: str

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclasses.dataclass(frozen=True)
class Consent:
    """Where a person stands on one purpose. `decision` is their newest, of whatever version; `is_granted` counts the present text only."""

    text: ConsentText
    decision: ConsentDecision | None

    @property
    def is_granted(self) -> bool:
        return self.is_decided and self.decision is not None and self.decision.is_granted

    @property
    def is_decided(self) -> bool:
        return self.decision is not None and self.decision.text_version == self.text.version


@functools.cache
def current_text(purpose: ConsentPurpose) -> ConsentText:
    """The text in force. Its first line is the title."""
    version = VERSIONS[purpose]
    content = render_to_string(f"accounts/consents/{purpose}.{version}.txt").strip()
    title, _, text = content.partition("\n")
    return ConsentText(purpose, version, title.strip(), text.strip())


def consents_of(user: User) -> list[Consent]:
    """Every purpose with the person's newest decision."""
    newest = ConsentDecision.objects.filter(user=user).order_by("purpose", "-id").distinct("purpose")
    decisions = {decision.purpose: decision for decision in newest}
    return [Consent(current_text(purpose), decisions.get(purpose)) for purpose in ConsentPurpose]


def consent_of(user_id: uuid.UUID, purpose: ConsentPurpose) -> Consent:
    """Where a person stands on one purpose."""
    decision = ConsentDecision.objects.filter(user_id=user_id, purpose=purpose).order_by("-id").first()
    return Consent(current_text(purpose), decision)


def those_who_agree(user_ids: Collection[uuid.UUID], purpose: ConsentPurpose) -> set[uuid.UUID]:
    """Those of these people whose newest decision is a yes to the present text; one query."""
    newest = ConsentDecision.objects.filter(user_id__in=user_ids, purpose=purpose).order_by("user_id", "-id").distinct("user_id")
    version = current_text(purpose).version
    return {decision.user_id for decision in newest if decision.is_granted and decision.text_version == version}


def require_consent(user_id: uuid.UUID, purpose: ConsentPurpose) -> None:
    """Let only somebody on who has said yes to the present text.

    Raises:
        ConsentRequired: with the purpose and the version to show.
    """
    consent = consent_of(user_id, purpose)
    if not consent.is_granted:
        raise ConsentRequired(purpose=str(purpose), text_version=consent.text.version)


def agree_by_acting(*, user: User, purpose: ConsentPurpose, source: ConsentSource) -> None:
    """Record a yes by somebody who was shown the present text and then did what it is about. Who said no before is refused.

    Raises:
        ConsentRequired: the person said no.
        GuardianRequired: under 18 and no guardian has said yes.
    """
    consent = consent_of(user.pk, purpose)
    if consent.is_granted:
        return
    if consent.is_decided:
        raise ConsentRequired(purpose=str(purpose), text_version=consent.text.version)
    decide(user=user, purpose=purpose, is_granted=True, text_version=consent.text.version, source=source)


def decide(
    *, user: User, purpose: ConsentPurpose, is_granted: bool, text_version: int, source: ConsentSource, decided_by: User | None = None
) -> Consent:
    """Record a yes or a no. The same decision again changes nothing.

    Raises:
        ConsentTextOutdated: there is a newer text than the one that was shown.
        GuardianRequired: under 18 a yes is the guardian's to give.
    """
    text = current_text(purpose)
    actor = decided_by or user
    if text_version != text.version:
        raise ConsentTextOutdated(text_version=text.version)
    if is_granted and actor.pk == user.pk and user.age_band in (AgeBand.CHILD, AgeBand.TEENAGER):
        raise GuardianRequired
    if actor.pk != user.pk and not is_guardian_of(actor, user):
        raise GuardianRequired
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        present = consent_of(user.pk, purpose)
        if present.is_decided and present.is_granted == is_granted:
            return present
        decision = ConsentDecision.objects.create(
            user=user,
            purpose=purpose,
            is_granted=is_granted,
            text_version=text.version,
            text_digest=text.digest,
            source=source,
            decided_by=actor,
        )
        event = ConsentGranted if is_granted else ConsentWithdrawn
        publish(event(user_id=user.pk, purpose=str(purpose)))
    return Consent(text, decision)
