"""Schemathesis against the whole API with the credentials of each role: no 5xx, no answer that the OpenAPI file does not describe."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from django.conf import settings
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from rest_framework.views import APIView

from accounts.models import User
from accounts.tests import conftest as fixtures
from accounts.tests.providers import Forger
from catalog.models import Category, Opportunity
from conftest import Api
from payments.peer.engine import Peer
from payments.providers import stripe
from payments.tests.world import sdk
from soosh.wsgi import application

forger, with_forger = fixtures.forger, fixtures.with_forger
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "10"))
ROLES = ("nobody", "person", "staff")
schema = schemathesis.openapi.from_path(settings.BASE_DIR / "openapi.yaml")
schema.app = application
schema.config.update(base_url="http://127.0.0.1/")


@pytest.fixture
def tokens(make_user: Callable[..., User], settings: Any, monkeypatch: pytest.MonkeyPatch, with_forger: Forger) -> Iterator[dict[str, str]]:
    """A token by role, providers that answer, no throttles, which have tests of their own, and a database connection that stays the test's."""
    settings.ACCOUNT_RATE_LIMITS = settings.MFA_RATE_LIMITS = False
    monkeypatch.setattr(APIView, "throttle_classes", [])
    client = sdk(Peer())
    monkeypatch.setattr(stripe, "_client", lambda *_: client)
    Opportunity.objects.create(source="t", source_id="1", kind="job", title="Nurse")
    Category.objects.create(source_id="c", slug="care", name="Care")
    signed_in = {"person": Api().sign_in(make_user()).token, "staff": Api().sign_in(make_user(role="staff")).token}
    # After the last use of Django's test client, which connects them anew.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield {"nobody": "", **signed_in}
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.django_db
@pytest.mark.parametrize("role", ROLES)
@schema.parametrize()
@hypothesis_settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_nothing_that_a_client_sends_breaks_the_api(case: Any, role: str, tokens: dict[str, str]) -> None:
    headers = {"Authorization": f"Bearer {tokens[role]}"} if tokens[role] else {}
    response = case.call(headers=headers)
    assert response.status_code < 500, response.text
    case.validate_response(response, checks=CHECKS)


CHECKS = [
    schemathesis.checks.not_a_server_error,
    schemathesis.specs.openapi.checks.status_code_conformance,
    schemathesis.specs.openapi.checks.content_type_conformance,
    schemathesis.specs.openapi.checks.response_schema_conformance,
    schemathesis.specs.openapi.checks.response_headers_conformance,
]
