from django.utils.translation import gettext_lazy as _

from core.errors import Conflict, InvalidInput, NotFound


class InvalidSchedule(InvalidInput):
    code = "invalid_schedule"
    message = _("These hours cannot be kept.")


class SlotUnavailable(Conflict):
    code = "slot_unavailable"
    message = _("This time cannot be booked.")


class ClaimGone(NotFound):
    code = "claim_gone"
    message = _("Nothing is booked under this reference any more.")


class TooManyCalendars(Conflict):
    code = "too_many_calendars"
    message = _("You have as many calendars as one can. Remove one first.")
