"""Keys for one purpose each, made from one secret. Imports no Django, so that settings can use it."""

from __future__ import annotations

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def derived_key(secret: str, *, purpose: str) -> bytes:
    """32 bytes (HKDF, RFC 5869) from which neither the secret nor the key of another purpose can be computed."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose.encode()).derive(secret.encode())
