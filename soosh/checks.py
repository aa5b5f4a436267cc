"""Start-up checks that span apps."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register


@register(Tags.security, deploy=True)
def engines_have_their_keys(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """An engine that was chosen must be able to answer."""
    wants_openai = "openai" in (settings.AI_CONVERSATION_ENGINE, settings.AI_EMBEDDING_ENGINE)
    if wants_openai and not settings.OPENAI_API_KEY:
        return [Error("The openai engine is chosen, but OPENAI_API_KEY is empty.", id="soosh.E001")]
    return []
