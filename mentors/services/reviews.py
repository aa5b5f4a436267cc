"""Reviews: what two people say about each other after a session, hidden from both until both have spoken or a fortnight is over."""

from __future__ import annotations

import datetime
import uuid

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from core.errors import Forbidden
from core.events import publish
from mentors.enums import ReportReason, ReviewSignal, ReviewState
from mentors.errors import RatingIsFinal, ReviewClosed
from mentors.events import ReviewGranted, ReviewShown
from mentors.models import MentorProfile, Review, ReviewReport, ReviewVersion
from mentors.services.suspicions import signals_of_mentor

OPEN_FOR = datetime.timedelta(days=14)
# So many people have to report a review before it is hidden until staff have looked.
_REPORTS_THAT_HIDE = 3
_BATCH = 200


def grant_reviews(*, reference: uuid.UUID, profile: MentorProfile, learner_id: uuid.UUID, ended_at: datetime.datetime) -> None:
    """Mentor and learner attended a session: each may say what they think. Called by bookings; granted twice, it stays one right."""
    with transaction.atomic():
        for author_id, about_id, is_of_mentor in ((learner_id, profile.user_id, True), (profile.user_id, learner_id, False)):
            review, is_new = Review.objects.get_or_create(
                reference=reference,
                author_id=author_id,
                about_id=about_id,
                defaults={
                    "profile": profile,
                    "is_of_mentor": is_of_mentor,
                    "session_ended_at": ended_at,
                    "closes_at": ended_at + OPEN_FOR,
                },
            )
            if is_new:
                publish(ReviewGranted(author_id, review.pk))


def write_review(*, review: Review, rating: int, text: str, private_score: int | None = None) -> Review:
    """Say it, or change it. Until it can be seen all may change; afterwards the rating stays, and the words keep their history.

    Raises:
        ReviewClosed: the fortnight is over, or the review was taken down or back.
        RatingIsFinal: both can be seen.
    """
    with transaction.atomic():
        locked, other = _locked_pair(review)
        now = timezone.now()
        if locked.state == ReviewState.OPEN:
            _write(locked, other, now)
        elif locked.state not in (ReviewState.WRITTEN, ReviewState.HELD):
            raise ReviewClosed
        else:
            _edit(locked, rating, private_score, now)
        locked.rating, locked.text = rating, text
        locked.private_score = private_score if private_score is not None else locked.private_score
        locked.save()
        if locked.is_of_mentor:
            _hold(locked.profile_id)
            locked.refresh_from_db()
    return locked


def withdraw_review(*, review: Review) -> None:
    """Take back what one wrote. It counts no more; staff still see it.

    Raises:
        ReviewClosed: there is nothing to take back.
    """
    with transaction.atomic():
        locked, _ = _locked_pair(review)
        if locked.state != ReviewState.WRITTEN:
            raise ReviewClosed
        locked.state = ReviewState.WITHDRAWN
        locked.save(update_fields=["state", "updated_at"])


def reply_to_review(*, user: User, review: Review, text: str) -> Review:
    """The person whom a review is about answers under it, once; the answer can be changed, or emptied.

    Raises:
        Forbidden: it is about somebody else.
        ReviewClosed: it cannot be seen.
    """
    with transaction.atomic():
        locked, _ = _locked_pair(review)
        if locked.about_id != user.pk:
            raise Forbidden
        if not Review.objects.shown().filter(pk=locked.pk).exists():
            raise ReviewClosed
        if locked.reply:
            ReviewVersion.objects.create(review=locked, is_reply=True, text=locked.reply)
        locked.reply, locked.replied_at = text, timezone.now()
        locked.save(update_fields=["reply", "replied_at", "updated_at"])
    return locked


def report_review(*, user: User, review: Review, reason: ReportReason, note: str = "") -> None:
    """Ask staff to look at a review. The same person's second report takes the place of the first."""
    with transaction.atomic():
        locked, _ = _locked_pair(review)
        ReviewReport.objects.update_or_create(review=locked, reporter=user, defaults={"reason": reason, "note": note, "settled_at": None})
        waiting = locked.reports.filter(settled_at__isnull=True).count()
        if waiting >= _REPORTS_THAT_HIDE and locked.state == ReviewState.WRITTEN:
            _hold_one(locked, ReviewSignal.REPORTED)


