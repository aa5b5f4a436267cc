"""What mentors do with their own profile, time, calendars and reviews."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.timezone import override

from accounts.models import User
from accounts.selectors import person_of
from core.errors import DomainError, InvalidInput
from core.pages import Keyset, SignedInPage, words_of
from mentors.errors import NoSchedule
from mentors.models import CalendarLink, MentorProfile, OutsideCalendar, Review, Schedule
from mentors.selectors import blocks_of, first_name, own_profile, own_schedule, reviews_received, reviews_to_write
from mentors.services import calendars, links, occupying, profiles, reviews, schedules
from mentors.services.calendar_problems import failure_text, problems_of
from mentors.web.forms import AvailabilityForm, BlockForm, CalendarForm, OfferForm, OfferFormSet, ProfileForm, ReplyForm, ReviewForm
from mentors.web.views import mentor_context

_MOVES: Mapping[str, tuple[Callable[..., None], str]] = {
    "apply": (profiles.apply, "You applied. We tell you as soon as we have looked at it."),
    "pause": (profiles.pause, "You take no bookings for now."),
    "resume": (profiles.resume, "You take bookings again."),
    "leave": (profiles.leave, "You are a mentor no more. What is booked stays booked."),
}


def _profile_of(person: User) -> MentorProfile | None:
    return MentorProfile.objects.filter(user=person).for_cards().first()


class DeskPage(SignedInPage):
    """A page for mentors. Who has no profile yet is asked for one first."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated and not MentorProfile.objects.filter(user=person_of(request)).exists():
            messages.info(request, "Tell about yourself first; then you can say when you have time.")
            return redirect("mentor-profile")
        return super().dispatch(request, *args, **kwargs)


class ProfilePage(SignedInPage):
    """What a mentor tells about themselves, what they offer, and where they stand."""

    template = "mentors/profile.html"

    def get(self, request: HttpRequest, form: ProfileForm | None = None, offers: Any = None) -> HttpResponse:
        profile = _profile_of(person_of(request))
        if profile is not None:
            form = form or ProfileForm.of(profile)
            offers = offers or OfferFormSet(initial=[OfferForm.initial_of(offer) for offer in profile.active_offers], prefix="offers")  # type: ignore[attr-defined]  # prefetched
        form = form or ProfileForm(initial={"capacity": 5})
        offers = offers or OfferFormSet(prefix="offers")
        barred_until = profile.barred_until if profile is not None and profiles.is_barred(profile) else None
        zone = person_of(request).time_zone
        return self.show(request, profile=profile, form=form, offers=offers, barred_until=barred_until, zone=zone)

    def post(self, request: HttpRequest) -> HttpResponse:
        person = person_of(request)
        form, offers = ProfileForm(request.POST), OfferFormSet(request.POST, prefix="offers")
        if not (form.is_valid() and offers.is_valid()):
            return self.again(request, form=form, offers=offers)
        stated = [offer for offer in (each.to_offer() for each in offers) if offer is not None]
        fields = dict(form.cleaned_data)
        try:
            profiles.save_profile(user=person, skills=fields.pop("skills"), fields=fields, offers=stated)
        except InvalidInput as error:
            messages.error(request, words_of(error))
            return self.again(request, status=error.status, form=form, offers=offers)
        messages.success(request, "Your profile is saved.")
        return redirect("mentor-profile")


class ProfileMovePage(ProfilePage):
    """Applies, pauses, comes back, leaves."""

    def get(self, request: HttpRequest, form: Any = None, offers: Any = None, **kwargs: Any) -> HttpResponse:
        return super().get(request)

    def post(self, request: HttpRequest, move: str) -> HttpResponse:  # type: ignore[override]  # the address names the move
        service, done = _MOVES[move]
        service(profile=own_profile(person_of(request)))
        messages.success(request, done)
        return redirect("mentor-profile")


class PreviewPage(DeskPage):
    """The profile as a stranger sees it, whatever its state."""

    template = "mentors/mentor.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show(request, is_preview=True, **mentor_context(request, own_profile(person_of(request))))


class AvailabilityPage(DeskPage):
    """When a mentor can be booked, and what keeps them busy."""

    template = "mentors/availability.html"

    def get(self, request: HttpRequest, form: AvailabilityForm | None = None, block_form: BlockForm | None = None) -> HttpResponse:
        person = person_of(request)
        blocks = blocks_of(person)[:50]
        return self.show(
            request, form=form or self._form(person), block_form=block_form or BlockForm(), blocks=blocks, zone=person.time_zone
        )

    def post(self, request: HttpRequest) -> HttpResponse:
        person = person_of(request)
        form = AvailabilityForm(request.POST)
        if not form.is_valid():
            return self.again(request, form=form)
        try:
            schedules.set_availability(profile=own_profile(person), availability=form.to_availability())
        except DomainError as error:
            messages.error(request, words_of(error))
            return self.again(request, status=error.status, form=form)
        messages.success(request, "Saved. What is booked stays booked.")
        return redirect("availability-page")

    def _form(self, person: User) -> AvailabilityForm:
        try:
            schedule = own_schedule(person)
        except NoSchedule:
            schedule = Schedule(time_zone=person.time_zone)
            return AvailabilityForm.of(schedules.Availability(person.time_zone), schedule)
        return AvailabilityForm.of(schedules.availability_of(schedule), schedule)


