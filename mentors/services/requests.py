"""Requests for sessions, as far as they tell how reliable a mentor is. Bookings calls this; who misses too many is paused."""

from __future__ import annotations

import datetime
import uuid

from django.db import transaction
from django.utils import timezone

from core.events import publish
from mentors.enums import MentorState, PauseReason, RequestOutcome
from mentors.events import MentorAutoPaused
from mentors.models import MentorProfile, SessionRequest
from mentors.services.profiles import pause

# Three in a row is no accident; a mentor who answers a single one starts anew.
MOST_MISSED = 3
_BATCH = 200


def record_request(*, profile: MentorProfile, reference: uuid.UUID, due_at: datetime.datetime) -> None:
    """Somebody asked for a session, to be answered by `due_at`. Recorded twice, it counts once."""
    SessionRequest.objects.get_or_create(reference=reference, defaults={"profile": profile, "asked_at": timezone.now(), "due_at": due_at})


def record_answer(*, reference: uuid.UUID, outcome: RequestOutcome) -> None:
    """A request was accepted, declined, or withdrawn by who asked. What has ended stays as it ended."""
    now = timezone.now()
    open_ones = SessionRequest.objects.filter(reference=reference, outcome=RequestOutcome.OPEN)
    open_ones.update(outcome=outcome, ended_at=now, updated_at=now)


def is_unanswered(*, reference: uuid.UUID) -> bool:
    """Whether the mentor has neither accepted nor declined it, nor proposed another time."""
    return SessionRequest.objects.filter(reference=reference, outcome__in=(RequestOutcome.OPEN, RequestOutcome.MISSED)).exists()


def expire_requests() -> int:
    """End the requests that nobody answered in time, and pause who missed so many in a row. Returns how many."""
    with transaction.atomic():
        now = timezone.now()
        overdue = SessionRequest.objects.filter(outcome=RequestOutcome.OPEN, due_at__lte=now).order_by("due_at")
        rows = list(overdue.select_related("profile").select_for_update(of=("self",), skip_locked=True)[:_BATCH])
        SessionRequest.objects.filter(pk__in=[row.pk for row in rows]).update(outcome=RequestOutcome.MISSED, ended_at=now, updated_at=now)
        for profile_id in sorted({row.profile_id for row in rows}):
            _pause_if_missed(profile_id)
    return len(rows)


def _pause_if_missed(profile_id: uuid.UUID) -> None:
    """Counted from the last time that the mentor came back: what was missed before is forgiven."""
    profile = MentorProfile.objects.select_for_update(of=("self",)).defer("embedding", "twin_embedding").get(pk=profile_id)
    counted = SessionRequest.objects.filter(profile=profile).exclude(outcome__in=(RequestOutcome.OPEN, RequestOutcome.WITHDRAWN))
    if profile.resumed_at is not None:
        counted = counted.filter(asked_at__gte=profile.resumed_at)
    last = list(counted.order_by("-ended_at", "-id").values_list("outcome", flat=True)[:MOST_MISSED])
    if profile.state == MentorState.LIVE and last.count(RequestOutcome.MISSED) == MOST_MISSED:
        pause(profile=profile, because=PauseReason.MISSED_REQUESTS)
        publish(MentorAutoPaused(profile.user_id, profile.pk))
