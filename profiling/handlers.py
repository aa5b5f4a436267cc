from __future__ import annotations

from accounts.enums import ConsentPurpose
from accounts.events import ConsentWithdrawn
from accounts.services.consents import consent_of
from core.events import subscribe
from profiling.events import ProfileChanged
from profiling.services.profile import embed_profile, forget_profile


@subscribe(ConsentWithdrawn)
def forget_withdrawn_profile(event: ConsentWithdrawn) -> None:
    """Without consent to AI profiling nothing of it is kept."""
    if event.purpose == ConsentPurpose.AI_PROFILING and not consent_of(event.user_id, ConsentPurpose.AI_PROFILING).is_granted:
        forget_profile(user_id=event.user_id)


@subscribe(ProfileChanged)
def embed_changed_profile(event: ProfileChanged) -> None:
    """If the engine is out the queue has the profile, so there is nothing to retry here."""
    embed_profile(user_id=event.user_id)
