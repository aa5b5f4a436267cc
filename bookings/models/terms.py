from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from bookings.enums import CancellationPolicy, ReminderKind
from bookings.models.bookings import Booking
from core.models import BaseModel

USUAL_REMINDERS = (24 * 60, 60, 10)
MOST_PACKAGE_PERCENT = 50
MOST_REMINDERS, SOONEST_REMINDER, EARLIEST_REMINDER = 5, 5, 7 * 24 * 60


def usual_reminders() -> list[int]:
    return list(USUAL_REMINDERS)


class BookingTerms(BaseModel):
    """How a mentor takes bookings from now on. A booking keeps the terms under which it was made."""

    mentor = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="booking_terms")
    is_instant = models.BooleanField(default=False, help_text="Booked without being asked first.")
    policy = models.CharField(max_length=10, choices=CancellationPolicy, default=CancellationPolicy.STANDARD)
    package_percent = models.PositiveSmallIntegerField(
        default=0,
        validators=[MaxValueValidator(MOST_PACKAGE_PERCENT)],
        help_text="So much less does a session cost that is paid for together with others.",
    )

    class Meta:
        verbose_name_plural = "booking terms"
        ordering = ("-id",)
        constraints = (models.CheckConstraint(condition=Q(package_percent__lte=MOST_PACKAGE_PERCENT), name="package_costs_something"),)

    def __str__(self) -> str:
        return f"{self.policy} of {self.mentor_id}"


class ReminderChoice(BaseModel):
    """How many minutes before a session somebody wants to be reminded; an empty list is never."""

    person = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="reminder_choice")
    minutes = ArrayField(
        models.PositiveIntegerField(validators=[MinValueValidator(SOONEST_REMINDER), MaxValueValidator(EARLIEST_REMINDER)]),
        default=usual_reminders,
        blank=True,
        size=MOST_REMINDERS,
    )

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.minutes} of {self.person_id}"


class Reminder(BaseModel):
    """Somebody is to be reminded at an instant: of a session, or of paying for one in time."""

    booking = models.ForeignKey(Booking, on_delete=models.CASCADE, related_name="reminders")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=7, choices=ReminderKind, default=ReminderKind.SESSION)
    minutes_before = models.PositiveIntegerField(help_text="Before the session, or before the last moment to pay.")
    due_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("due_at", "id")
        constraints = (models.UniqueConstraint(fields=("booking", "person", "kind", "minutes_before"), name="one_reminder_of_a_kind"),)
        indexes = (models.Index(fields=("due_at",), condition=Q(told_at__isnull=True), name="reminder_due"),)

    def __str__(self) -> str:
        return f"{self.minutes_before} minutes before {self.booking_id}"
