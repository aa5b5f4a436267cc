from __future__ import annotations

import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts.querysets import OwnedQuerySet
from core.models import BaseModel
from core.wall_time import Weekday
from notifications.enums import Cadence, Channel


class Preferences(BaseModel):
    """When a person wants to be told things. Times are those on their wall, in the time zone of their account; who has no row has the
    defaults."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notification_preferences")
    quiet_from = models.TimeField(null=True, blank=True)
    quiet_until = models.TimeField(null=True, blank=True, help_text="On the next day where it is not after the start.")
    cadence = models.CharField(max_length=7, choices=Cadence, default=Cadence.AT_ONCE)
    digest_at = models.TimeField(default=datetime.time(8), help_text="For daily and weekly digests.")
    digest_on = models.PositiveSmallIntegerField(choices=Weekday, default=Weekday.MONDAY, help_text="For weekly digests.")
    urgent_breaks_through = models.BooleanField(default=False, help_text="Whether what is about to happen may be told in quiet hours.")

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        verbose_name_plural = "preferences"
        constraints = (
            models.CheckConstraint(
                condition=Q(quiet_from__isnull=True, quiet_until__isnull=True)
                | ~Q(quiet_from=F("quiet_until")) & Q(quiet_from__isnull=False) & Q(quiet_until__isnull=False),
                name="quiet_hours_have_a_start_and_an_end",
            ),
            models.CheckConstraint(condition=Q(digest_on__lte=Weekday.SUNDAY), name="digest_on_a_weekday"),
        )

    def __str__(self) -> str:
        return f"of {self.user_id}"


class Choice(BaseModel):
    """That a person wants, or does not want, to be told of a topic on a channel; without a row the kind's own default holds."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    topic = models.CharField(max_length=40)
    channel = models.CharField(max_length=5, choices=Channel)
    is_wanted = models.BooleanField()

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        constraints = (models.UniqueConstraint(fields=("user", "topic", "channel"), name="one_choice_per_topic_and_channel"),)

    def __str__(self) -> str:
        return f"{self.topic} by {self.channel}"
