"""Everything that can happen to bookings, in any order, on a clock that jumps. Hypothesis chooses; invariants are checked after each step."""

from __future__ import annotations

import contextlib
import datetime
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

from django.db import transaction
from django.test import override_settings
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from accounts.models import User
from bookings.enums import AppealState, BookingState, CancellationPolicy, Cause, Side, WaitlistState
from bookings.models import Appeal, Booking, BookingTerms, Room, WaitlistEntry
from bookings.providers import video
from bookings.providers.jitsi import Jitsi
from bookings.services import appealing, cancelling, ending, joining, requesting, rescheduling, rooms, waiting
from bookings.services.hearing import hear_of_stay
from bookings.services.series import book_series
from bookings.tests.daily_peer import stay as reported_stay
from bookings.tests.invariants import check_always, check_settled
from bookings.tests.world import BookingWorld, Clock
from core.errors import DomainError
from mentors.models import MentorProfile, OccupiedTime, Offer
from mentors.services.expanding import Hours
from mentors.services.occupying import block_time, unblock_time
from mentors.services.schedules import Availability, WeeklyRule, set_availability
from payments.services.paying import start_payment
from payments.tests.world import peer_in_force

STEPS = [0]
REACHED: Counter[str] = Counter()
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "America/Santiago", "Asia/Kathmandu")
PRICES = st.sampled_from([(0, "EUR"), (4_500, "EUR"), (4_999, "USD"), (5_001, "JPY"), (12_340, "KWD"), (90_000, "ISK")])
# Weeks in which clocks change in one or the other of these zones, and one in which none does.
STARTS = st.sampled_from(
    ["2027-03-12 08:00", "2027-03-26 08:00", "2027-04-02 08:00", "2027-06-01 08:00", "2027-10-29 08:00", "2027-11-05 08:00"]
)
STEP = st.integers(0, 200)
SIDE = st.booleans()
CHEATS = [f"{side} {act}" for side in ("learner", "mentor") for act in ("stays away", "ends it", "accuses")]
DECISIONS = [state for state in AppealState if state != AppealState.OPEN]


class Reporting(Jitsi):
    """A provider that makes rooms without any call, and whose rooms report who comes."""

    name = "daily"
    reports_attendance = True


