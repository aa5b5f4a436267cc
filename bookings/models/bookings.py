from __future__ import annotations

import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.expressions import CombinedExpression
from django.utils import timezone

from bookings.enums import (
    CONCLUDED_STATES,
    LIVE_STATES,
    PLACED_STATES,
    WAITING_STATES,
    BookingState,
    CancellationPolicy,
    Cause,
    EndingBasis,
    SessionState,
    Side,
)
from bookings.querysets import BookingQuerySet
from core.models import BaseModel
from core.money import Money, validate_currency
from mentors.enums import OfferKind
from mentors.models import Offer
from mentors.models.profiles import LARGEST_GROUP, LONGEST_SESSION, SHORTEST_SESSION
from payments.enums import RefundReason
from payments.models import Payment

LONGEST_TOPIC = 500
# In basis points.
WHOLE_SHARE = 10_000


class Session(BaseModel):
    """A time at which a mentor meets one person, or several. Its id is the reference under which `mentors` keeps the time occupied."""

    mentor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="sessions_given")
    kind = models.CharField(max_length=15, choices=OfferKind)
    title = models.CharField(max_length=100, help_text="As it was offered.")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    duration_minutes = models.PositiveSmallIntegerField()
    mentor_zone = models.CharField(max_length=64, help_text="Of the mentor when it was booked.")
    sequence = models.PositiveIntegerField(default=0, help_text="Of its entry in calendars; raised by each move and by a cancel.")
    seats = models.PositiveSmallIntegerField(default=1)
    # Of a session for several, which is announced before anybody has booked it.
    offer = models.ForeignKey(Offer, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    fewest = models.PositiveSmallIntegerField(default=1, help_text="With fewer people a day before, it is called off.")
    price_amount = models.BigIntegerField(null=True, blank=True, help_text="Of a seat.")
    price_currency = models.CharField(max_length=3, blank=True, default="", validators=[validate_currency])
    policy = models.CharField(max_length=10, choices=CancellationPolicy, blank=True, default="")
    kept_until = models.DateTimeField(null=True, blank=True, help_text="Until then free seats are for those who wait.")
    cancelled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-starts_at", "-id")
        constraints = (
            models.CheckConstraint(
                condition=Q(
                    ends_at=F("starts_at")
                    + CombinedExpression(
                        F("duration_minutes"), "*", Value(datetime.timedelta(minutes=1)), output_field=models.DurationField()
                    )
                ),
                name="session_lasts_as_long_as_it_says",
            ),
            models.CheckConstraint(
                condition=Q(duration_minutes__gte=SHORTEST_SESSION, duration_minutes__lte=LONGEST_SESSION),
                name="session_length_is_sensible",
            ),
            models.CheckConstraint(
                condition=Q(kind=OfferKind.GROUP, seats__gte=2, seats__lte=LARGEST_GROUP) | ~Q(kind=OfferKind.GROUP) & Q(seats=1),
                name="only_groups_have_more_seats",
            ),
            models.CheckConstraint(condition=Q(fewest__gte=1, fewest__lte=F("seats")), name="fewest_can_be_had"),
            models.CheckConstraint(
                condition=~Q(kind=OfferKind.GROUP) | Q(price_amount__gte=0) & ~Q(policy=""), name="a_group_has_its_terms"
            ),
        )
        indexes = (
            models.Index(fields=("mentor", "starts_at"), name="session_of_mentor"),
            models.Index(fields=("starts_at",), name="session_by_start"),
            models.Index(fields=("starts_at",), condition=Q(kind=OfferKind.GROUP, cancelled_at__isnull=True), name="group_session_ahead"),
        )

    def __str__(self) -> str:
        return f"{self.title} {self.starts_at:%Y-%m-%d %H:%M}"

    @property
    def state(self) -> SessionState:
        if self.cancelled_at is not None:
            return SessionState.CANCELLED
        now = timezone.now()
        return SessionState.AHEAD if now < self.starts_at else SessionState.RUNNING if now < self.ends_at else SessionState.OVER

    @property
    def is_group(self) -> bool:
        return self.kind == OfferKind.GROUP


class Series(BaseModel):
    """Sessions every so many weeks at the same time by the mentor's clock. Each is a booking of its own; with a payment, they are paid for
    together, and each booking has its part of the price."""

    mentor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="series_given")
    learner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="series")
    zone = models.CharField(max_length=64, help_text="By whose clock the time stays the same.")
    every_weeks = models.PositiveSmallIntegerField(default=1)
    payment = models.OneToOneField(
        Payment,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="series",
        help_text="Of all its sessions, where they are paid for together.",
    )

    class Meta:
        verbose_name_plural = "series"
        ordering = ("-id",)
        constraints = (models.CheckConstraint(condition=Q(every_weeks__gte=1, every_weeks__lte=8), name="a_series_has_a_rhythm"),)
        indexes = (models.Index(fields=("learner", "-id"), name="series_of_learner"),)

    def __str__(self) -> str:
        return f"every {self.every_weeks} weeks, {self.pk}"


