from __future__ import annotations

import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from bookings.enums import AttendanceSource, RoomState
from bookings.models.bookings import Session
from core.models import BaseModel

# Rooms open this long before the start of a session, and stay open this long after its end.
OPENS_BEFORE = datetime.timedelta(minutes=10)
CLOSES_AFTER = datetime.timedelta(minutes=30)


class Room(BaseModel):
    """The video room of a session. Its name is random; it is made shortly before and deleted afterwards."""

    session = models.OneToOneField(Session, on_delete=models.CASCADE, related_name="room")
    name = models.CharField(max_length=64, unique=True)
    provider = models.CharField(max_length=10, blank=True, default="", help_text="Where it was made.")
    url = models.URLField(max_length=300, blank=True, default="")
    state = models.CharField(max_length=8, choices=RoomState, default=RoomState.PLANNED)
    opens_at = models.DateTimeField()
    closes_at = models.DateTimeField()
    due_at = models.DateTimeField(help_text="When it is to be made, or else to be deleted.")
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        ordering = ("-id",)
        constraints = (models.CheckConstraint(condition=Q(opens_at__lt=F("closes_at")), name="a_room_closes_after_it_opens"),)
        indexes = (models.Index(fields=("due_at",), condition=~Q(state=RoomState.CLOSED), name="room_due"),)

    def __str__(self) -> str:
        return f"{self.state} {self.session_id}"


class Attendance(BaseModel):
    """Somebody was in a room from one instant to another, as one source says. Events may come twice and in any order; those of one stay
    share its key."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="attendances")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    source = models.CharField(max_length=8, choices=AttendanceSource)
    key = models.CharField(max_length=100, help_text="Of the stay, as its source names it.")
    joined_at = models.DateTimeField(null=True, blank=True)
    left_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("session", "joined_at")
        constraints = (
            models.UniqueConstraint(fields=("session", "person", "source", "key"), name="one_row_per_stay"),
            models.CheckConstraint(condition=Q(joined_at__isnull=False) | Q(left_at__isnull=False), name="a_stay_has_one_end_at_least"),
        )

    def __str__(self) -> str:
        return f"{self.person_id} {self.joined_at} to {self.left_at}"


class Removal(BaseModel):
    """Somebody may not come into the room of a session any more, though they may have a token that lets them in."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="removals")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    due_at = models.DateTimeField(null=True, blank=True, help_text="When the provider is to be told; empty once it knows.")

    class Meta:
        ordering = ("-id",)
        constraints = (models.UniqueConstraint(fields=("session", "person"), name="one_removal_per_person"),)
        indexes = (models.Index(fields=("due_at",), condition=Q(due_at__isnull=False), name="removal_due"),)

    def __str__(self) -> str:
        return f"{self.person_id} {self.session_id}"