def decide_review(*, staff: User, review: Review, stays: bool) -> None:
    """Staff let a review count, or take it down. Its reports are settled with that.

    Raises:
        Forbidden: nobody decides about what they wrote, or what is said about them.
        ReviewClosed: it was never written, or was taken back.
    """
    with transaction.atomic():
        locked, _ = _locked_pair(review)
        if staff.pk in (locked.author_id, locked.about_id):
            raise Forbidden
        if locked.state in (ReviewState.OPEN, ReviewState.WITHDRAWN):
            raise ReviewClosed
        now = timezone.now()
        locked.state = ReviewState.WRITTEN if stays else ReviewState.REMOVED
        locked.decided_by, locked.decided_at = staff, now
        locked.save(update_fields=["state", "decided_by", "decided_at", "updated_at"])
        locked.reports.filter(settled_at__isnull=True).update(settled_at=now)


def tell_shown_reviews() -> int:
    """Tell people, once each, that what was written about them can be seen. Returns how many."""
    with transaction.atomic():
        now = timezone.now()
        waiting = Review.objects.shown().filter(told_at__isnull=True).order_by("visible_at")
        rows = list(waiting.select_for_update(of=("self",), skip_locked=True)[:_BATCH])
        for row in rows:
            publish(ReviewShown(row.about_id, row.pk))
        Review.objects.filter(pk__in=[row.pk for row in rows]).update(told_at=now)
    return len(rows)


def hold_suspicious_reviews() -> int:
    """Look at every mentor who was reviewed lately, for what only shows from afar. Returns how many reviews are held now that were not."""
    since = timezone.now() - datetime.timedelta(days=2)
    recent = Review.objects.filter(is_of_mentor=True, state=ReviewState.WRITTEN, written_at__gt=since)
    profiles = recent.order_by().values_list("profile_id", flat=True).distinct()
    number = 0
    for profile_id in list(profiles):
        with transaction.atomic():
            number += _hold(profile_id)
    return number


def forget_reviews_about(*, person_id: uuid.UUID) -> None:
    """Part of the erasure of a person: what others said about them goes, and what they could still say."""
    Review.objects.filter(about_id=person_id).delete()
    Review.objects.filter(author_id=person_id, state=ReviewState.OPEN).delete()


def _write(review: Review, other: Review | None, now: datetime.datetime) -> None:
    """Both can be seen from the moment at which both have written, or else when nobody can write any more."""
    if now >= review.closes_at:
        raise ReviewClosed
    review.state, review.written_at, review.visible_at = ReviewState.WRITTEN, now, review.closes_at
    if other is not None and other.written_at is not None:
        review.visible_at = now
        Review.objects.filter(pk=other.pk, visible_at__gt=now).update(visible_at=now, updated_at=now)


def _edit(review: Review, rating: int, private_score: int | None, now: datetime.datetime) -> None:
    is_seen = review.visible_at is not None and review.visible_at <= now
    if is_seen and (rating != review.rating or private_score not in (None, review.private_score)):
        raise RatingIsFinal
    ReviewVersion.objects.create(review=review, rating=review.rating, text=review.text)
    review.edited_at = now


def _locked_pair(review: Review) -> tuple[Review, Review | None]:
    """The review and the one in the other direction, both locked, in the order of their keys."""
    rows = list(Review.objects.select_for_update(of=("self",)).filter(reference=review.reference, profile=review.profile_id).order_by("pk"))
    own = next(row for row in rows if row.pk == review.pk)
    pair = {own.about_id, own.author_id}
    return own, next((row for row in rows if row.pk != own.pk and {row.about_id, row.author_id} == pair), None)


def _hold(profile_id: uuid.UUID) -> int:
    """Hold what looks arranged about a mentor, until staff have looked. What staff let stand once is not held again."""
    found = signals_of_mentor(profile_id)
    rows = Review.objects.select_for_update(of=("self",)).filter(pk__in=found, state=ReviewState.WRITTEN, decided_at__isnull=True)
    held = 0
    for row in rows.order_by("pk"):
        row.state, row.signals = ReviewState.HELD, sorted(found[row.pk])
        row.save(update_fields=["state", "signals", "updated_at"])
        held += 1
    return held


def _hold_one(review: Review, signal: ReviewSignal) -> None:
    review.state, review.signals = ReviewState.HELD, sorted({*review.signals, signal})
    review.save(update_fields=["state", "signals", "updated_at"])
