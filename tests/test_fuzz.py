"""Schemathesis against the whole API with the credentials of each role: no 5xx, no answer that the OpenAPI file does not describe."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from django.conf import settings
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import override_settings
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from rest_framework.views import APIView

from accounts.tests.conftest import point_at
from accounts.tests.providers import Forger
from catalog.models import Category, Opportunity
from conftest import Api, new_user
from payments.peer.engine import Peer
from payments.providers import stripe
from payments.tests.world import sdk
from soosh.wsgi import application

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "5"))
pytestmark = pytest.mark.django_db


def _schema(*, has_boundaries: bool) -> Any:
    """The API, with the boundaries of every field besides what is drawn at random, or without."""
    found = schemathesis.openapi.from_path(settings.BASE_DIR / "openapi.yaml")
    found.app = application
    found.config.update(base_url="http://127.0.0.1/")
    found.config.phases.coverage.enabled = has_boundaries
    return found


whole, drawn = _schema(has_boundaries=True), _schema(has_boundaries=False)


@dataclasses.dataclass(frozen=True)
class Around:
    """What the API talks to, and a token for somebody and for somebody of the staff."""

    forger: Forger
    stripe: stripe.StripeClient
    person: str
    staff: str


@pytest.fixture(scope="module")
def around(kept_rows: None) -> Iterator[Around]:
    Opportunity.objects.create(source="t", source_id="1", kind="job", title="Nurse")
    Category.objects.create(source_id="c", slug="care", name="Care")
    # The tokens of the whole run: the usual ones would be over before it is.
    with override_settings(HEADLESS_JWT_ACCESS_TOKEN_EXPIRES_IN=3_600):
        person, staff = (Api().sign_in(user).token for user in (new_user(), new_user(role="staff")))
    forger = Forger()
    yield Around(forger, sdk(Peer()), person, staff)
    forger.close()


@pytest.fixture
def api(around: Around, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Around]:
    """Providers that answer, no throttles, which have tests of their own, and a database connection that stays the test's."""
    settings.THROTTLE = False
    monkeypatch.setattr(APIView, "throttle_classes", [])
    monkeypatch.setattr(stripe, "_client", lambda *_: around.stripe)
    point_at(settings, around.forger.issuer)
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield around
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def _fuzzed(schema: Any, examples: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Run a test with so many cases that are drawn for every operation."""
    options = hypothesis_settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    return lambda test: schema.parametrize()(options(test))


@_fuzzed(whole, EXAMPLES)
def test_nothing_that_a_person_sends_breaks_the_api(case: Any, api: Around) -> None:
    _send(case, api.person)


@_fuzzed(drawn, -(-EXAMPLES // 2))
def test_nothing_that_staff_send_breaks_the_api(case: Any, api: Around) -> None:
    _send(case, api.staff)


@_fuzzed(drawn, -(-EXAMPLES // 5))
def test_nothing_that_nobody_sends_breaks_the_api(case: Any, api: Around) -> None:
    """Most of it is refused before it is looked at."""
    _send(case, "")


def _send(case: Any, token: str) -> None:
    response = case.call(headers={"Authorization": f"Bearer {token}"} if token else {})
    assert response.status_code < 500, response.text
    case.validate_response(response, checks=CHECKS)


CHECKS = [
    schemathesis.checks.not_a_server_error,
    schemathesis.specs.openapi.checks.status_code_conformance,
    schemathesis.specs.openapi.checks.content_type_conformance,
    schemathesis.specs.openapi.checks.response_schema_conformance,
    schemathesis.specs.openapi.checks.response_headers_conformance,
]
