from __future__ import annotations

from django.db import transaction

from accounts.models import User
from bookings.enums import CancellationPolicy
from bookings.models import BookingTerms
from core.errors import NotFound
from mentors.models import MentorProfile


def set_terms(*, mentor: User, is_instant: bool, policy: CancellationPolicy, package_percent: int = 0) -> BookingTerms:
    """How a mentor takes bookings from now on. What is booked keeps its terms.

    Raises:
        NotFound: this person has stated no mentor profile.
    """
    if not MentorProfile.objects.filter(user=mentor).exists():
        raise NotFound
    with transaction.atomic():
        stated = {"is_instant": is_instant, "policy": policy, "package_percent": package_percent}
        row, _ = BookingTerms.objects.update_or_create(mentor=mentor, defaults=stated)
    return row
