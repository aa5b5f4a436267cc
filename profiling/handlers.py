from __future__ import annotations

from core.events import subscribe
from profiling.events import ProfileChanged
from profiling.services.profile import embed_profile


@subscribe(ProfileChanged)
def embed_changed_profile(event: ProfileChanged) -> None:
    """If the engine is out the queue has the profile, so there is nothing to retry here."""
    embed_profile(user_id=event.user_id)
