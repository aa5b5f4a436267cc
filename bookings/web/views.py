"""Sessions as pages, for both sides: what a mentor answers, what is ahead, and one session with all that can be done with it."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone

from accounts.models import User
from accounts.selectors import person_of
from bookings.enums import BookingState, Side
from bookings.models import Booking
from bookings.models.rooms import CLOSES_AFTER, OPENS_BEFORE
from bookings.policies import becomes, can_answer, is_mentor_of, moves_open_to
from bookings.selectors import booking_with_history, bookings_of, narrowed, requests_to_answer, sessions_between, terms_of
from bookings.services import approving, calendars, cancelling, joining, reminding, requesting, rescheduling, waiting
from bookings.services.attending import WAIT_FOR
from bookings.services.refunds import deadlines_of, policy_text
from bookings.services.terms import set_terms
from bookings.web.forms import CancelForm, NewTimeForm, NoteForm, RemindersForm, TermsForm
from core.pages import Keyset, SignedInPage
from core.templatetags.times import clock_of, day_of, zone_words
from core.wall_time import as_text
from mentors.services.slots import Question, slots_between

_SOON = datetime.timedelta(days=14)
_MOST_REQUESTS = 50
_WHEN = {"ahead": "Ahead", "past": "Past", "": "All"}
# How far ahead another time can be chosen on the page.
_NEW_TIMES = datetime.timedelta(days=21)


class RequestsPage(SignedInPage):
    """What waits for a mentor's answer."""

    template, part = "bookings/requests.html", "bookings/requests_part.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        person = person_of(request)
        return self.show(request, requests=requests_to_answer(person)[:_MOST_REQUESTS], zone=person.time_zone)


class NextPage(SignedInPage):
    """The sessions of the next two weeks."""

    template, part = "bookings/next.html", "bookings/next_part.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        person, now = person_of(request), timezone.now()
        sessions = sessions_between(person, now, now + _SOON)[:10]
        return self.show(request, sessions=[_line(row, person) for row in sessions], zone=person.time_zone)


class SessionsPage(SignedInPage):
    """What somebody booked, and what was booked with them."""

    template, part = "bookings/sessions.html", "bookings/sessions_part.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        person = person_of(request)
        when = request.GET.get("when", "ahead")
        when = when if when in _WHEN else ""
        page = Keyset(request, narrowed(bookings_of(person), when=when, user=person))
        rows = [_line(row, person) for row in page.rows]
        return self.show(request, rows=rows, page=page, when=when, choices=_WHEN.items(), zone=person.time_zone)


class BookingPage(SignedInPage):
    """One session, and what can be done with it now."""

    template, part = "bookings/booking.html", "bookings/booking_part.html"

    def get(self, request: HttpRequest, booking_id: uuid.UUID, **kwargs: Any) -> HttpResponse:
        person = person_of(request)
        booking = get_object_or_404(booking_with_history(person), pk=booking_id)
        now, opens_at = timezone.now(), booking.session.starts_at - OPENS_BEFORE
        return self.show(
            request,
            **_line(booking, person),
            zone=person.time_zone,
            deadlines=deadlines_of(booking),
            policy_text=policy_text(booking),
            opens_at=opens_at,
            calendar_links=calendars.links_of(booking, person),
            is_open=opens_at <= now <= booking.session.ends_at + CLOSES_AFTER,
            has_begun=booking.session.starts_at <= now,
            is_over=booking.session.ends_at <= now,
            can_wait_no_longer=booking.session.starts_at + WAIT_FOR <= now,
            becomes=_STANDING.get(becomes(booking) or ""),
            **kwargs,
        )


class MovePage(BookingPage):
    """Does one thing with a session, and shows what became of it. What needs no words is a button on the session's page."""

    move = ""
    done = ""
    form: type[Form] = Form
    act: Callable[..., object]

    def post(self, request: HttpRequest, booking_id: uuid.UUID) -> HttpResponse:
        person = person_of(request)
        booking = get_object_or_404(bookings_of(person), pk=booking_id)
        form = self.form(request.POST, request.FILES)
        if not form.is_valid():
            return self.again(request, form=form)
        type(self).act(booking.pk, person, **form.cleaned_data)
        messages.success(request, self.done)
        return redirect("booking-page", booking.pk)


class AskedMovePage(MovePage):
    """The same for what is asked about first, on a page of its own."""

    template = "bookings/move.html"
    part = ""
    title = ""
    button = ""

    def get(self, request: HttpRequest, booking_id: uuid.UUID, form: Form | None = None, **kwargs: Any) -> HttpResponse:
        person = person_of(request)
        booking = get_object_or_404(bookings_of(person), pk=booking_id)
        if self.move not in moves_open_to(person, booking):
            return redirect("booking-page", booking.pk)
        context = _line(booking, person) | self.more(booking, person)
        return self.show(request, **context, zone=person.time_zone, form=form or self.first_form(booking, person), page=self)

    def first_form(self, booking: Booking, person: User) -> Form:
        return self.form()

    def more(self, booking: Booking, person: User) -> dict[str, Any]:
        return {}


