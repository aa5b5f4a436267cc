from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence

import structlog
from django.db import transaction
from django.db.models import Sum
from django.db.models.functions import Length

from accounts.enums import ConsentPurpose, ConsentSource
from accounts.errors import ConsentRequired
from accounts.models import User
from accounts.services.consents import agree_by_acting
from ai.errors import EngineError
from ai.services.spaces import Table, embedding_model, register_table
from ai.services.text import embed
from catalog.services.documents import query_parts, query_vector
from core.events import publish
from core.querysets import columns_to_write
from core.vectors import COLUMNS
from profiling.enums import ClaimKind, ClaimSource, ClaimState
from profiling.events import ProfileChanged
from profiling.models import Claim, Interview, Profile
from profiling.services.questions import MATCHED_BY_MEANING
from profiling.services.recordings import forget_recordings
from profiling.services.vocabulary import skills_named

logger = structlog.get_logger(__name__)

_MOST_LABELS = 5
_MAX_TEXT_CHARACTERS = 12_000


def edit_profile(*, user: User, summary: str | None = None, labels: dict[ClaimKind, list[str]] | None = None) -> Profile:
    """A person's own edit. The labels given for a kind become their own claims; what else was held of it is rejected for ever.

    Raises:
        ConsentRequired, GuardianRequired
    """
    agree_by_acting(user=user, purpose=ConsentPurpose.AI_PROFILING, source=ConsentSource.SETTINGS)
    chosen = labels or {}
    skills = _known_skills(
        [label for kind, names in chosen.items() if kind in (ClaimKind.SKILL, ClaimKind.INTEREST) for label in names], user.pk
    )
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        for kind, names in chosen.items():
            _replace_claims(user.pk, kind, names, skills)
        profile = rebuild_profile(user_id=user.pk)
        if summary is not None:
            profile.summary, profile.is_summary_mine = summary, bool(summary)
            profile.save(update_fields=["summary", "is_summary_mine", "updated_at"])
    embed_profile(user_id=user.pk)
    profile.refresh_from_db()
    return profile


def forget_inferred(*, user: User) -> None:
    """Delete everything that an engine concluded, its vectors included. What the person said themselves, and what they rejected, stays."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        Claim.objects.filter(user=user, source=ClaimSource.INFERRED).delete()
        profile = Profile.objects.select_for_update().filter(user=user).first()
        if profile is None:
            return
        for columns in COLUMNS.values():
            for name, value in columns.values(None, "", "").items():
                setattr(profile, name, value)
        profile.save()
        rebuild_profile(user_id=user.pk)


def forget_profile(*, user_id: uuid.UUID) -> None:
    """Delete answers, claims and the profile of somebody who took their consent back. Safe to run twice."""
    with transaction.atomic():
        forget_recordings(user_id=user_id)
        Claim.objects.filter(user_id=user_id).delete()
        Interview.objects.filter(user_id=user_id).delete()
        Profile.objects.filter(user_id=user_id).delete()


def _known_skills(labels: Sequence[str], user_id: uuid.UUID) -> dict[str, uuid.UUID]:
    try:
        return {label: skill.id for label, skill in skills_named(labels, user_id).items()}
    except EngineError:
        return {}


def _replace_claims(user_id: uuid.UUID, kind: ClaimKind, labels: list[str], skills: dict[str, uuid.UUID]) -> None:
    wanted = {label.lower(): label for label in labels}
    for claim in Claim.objects.filter(user_id=user_id, kind=kind):
        kept = wanted.pop(claim.label.lower(), None)
        if claim.source != ClaimSource.VERIFIED:
            claim.source = ClaimSource.MINE
        claim.state = ClaimState.REJECTED if kept is None else ClaimState.ACTIVE
        # From here on it is the person's own, whatever becomes of the answer that it came from.
        claim.confidence, claim.answer, claim.alternatives = 1.0, None, []
        claim.save()
    Claim.objects.bulk_create(
        Claim(user_id=user_id, kind=kind, label=label, source=ClaimSource.MINE, skill_id=skills.get(label)) for label in wanted.values()
    )


def rebuild_profile(*, user_id: uuid.UUID) -> Profile:
    """Write the profile's text from the active claims and announce the change. Needs an open transaction."""
    profile, _ = Profile.objects.select_for_update().get_or_create(user_id=user_id)
    claims = list(Claim.objects.filter(user_id=user_id).active().order_by("kind", "-confidence", "id"))
    profile.text = profile_text(claims)
    profile.content_hash = hashlib.sha256(profile.text.encode()).hexdigest() if profile.text else ""
    if not profile.is_summary_mine:
        profile.summary = _summary(claims)
    profile.save()
    publish(ProfileChanged(user_id=user_id))
    return profile


