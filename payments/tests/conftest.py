from __future__ import annotations

from collections.abc import Callable, Iterator
from unittest import mock

import pytest

from accounts.models import User
from payments.peer.engine import Peer
from payments.providers import stripe as provider
from payments.tests.world import World, sdk


@pytest.fixture
def peer() -> Peer:
    return Peer()


@pytest.fixture
def world(peer: Peer, make_user: Callable[..., User]) -> Iterator[World]:
    """Two people and the peer, which the product asks instead of Stripe."""
    client = sdk(peer)
    with mock.patch.object(provider, "_client", lambda *_: client):
        yield World(peer, make_user(full_name="Pat Payer"), make_user(full_name="Ada Mentor"))