class Booking(BaseModel):
    """One person's place in a session, from the first click to the last cent. Its id, price and policy never change.

    `state` moves along `enums.MOVES`; each move, and each change of time, has a row in `BookingMove` and raises `version`. Amounts are
    minor units of `price_currency`.
    """

    session = models.ForeignKey(Session, on_delete=models.PROTECT, related_name="bookings")
    learner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="bookings")
    offer = models.ForeignKey(Offer, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    seat = models.PositiveSmallIntegerField(default=1)
    series = models.ForeignKey(Series, on_delete=models.PROTECT, null=True, blank=True, related_name="bookings")
    state = models.CharField(max_length=22, choices=BookingState)
    version = models.PositiveIntegerField(default=1)
    topic = models.CharField(max_length=LONGEST_TOPIC, blank=True, default="", help_text="What the learner wants to talk about.")
    learner_zone = models.CharField(max_length=64, help_text="Of the learner when it was booked.")
    is_instant = models.BooleanField(default=False, help_text="It needed no answer of the mentor.")

    price_amount = models.BigIntegerField()
    price_currency = models.CharField(max_length=3, validators=[validate_currency])
    policy = models.CharField(max_length=10, choices=CancellationPolicy)
    counted_from = models.DateTimeField(help_text="The start by which the policy counts its hours: the latest that was agreed.")
    refund_cap = models.PositiveSmallIntegerField(
        default=WHOLE_SHARE, help_text="Basis points: no more comes back to a learner, who had lost the rest when they moved it."
    )
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, null=True, blank=True, related_name="bookings")
    refund_amount = models.BigIntegerField(null=True, blank=True, help_text="What the learner gets back, once that is decided.")
    refund_reason = models.CharField(max_length=15, choices=RefundReason, blank=True, default="")
    settle_at = models.DateTimeField(null=True, blank=True, help_text="When the money is divided.")
    look_again_at = models.DateTimeField(null=True, blank=True, help_text="It could not be divided then; it is tried again.")
    settled_at = models.DateTimeField(null=True, blank=True)

    expires_at = models.DateTimeField(null=True, blank=True, help_text="Until then it is to be paid for, or answered.")
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    proposed_at = models.DateTimeField(null=True, blank=True, help_text="The other time that the mentor proposed.")
    free_until = models.DateTimeField(null=True, blank=True, help_text="The mentor moved it: until then all comes back.")
    moves_by_learner = models.PositiveSmallIntegerField(default=0)
    moves_by_mentor = models.PositiveSmallIntegerField(default=0)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True, help_text="When it came to an end of any kind.")
    # How the session went: see docs/decisions/0022.
    asked_at = models.DateTimeField(null=True, blank=True, help_text="When both were asked how it went.")
    contest_until = models.DateTimeField(null=True, blank=True, help_text="Until then either side may contest what is said about it.")
    basis = models.CharField(max_length=7, choices=EndingBasis, blank=True, default="", help_text="Why it counts as held or missed.")
    final_at = models.DateTimeField(null=True, blank=True, help_text="From then on nobody can contest how it went.")

    objects = BookingQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(fields=("session", "seat"), condition=Q(state__in=PLACED_STATES), name="one_booking_per_seat"),
            models.UniqueConstraint(fields=("session", "learner"), condition=Q(state__in=PLACED_STATES), name="one_seat_per_learner"),
            models.CheckConstraint(condition=Q(price_amount__gte=0), name="a_price_is_not_negative"),
            models.CheckConstraint(condition=Q(refund_cap__lte=WHOLE_SHARE), name="refund_cap_is_a_share"),
            models.CheckConstraint(
                condition=Q(refund_amount__isnull=True) | Q(refund_amount__gte=0, refund_amount__lte=F("price_amount")),
                name="no_more_comes_back_than_was_paid",
            ),
            models.CheckConstraint(
                condition=Q(state__in=WAITING_STATES, expires_at__isnull=False)
                | ~Q(state__in=WAITING_STATES) & Q(expires_at__isnull=True, proposed_at__isnull=True),
                name="what_waits_has_an_end",
            ),
            models.CheckConstraint(
                condition=Q(state__in=LIVE_STATES, ended_at__isnull=True) | ~Q(state__in=LIVE_STATES) & Q(ended_at__isnull=False),
                name="what_ended_says_when",
            ),
            models.CheckConstraint(
                condition=Q(settled_at__isnull=True) | Q(refund_amount__isnull=False, ended_at__isnull=False),
                name="money_is_divided_at_the_end",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=CONCLUDED_STATES) | ~Q(basis="") & (Q(contest_until__isnull=False) | Q(final_at__isnull=False)),
                name="an_ending_says_why",
            ),
            models.CheckConstraint(
                condition=Q(final_at__isnull=True) | Q(state__in=CONCLUDED_STATES), name="only_how_a_session_went_is_final"
            ),
            models.CheckConstraint(
                condition=Q(final_at__isnull=True)
                | Q(basis__in=(EndingBasis.AGREED, EndingBasis.STAFF))
                | Q(contest_until__isnull=False, final_at__gte=F("contest_until")),
                name="an_ending_is_final_once_it_could_be_contested",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=CONCLUDED_STATES)
                | Q(settle_at__isnull=True)
                | Q(final_at__isnull=False, settle_at__gte=F("final_at")),
                name="no_money_moves_before_an_ending_is_final",
            ),
        )
        indexes = (
            models.Index(fields=("learner", "-id"), name="booking_of_learner"),
            models.Index(fields=("session",), name="booking_of_session"),
            models.Index(fields=("series",), condition=Q(series__isnull=False), name="booking_of_series"),
            models.Index(fields=("payment",), condition=Q(payment__isnull=False), name="booking_of_payment"),
            models.Index(fields=("expires_at",), condition=Q(expires_at__isnull=False), name="booking_to_expire"),
            models.Index(fields=("settle_at",), condition=Q(settled_at__isnull=True, settle_at__isnull=False), name="booking_to_settle"),
            models.Index(fields=("session", "state"), condition=Q(state__in=("confirmed", "in_session")), name="booking_to_end"),
            models.Index(
                fields=("contest_until",), condition=Q(contest_until__isnull=False, final_at__isnull=True), name="booking_to_decide"
            ),
        )

    def __str__(self) -> str:
        return f"{self.state} {self.pk}"

    @property
    def price(self) -> Money:
        return Money(self.price_amount, self.price_currency)

    @property
    def is_live(self) -> bool:
        return self.state in LIVE_STATES


class BookingMove(BaseModel):
    """What happened to a booking, by whom, why and when. Rows are never changed, and no state changes without one."""

    booking = models.ForeignKey(Booking, on_delete=models.CASCADE, related_name="history")
    version = models.PositiveIntegerField()
    from_state = models.CharField(max_length=22, choices=BookingState, blank=True)
    to_state = models.CharField(max_length=22, choices=BookingState)
    moved_at = models.DateTimeField()
    starts_at = models.DateTimeField(help_text="Of the session from then on.")
    side = models.CharField(max_length=8, choices=Side)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    cause = models.CharField(max_length=16, choices=Cause)
    note = models.CharField(max_length=500, blank=True, default="", help_text="In the words of who did it, for both sides.")

    class Meta:
        ordering = ("booking", "version")
        constraints = (models.UniqueConstraint(fields=("booking", "version"), name="one_move_per_version"),)

    def __str__(self) -> str:
        return f"{self.booking_id} {self.version}: {self.to_state}"
