from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.sessions.backends.db import SessionStore

from accounts.models import User
from accounts.providers import social
from accounts.tests.providers import CLIENT, SECRET, Forger, NanoIdp, nano_idp

SITE = "http://127.0.0.1:8000"


@pytest.fixture(scope="session")
def nano(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NanoIdp]:
    folder = tmp_path_factory.mktemp("nanoidp")
    uris = [f"{SITE}/sign-in/{provider}/callback" for provider in ("google", "apple", "linkedin")]
    with nano_idp(folder, redirect_uris=[*uris, "https://app.soosh.example/return"]) as idp:
        yield idp


@pytest.fixture
def forger() -> Iterator[Forger]:
    server = Forger()
    yield server
    server.close()


def point_at(settings: Any, issuer: str) -> None:
    assert settings.SITE_URL == SITE
    common = {"issuer": issuer, "client_ids": [CLIENT, "soosh-ios"], "client_secret": SECRET}
    settings.SIGN_IN_PROVIDERS = {
        "google": common,
        "linkedin": common,
        "apple": common | {"team_id": "T", "key_id": "K", "private_key": _APPLE_KEY, "scope": "openid name email"},
    }
    social._keys.cache_clear()


@pytest.fixture
def with_nano(settings: Any, nano: NanoIdp) -> NanoIdp:
    """Google, Apple and LinkedIn are nanoidp."""
    point_at(settings, nano.issuer)
    return nano


@pytest.fixture
def with_forger(settings: Any, forger: Forger) -> Forger:
    """Google, Apple and LinkedIn are the forger."""
    point_at(settings, forger.issuer)
    return forger


@pytest.fixture
def ages_ago() -> Callable[[User], None]:
    """Makes every sign-in of a person one of ten minutes ago."""

    def move(user: User) -> None:
        for device in user.devices.all():
            session = SessionStore(device.session_key)
            for record in session["account_authentication_methods"]:
                record["at"] -= 600
            session.save()

    return move


def _apple_key() -> str:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    kind = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption()).decode()


_APPLE_KEY = _apple_key()
