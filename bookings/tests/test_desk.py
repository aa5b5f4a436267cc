"""What staff do with bookings in the admin."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from bookings.enums import BookingState, RoomState, StrikeKind
from bookings.models import Booking, Room, Strike
from bookings.services.strikes import give_strike, strikes_of
from bookings.tests.world import BookingWorld
from core.models import AuditEntry

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(staff: User, client: Client) -> Client:
    client.force_login(staff)
    return client


def act(desk: Client, model: str, action: str, row: Any) -> str:
    answer = desk.post(reverse(f"admin:bookings_{model}_changelist"), {"action": action, "_selected_action": [str(row.pk)]}, follow=True)
    row.refresh_from_db()
    return str(answer.content)


def test_a_booking_is_called_off_and_all_comes_back(world: BookingWorld, desk: Client) -> None:
    booking = world.confirmed()
    assert desk.get(reverse("admin:bookings_booking_change", args=[booking.pk])).status_code == 200
    assert "1 bookings are off." in act(desk, "booking", "call_off", booking)
    world.turn()
    booking.payment.refresh_from_db()
    assert (booking.state, booking.payment.returned_amount) == (BookingState.CANCELLED_BY_PLATFORM, 4500)
    assert AuditEntry.objects.filter(action="changed", thing_kind="bookings.Booking").exists()


def test_a_room_is_tried_again(world: BookingWorld, desk: Client) -> None:
    world.confirmed()
    room = Room.objects.get()
    Room.objects.update(state=RoomState.FAILED)
    act(desk, "room", "try_again", room)
    assert (room.state, room.provider) == (RoomState.OPEN, "jitsi")


def test_a_strike_is_forgiven(world: BookingWorld, desk: Client) -> None:
    give_strike(person=world.learner, booking=world.requested(), kind=StrikeKind.NO_SHOW)
    act(desk, "strike", "forgive", Strike.objects.get())
    assert strikes_of(world.learner) == 0


def test_who_may_look_and_not_act(world: BookingWorld, make_user: Any, client: Client) -> None:
    booking = world.confirmed()
    client.force_login(make_user(role="staff"))
    client.post(reverse("admin:bookings_booking_changelist"), {"action": "call_off", "_selected_action": [str(booking.pk)]})
    assert Booking.objects.get().state == BookingState.CONFIRMED
