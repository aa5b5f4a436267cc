from __future__ import annotations

import zoneinfo

import pytest

from core.time_zones import canonical_zone, detected_zone, place_names


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        ("europe/berlin", "Europe/Berlin"),
        (" America/Argentina/Buenos_Aires ", "America/Argentina/Buenos_Aires"),
        ("America/Buenos_Aires", "America/Argentina/Buenos_Aires"),
        ("Asia/Calcutta", "Asia/Kolkata"),
        ("Europe/Kiev", "Europe/Kyiv"),
        ("US/Eastern", "America/New_York"),
        ("PST8PDT", "America/Los_Angeles"),
        ("Iceland", "Atlantic/Reykjavik"),
        ("Europe/Copenhagen", "Europe/Copenhagen"),
        ("W. Europe Standard Time", "Europe/Berlin"),
        ("India Standard Time", "Asia/Kolkata"),
        *((name, "UTC") for name in ("UTC", "Etc/UTC", "GMT", "Etc/GMT", "Etc/Greenwich", "Zulu", "utc", "Etc/GMT-0")),
    ],
)
def test_every_name_of_a_place_has_one_stored_form(name: str, canonical: str) -> None:
    assert canonical_zone(name) == detected_zone(name) == canonical


@pytest.mark.parametrize(
    "name",
    [
        "",
        "+02:00",
        "UTC+2",
        "EST",
        "CET",
        "Etc/GMT-3",
        "Etc/Unknown",
        "Factory",
        "localtime",
        "Mars/Olympus",
        "Europe/../etc/passwd",
        "x" * 999,
    ],
)
def test_offsets_and_unknown_names_are_no_choice_and_a_device_that_sends_one_counts_as_utc(name: str) -> None:
    assert canonical_zone(name) is None
    assert detected_zone(name) == "UTC"


def test_every_place_can_be_loaded() -> None:
    assert len(place_names()) > 400
    assert [name for name in place_names() if zoneinfo.ZoneInfo(name).key != canonical_zone(name)] == []
    assert detected_zone(None) == detected_zone(5) == "UTC"
