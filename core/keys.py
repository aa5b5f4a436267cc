"""Keys for one purpose each, made from one secret. Imports no Django, so that settings can use it."""

from __future__ import annotations

import hmac


def derived_key(secret: str, *, purpose: str) -> bytes:
    """32 bytes (HKDF with SHA-256, RFC 5869) from which neither the secret nor the key of another purpose can be computed."""
    extracted = hmac.digest(bytes(32), secret.encode(), "sha256")
    return hmac.digest(extracted, purpose.encode() + b"\x01", "sha256")
