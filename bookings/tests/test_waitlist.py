from __future__ import annotations

import datetime
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import User
from bookings.enums import BookingState, Cause
from bookings.errors import SessionFull
from bookings.models import Booking, Session, WaitlistEntry
from bookings.services import cancelling, groups, leaving, rescheduling, waiting
from bookings.tests.invariants import check_always, overlaps
from bookings.tests.races import at_once
from bookings.tests.world import BookingWorld, utc
from conftest import Api
from core.events import run_delivery
from core.models import DeliveryState, EventDelivery
from mentors.errors import SlotUnavailable
from mentors.models import MentorProfile, OccupiedTime, Offer
from mentors.services.keeping import lock_people
from mentors.services.occupying import block_time, unblock_time
from mentors.services.slots import Question, refusals_of
from notifications.models import Notification, Preferences

DAY = ("2027-06-05 10:00", "2027-06-05 11:00")


def api(user: User) -> Api:
    return Api().sign_in(user)


def offer_of(world: BookingWorld) -> Offer:
    return world.profile.offers.get()


def wait(world: BookingWorld, user: User, opens: str = DAY[0], closes: str = DAY[1], **options: Any) -> WaitlistEntry:
    return waiting.wait_for_time(
        learner=user, mentor_id=world.profile.pk, offer_id=offer_of(world).pk, opens_at=utc(opens), closes_at=utc(closes), **options
    )


def group(world: BookingWorld, *, seats: int = 2, price: int = 0) -> Session:
    offer = Offer.objects.create(
        profile=world.profile,
        kind="group",
        title="Together",
        duration_minutes=60,
        price_amount=price,
        price_currency="EUR",
        group_size=12,
    )
    return groups.announce_session(profile=world.profile, offer_id=offer.pk, starts_at=utc("2027-06-06 10:00"), seats=seats)


def keep_busy(user: User, start: datetime.datetime, end: datetime.datetime) -> None:
    """They have a session with somebody else then."""
    OccupiedTime.objects.create(person=user, source="session", during=(start, end), session=(start, end), reference=user.pk)


def states() -> list[str]:
    return list(WaitlistEntry.objects.order_by("pk").values_list("state", flat=True))


