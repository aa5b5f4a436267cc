"""Claims that something proves. Whoever has the proof (a certificate, a mentor after a session) says so here, and takes it back here."""

from __future__ import annotations

import uuid

from django.db import transaction

from accounts.models import User
from profiling.enums import ClaimKind, ClaimSource, ClaimState
from profiling.models import Claim
from profiling.services.claims import linked_skills
from profiling.services.profile import rebuild_profile


def verify_claim(*, user_id: uuid.UUID, kind: ClaimKind, label: str, evidence: str) -> Claim:
    """Mark a claim as proven by `evidence` (a kind and an id, such as `certificate:0197...`), making it if it is new.

    What the person rejected stays rejected: they need not show what they can do.
    """
    skills = linked_skills([label], user_id) if kind in (ClaimKind.SKILL, ClaimKind.INTEREST) else {}
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user_id)
        claim = Claim.objects.filter(user_id=user_id, kind=kind, label__iexact=label).first() or Claim(
            user_id=user_id, kind=kind, label=label, skill=skills.get(label), source=""
        )
        if claim.state == ClaimState.PROPOSED:
            claim.state = ClaimState.ACTIVE
        if claim.source != ClaimSource.VERIFIED:
            claim.source_before = claim.source
        claim.source, claim.evidence, claim.confidence = ClaimSource.VERIFIED, evidence, 1.0
        claim.save()
        rebuild_profile(user_id=user_id)
    return claim


def withdraw_evidence(*, evidence: str) -> int:
    """The proof is gone: what it proved is again whose word it was before, and nobody's if only the proof said so.

    Returns how many claims; safe to run twice.
    """
    with transaction.atomic():
        claims = list(Claim.objects.select_for_update().filter(evidence=evidence, source=ClaimSource.VERIFIED))
        for claim in claims:
            _step_back(claim)
        for user_id in {claim.user_id for claim in claims}:
            rebuild_profile(user_id=user_id)
    return len(claims)


def _step_back(claim: Claim) -> None:
    if not claim.source_before:
        claim.delete()
        return
    claim.source, claim.source_before, claim.evidence = claim.source_before, "", ""
    claim.save()
