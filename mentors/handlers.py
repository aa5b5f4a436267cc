from __future__ import annotations

from core.events import subscribe
from mentors.enums import CheckState, MentorState
from mentors.events import (
    CalendarMisread,
    CalendarWentStale,
    CheckDecided,
    CheckExpires,
    MentorAutoPaused,
    MentorDecided,
    OfferSwitchedOff,
    ReviewGranted,
    ReviewShown,
)
from mentors.models import Check, MentorProfile, Offer, OutsideCalendar, Review
from mentors.notices import (
    CALENDAR_MISREAD,
    CALENDAR_STALE,
    CALENDAR_UNREAD,
    CHECK_EXPIRES,
    CHECK_PASSED,
    CHECK_REFUSED,
    CHECK_REVOKED,
    MENTOR_ACCEPTED,
    MENTOR_AUTO_PAUSED,
    MENTOR_REJECTED,
    MENTOR_SUSPENDED,
    OFFER_SWITCHED_OFF,
    REVIEW_OPEN,
    REVIEW_SHOWN,
)
from mentors.services.calendar_problems import failure_text, problems_of
from notifications.services.notifying import notify
from payments.services.prices import least_price

_KINDS = {MentorState.LIVE: MENTOR_ACCEPTED, MentorState.REJECTED: MENTOR_REJECTED, MentorState.SUSPENDED: MENTOR_SUSPENDED}
_CHECK_KINDS = {CheckState.PASSED: CHECK_PASSED, CheckState.REFUSED: CHECK_REFUSED, CheckState.REVOKED: CHECK_REVOKED}


@subscribe(MentorDecided)
def tell_mentor_what_was_decided(event: MentorDecided) -> None:
    """Staff decided about a mentor."""
    profile = MentorProfile.objects.filter(pk=event.profile_id).only("decision_note", "decided_at").first()
    if profile is not None:
        key = f"{profile.pk} {event.state} {profile.decided_at}"
        notify(kind=_KINDS[MentorState(event.state)], user_ids=[event.user_id], data={"note": profile.decision_note}, key=key)


@subscribe(CalendarWentStale)
def tell_owner_of_stale_calendar(event: CalendarWentStale) -> None:
    """Notify the owner of a calendar that was never read, or not for long."""
    calendar = OutsideCalendar.objects.filter(pk=event.calendar_id).first()
    if calendar is None:
        return
    data, key = {"calendar": calendar.name, "host": calendar.host}, f"{calendar.pk} {calendar.told_stale_at}"
    if calendar.read_at is None:
        notify(kind=CALENDAR_UNREAD, user_ids=[event.user_id], data=data | {"reason": failure_text(calendar)}, key=key)
    else:
        notify(kind=CALENDAR_STALE, user_ids=[event.user_id], data=data, key=key)


@subscribe(CalendarMisread)
def notify_owner_of_misread_calendar(event: CalendarMisread) -> None:
    """Notify the owner of a new problem in a calendar."""
    calendar = OutsideCalendar.objects.filter(pk=event.calendar_id).first()
    problems = problems_of(calendar) if calendar is not None else []
    if calendar is not None and problems:
        data = {"calendar": calendar.name, "problem": f"{problems[0].text} {problems[0].remedy}"}
        notify(kind=CALENDAR_MISREAD, user_ids=[event.user_id], data=data, key=f"{calendar.pk} {calendar.read_at}")


@subscribe(CheckDecided)
def tell_mentor_about_check(event: CheckDecided) -> None:
    """Staff decided about a check."""
    check = Check.objects.filter(pk=event.check_id).first()
    if check is not None:
        data = {"check": check.kind, "note": check.decision_note}
        notify(kind=_CHECK_KINDS[CheckState(event.state)], user_ids=[event.user_id], data=data, key=f"{check.pk} {event.state}")


@subscribe(CheckExpires)
def tell_mentor_that_check_expires(event: CheckExpires) -> None:
    """A check is over soon."""
    check = Check.objects.filter(pk=event.check_id).first()
    if check is not None and check.expires_at is not None:
        data = {"check": check.kind, "day": check.expires_at}
        notify(kind=CHECK_EXPIRES, user_ids=[event.user_id], data=data, key=f"{check.pk} expires")


@subscribe(MentorAutoPaused)
def tell_mentor_about_pause(event: MentorAutoPaused) -> None:
    """A mentor left requests unanswered."""
    profile = MentorProfile.objects.filter(pk=event.profile_id).only("updated_at").first()
    if profile is not None:
        notify(kind=MENTOR_AUTO_PAUSED, user_ids=[event.user_id], data={}, key=f"{profile.pk} {profile.updated_at}")


@subscribe(OfferSwitchedOff)
def tell_mentor_about_offer(event: OfferSwitchedOff) -> None:
    """Notify the mentor that an offer was switched off."""
    offer = Offer.objects.filter(pk=event.offer_id).first()
    if offer is not None:
        data = {
            "what": offer.title,
            "amount": offer.price_amount,
            "least": least_price(offer.price_currency),
            "currency": offer.price_currency,
        }
        notify(kind=OFFER_SWITCHED_OFF, user_ids=[event.user_id], data=data, key=f"{offer.pk} {offer.updated_at}")


@subscribe(ReviewGranted)
def ask_for_review(event: ReviewGranted) -> None:
    """A session was attended."""
    review = Review.objects.filter(pk=event.review_id).select_related("about").first()
    if review is not None:
        data = {"name": review.about.full_name, "until": review.closes_at}
        notify(kind=REVIEW_OPEN, user_ids=[event.user_id], data=data, key=f"{review.pk} open", about_id=review.about_id)


@subscribe(ReviewShown)
def tell_about_review(event: ReviewShown) -> None:
    """A review can be seen by whom it is about."""
    review = Review.objects.filter(pk=event.review_id).select_related("author").first()
    if review is not None and review.author is not None:
        data = {"name": review.author.full_name}
        notify(kind=REVIEW_SHOWN, user_ids=[event.user_id], data=data, key=f"{review.pk} shown", about_id=review.author_id)
