"""The socket of the dashboard: what is changed in the API is heard there at once, and what is changed there in the API."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.test import Client
from django.utils import timezone

from accounts.models import User
from bookings.consumers import DashboardConsumer
from bookings.models import Booking
from bookings.services.booking import book_session
from conftest import PASSWORD, Api
from core.tests.sockets import Socket

pytestmark = pytest.mark.django_db(transaction=True)


def browser_of(user: User) -> Client:
    """Somebody who signed in on the page for it."""
    client = Client()
    assert client.post("/sign-in/", {"email": user.email, "password": PASSWORD}).status_code == 302
    return client


def token_of(client: Client) -> str:
    return str(client.get("/sign-in/socket").json()["token"])


@pytest.fixture
def booked(make_mentor: Callable[..., Any], make_user: Callable[..., User]) -> Booking:
    """A free session, for which its mentor is asked."""
    profile = make_mentor(user=make_user(full_name="Ada Mentor"))
    profile.offers.update(price_amount=0)
    start = (timezone.now() + datetime.timedelta(days=3)).replace(minute=0, second=0, microsecond=0)
    return book_session(learner=make_user(full_name="Lea Learner"), mentor_id=profile.pk, starts_at=start, duration_minutes=60)


def test_a_change_in_the_api_is_heard_within_a_second(booked: Booking) -> None:
    client, api = browser_of(booked.session.mentor), Api().sign_in(booked.learner)
    token = token_of(client)

    async def scenario() -> None:
        socket = Socket(DashboardConsumer, "bearer", token)
        await socket.connect()
        first = await socket.hear()
        began = time.monotonic()
        assert (await sync_to_async(api.post)(f"bookings/{booked.pk}/cancel")).status_code == 200
        assert (await socket.hear())["version"] != first["version"]
        assert time.monotonic() - began < 1
        await socket.leave()

    async_to_sync(scenario)()
    assert b"No request waits for you" in client.get("/dashboard/requests").content


def test_a_change_on_a_page_is_in_the_api_and_heard_by_the_other_side(booked: Booking) -> None:
    client, learner = browser_of(booked.session.mentor), browser_of(booked.learner)
    token = token_of(learner)

    async def scenario() -> None:
        socket = Socket(DashboardConsumer, "bearer", token)
        await socket.connect()
        first = await socket.hear()
        began = time.monotonic()
        assert (await sync_to_async(client.post)(f"/bookings/{booked.pk}/accept")).status_code == 302
        assert (await socket.hear())["version"] != first["version"]
        assert time.monotonic() - began < 1
        await socket.leave()

    async_to_sync(scenario)()
    assert Api().sign_in(booked.learner).get(f"bookings/{booked.pk}").json()["state"] == "confirmed"


def test_strangers_hear_nothing_and_a_socket_token_opens_nothing_else(booked: Booking, make_user: Callable[..., User]) -> None:
    other = browser_of(make_user())
    token = token_of(other)
    assert Api().get("bookings", HTTP_AUTHORIZATION=f"Bearer {token}").status_code == 401

    async def scenario() -> None:
        socket = Socket(DashboardConsumer, "bearer", token)
        await socket.connect()
        await socket.hear()
        api = await sync_to_async(Api().sign_in)(booked.learner)
        await sync_to_async(api.post)(f"bookings/{booked.pk}/cancel")
        assert await socket.receive_nothing(0.3)
        await socket.leave()

    async_to_sync(scenario)()
