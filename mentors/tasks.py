from __future__ import annotations

import datetime

from celery import shared_task
from django.utils import timezone

from ai.services.spaces import fill_some, live_models
from mentors.services import calendars, documents, exposure, keeping, occupying, offers, requests, reviews, verification


@shared_task
def embed_waiting() -> int:
    """Give vectors to mentors that have none of their present text."""
    return sum(fill_some(name="mentors", model=model, limit=100) for model in live_models())


@shared_task
def read_calendars() -> None:
    """Read the outside calendars that are due."""
    calendars.read_due_calendars(until=timezone.now() + datetime.timedelta(seconds=50))
    calendars.report_stale_calendars()


@shared_task
def expire_holds() -> None:
    """Give back what was held for too long."""
    while occupying.expire_holds():
        pass


@shared_task
def expand_schedules() -> None:
    """Expand the rules of all mentors a day further, by the present rules of the world's clocks."""
    keeping.keep_all_hours()


@shared_task
def tidy_checks() -> None:
    """Take back checks that nobody went on with, delete documents that are over, and tell whose checks end soon."""
    while verification.withdraw_idle_checks():
        pass
    while documents.delete_left_documents():
        pass
    while verification.tell_expiring_checks():
        pass


@shared_task
def expire_requests() -> None:
    """End the requests that nobody answered in time."""
    while requests.expire_requests():
        pass


@shared_task
def switch_off_unpayable_offers() -> None:
    """Switch off the offers that nobody could pay for."""
    while offers.switch_off_unpayable_offers():
        pass


@shared_task
def tell_shown_reviews() -> None:
    """Tell people that what was written about them can be seen."""
    while reviews.tell_shown_reviews():
        pass


@shared_task
def hold_suspicious_reviews() -> None:
    """Look for reviews that look arranged from afar."""
    reviews.hold_suspicious_reviews()


@shared_task
def keep_demand() -> None:
    """Count to how many people each mentor was shown lately."""
    exposure.keep_demand()
    while exposure.prune_match_servings():
        pass