class BookingMachine(RuleBasedStateMachine):
    bookings = Bundle("bookings")

    def __init__(self) -> None:
        super().__init__()
        self.outside = contextlib.ExitStack()
        self.outside.enter_context(self._rolled_back())
        self.peer = self.outside.enter_context(peer_in_force())
        self.clock = Clock("2027-06-01 08:00")
        self.outside.enter_context(mock.patch.dict(video._ENGINES, {"daily": Reporting()}))
        self.outside.enter_context(mock.patch.object(timezone, "now", self.clock.now))

    @contextlib.contextmanager
    def _rolled_back(self) -> Iterator[None]:
        with transaction.atomic():
            yield
            transaction.set_rollback(True)

    def teardown(self) -> None:
        try:
            if hasattr(self, "world"):
                self.drain()
        finally:
            self.outside.close()

    @initialize(
        start=STARTS,
        zone=st.sampled_from(ZONES),
        price=PRICES,
        policy=st.sampled_from(list(CancellationPolicy)),
        is_instant=st.booleans(),
        engine=st.sampled_from(["daily", "daily", "jitsi"]),
        limits=st.sampled_from(
            [{}, {"most_per_day": 1}, {"buffer_after_minutes": 15}, {"buffer_before_minutes": 10, "notice_minutes": 120}]
        ),
    )
    def begin(
        self, start: str, zone: str, price: tuple[int, str], policy: str, is_instant: bool, engine: str, limits: dict[str, int]
    ) -> None:
        self.outside.enter_context(override_settings(VIDEO_ENGINE=engine))
        self.clock.set(start)
        make: Callable[[str], User] = lambda name: User.objects.create(email=f"{uuid.uuid4().hex}@example.org", full_name=name)  # noqa: E731
        profile = MentorProfile.objects.create(user=make("Mentor"), state="live", live_since=timezone.now(), headline="x", capacity=50)
        amount, currency = price
        for minutes in (30, 60):
            Offer.objects.create(
                profile=profile, kind="session", title="Talk", duration_minutes=minutes, price_amount=amount, price_currency=currency
            )
        hours = tuple(WeeklyRule(day, Hours(0, 1440)) for day in range(7))
        settings = {"notice_minutes": 0, "horizon_days": 20} | limits
        set_availability(profile=profile, availability=Availability(zone, hours, (), (), settings))
        BookingTerms.objects.create(mentor=profile.user, policy=policy, is_instant=is_instant, package_percent=15)
        self.world = BookingWorld(self.peer, make("Learner"), profile, self.clock, lambda **_: make("Other"))
        self.learners = [self.world.learner, make("Second"), make("Third")]

    @invariant()
    def always(self) -> None:
        if hasattr(self, "world"):
            STEPS[0] += 1
            REACHED.update(Booking.objects.values_list("state", flat=True).distinct())
            check_always()

    # --- Single calls -------------------------------------------------------------------------------------------------------------
    @rule(target=bookings, learner=st.integers(0, 2), step=STEP, minutes=st.sampled_from([30, 60]))
    def book(self, learner: int, step: int, minutes: int) -> Any:
        with self.quiet():
            return self.world.book(self.at(step), learner=self.learners[learner], minutes=minutes).pk
        return multiple()

    @rule(target=bookings, learner=st.integers(0, 2), step=STEP, number=st.integers(2, 3), together=SIDE)
    def book_series(self, learner: int, step: int, number: int, together: bool) -> Any:
        with self.quiet():
            series = book_series(
                learner=self.learners[learner],
                mentor_id=self.world.profile.pk,
                first_at=self.instant(step),
                duration_minutes=60,
                number=number,
                is_paid_together=together,
            )
            return multiple(*series.bookings.order_by("pk").values_list("pk", flat=True))
        return multiple()

    @rule(target=bookings, learner=st.integers(0, 2), step=STEP)
    def paid_together(self, learner: int, step: int) -> Any:
        """Two are booked, paid for together, and confirmed."""
        with self.quiet():
            series = book_series(
                learner=self.learners[learner],
                mentor_id=self.world.profile.pk,
                first_at=self.instant(step),
                duration_minutes=30,
                number=2,
                is_paid_together=True,
            )
            rows = list(series.bookings.order_by("pk"))
            self.world.pay(rows[0])
            for booking in rows:
                with self.quiet():
                    requesting.confirm_booking(booking_id=booking.pk, mentor=self.world.mentor)
            return multiple(*(booking.pk for booking in rows))
        return multiple()

    @rule(learner=st.integers(0, 2), step=STEP, hours=st.sampled_from([1, 4, 48]), minutes=st.sampled_from([30, 60]))
    def wait_in_line(self, learner: int, step: int, hours: int, minutes: int) -> None:
        offer = Offer.objects.get(profile=self.world.profile, duration_minutes=minutes)
        opens_at = self.instant(step)
        window = {"opens_at": opens_at, "closes_at": opens_at + datetime.timedelta(hours=hours)}
        with self.quiet():
            waiting.wait_for_time(learner=self.learners[learner], mentor_id=self.world.profile.pk, offer_id=offer.pk, **window)

    @rule(target=bookings, learner=st.integers(0, 2))
    def take_offer(self, learner: int) -> Any:
        entry = WaitlistEntry.objects.filter(state=WaitlistState.OFFERED, learner=self.learners[learner]).first()
        with self.quiet():
            if entry is not None:
                return waiting.take_offer(booking_id=entry.booking_id, learner=self.learners[learner]).pk
        return multiple()

    @rule(learner=st.integers(0, 2), step=STEP)
    def taken_waited_for_and_given_back(self, learner: int, step: int) -> None:
        """Somebody has a time, another one waits for it, and gets it once it is given back."""
        one, other = self.learners[learner], self.learners[(learner + 1) % 3]
        with self.quiet():
            booking = self.world.book(self.at(step), learner=one)
            offer = Offer.objects.get(profile=self.world.profile, duration_minutes=60)
            window = {"opens_at": self.instant(step), "closes_at": self.instant(step + 2)}
            waiting.wait_for_time(learner=other, mentor_id=self.world.profile.pk, offer_id=offer.pk, **window)
            cancelling.cancel_booking(booking_id=booking.pk, user=one)
            check_always()
            self.world.turn()

    @rule(key=bookings, card=st.sampled_from(["pm_card_visa"] * 3 + ["pm_card_chargeDeclined"]))
    def pay(self, key: uuid.UUID, card: str) -> None:
        booking = Booking.objects.get(pk=key)
        with self.quiet():
            if booking.payment_id is not None:
                start_payment(payment_id=booking.payment_id)
                self.world.confirm(booking.payment, card)

    @rule(key=bookings)
    def confirm(self, key: uuid.UUID) -> None:
        with self.quiet():
            requesting.confirm_booking(booking_id=key, mentor=self.world.mentor)

    @rule(key=bookings)
    def decline(self, key: uuid.UUID) -> None:
        with self.quiet():
            requesting.decline_booking(booking_id=key, mentor=self.world.mentor)

    @rule(key=bookings, step=STEP)
    def counter(self, key: uuid.UUID, step: int) -> None:
        with self.quiet():
            requesting.counter_offer(booking_id=key, mentor=self.world.mentor, starts_at=self.instant(step))

    @rule(key=bookings)
    def accept_counter(self, key: uuid.UUID) -> None:
        with self.quiet():
            requesting.accept_counter(booking_id=key, learner=Booking.objects.get(pk=key).learner)

    @rule(key=bookings, is_mentor=SIDE)
    def cancel(self, key: uuid.UUID, is_mentor: bool) -> None:
        """The quote is what comes back."""
        booking = Booking.objects.select_related("session").get(pk=key)
        user = self.party(booking, is_mentor)
        with self.quiet():
            quote = cancelling.cancellation_quote(booking=booking, user=user)
            cancelling.cancel_booking(booking_id=key, user=user, expected_refund=quote.refund.amount)
            assert Booking.objects.get(pk=key).refund_amount == quote.refund.amount

    @rule(key=bookings, is_mentor=SIDE, step=STEP)
    def reschedule(self, key: uuid.UUID, is_mentor: bool, step: int) -> None:
        booking = Booking.objects.select_related("session").get(pk=key)
        length = booking.session.ends_at - booking.session.starts_at
        with self.quiet():
            rescheduling.reschedule_booking(booking_id=key, user=self.party(booking, is_mentor), starts_at=self.instant(step))
        booking.session.refresh_from_db()
        assert booking.session.ends_at - booking.session.starts_at == length

    @rule(step=STEP)
    def block(self, step: int) -> None:
        start = self.instant(step)
        block_time(person=self.world.mentor, starts_at=start, ends_at=start + datetime.timedelta(hours=2))

    @rule()
    def unblock(self) -> None:
        row = OccupiedTime.objects.filter(source="block").first()
        if row is not None:
            unblock_time(block=row)

    # --- What people say about a session, honest or not ---------------------------------------------------------------------------
    @rule(key=bookings, is_mentor=SIDE, late=st.integers(-9, 70), minutes=st.sampled_from([5, 30, 55]), is_whole=SIDE)
    def attend(self, key: uuid.UUID, is_mentor: bool, late: int, minutes: int, is_whole: bool) -> None:
        """The provider reports a stay: both ends or the arrival alone, in any order, and twice."""
        rooms.look_after_rooms()
        booking = Booking.objects.select_related("session").get(pk=key)
        joined_at = booking.session.starts_at + datetime.timedelta(minutes=late)
        room = Room.objects.filter(session=booking.session_id).first()
        if room is None or booking.confirmed_at is None or joined_at > self.clock.now():
            return
        person = self.party(booking, is_mentor)
        stay = {"joined": joined_at.timestamp(), "session": f"{person.pk} {late}"}
        seconds = (min(joined_at + datetime.timedelta(minutes=minutes), self.clock.now()) - joined_at).total_seconds()
        if is_whole:
            hear_of_stay(event=reported_stay(room.name, person.pk, seconds=seconds, **stay))
        for _ in range(2):
            hear_of_stay(event=reported_stay(room.name, person.pk, **stay))

    @rule(key=bookings, is_mentor=SIDE)
    def open_the_link_only(self, key: uuid.UUID, is_mentor: bool) -> None:
        """Nobody enters: that proves nothing."""
        booking = Booking.objects.select_related("session").get(pk=key)
        with self.quiet():
            joining.join_session(booking=booking, user=self.party(booking, is_mentor))

    @rule(key=bookings, is_mentor=SIDE)
    def app_says_that_i_am_in(self, key: uuid.UUID, is_mentor: bool) -> None:
        """Stays that never happened."""
        booking = Booking.objects.select_related("session").get(pk=key)
        with self.quiet():
            joining.record_app_stay(booking=booking, user=self.party(booking, is_mentor), is_leaving=False)

    @rule(key=bookings, is_mentor=SIDE)
    def complete(self, key: uuid.UUID, is_mentor: bool) -> None:
        booking = Booking.objects.select_related("session").get(pk=key)
        with self.quiet():
            ending.complete_booking(booking_id=key, user=self.party(booking, is_mentor))

    @rule(key=bookings, is_mentor=SIDE, is_own=st.sampled_from([False, False, True]))
    def report_no_show(self, key: uuid.UUID, is_mentor: bool, is_own: bool) -> None:
        booking = Booking.objects.select_related("session").get(pk=key)
        with self.quiet():
            ending.report_no_show(booking_id=key, user=self.party(booking, is_mentor), is_own=is_own)

    @rule(key=bookings, is_mentor=SIDE, times=st.integers(1, 3))
    def appeal(self, key: uuid.UUID, is_mentor: bool, times: int) -> None:
        """Contested, also again and again."""
        booking = Booking.objects.select_related("session").get(pk=key)
        for _ in range(times):
            with self.quiet():
                appealing.appeal(booking_id=key, user=self.party(booking, is_mentor), text="I was there.")

    @rule(key=bookings, cheat=st.sampled_from(CHEATS), minutes=st.sampled_from([0, 11, 61, 96, 1_500]), is_contested=SIDE)
    def cheat(self, key: uuid.UUID, cheat: str, minutes: int, is_contested: bool) -> None:
        """One side stays away, or leaves at once, and tries to gain by it: by the link, its app, an ending, or a report; then time passes."""
        booking = Booking.objects.select_related("session").get(pk=key)
        if booking.state != BookingState.CONFIRMED or booking.session.ends_at <= self.clock.now():
            return
        is_mentor = cheat.startswith("mentor")
        self.clock.shown = max(self.clock.now(), booking.session.starts_at)
        self.open_the_link_only(key, is_mentor)
        self.app_says_that_i_am_in(key, is_mentor)
        self.clock.ahead(minutes=minutes)
        if cheat.endswith("ends it"):
            self.complete(key, is_mentor)
        elif cheat.endswith("accuses"):
            self.report_no_show(key, is_mentor, False)
        check_always()
        victim = self.party(booking, not is_mentor)
        booking = Booking.objects.select_related("session").get(pk=key)
        if self.clock.now() < booking.session.ends_at:
            assert joining.join_session(booking=booking, user=victim).meeting_url, "nobody is shut out by what the other side says"
        if is_contested:
            self.appeal(key, not is_mentor, 2)
            self.clock.ahead(minutes=2_880)
        self.world.turn()

    @rule(learner=st.integers(0, 2), step=STEP, number=st.integers(2, 3), times=st.sampled_from([1, 16]))
    def hold_without_paying(self, learner: int, step: int, number: int, times: int) -> None:
        """A learner holds as much of a mentor's time as they can without paying."""
        for each in range(times):
            with self.quiet():
                book_series(
                    learner=self.learners[learner],
                    mentor_id=self.world.profile.pk,
                    first_at=self.instant(step + 3 * each),
                    duration_minutes=30,
                    number=number,
                    is_paid_together=False,
                )

    @rule(state=st.sampled_from(DECISIONS))
    def decide(self, state: AppealState) -> None:
        row = Appeal.objects.filter(state=AppealState.OPEN).first()
        if row is not None:
            staff = self.learners[0] if row.booking.learner_id != self.learners[0].pk else self.learners[1]
            with self.quiet():
                appealing.decide_appeal(row=row, staff=staff, state=state, note="")

    @rule(key=bookings)
    def call_off(self, key: uuid.UUID) -> None:
        cancelling.call_off(booking_id=key, side=Side.PLATFORM, cause=Cause.CANCELLED)

    @rule(minutes=st.sampled_from([1, 14, 15, 16, 45, 60, 240, 1_439, 1_440, 2_880]))
    def wait(self, minutes: int) -> None:
        self.clock.ahead(minutes=minutes)

    @rule()
    def work(self) -> None:
        """What workers and beat do."""
        self.world.turn()
        check_settled()

    # --- Journeys -----------------------------------------------------------------------------------------------------------------
    @rule(target=bookings, learner=st.integers(0, 2), step=STEP)
    def confirmed(self, learner: int, step: int) -> Any:
        """Booked, paid for and confirmed."""
        with self.quiet():
            booking = self.world.book(self.at(step), learner=self.learners[learner])
            if booking.state == BookingState.HELD:
                self.world.pay(booking)
            booking.refresh_from_db()
            if booking.state == BookingState.REQUESTED:
                requesting.confirm_booking(booking_id=booking.pk, mentor=self.world.mentor)
            return booking.pk
        return multiple()

    @rule(key=bookings, who=st.sampled_from(["both", "mentor", "learner"]))
    def come_in(self, key: uuid.UUID, who: str) -> None:
        """The time of a session comes, and some are in the room: what follows happens while it goes on."""
        booking = Booking.objects.select_related("session").get(pk=key)
        if booking.state == BookingState.CONFIRMED and booking.session.ends_at > self.clock.now():
            people = {
                "both": [self.world.mentor, booking.learner],
                "mentor": [self.world.mentor],
                "learner": [booking.learner],
                "nobody": [],
            }
            self.clock.shown = max(self.clock.now(), booking.session.starts_at)
            rooms.look_after_rooms()
            self.world.attended(booking, *people[who])
            self.world.turn()

    @rule(key=bookings, who=st.sampled_from(["both", "mentor", "learner", "nobody"]))
    def take_place(self, key: uuid.UUID, who: str) -> None:
        """The time of a session comes; some are there; a day passes."""
        self.come_in(key, who)
        booking = Booking.objects.select_related("session").get(pk=key)
        if booking.state in (BookingState.CONFIRMED, BookingState.IN_SESSION) and booking.session.starts_at <= self.clock.now():
            for hours in (1, 26, 51):
                self.clock.shown = booking.session.ends_at + datetime.timedelta(hours=hours)
                self.world.turn()

    # --- Means --------------------------------------------------------------------------------------------------------------------
    def instant(self, step: int) -> datetime.datetime:
        """A half hour of the next four days."""
        now = self.clock.now()
        first = now.replace(minute=0, second=0, microsecond=0) + datetime.timedelta(minutes=30)
        return first + step * datetime.timedelta(minutes=30)

    def at(self, step: int) -> str:
        return self.instant(step).strftime("%Y-%m-%d %H:%M")

    def party(self, booking: Booking, is_mentor: bool) -> User:
        return self.world.mentor if is_mentor else booking.learner

    def quiet(self) -> Any:
        """What was refused changed nothing, and that is checked by the invariants."""
        return contextlib.suppress(DomainError)

    def drain(self) -> None:
        """Everything that was begun comes to its end."""
        for _ in range(4):
            self.clock.ahead(days=9)
            self.world.turn()
            while (row := Appeal.objects.filter(state=AppealState.OPEN).first()) is not None:
                appealing.decide_appeal(
                    row=row, staff=User.objects.create(email=f"{uuid.uuid4().hex}@example.org"), state=AppealState.NOBODY_CAME, note=""
                )
        self.world.turn()
        check_always()
        check_settled()
        live = Booking.objects.live().values_list("state", flat=True)
        assert list(live) == [], "nothing is left open"
        unsettled = Booking.objects.filter(settled_at__isnull=True).exclude(payment__isnull=True)
        assert not unsettled.exists(), list(unsettled.values_list("state", "settle_at", "payment__state"))