class BlocksPage(AvailabilityPage):
    """Keeps sessions out of a stretch of time."""

    def post(self, request: HttpRequest) -> HttpResponse:
        person = person_of(request)
        with override(ZoneInfo(person.time_zone)):
            form = BlockForm(request.POST)
            if not form.is_valid():
                return self.again(request, block_form=form)
        given = form.cleaned_data
        occupying.block_time(person=person, starts_at=given["start"], ends_at=given["end"], title=given["title"])
        messages.success(request, "Nothing will be booked then. What is booked already stays booked.")
        return redirect("availability-page")


class UnblockPage(AvailabilityPage):
    """Opens a blocked stretch again."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return super().get(request)

    def post(self, request: HttpRequest, block_id: uuid.UUID) -> HttpResponse:  # type: ignore[override]  # the address names it
        occupying.unblock_time(block=get_object_or_404(blocks_of(person_of(request)), pk=block_id))
        messages.success(request, "That time is open again.")
        return redirect("availability-page")


class CalendarsPage(DeskPage):
    """Calendars elsewhere that keep a mentor busy, and the secret address under which others read their sessions."""

    template = "mentors/calendars.html"

    def get(self, request: HttpRequest, form: CalendarForm | None = None, **kwargs: Any) -> HttpResponse:
        person = person_of(request)
        link = CalendarLink.objects.filter(person=person).first()
        address = f"{settings.SITE_URL}/calendars/{links.token_of(link)}.ics" if link else ""
        found = OutsideCalendar.objects.filter(person=person)[:50]
        rows = [{"calendar": row, "failure": failure_text(row), "problems": problems_of(row)} for row in found]
        return self.show(request, form=form or CalendarForm(), calendars=rows, address=address, zone=person.time_zone)

    def post(self, request: HttpRequest) -> HttpResponse:
        form = CalendarForm(request.POST)
        if not form.is_valid():
            return self.again(request, form=form)
        calendars.add_calendar(person=person_of(request), **form.cleaned_data)
        messages.success(request, "The calendar is read now, and then every quarter of an hour.")
        return redirect("calendars-page")


class RemoveCalendarPage(CalendarsPage):
    def post(self, request: HttpRequest, calendar_id: uuid.UUID) -> HttpResponse:  # type: ignore[override]  # the address names it
        rows = OutsideCalendar.objects.filter(person=person_of(request))
        calendars.remove_calendar(calendar=get_object_or_404(rows, pk=calendar_id))
        messages.success(request, "The calendar is forgotten, and all that it kept busy.")
        return redirect("calendars-page")


class CalendarLinkPage(CalendarsPage):
    """Makes the secret address anew, or ends it."""

    def post(self, request: HttpRequest) -> HttpResponse:
        if "drop" in request.POST:
            links.drop_link(person=person_of(request))
            messages.success(request, "The address leads nowhere any more.")
        else:
            links.rotate_link(person=person_of(request))
            messages.success(request, "There is a new address; the one before leads nowhere any more.")
        return redirect("calendars-page")


class ReviewsPage(SignedInPage):
    """What others say about a mentor, and what can be said about others."""

    template, part = "mentors/reviews.html", "mentors/reviews_part.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        person = person_of(request)
        page = Keyset(request, reviews_received(person), size=10)
        rows = [{"review": review, "author": first_name(review.author)} for review in page.rows]
        return self.show(request, rows=rows, page=page, to_write=reviews_to_write(person)[:20], zone=person.time_zone)


class ReplyPage(SignedInPage):
    """A reply under a review."""

    template = "mentors/reply.html"

    def get(self, request: HttpRequest, review_id: uuid.UUID, form: ReplyForm | None = None) -> HttpResponse:
        review = get_object_or_404(reviews_received(person_of(request)), pk=review_id)
        return self.show(request, review=review, author=first_name(review.author), form=form or ReplyForm(initial={"text": review.reply}))

    def post(self, request: HttpRequest, review_id: uuid.UUID) -> HttpResponse:
        person = person_of(request)
        review = get_object_or_404(reviews_received(person), pk=review_id)
        form = ReplyForm(request.POST)
        if not form.is_valid():
            return self.again(request, form=form)
        reviews.reply_to_review(user=person, review=review, text=form.cleaned_data["text"])
        messages.success(request, "Your reply stands under the review.")
        return redirect("reviews-page")


class WriteReviewPage(SignedInPage):
    """What somebody says about a session that they attended."""

    template = "mentors/write_review.html"

    def get(self, request: HttpRequest, review_id: uuid.UUID, form: ReviewForm | None = None) -> HttpResponse:
        review = self._review(request, review_id)
        return self.show(request, review=review, form=form or ReviewForm(), zone=person_of(request).time_zone)

    def post(self, request: HttpRequest, review_id: uuid.UUID) -> HttpResponse:
        review, form = self._review(request, review_id), ReviewForm(request.POST)
        if not form.is_valid():
            return self.again(request, form=form)
        reviews.write_review(review=review, **form.cleaned_data)
        messages.success(request, "Thank you. It can be seen once both of you have written, or the time for it is over.")
        return redirect("reviews-page")

    def _review(self, request: HttpRequest, review_id: uuid.UUID) -> Review:
        return get_object_or_404(reviews_to_write(person_of(request)), pk=review_id)
