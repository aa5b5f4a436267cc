from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from bookings.selectors import figures_of_mentor
from bookings.services.requesting import confirm_booking, decline_booking
from bookings.tests.world import BookingWorld

pytestmark = pytest.mark.django_db


def numbers(world: BookingWorld) -> list[tuple[int, int | None]]:
    return [(step.number, step.sample) for step in figures_of_mentor(world.mentor).steps]


def test_nothing_yet(world: BookingWorld, client: Client) -> None:
    assert numbers(world) == [(0, None), (0, 0), (0, 0), (0, 0)]
    client.force_login(world.mentor)
    assert "Nobody has booked you yet." in client.get("/dashboard/figures").content.decode()


def test_from_being_asked_to_coming_back(world: BookingWorld, client: Client, django_assert_num_queries: Any) -> None:
    held = world.confirmed("2027-06-01 09:00")
    world.clock.set("2027-06-01 09:01")
    world.attended(held, world.mentor, world.learner)
    world.clock.set("2027-06-02 11:00")
    world.turn()
    declined = world.requested("2027-06-05 10:00")
    world.clock.ahead(minutes=30)
    decline_booking(booking_id=declined.pk, mentor=world.mentor)
    assert numbers(world) == [(2, None), (1, 2), (1, 1), (0, 1)]
    world.confirmed("2027-06-06 10:00")
    world.book("2027-06-07 10:00")  # not paid for: nobody was asked
    assert numbers(world) == [(3, None), (2, 3), (1, 1), (1, 1)]
    figures = figures_of_mentor(world.mentor)
    assert (figures.answered, figures.median_minutes) == (3, None)
    client.force_login(world.mentor)
    page = client.get("/dashboard/figures").content.decode()
    assert "2 of 3" in page and "67%" not in page, "no share of so few"
    with django_assert_num_queries(3):
        figures_of_mentor(world.mentor)
    assert figures_of_mentor(world.learner).steps[0].number == 0, "they are the mentor's own"


def test_shares_and_answers_from_five_on(world: BookingWorld, client: Client) -> None:
    for day in range(3, 8):
        booking = world.requested(f"2027-06-{day:02} 10:00")
        world.clock.ahead(minutes=day)
        confirm_booking(booking_id=booking.pk, mentor=world.mentor)
    figures = figures_of_mentor(world.mentor)
    assert (figures.answered, figures.median_minutes) == (5, 5)
    client.force_login(world.mentor)
    page = client.get("/dashboard/figures").content.decode()
    assert "100%" in page and "Half of your 5 answers came within 5 minutes." in page
    world.clock.ahead(days=91)
    assert figures_of_mentor(world.mentor).steps[0].number == 0, "three months back"
