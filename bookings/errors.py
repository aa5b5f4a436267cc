from django.utils.translation import gettext_lazy as _

from core.errors import Conflict, Forbidden, InvalidInput, NotFound


class IllegalBookingMove(Conflict):
    """`data["state"]` is where the booking stands."""

    code = "illegal_booking_move"
    message = _("This is not possible in the present state of the booking.")


class NoSuchOffer(InvalidInput):
    code = "no_such_offer"
    message = _("The mentor offers no such session.")


class OfferNotNamed(InvalidInput):
    code = "offer_not_named"
    message = _("The mentor has prices in several currencies. Choose an offer.")


class NotBookable(NotFound):
    code = "mentor_not_bookable"
    message = _("This mentor takes no bookings from you.")


class MayNotBook(Forbidden):
    code = "may_not_book"
    message = _("People under 18 need a guardian on Soosh before they can book.")


class MayNotAnswer(Forbidden):
    code = "not_your_part"
    message = _("The other side of this booking does that.")


class TooManyHolds(Conflict):
    code = "too_many_holds"
    message = _("You hold as many times as one can. Pay for one of them, or let one go.")


class TooManyUnpaid(Conflict):
    code = "too_many_unpaid"
    message = _("You let several times go that you held. Please wait until tomorrow, or book a free session.")


class TooManyUnpaidAhead(Conflict):
    """`data["most_with_mentor"]` and `data["most"]` are the limits, with one mentor and in all."""

    code = "too_many_unpaid_ahead"
    message = _("You have as many sessions ahead as one can that are free of charge or not paid yet. Pay for some of them, or let some go.")


class TooManyInAWeek(Conflict):
    """`data["most"]` is the limit."""

    code = "too_many_in_a_week"
    message = _("You have as many sessions with this mentor in these seven days as one can before paying for them.")


class TooManyRequestsOpen(Conflict):
    code = "too_many_open_requests"
    message = _("You have as many open requests as one can. Wait for an answer, or take one back.")


class PriceNotCharged(Conflict):
    code = "price_not_charged"
    message = _("The price of this session cannot be charged. Its mentor has to change it first.")


class NotPayable(Conflict):
    """`data["state"]` is where the booking stands."""

    code = "not_payable"
    message = _("This booking is not waiting for a payment.")


class CannotPayTogether(Conflict):
    code = "cannot_pay_together"
    message = _("Who is 18 or older can pay for up to ten sessions at once. Each must cost something, and be over within 90 days.")


class TooManyStrikes(Conflict):
    code = "too_many_strikes"
    message = _("You missed or called off several sessions lately, so you cannot book for now.")


class TooManyMoves(Conflict):
    code = "too_many_moves"
    message = _("A booking can be moved twice by each side. Cancel it and book another time.")


class MovedTooNear(Conflict):
    """`data["earliest"]` is the first instant that would do."""

    code = "moved_too_near"
    message = _("The learner needs a day to see the new time. Choose one that is at least 24 hours away, or not before the present one.")


class NothingChanged(Conflict):
    code = "same_time"
    message = _("It is at this time already.")


class SessionFull(Conflict):
    code = "session_full"
    message = _("All seats of this session are taken.")


class SessionOff(Conflict):
    code = "session_off"
    message = _("This session does not take place, or has begun.")


class SeatTaken(Conflict):
    code = "seat_taken"
    message = _("You have a seat in this session already.")


class SeriesUnavailable(Conflict):
    """`data["occurrences"]` lists the times that cannot be had, each with its reasons and the nearest ones that can."""

    code = "series_unavailable"
    message = _("Some of these times cannot be booked. Choose others for them, or leave them out.")


class NoSuchSeries(NotFound):
    code = "no_such_series"
    message = _("Nothing of this series is ahead.")


class TooEarly(Conflict):
    code = "too_early"
    message = _("The room is not open yet.")


class TooLate(Conflict):
    code = "too_late"
    message = _("The room is closed.")


class NotOverYet(Conflict):
    """`data["possible_at"]` is when it can be said at the latest."""

    code = "not_over_yet"
    message = _("You can say this once the session is over, or once you were both there for most of it.")


class AlreadySaid(Conflict):
    """`data["says"]` is what this side said."""

    code = "already_said"
    message = _("Your side has already said how it went.")


class NoShowTooEarly(Conflict):
    code = "no_show_too_early"
    message = _("Please wait ten minutes after the start before you say that somebody did not come.")


class TheyWereThere(Conflict):
    code = "they_were_there"
    message = _("The video record shows both of you in the room for most of the session. You can object once it is over.")


class YouWereNotThere(Conflict):
    code = "you_were_not_there"
    message = _("Open the room first. Only a person who came can say that the other one did not.")


class NoCounterOffer(Conflict):
    code = "no_counter_offer"
    message = _("The mentor has proposed no other time, or the proposal is over.")


class CannotAppeal(Conflict):
    code = "cannot_appeal"
    message = _("There is nothing to object to, or the time for it is over.")


class NoOpenAppeal(Conflict):
    code = "no_open_appeal"
    message = _("Object first, or say what happened. Then you can add files until our staff decide.")


class TooMuchEvidence(Conflict):
    code = "too_much_evidence"
    message = _("You can add up to five files.")


class QuoteChanged(Conflict):
    code = "quote_changed"
    message = _("What you would get back has changed since you looked. Please look again.")


class RoomNotReady(Conflict):
    code = "room_not_ready"
    message = _("The room could not be opened yet. Please try again in a moment.")


class RemovedFromSession(Conflict):
    code = "removed_from_session"
    message = _("You cannot take part in this session any more. If you think that is wrong, write to us.")


class SeatsFree(Conflict):
    code = "seats_free"
    message = _("This session has free seats. There is no need to wait: book one.")


class TimesFree(Conflict):
    """`data["alternatives"]` are the first of them."""

    code = "times_free"
    message = _("There are free times then. There is no need to wait: book one.")


class WaitingAlready(Conflict):
    code = "waiting_already"
    message = _("You wait for this already.")


class TooManyWaits(Conflict):
    code = "too_many_waits"
    message = _("You wait for as many sessions as one can. Leave one of the waitlists first.")


class BadWindow(InvalidInput):
    code = "bad_window"
    message = _("The window has to lie ahead, hold the whole session, and be two months long at most.")


class NothingOffered(Conflict):
    code = "nothing_offered"
    message = _("This was not offered to you from a waitlist, or you took it already.")


class NotRecordable(Conflict):
    code = "not_recordable"
    message = _("We never record a group, or anyone under 18.")


class ConsentTextChanged(Conflict):
    code = "consent_text_changed"
    message = _("The text has changed. Please read it again before you agree.")


class ConsentMissing(Conflict):
    code = "consent_missing"
    message = _("A session is recorded only if both of you have agreed to it.")


class RecordingRuns(Conflict):
    code = "recording_runs"
    message = _("This is being recorded already.")


class NoRecording(NotFound):
    code = "no_recording"
    message = _("There is no recording.")


class RecordingAway(Conflict):
    code = "recording_away"
    message = _("This room cannot be recorded right now.")
