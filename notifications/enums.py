from __future__ import annotations

from django.db.models import IntegerChoices, TextChoices


class Cadence(TextChoices):
    AT_ONCE = "at_once", "each at once"
    HOURLY = "hourly", "together, every hour"
    DAILY = "daily", "together, every day"
    WEEKLY = "weekly", "together, every week"


class Weekday(IntegerChoices):
    """As `datetime.date.weekday` counts them."""

    MONDAY = 0, "Monday"
    TUESDAY = 1, "Tuesday"
    WEDNESDAY = 2, "Wednesday"
    THURSDAY = 3, "Thursday"
    FRIDAY = 4, "Friday"
    SATURDAY = 5, "Saturday"
    SUNDAY = 6, "Sunday"
