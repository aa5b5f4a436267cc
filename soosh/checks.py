"""Start-up checks that span apps. `check --deploy` and `doctor --production` show the same."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

from soosh.production import production_faults


@register(Tags.security, deploy=True)
def production_is_safe(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Report while DEBUG is on what production would refuse to start with."""
    return [Error(f"{fault.variable}: {fault.message}", hint=fault.remedy, id="soosh.E002") for fault in production_faults(settings.SAFETY)]


@register(Tags.security, deploy=True)
def engines_have_their_keys(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """An engine that was chosen must be able to answer."""
    engines = ("AI_CONVERSATION_ENGINE", "AI_EMBEDDING_ENGINE", "AI_TRANSCRIPTION_ENGINE", "AI_SPEECH_ENGINE")
    if settings.OPENAI_API_KEY or all(getattr(settings, name) != "openai" for name in engines):
        return []
    return [Error("The openai engine is chosen, but OPENAI_API_KEY is empty.", hint="Set it, or choose embedded.", id="soosh.E001")]