@pytest.mark.django_db
class TestTimes:
    def test_from_waiting_to_paying(self, world: BookingWorld) -> None:
        taken = world.confirmed(learner=world.other())
        me = api(world.learner)
        form = {"mentor_id": str(world.profile.pk), "offer_id": str(offer_of(world).pk), "opens_at": "2027-06-05T10:00:00Z"}
        made = me.post("bookings/waitlist", form | {"closes_at": "2027-06-05T11:00:00Z"})
        assert made.status_code == 201, made.json()
        assert (made.json()["state"], made.json()["ahead"], made.json()["booking_id"]) == ("waiting", 0, None)
        second = api(world.other())
        assert second.post("bookings/waitlist", form | {"closes_at": "2027-06-05T11:00:00Z"}).json()["ahead"] == 1
        cancelling.cancel_booking(booking_id=taken.pk, user=taken.learner)
        # Before a worker has offered it, nobody else gets it.
        assert api(world.other()).post(
            "bookings", {"mentor_id": str(world.profile.pk), "scheduled_at": "2027-06-05T10:00:00Z", "duration_minutes": 60}
        ).json()["code"] == "slot_unavailable"  # fmt: skip
        world.turn()
        (entry,) = me.get("bookings/waitlist").json()["results"]
        assert entry["state"] == "offered"
        # Four days ahead: half a day to think, from 8:00 on.
        assert entry["take_before"] == "2027-06-01T20:15:00Z"
        assert Notification.objects.filter(kind="bookings.waitlist-offered", user=world.learner).count() == 1
        key = entry["booking_id"]
        shown = me.get(f"bookings/{key}").json()
        assert (shown["state"], "take" in shown["you_can"], shown["needs_payment"]) == ("held", True, False)
        assert second.post(f"bookings/{key}/take").status_code == 404
        assert api(world.mentor).post(f"bookings/{key}/take").json()["code"] == "not_your_part"
        taken_now = me.post(f"bookings/{key}/take")
        assert (taken_now.json()["needs_payment"], taken_now.json()["expires_at"]) == (True, "2027-06-01T08:15:00Z")
        assert me.post(f"bookings/{key}/take").json()["code"] == "nothing_offered"
        booking = Booking.objects.get(pk=key)
        world.pay(booking)
        booking.refresh_from_db()
        assert booking.state == BookingState.REQUESTED
        assert states() == ["taken", "waiting"]
        assert [row.cause for row in booking.history.order_by("version")] == ["offered", "offer_taken", "paid"]
        check_always()

    def test_who_does_not_answer_makes_room_for_the_next(self, world: BookingWorld) -> None:
        taken = world.book(learner=world.other())
        second = world.other()
        wait(world, world.learner)
        wait(world, second)
        world.clock.ahead(minutes=15)
        world.turn()
        assert taken.pk and states() == ["offered", "waiting"]
        first = Booking.objects.get(learner=world.learner)
        assert first.expires_at is not None
        world.clock.shown = first.expires_at
        world.turn()
        assert states() == ["passed", "offered"]
        first.refresh_from_db()
        assert (first.state, first.history.order_by("version").last().cause) == (BookingState.EXPIRED, Cause.NOT_TAKEN)  # type: ignore[union-attr]
        assert Notification.objects.filter(kind="bookings.waitlist-passed", user=world.learner).count() == 1
        # It counts as no time that was let go, and the second lets it go, too: it is free for everybody.
        cancelling.cancel_booking(booking_id=Booking.objects.get(learner=second).pk, user=second)
        world.turn()
        assert states() == ["passed", "passed"]
        assert refusals_of(Question(world.profile.pk, 60), utc(DAY[0])) == []

    def test_the_order_is_that_of_coming_and_whom_it_does_not_fit_is_passed_over(self, world: BookingWorld) -> None:
        busy, second, third = world.other(), world.other(), world.other()
        taken = world.confirmed()
        for user in (busy, second, third):
            wait(world, user)
        keep_busy(busy, utc("2027-06-05 09:30"), utc("2027-06-05 10:30"))
        cancelling.cancel_booking(booking_id=taken.pk, user=world.mentor)
        world.turn()
        assert states() == ["waiting", "offered", "waiting"]
        assert Booking.objects.get(learner=second).state == BookingState.HELD

    def test_what_others_wait_for_stays_kept_until_it_is_their_turn(self, world: BookingWorld, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nobody is quicker than they are, not even while the first in line is offered theirs; what is given back meanwhile is kept, too."""
        last = ("2027-06-05 16:00", "2027-06-05 17:00")
        taken = [world.confirmed(at, learner=world.other()) for at in (DAY[0], "2027-06-05 13:00", last[0])]
        for window in (last, DAY, ("2027-06-05 13:00", "2027-06-05 14:00")):
            wait(world, world.other(), *window)
        for booking in taken[:2]:
            cancelling.cancel_booking(booking_id=booking.pk, user=booking.learner)
        offer_time, seen = waiting._offer_time, []

        def one(*arguments: Any) -> None:
            offer_time(*arguments)
            if len(seen) == 1:
                world.clock.ahead(seconds=1)
                cancelling.cancel_booking(booking_id=taken[2].pk, user=taken[2].learner)
            seen.append([refusals_of(Question(world.profile.pk, 60), booking.session.starts_at) for booking in taken])

        monkeypatch.setattr(waiting, "_offer_time", one)
        assert waiting.look_for_waiting() == 1
        assert seen == [[["taken"], ["taken"], ["taken"]]] * 3
        assert states() == ["waiting", "offered", "offered"]
        assert refusals_of(Question(world.profile.pk, 60), utc(last[0])) == ["taken"]
        world.turn()
        assert states() == ["offered"] * 3

    def test_a_move_frees_the_former_time(self, world: BookingWorld) -> None:
        other = world.other()
        taken = world.confirmed()
        wait(world, other)
        rescheduling.reschedule_booking(booking_id=taken.pk, user=world.learner, starts_at=utc("2027-06-07 10:00"))
        with pytest.raises(SlotUnavailable):
            world.book(learner=world.other())
        world.turn()
        assert Booking.objects.get(learner=other).session.starts_at == utc(DAY[0])

    def test_hours_that_open_later_are_found(self, world: BookingWorld) -> None:
        block = block_time(person=world.mentor, starts_at=utc("2027-06-05 00:00"), ends_at=utc("2027-06-06 00:00"))
        wait(world, world.learner, "2027-06-05 09:00", "2027-06-05 12:00")
        assert waiting.look_for_waiting() == 1 and waiting.look_for_waiting() == 0
        unblock_time(block=block)
        world.clock.ahead(minutes=6)
        assert waiting.look_for_waiting() == 1
        assert Booking.objects.get().session.starts_at == utc("2027-06-05 09:00")

    def test_a_window_with_too_little_left_of_it(self, world: BookingWorld) -> None:
        block = block_time(person=world.mentor, starts_at=utc("2027-06-05 00:00"), ends_at=utc("2027-06-06 00:00"))
        wait(world, world.learner, "2027-06-05 09:00", "2027-06-05 12:00")
        unblock_time(block=block)
        world.clock.set("2027-06-05 11:30")
        assert waiting.look_for_waiting() == 1 and states() == ["waiting"]
        world.clock.set("2027-06-05 12:00")
        world.turn()
        assert states() == ["over"] and not Booking.objects.exists()

    def test_what_is_kept_is_free_again_if_nobody_wants_it(self, world: BookingWorld) -> None:
        other = world.other()
        taken = world.confirmed()
        wait(world, other)
        Offer.objects.update(is_active=False)
        cancelling.cancel_booking(booking_id=taken.pk, user=world.learner)
        kept = OccupiedTime.objects.get(person=world.mentor.pk)
        assert kept.held_until == world.clock.now() + datetime.timedelta(minutes=2)
        world.turn()
        assert not OccupiedTime.objects.exists()
        assert states() == ["waiting"]

    def test_quiet_hours_come_on_top_and_the_start_is_the_end(self, world: BookingWorld) -> None:
        Preferences.objects.create(user=world.learner, quiet_from="07:00", quiet_until="12:00")
        User.objects.filter(pk=world.learner.pk).update(time_zone="UTC")
        taken = world.confirmed("2027-06-01 16:00", learner=world.other())
        wait(world, world.learner, "2027-06-01 16:00", "2027-06-01 17:00")
        cancelling.cancel_booking(booking_id=taken.pk, user=world.mentor)
        world.turn()
        # An eighth of eight hours, from noon on.
        assert Booking.objects.get(learner=world.learner).expires_at == utc("2027-06-01 13:00")

    def test_who_books_otherwise_or_leaves_waits_no_more(self, world: BookingWorld) -> None:
        world.confirmed(learner=world.other())
        wait(world, world.learner)
        world.requested("2027-06-08 10:00")
        other = world.other()
        wait(world, other)
        leaving.leave(person_id=other.pk)
        apart = world.other()
        wait(world, apart)
        leaving.part(blocker_id=apart.pk, blocked_id=world.mentor.pk)
        over = world.other()
        wait(world, over)
        world.clock.set("2027-06-05 11:00")
        waiting.look_for_waiting()
        assert states() == ["left", "left", "left", "over"]

    def test_a_minor_is_offered_what_the_guardian_may_take(self, world: BookingWorld, ward: tuple[User, User], cleared: None) -> None:
        child, guardian = ward
        taken = world.confirmed()
        wait(world, child)
        cancelling.cancel_booking(booking_id=taken.pk, user=world.learner)
        world.turn()
        booking = Booking.objects.get(learner=child)
        assert api(child).post(f"bookings/{booking.pk}/take").json()["code"] == "nothing_offered"
        assert Notification.objects.filter(kind="bookings.approval-needed", user=guardian).count() == 1
        assert api(guardian).post(f"bookings/{booking.pk}/approve").status_code == 200
        assert states() == ["taken"]

    def test_bad_lines(self, world: BookingWorld) -> None:
        me = api(world.learner)
        form = {
            "mentor_id": str(world.profile.pk),
            "offer_id": str(offer_of(world).pk),
            "opens_at": "2027-06-05T10:00:00Z",
            "closes_at": "2027-06-05T11:00:00Z",
        }
        free = me.post("bookings/waitlist", form)
        assert (free.status_code, free.json()["code"], free.json()["alternatives"]) == (409, "times_free", ["2027-06-05T10:00:00Z"])
        world.confirmed(learner=world.other())
        for change, field in (
            ({"closes_at": "2027-06-05T10:59:59Z"}, "closes_at"),
            ({"opens_at": "2027-05-01T10:00:00Z", "closes_at": "2027-05-01T12:00:00Z"}, "closes_at"),
            ({"closes_at": "2027-09-05T11:00:00Z"}, "closes_at"),
            ({"offer_id": str(world.profile.pk)}, "offer_id"),
            ({"session_id": str(world.profile.pk)}, "mentor_id"),
        ):
            bad = me.post("bookings/waitlist", form | change)
            assert bad.status_code == 400 and bad.json()["errors"][0]["field"] == field, bad.json()
        assert me.post("bookings/waitlist", {}).json()["errors"][0]["field"] == "mentor_id"
        assert me.post("bookings/waitlist", form | {"mentor_id": str(world.mentor.pk)}).json()["code"] == "mentor_not_bookable"
        made = me.post("bookings/waitlist", form)
        assert me.post("bookings/waitlist", form).json()["code"] == "waiting_already"
        assert api(world.other()).delete(f"bookings/waitlist/{made.json()['id']}").status_code == 404
        assert me.delete(f"bookings/waitlist/{made.json()['id']}").status_code == 204
        assert me.get("bookings/waitlist").json()["results"] == []
        block_time(person=world.mentor, starts_at=utc("2027-06-10 00:00"), ends_at=utc("2027-06-11 00:00"))
        for hour in range(10):
            wait(world, world.learner, f"2027-06-10 {hour:02}:00", f"2027-06-10 {hour + 1:02}:00")
        assert me.post("bookings/waitlist", form).json()["code"] == "too_many_waits"


@pytest.mark.django_db
class TestSeats:
    def test_a_seat_goes_to_who_waits(self, world: BookingWorld) -> None:
        session = group(world)
        first, second, late = world.other(), world.other(), world.other()
        me = api(world.learner)
        assert me.post("bookings/waitlist", {"session_id": str(session.pk)}).json()["code"] == "seats_free"
        seats = [groups.book_seat(learner=user, session_id=session.pk) for user in (first, second)]
        assert me.post("bookings/waitlist", {"session_id": str(session.pk)}).status_code == 201
        assert api(first).post("bookings/waitlist", {"session_id": str(session.pk)}).json()["code"] == "seat_taken"
        world.turn()
        cancelling.cancel_booking(booking_id=seats[0].pk, user=first)
        with pytest.raises(SessionFull):
            groups.book_seat(learner=late, session_id=session.pk)
        # Who comes now stands behind.
        assert api(late).post("bookings/waitlist", {"session_id": str(session.pk)}).json()["ahead"] == 1
        world.turn()
        assert states() == ["offered", "waiting"]
        booking = Booking.objects.get(learner=world.learner)
        assert me.post(f"bookings/{booking.pk}/take").json()["state"] == "confirmed"
        Session.objects.get(kept_until__isnull=True)
        check_always()
        groups.cancel_session(session=session)
        assert states() == ["taken", "over"]

    def test_whom_it_does_not_fit_does_not_keep_it_from_others(self, world: BookingWorld) -> None:
        session = group(world, seats=2)
        first, second, late = world.other(), world.other(), world.other()
        rows = [groups.book_seat(learner=user, session_id=session.pk) for user in (first, second)]
        waiting.wait_for_seat(learner=world.learner, session_id=session.pk)
        keep_busy(world.learner, session.starts_at, session.ends_at)
        cancelling.cancel_booking(booking_id=rows[0].pk, user=first)
        world.turn()
        assert states() == ["waiting"]
        assert groups.book_seat(learner=late, session_id=session.pk).state == BookingState.CONFIRMED


@pytest.mark.django_db
class TestTheDatabase:
    def test_refuses_what_must_never_be(self, world: BookingWorld) -> None:
        world.confirmed(learner=world.other())
        entry = wait(world, world.learner)
        for change in ({"state": "offered"}, {"offer": None}, {"closes_at": entry.opens_at}):
            with pytest.raises(IntegrityError), transaction.atomic():
                WaitlistEntry.objects.filter(pk=entry.pk).update(**change)


@pytest.mark.django_db(transaction=True)
def test_one_time_is_offered_once_however_many_workers_look(world: BookingWorld) -> None:
    taken = world.confirmed()
    for _ in range(6):
        wait(world, world.other())
    MentorProfile.objects.update(capacity=50)
    cancelling.cancel_booking(booking_id=taken.pk, user=world.learner)
    at_once([waiting.look_for_waiting] * 4)
    assert states() == ["offered", *["waiting"] * 5]
    assert Booking.objects.filter(state=BookingState.HELD).count() == 1


@pytest.mark.django_db(transaction=True)
def test_who_hears_that_something_is_free_locks_nobody(world: BookingWorld) -> None:
    """In one transaction with all who wait locked one after the other, it would stand in the way of those who book in another order."""
    taken = world.confirmed()
    learners = [world.other() for _ in range(3)]
    for learner in learners:
        wait(world, learner)
    WaitlistEntry.objects.update(looked_at=world.clock.now())
    cancelling.cancel_booking(booking_id=taken.pk, user=world.learner)
    heard = EventDelivery.objects.get(handler__endswith="offer_what_was_given_back", state=DeliveryState.PENDING)

    def hear() -> None:
        try:
            run_delivery(heard.pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        lock_people([world.mentor.pk, *(learner.pk for learner in learners)])
        pool.submit(hear).result(timeout=20)
    heard.refresh_from_db()
    assert heard.state == DeliveryState.DONE
    assert waiting.look_for_waiting() == 1 and states() == ["offered", "waiting", "waiting"]


@pytest.mark.django_db(transaction=True)
def test_seats_that_come_back_while_workers_look(world: BookingWorld) -> None:
    """Each is offered once, to the first in line, whatever is done at the same moment."""
    session = group(world, seats=4)
    seats = [groups.book_seat(learner=world.other(), session_id=session.pk) for _ in range(4)]
    for _ in range(5):
        waiting.wait_for_seat(learner=world.other(), session_id=session.pk)
    cancels = [lambda booking=booking: cancelling.cancel_booking(booking_id=booking.pk, user=booking.learner) for booking in seats[:3]]

    def look_next() -> None:
        with transaction.atomic():
            waiting.look_next(session=session)

    assert at_once([*cancels, *[waiting.look_for_waiting] * 3, *[look_next] * 3]) == {"done": 9}
    world.turn()
    assert states() == ["offered"] * 3 + ["waiting"] * 2
    assert overlaps() == 0
    check_always()
