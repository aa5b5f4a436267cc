"""What comes back after any number of moves, by either side: the deadlines count from the latest time, what the learner had lost already stays
lost, and the quote, the deadlines, the text and the cancel say the same."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings.enums import BookingState, CancellationPolicy, Side
from bookings.errors import MovedTooNear
from bookings.models import Booking, Session
from bookings.services import cancelling, requesting, rescheduling
from bookings.services.refunds import STEPS, apply_move, deadlines_of, policy_text, quote_for, refund_share
from bookings.tests.test_series_holds import book as book_series
from bookings.tests.world import BookingWorld, utc
from conftest import Api

NOW = datetime.datetime(2027, 6, 1, 8, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)


@given(
    policy=st.sampled_from(CancellationPolicy),
    price=st.sampled_from(((4_500, "EUR"), (5_555, "JPY"), (5_550, "KWD"), (0, "EUR"))),
    first=st.integers(1, 400),
    moves=st.lists(st.tuples(st.sampled_from((Side.LEARNER, Side.MENTOR)), st.integers(0, 300), st.integers(1, 500)), max_size=4),
    cancel_after=st.integers(0, 400),
)
def test_over_policies_moves_and_sides(
    policy: CancellationPolicy, price: tuple[int, str], first: int, moves: list[tuple[Side, int, int]], cancel_after: int
) -> None:
    start, now = NOW + first * HOUR, NOW
    booking = Booking(policy=policy, price_amount=price[0], price_currency=price[1], state=BookingState.CONFIRMED, counted_from=start)
    booking.session = Session(starts_at=start)
    cap = 10_000
    for side, wait, ahead in moves:
        if now + wait * HOUR >= booking.session.starts_at:
            break
        now += wait * HOUR
        before = refund_share(booking, at=now)
        counted_from = booking.counted_from
        booking.session.starts_at = now + ahead * HOUR
        apply_move(booking, side, at=now)
        after = refund_share(booking, at=now)
        assert booking.counted_from == max(counted_from, booking.session.starts_at)
        if side == Side.LEARNER:
            cap = min(cap, before)
            assert after == before, "a move of one's own neither costs nor regains anything"
        else:
            assert after == 10_000, "after a mentor's move all comes back for a day"
    assert booking.refund_cap == cap
    at = now + cancel_after * HOUR
    quote = quote_for(booking, side=Side.LEARNER, at=at)
    deadlines = deadlines_of(booking)
    shown = [deadline.refund for deadline in deadlines if at <= deadline.until]
    assert quote.refund == (shown[0] if shown else booking.price - booking.price), "what is shown is what comes back"
    refunds = [deadline.refund.amount for deadline in deadlines]
    assert refunds == sorted(refunds, reverse=True) and [row.until for row in deadlines] == sorted(row.until for row in deadlines)
    if cap == 10_000:
        tiers = [step.share for step in STEPS[policy] if at <= booking.session.starts_at - step.before]
        assert quote.refund >= booking.price.share(max(tiers, default=0)), "the text holds from the time at which it takes place"
    else:
        assert booking.free_until is not None or quote.refund <= booking.price.share(cap)
        assert ("at most half" if cap else "refunds nothing") in policy_text(booking)


def refund(api: Api, key: Any) -> int:
    amount: int = api.get(f"bookings/{key}/cancellation-quote").json()["refund"]["amount"]
    return amount


@pytest.mark.django_db
class TestMoved:
    def test_early_to_a_later_time(self, world: BookingWorld) -> None:
        """All until 48 hours before, half until 24 hours before, as the text says, of the time at which it takes place."""
        booking = world.confirmed("2027-06-05 10:00")
        learner = Api().sign_in(world.learner)
        moved = learner.post(f"bookings/{booking.pk}/reschedule", {"scheduled_at": "2027-06-18T10:00:00Z"}).json()
        assert [row["until"] for row in moved["cancellation_policy"]["deadlines"]] == ["2027-06-16T10:00:00Z", "2027-06-17T10:00:00Z"]
        for at, amount in (("2027-06-16 10:00", 4_500), ("2027-06-17 10:00", 2_250), ("2027-06-17 10:01", 0)):
            world.clock.set(at)
            assert refund(learner, booking.pk) == amount
        world.clock.set("2027-06-17 10:00")
        cancelled = learner.post(f"bookings/{booking.pk}/cancel", {"expected_refund": {"amount": 2_250, "currency": "EUR"}}).json()
        assert cancelled["refund"]["amount"] == 2_250

    @pytest.mark.parametrize(
        ("at", "left", "word"), [("2027-06-04 04:00", 2_250, "at most half"), ("2027-06-04 14:00", 0, "refunds nothing")]
    )
    def test_what_was_lost_is_not_regained(self, world: BookingWorld, at: str, left: int, word: str) -> None:
        booking = world.confirmed("2027-06-05 10:00")
        learner = Api().sign_in(world.learner)
        world.clock.set(at)
        assert refund(learner, booking.pk) == left
        moved = learner.post(f"bookings/{booking.pk}/reschedule", {"scheduled_at": "2027-06-25T10:00:00Z"}).json()
        assert refund(learner, booking.pk) == left
        assert word in moved["cancellation_policy"]["text"]
        assert [row["refund"]["amount"] for row in moved["cancellation_policy"]["deadlines"]] == ([left] if left else [])
        # Moved once more, and by the mentor: for a day all comes back, and after that no more than before.
        learner.post(f"bookings/{booking.pk}/reschedule", {"scheduled_at": "2027-06-27T10:00:00Z"})
        assert refund(learner, booking.pk) == left
        rescheduling.reschedule_booking(booking_id=booking.pk, user=world.mentor, starts_at=utc("2027-06-28 10:00"))
        assert refund(learner, booking.pk) == 4_500
        world.clock.ahead(hours=25)
        assert refund(learner, booking.pk) == left

    def test_page_and_quote_agree(self, world: BookingWorld, client: Any) -> None:
        booking = world.confirmed("2027-06-05 10:00")
        world.clock.set("2027-06-04 09:00")
        rescheduling.reschedule_booking(booking_id=booking.pk, user=world.learner, starts_at=utc("2027-06-20 10:00"))
        client.force_login(world.learner)
        page = client.get(f"/bookings/{booking.pk}").content.decode()
        assert "€22.50 back" in page and "€45.00 back" not in page and "at most half comes back" in page
        assert "€22.50" in client.get(f"/bookings/{booking.pk}/cancel").content.decode()

    @pytest.mark.parametrize("at", ["09:00", "10:00", "10:59"])
    def test_to_an_earlier_time(self, world: BookingWorld, at: str) -> None:
        """The deadlines that were there stay, and whoever leaves a gap with that shortly before, or does not come, gets a strike."""
        booking = world.confirmed("2027-06-15 10:00")
        rescheduling.reschedule_booking(booking_id=booking.pk, user=world.learner, starts_at=utc("2027-06-04 10:00"))
        world.clock.set(f"2027-06-04 {at}")
        cancelled = cancelling.cancel_booking(booking_id=booking.pk, user=world.learner)
        assert (cancelled.refund_amount, world.learner.strikes.count()) == (4_500, 1)

    def test_a_mentor_moves_to_an_earlier_time(self, world: BookingWorld) -> None:
        booking = world.confirmed("2027-06-15 10:00")
        rescheduling.reschedule_booking(booking_id=booking.pk, user=world.mentor, starts_at=utc("2027-06-04 10:00"))
        world.clock.set("2027-06-04 09:00")
        cancelled = cancelling.cancel_booking(booking_id=booking.pk, user=world.learner)
        assert (cancelled.refund_amount, world.learner.strikes.count()) == (4_500, 0)

    @pytest.mark.parametrize("start", ["2027-06-02 09:00", "2027-06-03 02:59"])
    def test_a_mentor_moves_nothing_to_the_next_hours(self, world: BookingWorld, start: str) -> None:
        """A learner who is asleep would miss it, and could not step back."""
        booking = world.confirmed("2027-06-15 10:00")
        world.clock.set("2027-06-02 03:00")
        with pytest.raises(MovedTooNear) as refused:
            rescheduling.reschedule_booking(booking_id=booking.pk, user=world.mentor, starts_at=utc(start))
        assert refused.value.data == {"earliest": "2027-06-03T03:00:00Z"}
        moved = rescheduling.reschedule_booking(booking_id=booking.pk, user=world.mentor, starts_at=utc("2027-06-03 03:00"))
        assert moved.session.starts_at == utc("2027-06-03 03:00")
        # What is near already may be put off, and the learner may come earlier.
        world.clock.set("2027-06-03 01:00")
        rescheduling.reschedule_booking(booking_id=booking.pk, user=world.mentor, starts_at=utc("2027-06-03 04:00"))
        rescheduling.reschedule_booking(booking_id=booking.pk, user=world.learner, starts_at=utc("2027-06-03 03:30"))

    def test_a_proposal_of_the_mentor(self, world: BookingWorld) -> None:
        booking = world.requested("2027-06-05 10:00")
        requesting.counter_offer(booking_id=booking.pk, mentor=world.mentor, starts_at=utc("2027-06-18 10:00"))
        taken = requesting.accept_counter(booking_id=booking.pk, learner=world.learner)
        assert taken.counted_from == utc("2027-06-18 10:00")
        other = world.requested("2027-06-10 10:00")
        requesting.counter_offer(booking_id=other.pk, mentor=world.mentor, starts_at=utc("2027-06-06 10:00"))
        assert requesting.accept_counter(booking_id=other.pk, learner=world.learner).counted_from == utc("2027-06-10 10:00")

    def test_what_is_moved_before_the_mentor_agreed(self, world: BookingWorld) -> None:
        booking = world.requested("2027-06-15 10:00")
        rescheduling.reschedule_booking(booking_id=booking.pk, user=world.learner, starts_at=utc("2027-06-05 10:00"))
        confirmed = requesting.confirm_booking(booking_id=booking.pk, mentor=world.mentor)
        assert (confirmed.counted_from, confirmed.refund_cap) == (utc("2027-06-05 10:00"), 10_000)

    def test_a_series(self, world: BookingWorld) -> None:
        rows = book_series(world, 2, scheduled_at="2027-06-05T10:00:00Z")
        for row in rows:
            world.pay(row)
            requesting.confirm_booking(booking_id=row.pk, mentor=world.mentor)
        world.turn()
        world.clock.set("2027-06-04 06:00")
        learner = Api().sign_in(world.learner)
        body = {"from_booking_id": str(rows[0].pk), "scheduled_at": "2027-06-08T10:00:00Z"}
        assert learner.post(f"bookings/series/{rows[0].series_id}/reschedule", body).status_code == 200
        # Half of the first was lost already, nothing of the second.
        assert [refund(learner, row.pk) for row in rows] == [2_250, 4_500]
