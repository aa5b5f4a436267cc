import functools
from collections.abc import Callable, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from core.errors import Conflict, InvalidInput, NotFound


class InvalidSchedule(InvalidInput):
    code = "invalid_schedule"
    message = _("These hours cannot be kept.")


class SlotUnavailable(Conflict):
    """`data["reasons"]` names the rules that are against it, `data["alternatives"]` the nearest times that can be booked. Those are looked
    for when somebody asks for them: whoever was refused holds no lock any more by then, and keeps nobody waiting."""

    code = "slot_unavailable"
    message = _("This time cannot be booked.")

    def __init__(self, *, reasons: Sequence[str] = (), find: Callable[[], list[str]] = list) -> None:
        super().__init__()
        self._reasons, self._find = list(reasons), find

    @functools.cached_property
    def _found(self) -> dict[str, Any]:
        return {"reasons": self._reasons, "alternatives": self._find()}

    @property
    def data(self) -> dict[str, Any]:
        return self._found


class ClaimGone(NotFound):
    code = "claim_gone"
    message = _("Nothing is booked under this reference any more.")


class TooManyCalendars(Conflict):
    code = "too_many_calendars"
    message = _("You have as many calendars as one can. Remove one first.")


class NoteMissing(Conflict):
    code = "note_missing"
    message = _("Please write the reason in the note first. The mentor will see it.")


class PausedForStrikes(Conflict):
    """`data["until"]` is when bookings are possible again, `data["reason"]` why not before."""

    code = "paused_for_strikes"
    message = _("You missed or called off several sessions lately, so you cannot take bookings for now.")


class IllegalMove(Conflict):
    code = "illegal_move"
    message = _("This is not possible in the present state of the mentor.")


class ProfileIncomplete(InvalidInput):
    code = "profile_incomplete"
    message = _("Something is missing before you can apply.")


class NoSchedule(Conflict):
    code = "no_schedule"
    message = _("Say first when you can be booked.")


class CalendarNotRead(Conflict):
    code = "calendar_not_read"
    message = _("The calendar server could not be read. Look at its address, the user name and the password.")


class TooManyChecks(Conflict):
    code = "too_many_checks"
    message = _("A check of this kind is under way, or you asked for many today.")


class TooManyDocuments(Conflict):
    code = "too_many_documents"
    message = _("Five documents are there already. Remove one first.")


class IllegalCheckMove(Conflict):
    code = "illegal_check_move"
    message = _("This is not possible in the present state of the check.")


class SecondReviewerNeeded(Conflict):
    code = "second_reviewer_needed"
    message = _("You have passed it already; a second person has to look at it.")


class ReviewClosed(Conflict):
    code = "review_closed"
    message = _("This review cannot be written or changed any more.")


class RatingIsFinal(Conflict):
    code = "rating_is_final"
    message = _("Both reviews can be seen, so the rating stays. You can change your words.")
