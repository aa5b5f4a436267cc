"""T5: the answer to a request is lost, and the app sends it again: whatever the call, it has one effect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.urls import URLPattern

from accounts.models import User
from bookings.api.v1.urls import urlpatterns
from bookings.models import Booking, Series, WaitlistEntry
from bookings.services import cancelling, requesting, waiting
from bookings.tests.daily_peer import DailyPeer
from bookings.tests.test_groups import announce
from bookings.tests.world import BookingWorld, utc
from conftest import Api
from mentors.models import Offer
from mentors.services.occupying import block_time

pytestmark = pytest.mark.django_db
AT, LATER = "2027-06-05T10:00:00Z", "2027-06-08T10:00:00Z"
Call = tuple[User, str, dict[str, Any] | None]


def group_offer(world: BookingWorld) -> Offer:
    return Offer.objects.create(
        profile=world.profile, kind="group", title="T", duration_minutes=60, price_amount=900, price_currency="EUR", group_size=5
    )


def series(world: BookingWorld) -> Series:
    world.profile.offers.update(price_amount=0)
    body = {"mentor_id": str(world.profile.pk), "scheduled_at": AT, "duration_minutes": 60, "number": 2}
    assert Api().sign_in(world.learner).post("bookings/series", body).status_code == 201
    return Series.objects.get()


def begun(world: BookingWorld) -> Booking:
    booking = world.confirmed()
    world.clock.set("2027-06-05 10:15")
    for person in (world.learner, world.mentor):
        assert Api().sign_in(person).get(f"bookings/{booking.pk}/join").status_code == 200
    return booking


def recorded(world: BookingWorld) -> Booking:
    booking = begun(world)
    for person in (world.learner, world.mentor):
        Api().sign_in(person).put(f"bookings/{booking.pk}/recording/consent", {"agrees": True, "text_version": 1})
    return booking


def offered(world: BookingWorld) -> Booking:
    taken = world.confirmed(learner=world.other())
    window = {"opens_at": utc("2027-06-05 10:00"), "closes_at": utc("2027-06-05 11:00")}
    waiting.wait_for_time(learner=world.learner, mentor_id=world.profile.pk, offer_id=world.profile.offers.get().pk, **window)
    cancelling.cancel_booking(booking_id=taken.pk, user=world.mentor)
    world.turn()
    return Booking.objects.get(learner=world.learner)


def waited(world: BookingWorld) -> WaitlistEntry:
    block_time(person=world.mentor, starts_at=utc("2027-06-05 00:00"), ends_at=utc("2027-06-06 00:00"))
    window = {"opens_at": utc("2027-06-05 10:00"), "closes_at": utc("2027-06-05 11:00")}
    return waiting.wait_for_time(learner=world.learner, mentor_id=world.profile.pk, offer_id=world.profile.offers.get().pk, **window)


def missed(world: BookingWorld) -> Booking:
    booking = world.confirmed()
    world.clock.set("2027-06-05 10:15")
    mentor = Api().sign_in(world.mentor)
    mentor.get(f"bookings/{booking.pk}/join")
    assert mentor.post(f"bookings/{booking.pk}/no-show").status_code == 200
    return booking


def countered(world: BookingWorld) -> Booking:
    booking = world.requested()
    requesting.counter_offer(booking_id=booking.pk, mentor=world.mentor, starts_at=utc("2027-06-08 10:00"))
    return booking


def approved(world: BookingWorld) -> Call:
    child, guardian = world.ward()
    return guardian, f"bookings/{world.book(learner=child).pk}/approve", {}


def alone(world: BookingWorld) -> Call:
    booking = world.confirmed()
    world.clock.set("2027-06-05 10:15")
    Api().sign_in(world.mentor).get(f"bookings/{booking.pk}/join")
    return world.mentor, f"bookings/{booking.pk}/no-show", {}


def over(world: BookingWorld) -> Call:
    booking = begun(world)
    world.clock.set("2027-06-05 11:01")
    return world.mentor, f"bookings/{booking.pk}/complete", {}


# Route and method: who calls, where, and with what, so that it goes well the first time.
CALLS: dict[tuple[str, str], Callable[[BookingWorld], Call]] = {
    ("bookings", "POST"): lambda world: (
        world.learner,
        "bookings",
        {"mentor_id": str(world.profile.pk), "scheduled_at": AT, "duration_minutes": 60},
    ),
    ("bookings/terms", "PUT"): lambda world: (world.mentor, "bookings/terms", {"is_instant": True, "policy": "strict"}),
    ("bookings/reminders", "PUT"): lambda world: (world.learner, "bookings/reminders", {"minutes_before": [30]}),
    ("bookings/sessions", "POST"): lambda world: (
        world.mentor,
        "bookings/sessions",
        {"offer_id": str(group_offer(world).pk), "scheduled_at": AT},
    ),
    ("bookings/sessions/<uuid:group_id>/book", "POST"): lambda world: (
        world.learner,
        f"bookings/sessions/{announce(world, group_offer(world)).pk}/book",
        {},
    ),
    ("bookings/sessions/<uuid:group_id>/cancel", "POST"): lambda world: (
        world.mentor,
        f"bookings/sessions/{announce(world, group_offer(world)).pk}/cancel",
        {},
    ),
    ("bookings/series", "POST"): lambda world: (
        world.learner,
        "bookings/series",
        {"mentor_id": str(world.profile.pk), "scheduled_at": AT, "duration_minutes": 60, "number": 3},
    ),
    ("bookings/series/<uuid:series_id>/confirm", "POST"): lambda world: (world.mentor, f"bookings/series/{series(world).pk}/confirm", {}),
    ("bookings/series/<uuid:series_id>/decline", "POST"): lambda world: (world.mentor, f"bookings/series/{series(world).pk}/decline", {}),
    ("bookings/series/<uuid:series_id>/cancel", "POST"): lambda world: (world.learner, f"bookings/series/{series(world).pk}/cancel", {}),
    ("bookings/series/<uuid:series_id>/reschedule", "POST"): lambda world: (
        world.learner,
        f"bookings/series/{series(world).pk}/reschedule",
        {"from_booking_id": str(Booking.objects.order_by("session__starts_at")[0].pk), "scheduled_at": "2027-06-05T15:00:00Z"},
    ),
    ("bookings/waitlist", "POST"): lambda world: (
        world.learner,
        "bookings/waitlist",
        {
            "mentor_id": str(world.profile.pk),
            "offer_id": str(world.profile.offers.get().pk),
            "opens_at": AT,
            "closes_at": world.confirmed(learner=world.other()).session.ends_at.isoformat(),
        },
    ),
    ("bookings/waitlist/<uuid:entry_id>", "DELETE"): lambda world: (world.learner, f"bookings/waitlist/{waited(world).pk}", None),
    ("bookings/<uuid:booking_id>/confirm", "POST"): lambda world: (world.mentor, f"bookings/{world.requested().pk}/confirm", {}),
    ("bookings/<uuid:booking_id>/decline", "POST"): lambda world: (world.mentor, f"bookings/{world.requested().pk}/decline", {}),
    ("bookings/<uuid:booking_id>/counter", "POST"): lambda world: (
        world.mentor,
        f"bookings/{world.requested().pk}/counter",
        {"scheduled_at": LATER},
    ),
    ("bookings/<uuid:booking_id>/accept-counter", "POST"): lambda world: (
        world.learner,
        f"bookings/{countered(world).pk}/accept-counter",
        {},
    ),
    ("bookings/<uuid:booking_id>/approve", "POST"): approved,
    ("bookings/<uuid:booking_id>/take", "POST"): lambda world: (world.learner, f"bookings/{offered(world).pk}/take", {}),
    ("bookings/<uuid:booking_id>/cancel", "POST"): lambda world: (world.learner, f"bookings/{world.confirmed().pk}/cancel", {}),
    ("bookings/<uuid:booking_id>/reschedule", "POST"): lambda world: (
        world.learner,
        f"bookings/{world.confirmed().pk}/reschedule",
        {"scheduled_at": LATER},
    ),
    ("bookings/<uuid:booking_id>/complete", "POST"): over,
    ("bookings/<uuid:booking_id>/no-show", "POST"): alone,
    ("bookings/<uuid:booking_id>/appeal", "POST"): lambda world: (
        world.learner,
        f"bookings/{missed(world).pk}/appeal",
        {"text": "I was there."},
    ),
    ("bookings/<uuid:booking_id>/stay", "POST"): lambda world: (
        world.learner,
        f"bookings/{begun(world).pk}/stay",
        {"is_leaving": False},
    ),
    ("bookings/<uuid:booking_id>/recording/consent", "PUT"): lambda world: (
        world.learner,
        f"bookings/{world.confirmed().pk}/recording/consent",
        {"agrees": True, "text_version": 1},
    ),
    ("bookings/<uuid:booking_id>/recording/start", "POST"): lambda world: (
        world.mentor,
        f"bookings/{recorded(world).pk}/recording/start",
        {},
    ),
    ("bookings/<uuid:booking_id>/recording/stop", "POST"): lambda world: (
        world.mentor,
        f"bookings/{started(world).pk}/recording/stop",
        {},
    ),
}


def started(world: BookingWorld) -> Booking:
    booking = recorded(world)
    assert Api().sign_in(world.mentor).post(f"bookings/{booking.pk}/recording/start").status_code == 200
    return booking


def everything() -> dict[str, list[str]]:
    """What there is of bookings, money, occupied time, and of what is to be told; times of change aside."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        names = [name for (name,) in cursor.fetchall() if name.startswith(("bookings_", "payments_"))]
        found = {}
        for name in (*names, "mentors_occupiedtime", "mentors_sessionrequest", "core_outboxevent"):
            cursor.execute(f"SELECT (to_jsonb(t) - 'updated_at')::text FROM \"{name}\" t ORDER BY 1")
            found[name] = [row for (row,) in cursor.fetchall()]
    return found


