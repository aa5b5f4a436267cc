"""The description of the API, and how many pages somebody may ask for."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
import yaml
from django.test import Client

from conftest import PASSWORD
from core import throttling

pytestmark = pytest.mark.django_db


def test_the_description_is_that_of_the_release_and_never_made_anew(client: Client, settings: Any, django_assert_num_queries: Any) -> None:
    text = (settings.BASE_DIR / "openapi.yaml").read_bytes()
    with django_assert_num_queries(0):
        plain = client.get("/api/schema/")
    assert (plain.content, plain["Content-Type"]) == (text, "application/vnd.oai.openapi")
    packed = client.get("/api/schema", HTTP_ACCEPT_ENCODING="gzip", HTTP_ACCEPT="application/yaml")
    assert (gzip.decompress(packed.content), packed["Content-Encoding"], packed["Content-Type"]) == (text, "gzip", "application/yaml")
    as_json = client.get("/api/schema", HTTP_ACCEPT="application/json")
    assert as_json.json() == yaml.load(text, Loader=yaml.CSafeLoader)
    for answer in (plain, packed, as_json):
        assert answer["Cache-Control"] == "public, max-age=300"
        assert {"Accept", "Accept-Encoding"} <= set(answer["Vary"].replace(" ", "").split(","))
    again = client.get("/api/schema", HTTP_IF_NONE_MATCH=plain["ETag"])
    assert (again.status_code, again.content) == (304, b"")
    assert client.get("/api/schema", HTTP_ACCEPT="text/html").status_code == 406


@pytest.mark.parametrize(
    "path", ["/mentors/?q=python", "/opportunities/?q=nurse", "/api/schema", "/api/docs", "/calendars/nothing.ics", "/nothing"]
)
def test_pages_are_limited_by_address_and_by_person(client: Client, user: Any, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for throttle in (throttling.PagePersonThrottle, throttling.PageStrangerThrottle):
        monkeypatch.setattr(throttle, "rate", "3/min", raising=False)
    answers = [client.get(path) for _ in range(4)]
    assert [answer.status_code == 429 for answer in answers] == [False, False, False, True]
    assert 1 <= int(answers[-1]["Retry-After"]) <= 60
    assert answers[-1]["Content-Type"].startswith("application/problem+json" if path.startswith("/api") else "text/html")
    # Another address, and somebody who has signed in at the same one, are counted by themselves.
    assert client.get(path, REMOTE_ADDR="10.0.0.9").status_code != 429
    assert client.login(username=user.email, password=PASSWORD)
    assert client.get(path).status_code != 429
    for exempt in ("/healthz", "/webhooks/nothing"):
        assert client.get(exempt, REMOTE_ADDR="127.0.0.1").status_code in (200, 404)
