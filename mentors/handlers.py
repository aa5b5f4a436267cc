from __future__ import annotations

from core.events import subscribe
from mentors.enums import CheckState, MentorState
from mentors.events import CalendarWentStale, CheckDecided, CheckExpires, MentorDecided
from mentors.models import Check, MentorProfile, OutsideCalendar
from mentors.notices import (
    CALENDAR_STALE,
    CHECK_EXPIRES,
    CHECK_PASSED,
    CHECK_REFUSED,
    CHECK_REVOKED,
    MENTOR_ACCEPTED,
    MENTOR_REJECTED,
    MENTOR_SUSPENDED,
)
from notifications.services.notifying import notify

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
    """A calendar could not be read for long."""
    calendar = OutsideCalendar.objects.filter(pk=event.calendar_id).first()
    if calendar is not None:
        data = {"calendar": calendar.name, "host": calendar.host}
        notify(kind=CALENDAR_STALE, user_ids=[event.user_id], data=data, key=f"{calendar.pk} {calendar.told_stale_at}")


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
