"""A small world for tests of bookings: two people, a clock, the peer of Stripe, and what the workers do."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable
from typing import Any

from accounts.enums import GuardianshipState
from accounts.models import Guardianship, User
from bookings.enums import AttendanceSource
from bookings.models import Booking
from bookings.services import attending, ending, expiring, reminding, requesting, settling, waiting
from bookings.services import booking as making
from core.events import run_delivery
from core.models import DeliveryState, EventDelivery
from mentors.models import MentorProfile
from mentors.services.occupying import expire_holds
from mentors.services.requests import expire_requests
from payments.services.paying import start_payment
from payments.tests.world import World


class Clock:
    """What the product takes for now. It stands still until it is moved."""

    def __init__(self, text: str) -> None:
        self.shown = utc(text)

    def now(self) -> datetime.datetime:
        return self.shown

    def set(self, text: str) -> None:
        self.shown = utc(text)

    def ahead(self, **parts: int) -> None:
        self.shown += datetime.timedelta(**parts)


def utc(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC)


class BookingWorld(World):
    """The world of payments, in which a mentor with a schedule is booked."""

    def __init__(self, peer: Any, learner: User, profile: MentorProfile, clock: Clock, make_user: Callable[..., User]) -> None:
        super().__init__(peer, learner, profile.user)
        self.learner, self.profile, self.clock, self.make_user = learner, profile, clock, make_user

    def book(self, at: str = "2027-06-05 10:00", *, learner: User | None = None, minutes: int = 60, **options: Any) -> Booking:
        return making.book_session(
            learner=learner or self.learner, mentor_id=self.profile.pk, starts_at=utc(at), duration_minutes=minutes, **options
        )

    def pay(self, booking: Booking, card: str = "pm_card_visa") -> Booking:
        """The learner pays at the provider, and what follows happens."""
        start_payment(payment_id=booking.payment_id)
        self.confirm(booking.payment, card)
        self.turn()
        booking.refresh_from_db()
        return booking

    def requested(self, at: str = "2027-06-05 10:00", **options: Any) -> Booking:
        return self.pay(self.book(at, **options))

    def confirmed(self, at: str = "2027-06-05 10:00", **options: Any) -> Booking:
        booking = self.requested(at, **options)
        requesting.confirm_booking(booking_id=booking.pk, mentor=self.mentor)
        self.turn()
        booking.refresh_from_db()
        return booking

    def other(self) -> User:
        """Somebody else who may book."""
        return self.make_user(full_name="Otto Other")

    def ward(self) -> tuple[User, User]:
        """Somebody of 15 years, and their guardian."""
        now = self.clock.now()
        ward, guardian = (
            self.make_user(birth_date=now.date() - datetime.timedelta(days=years * 366), full_name=name)
            for years, name in ((15, "Kim Ward"), (40, "Gil Guardian"))
        )
        Guardianship.objects.create(ward=ward, guardian=guardian, state=GuardianshipState.ACTIVE, accepted_at=now)
        return ward, guardian

    def attended(self, booking: Booking, *people: User, source: AttendanceSource = AttendanceSource.PROVIDER) -> None:
        """These were in the room for the whole session."""
        for person in people:
            attending.record_stay(
                session_id=booking.session_id,
                person_id=person.pk,
                source=source,
                key=str(uuid.uuid4()),
                joined_at=booking.session.starts_at,
                left_at=booking.session.ends_at,
            )

    def turn(self) -> None:
        """Everything that workers and beat would do now, until nothing is left."""
        for _ in range(30):
            self.hear()
            worked = self._deliver() + expiring.expire_bookings() + expire_holds() + expire_requests()
            worked += waiting.look_for_waiting() + ending.begin_sessions() + settling.settle_due() + reminding.tell_due_reminders()
            if not worked + ending.end_sessions() + ending.finalise_endings():
                return
        raise AssertionError("the work never ends")

    def _deliver(self) -> int:
        """The events that bookings listen to; what others make of them is theirs to test."""
        ids = list(
            EventDelivery.objects.filter(state=DeliveryState.PENDING, handler__startswith="bookings.")
            .order_by("pk")
            .values_list("pk", flat=True)
        )
        for key in ids:
            run_delivery(key)
            assert EventDelivery.objects.get(pk=key).state == DeliveryState.DONE, EventDelivery.objects.get(pk=key).last_error
        return len(ids)
