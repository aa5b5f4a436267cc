from __future__ import annotations

import datetime
from zoneinfo import ZoneInfo

import pytest

from core.wall_time import instant_of


def utc(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("zone", "shown", "first", "last"),
    [
        pytest.param("America/New_York", "2026-03-08 02:30", "2026-03-08 07:00", None, id="a gap"),
        pytest.param("Europe/Berlin", "2026-03-29 02:15", "2026-03-29 01:00", None, id="a gap in Europe"),
        pytest.param("Australia/Lord_Howe", "2026-10-04 02:15", "2026-10-03 15:30", None, id="a gap of half an hour"),
        pytest.param("Africa/Cairo", "2026-04-24 00:30", "2026-04-23 22:00", None, id="no midnight in Cairo"),
        pytest.param("America/Santiago", "2026-09-06 00:15", "2026-09-06 04:00", None, id="no midnight in Santiago"),
        pytest.param("Pacific/Apia", "2011-12-30 12:00", "2011-12-30 10:00", None, id="a missing day"),
        pytest.param("America/New_York", "2026-11-01 01:30", "2026-11-01 05:30", "2026-11-01 06:30", id="an hour that comes twice"),
        pytest.param("America/New_York", "2026-10-26 09:00", "2026-10-26 13:00", None, id="before the change"),
        pytest.param("America/New_York", "2026-11-02 09:00", "2026-11-02 14:00", None, id="after the change"),
    ],
)
def test_when_the_clock_shows_a_time(zone: str, shown: str, first: str, last: str | None) -> None:
    naive = datetime.datetime.fromisoformat(shown)
    assert instant_of(naive, ZoneInfo(zone)) == utc(first)
    assert instant_of(naive, ZoneInfo(zone), last=True) == utc(last or first)
