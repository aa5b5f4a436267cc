"""What holds for every operation of the API, found by walking all of them: parameters, cursors, media types, errors, caching, and fields."""

from __future__ import annotations

import inspect
import re
import uuid
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import django_filters
import pytest
from django import forms as django_forms
from django.test import Client
from rest_framework import serializers as framework
from rest_framework.views import APIView as FrameworkView

from conftest import Api
from core import fields, forms
from core.operations import GenericAPIView, Operation, operation_of
from core.problems import is_for_programs
from soosh.urls import urlpatterns  # noqa: F401  (loads every view, serializer, filter and form)
from tests.test_permissions import methods_of, routes

pytestmark = pytest.mark.django_db

_OURS = ("accounts.", "bookings.", "catalog.", "core.", "mentors.", "notifications.", "payments.", "profiling.")
_VALUES = {"uuid": str(uuid.uuid4()), "slug": "nothing", "int": "1", "str": "nothing"}
_LENIENT_FIELDS = (
    *("BooleanField", "CharField", "ChoiceField", "DateField", "DateTimeField", "FloatField", "IntegerField", "TimeField", "UUIDField"),
    *("EmailField", "RegexField", "SlugField", "URLField"),
)
_LENIENT_FORM_FIELDS = (django_forms.IntegerField, django_forms.DateField, django_forms.DateTimeField, django_forms.UUIDField)


@pytest.fixture(autouse=True)
def no_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FrameworkView, "throttle_classes", [])


def address_of(route: str) -> str:
    return "/" + re.sub(r"<(\w+):\w+>", lambda found: _VALUES[found[1]], route)


def operations() -> Iterator[tuple[str, str, Any, Operation]]:
    """Every documented operation: (address, method, view class, operation)."""
    for route, callback in routes():
        view_class = getattr(callback, "view_class", object)
        if route.startswith("api/v1/") and issubclass(view_class, FrameworkView):
            for method in sorted(methods_of(callback)):
                view = view_class()
                view.request, view.kwargs, view.format_kwarg = None, {}, None
                operation = operation_of(view, method)
                assert operation is not None, f"{method} {route} is not documented"
                yield address_of(route), method, view_class, operation


def codes_of(answer: Any) -> list[tuple[str, str]]:
    return [(error["field"], error["code"]) for error in answer.json().get("errors", [])]


def test_unknown_repeated_and_empty_parameters_are_refused_everywhere(staff_api: Api) -> None:
    for address, method, _, operation in operations():
        answer = staff_api.call(method, f"{address}?nonsense=1")
        assert codes_of(answer) == [("nonsense", "unknown_parameter")], (method, address, answer.content)
        assert all(name in answer.json()["errors"][0]["detail"] for name in operation.parameters)
        for name, schema in operation.parameters.items():
            if schema.get("type") != "array":
                assert (name, "repeated_parameter") in codes_of(staff_api.call(method, f"{address}?{name}=1&{name}=1")), (address, name)
            if schema.get("type") in ("integer", "boolean"):
                for value in ("", "maybe", "1e1", "%D9%A3"):
                    answer = staff_api.call(method, f"{address}?{name}={value}")
                    # Where something else is missing as well, that may be named alone.
                    assert answer.status_code == 404 or codes_of(answer), (address, name, value)


@pytest.mark.parametrize(
    "cursor",
    [
        "cD0yMDI2",
        "cD1hYmM",
        "bz0xMDAwMDAwMDAwMA",
        "x",
        "%00",
        "a" * 5_000,
        "WzAsZmFsc2UsIjIwMjYiXQ",
        "WzAsZmFsc2UsIjIwMjYiXQ.x",
        "%FF",
        ".",
    ],
)
def test_no_list_takes_a_cursor_that_it_did_not_write(staff_api: Api, cursor: str) -> None:
    walked = 0
    for address, method, _, operation in operations():
        if "cursor" in operation.parameters:
            answer = staff_api.call(method, f"{address}?cursor={cursor}")
            # A list of something that is not there is not there.
            is_missing = (answer.status_code in (403, 404) and _VALUES["uuid"] in address) or "nothing" in address
            assert is_missing or codes_of(answer) == [("cursor", "invalid_cursor")], (address, answer.status_code, answer.content)
            walked += 1
    assert walked > 20


def test_a_cursor_belongs_to_its_list(staff_api: Api) -> None:
    for _ in range(3):
        Api().post("auth/register", {"email": f"{uuid.uuid4().hex}@example.org", "password": "a long pass phrase 7", "full_name": "A"})
    address = staff_api.get("users?page_size=1").json()["next"]
    assert staff_api.get(address.removeprefix("http://testserver")).status_code == 200
    elsewhere = address.removeprefix("http://testserver").replace("/users?", "/opportunities/reviews?")
    assert codes_of(staff_api.get(elsewhere)) == [("cursor", "invalid_cursor")]
    for size in ("0", "101", "-1", "1e1", "", "٣", "20.0"):
        assert staff_api.get(f"users?page_size={size}").status_code == 400


def test_every_documented_media_type_is_accepted_and_no_other(api: Api) -> None:
    """It is chosen before anybody is asked who they are: what is acceptable gets as far as the sign-in."""
    for address, method, _, operation in operations():
        for media_type in (*operation.media_types, "*/*", *(f"{name.split('/')[0]}/*" for name in operation.media_types)):
            answer = api.call(method, address, {}, HTTP_ACCEPT=media_type)
            assert answer.status_code != 406, (method, address, media_type)
        if operation.media_types:
            refused = ", ".join(f"{name};q=0" for name in operation.media_types)
            for accept in ("application/x-unknown", "text/html", refused, f"{refused}, image/png"):
                answer = api.call(method, address, {}, HTTP_ACCEPT=accept)
                assert (answer.status_code, answer["Content-Type"]) == (406, "application/problem+json"), (method, address, accept)


