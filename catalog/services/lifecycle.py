"""The states of an opportunity and the moves between them. What is shown never waits for these tasks: see `OpportunityQuerySet.open`."""

from __future__ import annotations

import datetime
import uuid

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from catalog.enums import OpportunityState, ReviewSignal, ReviewState
from catalog.errors import DuplicateOpportunity, IllegalMove, OpportunityNotOpen
from catalog.events import ConfirmationAsked, OpportunityPublished, OpportunityUnlisted, PostingReviewed
from catalog.models import Opportunity, PostingReview
from catalog.policies import needs_review
from catalog.querysets import INDEX_COLUMNS
from catalog.services.duplicates import near_duplicate_of
from catalog.services.scam_signals import scam_signals
from core.events import publish

State = OpportunityState
_MOVES: dict[str, frozenset[State]] = {
    State.DRAFT: frozenset({State.REVIEW, State.LIVE, State.CLOSED}),
    State.REVIEW: frozenset({State.DRAFT, State.LIVE, State.CLOSED}),
    State.LIVE: frozenset({State.REVIEW, State.PAUSED, State.EXPIRED, State.CLOSED}),
    State.PAUSED: frozenset({State.REVIEW, State.LIVE, State.EXPIRED, State.CLOSED}),
    State.EXPIRED: frozenset({State.REVIEW, State.LIVE, State.CLOSED}),
    State.CLOSED: frozenset(),
    State.RETIRED: frozenset(),
}
# A poster is asked after so long whether a posting still stands, and has so long to answer.
CONFIRM_AFTER = datetime.timedelta(days=30)
ANSWER_WITHIN = datetime.timedelta(days=14)
_BATCH = 500


def locked(opportunity_id: uuid.UUID) -> Opportunity:
    """The row for a change. Needs an open transaction.

    Raises:
        OpportunityNotOpen: it is closed for good, or its source has retired it.
    """
    opportunity = Opportunity.objects.select_for_update(of=("self",)).select_related("posting_organisation").defer(*INDEX_COLUMNS)
    found = opportunity.get(id=opportunity_id)
    if not _MOVES[found.state]:
        raise OpportunityNotOpen
    return found


def move(opportunity: Opportunity, to: State) -> None:
    """Change the state of a locked row, and tell who wants to know.

    Raises:
        IllegalMove: there is no way from the present state to this one.
    """
    before = opportunity.state
    if to not in _MOVES[before]:
        raise IllegalMove(state=before)
    opportunity.state = to
    if to == State.LIVE:
        opportunity.published_at = opportunity.published_at or timezone.now()
        opportunity.confirmed_at, opportunity.confirmation_asked_at = timezone.now(), None
    opportunity.save(update_fields=["state", "published_at", "confirmed_at", "confirmation_asked_at", "updated_at"])
    if to == State.LIVE:
        publish(OpportunityPublished(opportunity.pk))
    elif before == State.LIVE:
        publish(OpportunityUnlisted(opportunity.pk, to))


def publish_or_review(opportunity: Opportunity) -> None:
    """Make a locked row live, or, where something about it wants a look by staff, put it into their queue.

    Raises:
        DuplicateOpportunity: its poster has posted nearly the same already.
    """
    found = _signals(opportunity)
    approved = PostingReview.objects.filter(opportunity=opportunity, state=ReviewState.APPROVED).values_list("signals", flat=True)
    if {signal for signal, _ in found} <= {signal for signals in approved for signal in signals}:
        # Nothing, or nothing that staff have not seen and let pass.
        _drop_open_review(opportunity)
        if opportunity.state != State.LIVE:
            move(opportunity, State.LIVE)
        return
    if opportunity.state != State.REVIEW:
        move(opportunity, State.REVIEW)
    PostingReview.objects.update_or_create(
        opportunity=opportunity,
        state=ReviewState.OPEN,
        defaults={"signals": [signal for signal, _ in found], "excerpts": [excerpt for _, excerpt in found]},
    )


def _signals(opportunity: Opportunity) -> list[tuple[ReviewSignal, str]]:
    found = list(scam_signals(opportunity))
    if needs_review(opportunity):
        found.append((ReviewSignal.NEW_POSTER, opportunity.organisation[:200]))
    duplicate = near_duplicate_of(opportunity)
    if duplicate is not None and _same_poster(opportunity, duplicate):
        raise DuplicateOpportunity(duplicate_of=str(duplicate.pk))
    Opportunity.objects.filter(pk=opportunity.pk).update(duplicate_of=duplicate)
    if duplicate is not None:
        found.append((ReviewSignal.NEAR_DUPLICATE, duplicate.title[:200]))
    return found


def _same_poster(one: Opportunity, other: Opportunity) -> bool:
    if one.posting_organisation_id or other.posting_organisation_id:
        return one.posting_organisation_id == other.posting_organisation_id
    return one.posted_by_id is not None and one.posted_by_id == other.posted_by_id


def submit_opportunity(*, opportunity_id: uuid.UUID) -> None:
    """Publish a draft, or put it before staff.

    Raises:
        IllegalMove: it is no draft.
        DuplicateOpportunity: see `publish_or_review`.
    """
    with transaction.atomic():
        opportunity = locked(opportunity_id)
        if opportunity.state != State.DRAFT:
            raise IllegalMove(state=opportunity.state)
        publish_or_review(opportunity)


