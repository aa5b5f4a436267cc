"""Who may call what: every route of the URL resolver by method and actor. A route without a row fails."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.models import User
from catalog.models import Category, Opportunity
from conftest import Api
from profiling.services.interview import start_interview

pytestmark = pytest.mark.django_db

ACTORS = ("nobody", "stranger", "owner", "staff")
SAFE = frozenset({"HEAD", "OPTIONS"})

# (route, method): the status for nobody, a stranger, the owner of the thing, and staff, on a valid or an empty body.
MATRIX: dict[tuple[str, str], tuple[int, int, int, int]] = {
    ("auth/register", "POST"): (400, 400, 400, 400),
    ("auth/verify-email", "POST"): (400, 400, 400, 400),
    ("auth/login", "POST"): (400, 400, 400, 400),
    ("auth/refresh", "POST"): (400, 400, 400, 400),
    ("auth/logout", "POST"): (400, 400, 400, 400),
    ("users/me", "GET"): (401, 200, 200, 200),
    ("users/me", "PATCH"): (401, 200, 200, 200),
    ("ai-profiling/start", "POST"): (401, 201, 201, 201),
    ("ai-profiling/submit-answer", "POST"): (401, 404, 200, 404),
    ("ai-profiling/complete", "POST"): (401, 404, 409, 404),
    ("ai-profiling/profile", "GET"): (401, 200, 200, 200),
    ("ai-profiling/profile", "PATCH"): (401, 200, 200, 200),
    ("opportunities/recommended", "GET"): (401, 200, 200, 200),
    ("categories", "GET"): (200, 200, 200, 200),
    ("categories/<slug:slug>", "GET"): (200, 200, 200, 200),
    ("opportunities", "GET"): (200, 200, 200, 200),
    ("opportunities", "POST"): (401, 403, 403, 400),
    ("opportunities/search", "GET"): (200, 200, 200, 200),
    ("opportunities/<uuid:opportunity_id>", "GET"): (200, 200, 200, 200),
    ("opportunities/<uuid:opportunity_id>", "PATCH"): (401, 403, 403, 200),
    ("opportunities/<uuid:opportunity_id>", "DELETE"): (401, 403, 403, 204),
}
# Pages and tools outside the API, with what nobody gets; the admin holds its own against strangers below.
PAGES = {
    "": 200,
    "healthz": 200,
    "readyz": 503,
    "verify-email/<str:key>": 200,
    "api/schema": 200,
    "api/docs": 200,
    "api/redoc": 200,
    "api/problems/<slug:code>": 404,
}


def routes(patterns: Any = None, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for pattern in patterns or get_resolver().url_patterns:
        route = prefix + str(pattern.pattern).removeprefix("^").removesuffix(r"\Z")
        if isinstance(pattern, URLResolver):
            if getattr(pattern, "app_name", "") != "admin":
                yield from routes(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            yield route, pattern.callback


def methods_of(view: Any) -> set[str]:
    return {method.upper() for method in view.view_class.http_method_names if hasattr(view.view_class, method)} - SAFE


def test_every_route_and_method_has_its_row() -> None:
    api = {
        (route.removeprefix("api/v1/"), method) for route, view in routes() if route.startswith("api/v1/") for method in methods_of(view)
    }
    assert api == MATRIX.keys()
    assert {route for route, _ in routes() if not route.startswith("api/v1/")} == PAGES.keys()


@pytest.fixture
def actors(make_user: Any, staff: User) -> dict[str, tuple[Api, User | None]]:
    owner, stranger = make_user(full_name="Canary Owner"), make_user()
    return {
        "nobody": (Api(), None),
        "stranger": (Api().sign_in(stranger), stranger),
        "owner": (Api().sign_in(owner), owner),
        "staff": (Api().sign_in(staff), staff),
    }


@pytest.mark.parametrize(("route", "method"), MATRIX)
def test_each_actor_gets_what_the_matrix_says(actors: dict[str, tuple[Api, User | None]], route: str, method: str) -> None:
    owner = actors["owner"][1]
    assert owner
    interview = start_interview(user=owner).interview
    Category.objects.create(source_id="c", slug="c", name="C")
    row = Opportunity.objects.create(source="t", source_id="1", kind="job", title="Nurse")
    body: dict[str, Any] = {}
    if route == "ai-profiling/submit-answer":
        body = {"session_id": str(interview.pk), "step": 1, "answer_text": "skip"}
    elif route == "ai-profiling/complete":
        body = {"session_id": str(interview.pk)}
    path = route.replace("<slug:slug>", "c").replace("<uuid:opportunity_id>", str(row.pk)) + (
        "?q=nurse" if route.endswith("search") else ""
    )
    expected = dict(zip(ACTORS, MATRIX[(route, method)], strict=True))
    for actor in ACTORS:
        response = actors[actor][0].call(method, path, None if method in ("GET", "DELETE") else body)
        assert response.status_code == expected[actor], f"{actor} {method} {route}: {response.content[:300]}"
        if response.status_code >= 400:
            assert response["Content-Type"] == "application/problem+json"
        if actor != "owner":
            assert b"Canary Owner" not in response.content


@pytest.mark.parametrize(("route", "status"), PAGES.items())
def test_pages_answer_nobody(api: Api, route: str, status: int) -> None:
    path = "/" + route.replace("<str:key>", "x").replace("<slug:code>", "nothing")
    assert api.get(path).status_code == status


def test_what_is_not_there_is_a_page_for_people_and_a_problem_for_programs(api: Api) -> None:
    assert b"<h1>Nothing here</h1>" in api.get("/nonsense").content
    assert api.get("/api/v1/nonsense").json()["code"] == "not_found"


def test_known_problem_codes_have_a_page(api: Api) -> None:
    assert b"not right" in api.get("/api/problems/invalid_credentials").content


def test_the_admin_is_for_staff_alone(client: Any, user: User) -> None:
    assert client.get("/admin/").status_code == 302
    client.force_login(user)
    assert client.get("/admin/").status_code == 302