@pytest.mark.parametrize("accept", ["*/*", "text/html", "application/pdf", "text/csv", "", "garbage", "application/json;q=0"])
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/nothing", 404),
        ("GET", "/api/v1/", 404),
        ("GET", "/api", 404),
        ("GET", "/api/v2/users", 404),
        ("POST", "/api/v1/nothing/at/all/", 404),
        ("GET", "/api/v1//users", 404),
        ("GET", "/api/v1/users//", 404),
        ("GET", "/API/v1/users", 404),
        ("GET", "/Api/V1/Users/", 404),
        ("GET", "/api/v1/users%2Fme%2Fnothing", 404),
        ("GET", "/api/v1/categories/%00", 404),
        ("GET", "/api/v1/payments/webhooks/stripe", 405),
        ("GET", "/webhooks/sendgrid", 404),
        ("POST", "/webhooks/nothing", 404),
        ("GET", "/api/problems/no_such_code", 404),
    ],
)
def test_every_error_under_the_api_is_a_problem_document(settings: Any, method: str, path: str, status: int, accept: str) -> None:
    for is_developing in (False, True):
        settings.DEBUG = is_developing
        answer = Client(raise_request_exception=False).generic(method, path, HTTP_ACCEPT=accept)
        assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json"), (path, is_developing)
        assert answer.json()["status"] == status


def test_a_path_is_of_the_api_however_it_is_written() -> None:
    for path in ("/api/v1/users", "//api/v1/users", "///Api", "/API/", "/webhooks/x", "//webhooks"):
        assert is_for_programs(SimpleNamespace(path=path)), path  # type: ignore[arg-type]  # it looks at the path alone
    for path in ("/", "/apiary", "/mentors/api/", "/webhooksx"):
        assert not is_for_programs(SimpleNamespace(path=path)), path  # type: ignore[arg-type]


def test_answers_say_who_may_keep_them(signed_in: Api) -> None:
    stranger = Api()
    for address, method, _, _ in operations():
        for caller in (stranger, signed_in) if method == "GET" else (stranger,):
            answer = caller.call(method, address, None if method == "GET" else {})
            if answer.status_code >= 400 or method != "GET":
                assert answer["Cache-Control"] == "private, no-store", (method, address)
            assert {"Accept", "Authorization", "Cookie"} <= set(answer["Vary"].replace(" ", "").split(",")), (method, address)
    assert stranger.get("opportunities")["Cache-Control"] == "public, no-cache"
    assert signed_in.get("opportunities")["Cache-Control"] == "private, no-cache"
    assert "ETag" in signed_in.get("opportunities")
    for path in ("users/me", "payments", "bookings", "notifications", "payments/history.csv"):
        assert signed_in.get(path)["Cache-Control"] == "private, no-store"


def _descendants(kind: type) -> Iterator[type]:
    for child in kind.__subclasses__():
        yield child
        yield from _descendants(child)


def _all_fields(field: Any) -> Iterator[Any]:
    yield field
    for child in [*getattr(field, "fields", {}).values(), getattr(field, "child", None)]:
        if child is not None:
            yield from _all_fields(child)


def test_no_field_of_a_serializer_is_lenient() -> None:
    walked = 0
    for kind in set(_descendants(framework.Serializer)):
        if kind.__module__.startswith(_OURS) and (hasattr(kind, "Meta") or not issubclass(kind, framework.ModelSerializer)):
            for field in _all_fields(kind()):
                for name in _LENIENT_FIELDS:
                    if isinstance(field, getattr(framework, name)) and not field.read_only:
                        assert isinstance(field, getattr(fields, name)), f"{kind.__module__}.{kind.__name__}.{field.field_name}"
                        walked += 1
    assert walked > 300


def test_no_filter_and_no_form_is_lenient() -> None:
    strict_fields = (forms.IntegerField, forms.DateField, forms.LocalTimeField, forms.UUIDField, forms.DecimalField)
    found: list[tuple[str, Any]] = []
    for kind in set(_descendants(django_filters.FilterSet)):
        if kind.__module__.startswith(_OURS):
            found += [(f"{kind.__name__}.{name}", item.field) for name, item in kind.base_filters.items()]  # type: ignore[attr-defined]
    for form in set(_descendants(django_forms.Form)):
        if form.__module__.startswith(_OURS) and ".admin" not in form.__module__:
            found += [(f"{form.__name__}.{name}", field) for name, field in form.base_fields.items()]  # type: ignore[attr-defined]
    for name, field in found:
        if isinstance(field, _LENIENT_FORM_FIELDS):
            assert isinstance(field, strict_fields), name
        if isinstance(field, django_forms.NullBooleanField):
            assert isinstance(field, forms.TrueOrFalseField), name
    assert len(found) > 60


def test_every_view_of_the_api_is_one_of_ours() -> None:
    for route, callback in routes():
        if route.startswith("api/v1/") and issubclass(getattr(callback, "view_class", object), FrameworkView):
            assert "core.operations" in {parent.__module__ for parent in inspect.getmro(callback.view_class)}, route
    assert issubclass(GenericAPIView, FrameworkView)