# Of a file: `test_endings.py` sends one twice.
UPLOADS = {("bookings/<uuid:booking_id>/appeal/evidence", "POST")}


def test_every_call_that_changes_something_has_its_row() -> None:
    routes = set()
    for pattern in urlpatterns:
        assert isinstance(pattern, URLPattern)
        view: Any = pattern.callback
        changing = {"POST", "PUT", "PATCH", "DELETE"} & {
            name.upper() for name in view.view_class.http_method_names if hasattr(view.view_class, name)
        }
        routes |= {(str(pattern.pattern), method) for method in changing}
    assert routes - UPLOADS == CALLS.keys()


@pytest.mark.parametrize(("route", "method"), CALLS)
def test_twice_is_once(world: BookingWorld, peer: DailyPeer, cleared: None, route: str, method: str) -> None:
    person, path, body = CALLS[(route, method)](world)
    client = Api().sign_in(person)
    before = everything()
    first = client.call(method, path, body, HTTP_IDEMPOTENCY_KEY="k")
    assert first.status_code in (200, 201, 204), first.getvalue()
    after = everything()
    assert after != before, "the first time changes something"
    again = client.call(method, path, body, HTTP_IDEMPOTENCY_KEY="k")
    assert again.status_code in (first.status_code, 404, 409), again.getvalue()
    if first.status_code == 201:
        assert (again.json(), again["Idempotent-Replayed"]) == (first.json(), "true")
    assert everything() == after
