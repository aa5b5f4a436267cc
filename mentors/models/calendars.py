from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from core.models import BaseModel
from mentors.enums import CalendarKind


class OutsideCalendar(BaseModel):
    """A calendar elsewhere that keeps its owner busy. Its address is a secret as good as a password, so both are stored sealed."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="outside_calendars")
    kind = models.CharField(max_length=8, choices=CalendarKind)
    name = models.CharField(max_length=100)
    host = models.CharField(max_length=255, help_text="Of the address, to tell one calendar from another.")
    sealed_address = models.TextField()
    username = models.CharField(max_length=200, blank=True, default="")
    sealed_password = models.TextField(blank=True, default="")
    version = models.CharField(max_length=300, blank=True, default="", help_text="ETag or CTag of what was read last.")
    read_at = models.DateTimeField(null=True, blank=True, help_text="When it was last read as a whole.")
    fresh_at = models.DateTimeField(null=True, blank=True, help_text="When the other side last said how it is; empty until it is read.")
    due_at = models.DateTimeField(default=timezone.now)
    failure = models.CharField(max_length=20, blank=True, default="", help_text="Why the last attempt failed.")
    failures = models.PositiveSmallIntegerField(default=0, help_text="In a row.")
    told_stale_at = models.DateTimeField(null=True, blank=True)
    problems = models.JSONField(default=list, blank=True, help_text="What was not understood and counts as busy.")

    class Meta:
        ordering = ("id",)
        constraints = (
            models.CheckConstraint(
                condition=Q(kind=CalendarKind.CALDAV) & ~Q(username="") | Q(kind=CalendarKind.ICS, username="", sealed_password=""),
                name="caldav_has_its_user",
            ),
        )
        indexes = (
            models.Index(fields=("due_at",), name="outside_calendar_due"),
            models.Index(fields=("fresh_at",), condition=Q(told_stale_at__isnull=True), name="outside_calendar_stale"),
        )

    def __str__(self) -> str:
        return f"{self.name} on {self.host}"


class CalendarLink(BaseModel):
    """The secret address under which a person's own calendar program reads what they have here. A new one ends the old one."""

    person = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="calendar_link")
    sealed_token = models.TextField()
    token_digest = models.CharField(max_length=64, unique=True)
    rotated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return str(self.person_id)
