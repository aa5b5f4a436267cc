from __future__ import annotations

from django.conf import settings


def services_in_force() -> dict[str, str]:
    """Each outside service as "real", "embedded" or "off"."""
    return {
        "PostgreSQL": "embedded" if settings.IS_EMBEDDED else "real",
        "Redis": "embedded" if settings.EMBEDDED_HOME.redis_url == settings.REDIS_URL else "real",
        "Mail": "real (SendGrid)" if settings.SENDGRID_API_KEY else "real (SMTP)" if settings.EMAIL_URL else "embedded (files)",
        "Push": f"real ({settings.EXPO_URL})" if settings.PUSH_ENGINE == "expo" else "embedded (files)",
        "Text messages": f"real ({settings.TWILIO_URL})" if settings.TWILIO_ACCOUNT_SID else "embedded (files)",
        "Files": f"real (bucket {settings.S3_BUCKET})" if settings.S3_BUCKET else "embedded (folder)",
        "Payments": _payments(),
        "Video": "real (Daily)" if settings.VIDEO_ENGINE == "daily" else f"Jitsi at {settings.JITSI_URL}",
        "Sign-in with": ", ".join(name for name, setup in settings.SIGN_IN_PROVIDERS.items() if setup["client_ids"]) or "no provider yet",
        "Embeddings": _engine(settings.AI_EMBEDDING_ENGINE),
        "Conversation": _engine(settings.AI_CONVERSATION_ENGINE),
        "Hearing": _engine(settings.AI_TRANSCRIPTION_ENGINE),
        "Speaking": _engine(settings.AI_SPEECH_ENGINE),
    }


def _payments() -> str:
    if settings.PAYMENT_ENGINE == "peer":
        return f"embedded (a peer of Stripe at {settings.STRIPE_API_BASE}; no money moves)"
    mode = "live" if settings.STRIPE_IS_LIVE else "test mode"
    return f"real (Stripe, {mode})" if settings.PAYMENT_ENGINE == "stripe" else "off"


def _engine(name: str) -> str:
    return f"real ({settings.OPENAI_BASE_URL})" if name == "openai" else "embedded"
