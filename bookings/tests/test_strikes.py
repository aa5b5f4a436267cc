"""Four strikes: nobody books such a mentor, and such a learner books nobody, whatever they do about it."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from bookings.enums import StrikeKind
from bookings.models import Booking
from bookings.services import ending, groups
from bookings.services.strikes import forgive, give_strike
from bookings.tests.test_series_holds import book as book_series
from bookings.tests.world import BookingWorld, utc
from conftest import Api
from mentors.enums import MentorState
from mentors.models import Offer
from mentors.services import profiles

pytestmark = pytest.mark.django_db
UNTIL = "2027-07-01T08:00:00+00:00"


def strike(world: BookingWorld, person: User, number: int = 4) -> list[Any]:
    rows = book_series(world, number, learner=world.other())
    for row in rows:
        give_strike(person=person, booking=row, kind=StrikeKind.CANCELLED)
    world.profile.refresh_from_db()
    return rows


def state_of(world: BookingWorld) -> tuple[str, str]:
    world.profile.refresh_from_db()
    return world.profile.state, world.profile.paused_because


def test_a_paused_mentor_comes_back_when_it_is_over(world: BookingWorld, client: Client) -> None:
    mentor = Api().sign_in(world.mentor)
    strike(world, world.mentor)
    assert state_of(world) == ("paused", "strikes")
    refused = mentor.post("mentors/me/resume")
    assert (refused.status_code, refused.json()["code"]) == (409, "paused_for_strikes")
    assert (refused.json()["until"], refused.json()["reason"]) == (UNTIL, "strikes")
    shown = mentor.get("mentors/me").json()
    assert (shown["paused_because"], shown["barred_until"]) == ("strikes", "2027-07-01T08:00:00Z")
    client.force_login(world.mentor)
    page = client.get("/dashboard/profile").content.decode()
    assert "You can take bookings again from" in page and "Take bookings again<" not in page
    assert client.post("/dashboard/profile/resume").status_code == 409
    assert state_of(world) == ("paused", "strikes")
    world.clock.set("2027-07-01 08:01")
    assert mentor.post("mentors/me/resume").json()["state"] == "live"


def test_who_becomes_a_mentor_brings_their_strikes(world: BookingWorld, staff: User, make_mentor: Any) -> None:
    person = world.other()
    for row in book_series(world, 4):
        give_strike(person=person, booking=row, kind=StrikeKind.NO_SHOW)
    profile = make_mentor(user=person)
    type(profile).objects.filter(pk=profile.pk).update(state=MentorState.APPLIED)
    profiles.decide_application(staff=staff, profile=profile, is_accepted=True)
    world.turn()
    profile.refresh_from_db()
    assert (profile.state, profile.paused_because) == ("paused", "strikes")


@pytest.mark.parametrize("way", ["pause first", "leave and apply", "leave first", "suspended and reinstated"])
def test_no_way_around_it(world: BookingWorld, staff: User, way: str) -> None:
    mentor, profile = Api().sign_in(world.mentor), world.profile
    profile.bio, profile.languages = "Bio", ["en"]
    profile.save()
    if way == "pause first":
        rows = book_series(world, 4, learner=world.other())
        mentor.post("mentors/me/pause")
        for row in rows:
            give_strike(person=world.mentor, booking=row, kind=StrikeKind.NO_SHOW)
        assert mentor.post("mentors/me/resume").status_code == 409
    elif way == "suspended and reinstated":
        strike(world, world.mentor)
        profiles.suspend(staff=staff, profile=profile)
        profiles.reinstate(staff=staff, profile=profile)
    else:
        rows = book_series(world, 4, learner=world.other())
        if way == "leave first":
            mentor.post("mentors/me/leave")
        for row in rows:
            give_strike(person=world.mentor, booking=row, kind=StrikeKind.CANCELLED)
        if way == "leave and apply":
            mentor.post("mentors/me/leave")
        type(profile).objects.filter(pk=profile.pk).update(state=MentorState.APPLIED)
        profiles.decide_application(staff=staff, profile=profile, is_accepted=True)
    assert state_of(world) == ("paused", "strikes")
    offer = {"kind": "session", "title": "New", "duration_minutes": 30, "price": {"amount": 0, "currency": "EUR"}}
    assert mentor.put("mentors/me", {"offers": [offer]}).status_code == 200
    assert mentor.put("mentors/me/availability", {"time_zone": "UTC", "weekly": [], "overrides": [], "travels": []}).status_code in (
        200,
        400,
    )
    assert state_of(world) == ("paused", "strikes")
    body = {"mentor_id": str(profile.pk), "scheduled_at": "2027-06-09T10:00:00Z", "duration_minutes": 30}
    assert Api().sign_in(world.learner).post("bookings", body).status_code == 404


def test_each_strike_makes_it_longer_and_a_forgiven_one_ends_it(world: BookingWorld) -> None:
    rows = strike(world, world.mentor, 5)
    first = world.profile.barred_until
    world.clock.ahead(days=2)
    give_strike(person=world.mentor, booking=rows[0], kind=StrikeKind.NO_SHOW)
    world.profile.refresh_from_db()
    # The fourth newest of six is as old as before; two more recent ones move it.
    assert world.profile.barred_until == first
    for row in rows[1:4]:
        give_strike(person=world.mentor, booking=row, kind=StrikeKind.NO_SHOW)
    world.profile.refresh_from_db()
    assert world.profile.barred_until == first + datetime.timedelta(days=2)
    for given in world.mentor.strikes.all()[:6]:
        forgive(strike=given)
    assert Api().sign_in(world.mentor).post("mentors/me/resume").json()["state"] == "live"


def test_staff_let_somebody_come_back_and_say_why(world: BookingWorld, staff: User, client: Client) -> None:
    strike(world, world.mentor)
    client.force_login(staff)
    address = reverse("admin:mentors_mentorprofile_changelist")
    body = {"action": "lift_bar", "_selected_action": [str(world.profile.pk)]}
    assert "write the reason in the note first" in client.post(address, body, follow=True).content.decode()
    mentor = Api().sign_in(world.mentor)
    assert mentor.post("mentors/me/resume").status_code == 409
    type(world.profile).objects.filter(pk=world.profile.pk).update(decision_note="Your clinic was flooded.")
    client.post(address, body, follow=True)
    assert mentor.post("mentors/me/resume").json()["state"] == "live"


def test_a_learner_with_four_strikes(world: BookingWorld, ward: tuple[User, User], cleared: None) -> None:
    """Neither a seat, nor a series, nor a guardian's yes."""
    child, guardian = ward
    world.profile.is_open_to_minors = True
    world.profile.save()
    held = world.book("2027-06-10 10:00", learner=child)
    strike(world, child)
    refused = Api().sign_in(guardian).post(f"bookings/{held.pk}/approve")
    assert (refused.status_code, refused.json()["code"]) == (409, "too_many_strikes")
    body = {"mentor_id": str(world.profile.pk), "scheduled_at": "2027-06-11T10:00:00Z", "duration_minutes": 60}
    for path, more in (("bookings", {}), ("bookings/series", {"number": 2})):
        assert Api().sign_in(child).post(path, body | more).json()["code"] == "too_many_strikes"


def test_a_session_for_several_that_is_missed_is_one_strike(world: BookingWorld) -> None:
    offer = Offer.objects.create(
        profile=world.profile, kind="group", title="Together", duration_minutes=60, price_amount=0, price_currency="EUR", group_size=6
    )
    session = groups.announce_session(profile=world.profile, offer_id=offer.pk, starts_at=utc("2027-06-05 10:00"))
    rows = [groups.book_seat(learner=person, session_id=session.pk) for person in (world.learner, *(world.other() for _ in range(4)))]
    world.clock.set("2027-06-05 10:10")
    for row in rows:
        ending.report_no_show(booking_id=row.pk, user=world.mentor, is_own=True)
    world.clock.ahead(days=2)
    world.turn()
    assert set(Booking.objects.values_list("state", flat=True)) == {"no_show_by_mentor"}
    assert (world.mentor.strikes.count(), state_of(world)[0]) == (1, "live")
