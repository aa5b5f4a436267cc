from __future__ import annotations

from core.events import subscribe
from mentors.enums import MentorState
from mentors.events import CalendarWentStale, MentorDecided
from mentors.models import MentorProfile, OutsideCalendar
from mentors.notices import CALENDAR_STALE, MENTOR_ACCEPTED, MENTOR_REJECTED, MENTOR_SUSPENDED
from notifications.services.notifying import notify

_KINDS = {MentorState.LIVE: MENTOR_ACCEPTED, MentorState.REJECTED: MENTOR_REJECTED, MentorState.SUSPENDED: MENTOR_SUSPENDED}


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
