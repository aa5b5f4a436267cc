"""Secrets that must be read again, such as a password for an outside service: encrypted with a key that is not in the database."""

from __future__ import annotations

import base64
import hashlib

from cryptography.fernet import Fernet
from django.conf import settings


def seal(text: str, *, purpose: str) -> str:
    """The text, encrypted for this purpose alone."""
    return _fernet(purpose).encrypt(text.encode()).decode()


def unseal(sealed: str, *, purpose: str) -> str:
    """What `seal` was given.

    Raises:
        cryptography.fernet.InvalidToken: it was sealed for another purpose, or with another key.
    """
    return _fernet(purpose).decrypt(sealed.encode()).decode()


def _fernet(purpose: str) -> Fernet:
    digest = hashlib.sha256(f"{purpose}:{settings.SECRET_KEY}".encode()).digest()
    return Fernet(base64.urlsafe_b64encode(digest))