def pause_opportunity(*, opportunity_id: uuid.UUID) -> None:
    """Take a live opportunity down for a while.

    Raises:
        IllegalMove: it is not live.
    """
    with transaction.atomic():
        move(locked(opportunity_id), State.PAUSED)


def resume_opportunity(*, opportunity_id: uuid.UUID) -> None:
    """Show a paused one again; this counts as confirming it.

    Raises:
        IllegalMove: it is not paused, or its deadline has passed.
    """
    with transaction.atomic():
        opportunity = locked(opportunity_id)
        if opportunity.state != State.PAUSED or _is_over(opportunity):
            raise IllegalMove(state=opportunity.state)
        publish_or_review(opportunity)


def confirm_opportunity(*, opportunity_id: uuid.UUID) -> None:
    """Its poster says that it still stands.

    Raises:
        IllegalMove: it is not live.
    """
    with transaction.atomic():
        opportunity = locked(opportunity_id)
        if opportunity.state != State.LIVE:
            raise IllegalMove(state=opportunity.state)
        opportunity.confirmed_at, opportunity.confirmation_asked_at = timezone.now(), None
        opportunity.save(update_fields=["confirmed_at", "confirmation_asked_at", "updated_at"])


def close_opportunity(*, opportunity_id: uuid.UUID) -> None:
    """Take an opportunity out of every list, search and recommendation for good. Its row and its links stay.

    Raises:
        OpportunityNotOpen: it is closed already.
    """
    with transaction.atomic():
        opportunity = locked(opportunity_id)
        move(opportunity, State.CLOSED)
        _drop_open_review(opportunity)


def after_a_change(opportunity: Opportunity) -> None:
    """What follows for the state of a locked row whose text or dates were changed: another look, an end, or a new beginning.

    Raises:
        DuplicateOpportunity: see `publish_or_review`.
    """
    if (opportunity.state == State.EXPIRED and not _is_over(opportunity)) or opportunity.state in (State.LIVE, State.REVIEW):
        publish_or_review(opportunity)


def _is_over(opportunity: Opportunity) -> bool:
    return Opportunity.objects.filter(pk=opportunity.pk, open_until__lte=timezone.now()).exists()


def decide_review(*, staff_id: uuid.UUID, opportunity_id: uuid.UUID, is_approved: bool, note: str = "") -> None:
    """Let a posting that waits go live, or send it back to its poster as a draft, with a note.

    Raises:
        IllegalMove: it does not wait for a look.
    """
    with transaction.atomic():
        opportunity = locked(opportunity_id)
        review = PostingReview.objects.filter(opportunity=opportunity, state=ReviewState.OPEN).first()
        if opportunity.state != State.REVIEW or review is None:
            raise IllegalMove(state=opportunity.state)
        review.state = ReviewState.APPROVED if is_approved else ReviewState.REJECTED
        review.decided_by_id, review.decided_at, review.note = staff_id, timezone.now(), note
        review.save()
        move(opportunity, State.LIVE if is_approved else State.DRAFT)
        publish(PostingReviewed(opportunity.pk, review.pk, is_approved))


def _drop_open_review(opportunity: Opportunity) -> None:
    PostingReview.objects.filter(opportunity=opportunity, state=ReviewState.OPEN).delete()


def expire_passed() -> int:
    """Mark live rows whose day is over. They were shown nowhere since that instant; this brings state and events in step."""
    return _move_all(Q(open_until__lte=timezone.now(), state=State.LIVE), State.EXPIRED)


def ask_for_confirmation() -> int:
    """Ask the posters of what was last confirmed too long ago, once. What a source lists is confirmed by each import."""
    due = Q(posted_by__isnull=False) | Q(posting_organisation__isnull=False)
    due &= Q(state=State.LIVE, confirmed_at__lte=timezone.now() - CONFIRM_AFTER, confirmation_asked_at__isnull=True)
    with transaction.atomic():
        rows = Opportunity.objects.select_for_update(of=("self",), skip_locked=True).filter(due)
        ids = list(rows.order_by("confirmed_at").values_list("pk", flat=True)[:_BATCH])
        Opportunity.objects.filter(pk__in=ids).update(confirmation_asked_at=timezone.now())
        for opportunity_id in ids:
            publish(ConfirmationAsked(opportunity_id))
    return len(ids)


def pause_unconfirmed() -> int:
    """Take down what its poster was asked about and did not confirm in time."""
    asked_before = timezone.now() - ANSWER_WITHIN
    return _move_all(
        Q(state=State.LIVE, confirmation_asked_at__lte=asked_before, confirmed_at__lt=F("confirmation_asked_at")), State.PAUSED
    )


def _move_all(which: Q, to: State) -> int:
    """Move every matching row, a batch a transaction; rows that somebody changes right now are left for the next run."""
    moved = 0
    while True:
        with transaction.atomic():
            rows = Opportunity.objects.select_for_update(of=("self",), skip_locked=True).filter(which).defer(*INDEX_COLUMNS)
            batch = list(rows.order_by("id")[:_BATCH])
            for opportunity in batch:
                move(opportunity, to)
        moved += len(batch)
        if len(batch) < _BATCH:
            return moved
