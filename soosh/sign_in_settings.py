"""Limits of sign-in, and the providers that people may sign in with."""

from __future__ import annotations

from typing import Any

from core.limits import Limit
from soosh.environment import HTTP, Environment

# Attempts allowed per network, and per account and network together: number, then seconds. See `accounts.providers.limits`.
LIMITS = {
    "signup": (Limit("network", 20, 60),),
    "sign_in": (
        *(Limit("network", 10, 60), Limit("account", 5, 300), Limit("network", 100, 3_600)),
        *(Limit("account", 15, 3_600), Limit("account", 50, 86_400)),
    ),
    "second_factor": (Limit("network", 10, 60), Limit("account", 5, 300), Limit("account", 15, 3_600)),
    "prove_identity": (Limit("account", 5, 300), Limit("account", 15, 3_600)),
    "spend_key": (Limit("network", 20, 60), Limit("network", 100, 3_600)),
    "request_login_code": (Limit("network", 20, 60), Limit("account", 5, 600)),
    "reset_password": (Limit("network", 20, 60), Limit("account", 5, 600)),
    "resend_verification": (Limit("network", 20, 60), Limit("account", 5, 600)),
    "change_email": (Limit("account", 5, 3_600),),
    "passkey": (Limit("network", 40, 60),),
    "provider_login": (Limit("network", 30, 60),),
    "invite_guardian": (Limit("account", 5, 3_600),),
}


def providers(env: Environment) -> dict[str, dict[str, Any]]:
    """Setup of each provider by its name. One is offered once its client ids are set: that of the web first, then those of the apps."""
    return {
        "google": {
            "issuer": env.url("GOOGLE_ISSUER", "https://accounts.google.com", HTTP),
            "client_ids": env.items("GOOGLE_CLIENT_IDS"),
            "client_secret": env.text("GOOGLE_CLIENT_SECRET"),
            "introspection_url": env.url("GOOGLE_INTROSPECTION_URL", "https://oauth2.googleapis.com/tokeninfo", HTTP),
        },
        "apple": {
            "issuer": env.url("APPLE_ISSUER", "https://appleid.apple.com", HTTP),
            "client_ids": env.items("APPLE_CLIENT_IDS"),
            "team_id": env.text("APPLE_TEAM_ID"),
            "key_id": env.text("APPLE_KEY_ID"),
            "private_key": env.lines("APPLE_PRIVATE_KEY"),
            "scope": "openid name email",
        },
        "linkedin": {
            "issuer": env.url("LINKEDIN_ISSUER", "https://www.linkedin.com/oauth", HTTP),
            "client_ids": env.items("LINKEDIN_CLIENT_IDS"),
            "client_secret": env.text("LINKEDIN_CLIENT_SECRET"),
            "introspection_url": env.url("LINKEDIN_INTROSPECTION_URL", "https://www.linkedin.com/oauth/v2/introspectToken", HTTP),
        },
    }
