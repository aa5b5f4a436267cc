from __future__ import annotations

import dataclasses
import datetime
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from accounts.enums import DeviceKind
from accounts.models import Device, User
from notifications import notices
from notifications.enums import Channel
from notifications.models import Phone, PushDevice
from notifications.notices import ALWAYS, LANGUAGES, Kind, Topic

TOPIC = Topic("test", dict.fromkeys(LANGUAGES, "Tests"), dict.fromkeys(LANGUAGES, "What tests tell."))
BASE = Kind(
    name="notifications.announced",
    topic=TOPIC,
    data={"title": str, "text": str},
    path="/test/{title}",
    examples={"title": "A title", "text": "A text."},
    carries_calendar=False,
    useful=ALWAYS,
    channels=frozenset(Channel),
)
DATA = {"title": "Hello", "text": "Some text."}


@pytest.fixture
def make_kind(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Kind]:
    """A kind of its own for a test, with the words of an announcement."""

    def make(**changes: Any) -> Kind:
        kind = dataclasses.replace(BASE, **changes)
        monkeypatch.setitem(notices._kinds, kind.name, kind)
        return kind

    return make


@pytest.fixture
def kind(make_kind: Callable[..., Kind]) -> Kind:
    return make_kind()


@pytest.fixture
def calendar_kind(make_kind: Callable[..., Kind]) -> Kind:
    """A kind that may carry a calendar part."""
    return make_kind(carries_calendar=True, fixed=frozenset({Channel.EMAIL}))


@pytest.fixture
def phone_of() -> Callable[..., PushDevice]:
    def make(user: User, **fields: Any) -> PushDevice:
        device = Device.objects.create(user=user, kind=DeviceKind.WEB, session_key=uuid.uuid4().hex)
        return PushDevice.objects.create(user=user, device=device, token=f"ExponentPushToken[{uuid.uuid4().hex}]", **fields)

    return make


@pytest.fixture
def number_of() -> Callable[[User], Phone]:
    def make(user: User) -> Phone:
        number = f"+49151{uuid.uuid4().int % 10**8:08}"
        return Phone.objects.create(user=user, number=number, verified_at=timezone.now())

    return make


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], datetime.datetime]:
    """Set the clock, such as to "2026-10-24T21:00"."""

    def set_clock(text: str) -> datetime.datetime:
        now = datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC)
        monkeypatch.setattr(timezone, "now", lambda: now)
        return now

    return set_clock
