from __future__ import annotations

from accounts.enums import ConsentPurpose
from accounts.events import ConsentWithdrawn
from accounts.services.consents import consent_of
from catalog.events import SkillReplaced
from core.events import subscribe
from profiling.events import ProfileChanged
from profiling.models import Claim
from profiling.services.profile import embed_profile, forget_profile
from profiling.services.recordings import forget_recordings


@subscribe(ConsentWithdrawn)
def forget_withdrawn_profile(event: ConsentWithdrawn) -> None:
    """Without consent to AI profiling nothing of it is kept."""
    if event.purpose == ConsentPurpose.AI_PROFILING and not consent_of(event.user_id, ConsentPurpose.AI_PROFILING).is_granted:
        forget_profile(user_id=event.user_id)


@subscribe(ConsentWithdrawn)
def forget_withdrawn_recordings(event: ConsentWithdrawn) -> None:
    """Without consent to keeping them, or to the use of one's voice at all, recordings go."""
    kept_by = (ConsentPurpose.VOICE_KEEPING, ConsentPurpose.VOICE_PROCESSING)
    if event.purpose in kept_by and not all(consent_of(event.user_id, purpose).is_granted for purpose in kept_by):
        forget_recordings(user_id=event.user_id)


@subscribe(SkillReplaced)
def follow_replaced_skill(event: SkillReplaced) -> None:
    """After a merge a claim is about the successor. After a split only the person could say about which, so it keeps its words alone."""
    successors = event.successor_ids.split(",")
    Claim.objects.filter(skill_id=event.skill_id).update(skill_id=successors[0] if len(successors) == 1 else None)


@subscribe(ProfileChanged)
def embed_changed_profile(event: ProfileChanged) -> None:
    """If the engine is out the queue has the profile, so there is nothing to retry here."""
    embed_profile(user_id=event.user_id)