class AcceptPage(MovePage):
    done = "You said yes. Both of you were told."
    act = staticmethod(lambda key, person: requesting.confirm_booking(booking_id=key, mentor=person))


class DeclinePage(AskedMovePage):
    move, form = "decline", NoteForm
    title, button, done = "Decline this request", "Decline", "You declined. What was reserved goes back."
    act = staticmethod(lambda key, person, note: requesting.decline_booking(booking_id=key, mentor=person, note=note))


class TakeCounterPage(MovePage):
    done = "You took the new time."
    act = staticmethod(lambda key, person: requesting.accept_counter(booking_id=key, learner=person))


class ApprovePage(MovePage):
    done = "You agreed."
    act = staticmethod(lambda key, person: approving.approve_booking(booking_id=key, guardian=person))


class TakePage(MovePage):
    done = "The time is yours."
    act = staticmethod(lambda key, person: waiting.take_offer(booking_id=key, learner=person))


class CancelPage(AskedMovePage):
    move, form = "cancel", CancelForm
    title, button, done = "Cancel this session", "Cancel the session", "The session is cancelled. Both of you were told."
    act = staticmethod(
        lambda key, person, note, expected_refund: cancelling.cancel_booking(
            booking_id=key, user=person, note=note, expected_refund=expected_refund
        )
    )

    def first_form(self, booking: Booking, person: User) -> Form:
        return CancelForm(initial={"expected_refund": cancelling.cancellation_quote(booking=booking, user=person).refund.amount})

    def more(self, booking: Booking, person: User) -> dict[str, Any]:
        return {"quote": cancelling.cancellation_quote(booking=booking, user=person)}


class NewTimePage(AskedMovePage):
    """Another time, chosen of those that are free: a counter-offer to a request, or a move of what is confirmed."""

    move = "reschedule"
    title, button = "Choose another time", "Take this time"

    def get(self, request: HttpRequest, booking_id: uuid.UUID, form: Form | None = None, **kwargs: Any) -> HttpResponse:
        person = person_of(request)
        booking = get_object_or_404(bookings_of(person), pk=booking_id)
        if not {"reschedule", "counter"} & set(moves_open_to(person, booking)):
            return redirect("booking-page", booking.pk)
        days = _free_days(booking, person)
        wanted = request.GET.get("day", "")
        day = wanted if wanted in days else next(iter(days), "")
        form = form or NewTimeForm(slots=[])
        form.fields["scheduled_at"].choices = days.get(day, [])  # type: ignore[attr-defined]  # of a choice field
        choices = [(value, day_of(datetime.date.fromisoformat(value), person.time_zone)) for value in days]
        return self.show(request, **_line(booking, person), zone=person.time_zone, form=form, page=self, days=choices, day=day)

    def post(self, request: HttpRequest, booking_id: uuid.UUID) -> HttpResponse:
        person = person_of(request)
        booking = get_object_or_404(bookings_of(person), pk=booking_id)
        form = NewTimeForm(request.POST, slots=[slot for slots in _free_days(booking, person).values() for slot in slots])
        if not form.is_valid():
            return self.again(request, form=form)
        if can_answer(person, booking):
            requesting.counter_offer(booking_id=booking.pk, mentor=person, starts_at=form.cleaned_data["scheduled_at"])
            messages.success(request, "You proposed another time. We tell you what they say.")
        else:
            rescheduling.reschedule_booking(booking_id=booking.pk, user=person, starts_at=form.cleaned_data["scheduled_at"])
            messages.success(request, "The session is at another time now. Both of you were told.")
        return redirect("booking-page", booking.pk)


class JoinPage(SignedInPage):
    """The way into the room."""

    template = "bookings/join.html"

    def get(self, request: HttpRequest, booking_id: uuid.UUID) -> HttpResponse:
        return redirect("booking-page", self._booking(request, booking_id).pk)

    def post(self, request: HttpRequest, booking_id: uuid.UUID) -> HttpResponse:
        person, booking = person_of(request), self._booking(request, booking_id)
        entrance = joining.join_session(booking=booking, user=person, is_audio_only="audio_only" in request.POST)
        return self.show(request, **_line(booking, person), entrance=entrance, zone=person.time_zone)

    def show_error(self, request: HttpRequest, error: Any) -> HttpResponse:
        messages.error(request, str(error.detail))
        return self.get(request, **self.kwargs)

    def _booking(self, request: HttpRequest, booking_id: uuid.UUID) -> Booking:
        person = person_of(request)
        booking = get_object_or_404(bookings_of(person), pk=booking_id)
        if "join" not in moves_open_to(person, booking):
            raise Http404
        return booking


