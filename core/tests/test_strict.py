"""One form for each type of value."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from django.http import QueryDict

from core import serializers, strict

NOON = datetime.datetime(2026, 12, 20, 10, 0, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-12-20T10:00:00Z", NOON),
        ("2026-12-20t10:00:00z", NOON),
        ("2026-12-20T10:00:00+00:00", NOON),
        ("2026-12-20T10:00:00-00:00", NOON),
        ("2026-12-20T15:30:00+05:30", NOON),
        ("2026-12-19T22:00:00-12:00", NOON),
        ("2026-12-20T10:00:00.5Z", NOON.replace(microsecond=500_000)),
        ("2026-12-20T10:00:00.123456789Z", NOON.replace(microsecond=123_456)),
        ("0001-01-01T00:00:00Z", datetime.datetime(1, 1, 1, tzinfo=datetime.UTC)),
    ],
)
def test_instants_are_rfc_3339(text: str, instant: datetime.datetime) -> None:
    assert strict.parse_instant(text) == instant
    assert strict.parse_instant(text).tzinfo is datetime.UTC


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2026-12-20T10:00:00", "offset_missing"),
        ("2026-12-20T10:00", "offset_missing"),
        ("2026-12-20t10:00:00.5", "offset_missing"),
        *((text, "invalid") for text in ("", " ", "2026-12-20", "20261220T100000Z", "2026-W51-7T10:00:00Z", "2026-354T10:00:00Z")),
        *((text, "invalid") for text in ("2026-12-20 10:00:00Z", " 2026-12-20T10:00:00Z", "2026-12-20T10:00:00Z\n", "2026-12-20T10:00Z")),
        *(
            (text, "invalid")
            for text in ("2026-12-20T10:00:00,5Z", "2026-12-20T10:00:00.Z", "2026-12-20T24:00:00Z", "2026-02-30T10:00:00Z")
        ),
        *(
            (text, "invalid")
            for text in ("２０２６-12-20T10:00:00Z", "٢٠٢٦-١٢-٢٠T١٠:٠٠:٠٠Z", "2026-12-20T10:00:00+1:00", "2026-12-20T10:00:00+0100")
        ),
        *(
            (text, "invalid")
            for text in ("2026-12-20T10:00:00+24:00", "2026-12-20T10:00:00+00:60", "2026-12-20T10:00:00 00:00", "now", "1797760800")
        ),
        *(
            (text, "invalid")
            for text in ("-2026-12-20T10:00:00Z", "2026-12-20T10:00:00Z[UTC]", "2026-12-20T10:00:00.1234567890Z", "2026-12-20T10:00:61Z")
        ),
        ("2026-12-31T23:59:60Z", "leap_second"),
        *(
            (text, "out_of_range")
            for text in ("10000-01-01T00:00:00Z", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00")
        ),
    ],
)
def test_anything_else_is_refused_with_its_reason(text: str, code: str) -> None:
    with pytest.raises(strict.Malformed) as refused:
        strict.parse_instant(text)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("parse", "text", "value"),
    [
        (strict.parse_date, "2026-12-20", NOON.date()),
        (strict.parse_wall_time, "09:30", datetime.time(9, 30)),
        (strict.parse_local_time, "2026-12-20T10:00", NOON.replace(tzinfo=None)),
        (strict.parse_integer, "-12", -12),
        (strict.parse_boolean, "true", True),
    ],
)
def test_the_one_form_is_read(parse: Callable[[str], Any], text: str, value: Any) -> None:
    assert parse(text) == value


@pytest.mark.parametrize(
    ("parse", "texts"),
    [
        (
            strict.parse_date,
            ("", "20261220", "2026-W51-7", "2026-354", "12/20/2026", "2026-1-5", "2026-13-01", "２０２６-12-20", "2026-12-20T00:00:00Z"),
        ),
        (strict.parse_wall_time, ("", "9:30", "24:00", "09:30:00", "0930", "9.30", "٠٩:٣٠", "09:60")),
        (strict.parse_local_time, ("", "2026-12-20", "2026-12-20T10:00:00Z", "2026-12-20 10:00", "2026-12-20T10:00:00")),
        (strict.parse_integer, ("", "1e3", " 5", "5 ", "٣", "1_000", "+5", "05", "5.0", "0x5", "1" * 30, "true", "-")),
        (strict.parse_decimal, ("", "1e3", ".5", "5.", "1,5", "NaN", "inf", "٣", "1_0")),
        (strict.parse_boolean, ("", "True", "1", "0", "yes", "on", "maybe", "TRUE")),
        (
            strict.parse_uuid,
            (
                "",
                "0197f0a43c7e7b1d9a552f6f3f1f8a10",
                "{0197f0a4-3c7e-7b1d-9a55-2f6f3f1f8a10}",
                "urn:uuid:0197f0a4-3c7e-7b1d-9a55-2f6f3f1f8a10",
            ),
        ),
    ],
)
def test_no_other_form_is(parse: Callable[[str], Any], texts: tuple[str, ...]) -> None:
    for text in texts:
        with pytest.raises(strict.Malformed):
            parse(text)


class Everything(serializers.RequestSerializer):
    number = serializers.IntegerField(required=False)
    share = serializers.FloatField(required=False)
    flag = serializers.BooleanField(required=False)
    text = serializers.CharField(required=False)
    code = serializers.RegexField(r"^[a-z]{2}\Z", required=False)
    choice = serializers.ChoiceField(choices=("one", "two"), required=False)
    day = serializers.ChoiceField(choices=((0, "Monday"), (1, "Tuesday")), required=False)
    key = serializers.UUIDField(required=False)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("number", ("5", 5.0, True, None, [5])),
        ("share", ("0.5", True, float("inf"), 10**400)),
        ("flag", ("true", 1, 0, "yes", None)),
        ("text", (5, 1.5, True, ["a"], {"a": 1})),
        ("code", ("en ", " en", 12, "EN", "en\n")),
        ("choice", (1, True, ["one"], "One", "one ")),
        ("day", ("0", True, 1.0, 2, [0])),
        ("key", (1, "0197F0A4", b"x" * 16)),
    ],
)
def test_json_has_types(field: str, values: tuple[Any, ...]) -> None:
    for value in values:
        form = Everything(data={field: value})
        assert not form.is_valid(), value
        assert list(form.errors) == [field]


def test_forms_have_text() -> None:
    form = Everything(data=QueryDict("number=5&share=0.5&flag=true&day=1&choice=two"))
    form.is_valid(raise_exception=True)
    assert form.validated_data == {"number": 5, "share": 0.5, "flag": True, "day": 1, "choice": "two"}
    refused = Everything(data=QueryDict("number=1e3&flag=on&number=6&day=01"))
    assert not refused.is_valid()
