"""Copies of the provider's objects, for staff."""

from __future__ import annotations

from payments.errors import ProviderRefused
from payments.providers.copies import copy_object


def keep_copy(*, kind: str, key: str) -> bool:
    """Copy an object of the provider as it is now. False for one of which no copy is kept, or that is gone.

    Raises:
        ProviderAway: try again.
    """
    try:
        return copy_object(kind=kind, key=key)
    except ProviderRefused:
        return False