class CalendarEntry(SignedInPage):
    """The session for a calendar program."""

    def get(self, request: HttpRequest, booking_id: uuid.UUID) -> HttpResponse:
        person = person_of(request)
        booking = get_object_or_404(bookings_of(person), pk=booking_id)
        answer = HttpResponse(calendars.file_of(booking, person), content_type="text/calendar; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="soosh-{booking.pk}.ics"'
        return answer


class SettingsPage(SignedInPage):
    """How a mentor takes bookings, and when somebody is reminded."""

    template = "bookings/settings.html"

    def get(self, request: HttpRequest, **forms: Any) -> HttpResponse:
        person = person_of(request)
        minutes = ", ".join(map(str, reminding.reminders_of(person)))
        known = {"terms": TermsForm.of(terms_of(person.pk)), "reminders": RemindersForm(initial={"minutes_before": minutes})}
        return self.show(request, status=400 if forms else 200, **(known | forms))

    def post(self, request: HttpRequest) -> HttpResponse:
        person = person_of(request)
        if "policy" in request.POST:
            terms = TermsForm(request.POST)
            if not terms.is_valid():
                return self.get(request, terms=terms)
            given = terms.cleaned_data | {"package_percent": terms.cleaned_data["package_percent"] or 0}
            set_terms(mentor=person, **given)
        else:
            reminders = RemindersForm(request.POST)
            if not reminders.is_valid():
                return self.get(request, reminders=reminders)
            reminding.choose_reminders(person=person, minutes=reminders.cleaned_data["minutes_before"])
        messages.success(request, "Saved.")
        return redirect(request.path)


def _line(booking: Booking, person: User) -> dict[str, Any]:
    """A session as this person sees it: who the other one is, how it stands, and what can be done."""
    is_mentor = is_mentor_of(person, booking)
    return {
        "booking": booking,
        "session": booking.session,
        "is_mentor": is_mentor,
        "side": Side.MENTOR if is_mentor else Side.LEARNER,
        "other": booking.learner if is_mentor else booking.session.mentor,
        "state_words": _state_words(booking, person),
        "state": BookingState(booking.state),
        "moves": moves_open_to(person, booking),
        "tone": _TONES.get(BookingState(booking.state), ""),
    }


def _state_words(booking: Booking, person: User) -> str:
    """How a session stands, told to the person whom it concerns."""
    state, is_mentor = BookingState(booking.state), is_mentor_of(person, booking)
    if state is BookingState.REQUESTED and booking.proposed_at:
        return "The learner has not answered the other time yet" if is_mentor else "The mentor proposes another time"
    told = _TOLD_MENTOR if is_mentor else _TOLD_LEARNER if person.pk == booking.learner_id else {}
    return told.get(state) or state.label[0].upper() + state.label[1:]


_TOLD_MENTOR = {
    BookingState.REQUESTED: "You have not answered yet",
    BookingState.DECLINED: "You said no",
    BookingState.CANCELLED_BY_MENTOR: "Called off by you",
    BookingState.NO_SHOW_BY_MENTOR: "You did not come",
}
_TOLD_LEARNER = {
    BookingState.CANCELLED_BY_LEARNER: "Called off by you",
    BookingState.NO_SHOW_BY_LEARNER: "You did not come",
}
# What a session will count as, in the words of the page.
_STANDING: dict[str, str] = {
    BookingState.COMPLETED: "held",
    BookingState.NO_SHOW_BY_LEARNER: "missed by the learner",
    BookingState.NO_SHOW_BY_MENTOR: "missed by the mentor",
    BookingState.NO_SHOW_BY_BOTH: "missed by both",
}
_TONES = {
    BookingState.CONFIRMED: "good",
    BookingState.IN_SESSION: "good",
    BookingState.COMPLETED: "good",
    BookingState.REQUESTED: "warn",
    BookingState.HELD: "warn",
}


def _free_days(booking: Booking, person: User) -> dict[str, list[tuple[str, str]]]:
    """When the session could be instead: by day, as values and words of a choice, on this person's clock."""
    profile = getattr(booking.session.mentor, "mentor_profile", None)
    if profile is None:
        return {}
    now, zone = timezone.now(), person.time_zone
    found: dict[str, list[tuple[str, str]]] = {}
    for slot in slots_between(Question(profile.pk, booking.session.duration_minutes, booking.learner_id, now), now, now + _NEW_TIMES):
        day = slot.astimezone(ZoneInfo(zone)).date().isoformat()
        found.setdefault(day, []).append((as_text(slot), f"{clock_of(slot, zone)}, {zone_words(zone)}"))
    return found