def embed_profile(*, user_id: uuid.UUID, model: str = "") -> bool:
    """Give the profile and its claims their vectors of `model`, or else the one in force, if they are out of date.

    False if the engine is out; the queue then retries.
    """
    model = model or embedding_model()
    profile = Profile.objects.filter(user_id=user_id).waiting_for(model).first()
    if profile is None:
        return True
    claims = list(Claim.objects.filter(user_id=user_id).active())
    try:
        vector, claim_vectors = profile_vectors(profile.text, claims, user_id=user_id, model=model)
    except ConsentRequired:
        # The person has just taken their consent back; the profile is about to go.
        return True
    except EngineError as error:
        logger.warning("embedding engine out, profile stays queued", outcome=error.outcome)
        return False
    _store_vectors(profile, claims, vector, claim_vectors, model)
    return True


def profile_vectors(text: str, claims: Sequence[Claim], *, user_id: uuid.UUID, model: str) -> tuple[list[float], list[list[float]]]:
    """The vector of a profile with this text, and one for each claim.

    Raises:
        EngineError: the engine is out.
        ConsentRequired: the person does not agree (any more) to being profiled.
    """
    parts = query_parts(text)
    texts = [*parts, *(claim.quote or claim.label for claim in claims)]
    found = embed(texts=texts, purpose="profiling.profile", user_id=user_id, model=model)
    return query_vector(found.vectors[: len(parts)]), found.vectors[len(parts) :]


def _store_vectors(profile: Profile, claims: list[Claim], vector: list[float], claim_vectors: list[list[float]], model: str) -> None:
    with transaction.atomic():
        columns = columns_to_write(model)
        if columns is None:
            return
        # Only if the text is still the one that was embedded: a later edit has queued the profile anew.
        current = Profile.objects.filter(pk=profile.pk, content_hash=profile.content_hash)
        current.update(**columns.values(vector, model, profile.content_hash))
        for claim, claim_vector in zip(claims, claim_vectors, strict=True):
            setattr(claim, columns.vector, claim_vector)
            setattr(claim, columns.model, model)
        Claim.objects.bulk_update(claims, [columns.vector, columns.model])


def embed_waiting_profiles(*, limit: int = 100, model: str = "") -> int:
    """Work through the queue of profiles without a vector of `model`, or else the one in force. Returns how many were done."""
    model = model or embedding_model()
    waiting = Profile.objects.waiting_for(model).order_by("id").values_list("user_id", flat=True)[:limit]
    done = 0
    for user_id in list(waiting):
        if not embed_profile(user_id=user_id, model=model):
            break
        done += 1
    return done


def count_characters() -> int:
    """How much text a change of the embedding model has to read of profiles and claims."""
    texts = Profile.objects.aggregate(total=Sum(Length("text")))["total"] or 0
    return int(texts) + int(Claim.objects.active().aggregate(total=Sum(Length("quote") + Length("label")))["total"] or 0)


register_table(
    Table(
        "profiles",
        Profile,
        lambda model, limit: embed_waiting_profiles(limit=limit, model=model),
        count_characters,
        companions=(Claim,),
    )
)


def profile_text(claims: Sequence[Claim]) -> str:
    """The text of a profile with these claims, in their order: labels and the person's own sentences, each once."""
    said = dict.fromkeys(text for claim in claims if claim.kind in MATCHED_BY_MEANING for text in (claim.label, claim.quote) if text)
    return ". ".join(text.rstrip(".!? ") for text in said)[:_MAX_TEXT_CHARACTERS]


def _summary(claims: Sequence[Claim]) -> str:
    """Sentences that hold facts of the claims and nothing else."""
    openings = {
        ClaimKind.SKILL: "You can do: {}.",
        ClaimKind.INTEREST: "You like: {}.",
        ClaimKind.EXPERIENCE: "You have done: {}.",
        ClaimKind.GOAL: "You want: {}.",
        ClaimKind.CONSTRAINT: "What has to be respected: {}.",
        ClaimKind.ACCESS_NEED: "What helps you take part: {}.",
        ClaimKind.LANGUAGE: "You speak: {}.",
        ClaimKind.AVAILABILITY: "You have time: {}.",
        ClaimKind.LOCATION: "You live in: {}.",
    }
    sentences = []
    for kind, opening in openings.items():
        labels = [claim.label for claim in claims if claim.kind == kind][:_MOST_LABELS]
        if labels:
            sentences.append(opening.format("; ".join(labels)))
    return " ".join(sentences)
