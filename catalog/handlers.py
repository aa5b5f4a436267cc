from __future__ import annotations

import uuid

from catalog.events import ConfirmationAsked, PostingReviewed, SavedSearchMatched
from catalog.models import Opportunity, OrganisationMember, PostingReview, SavedSearch
from catalog.notices import CONFIRMATION_ASKED, POSTING_APPROVED, POSTING_REJECTED, SEARCH_MATCHED
from catalog.services.lifecycle import ANSWER_WITHIN
from core.events import subscribe
from notifications.services.notifying import notify


@subscribe(SavedSearchMatched)
def tell_about_search(event: SavedSearchMatched) -> None:
    """Somebody's kept search found something; until they have read of it, one notice stands for all it finds."""
    search = SavedSearch.objects.filter(pk=event.search_id, is_notifying=True).first()
    if search is not None:
        data = {"search_id": search.pk, "search": search.name, "number": search.found.count()}
        notify(kind=SEARCH_MATCHED, user_ids=[event.user_id], data=data, collapse_key=str(search.pk))


@subscribe(ConfirmationAsked)
def ask_poster(event: ConfirmationAsked) -> None:
    """Ask whoever posted it whether it still stands."""
    opportunity = Opportunity.objects.filter(pk=event.opportunity_id).first()
    if opportunity is not None and opportunity.confirmation_asked_at is not None:
        until = opportunity.confirmation_asked_at + ANSWER_WITHIN
        data = {"opportunity_id": opportunity.pk, "opportunity": opportunity.title, "until": until}
        key = f"{opportunity.pk} {opportunity.confirmation_asked_at}"
        notify(kind=CONFIRMATION_ASKED, user_ids=_posters(opportunity), data=data, key=key)


@subscribe(PostingReviewed)
def tell_poster_what_was_decided(event: PostingReviewed) -> None:
    """Staff looked at a posting."""
    review = PostingReview.objects.select_related("opportunity").filter(pk=event.review_id).first()
    if review is None:
        return
    opportunity = review.opportunity
    data = {"opportunity_id": opportunity.pk, "opportunity": opportunity.title}
    if event.is_approved:
        notify(kind=POSTING_APPROVED, user_ids=_posters(opportunity), data=data, key=str(review.pk))
    else:
        notify(kind=POSTING_REJECTED, user_ids=_posters(opportunity), data=data | {"note": review.note}, key=str(review.pk))


def _posters(opportunity: Opportunity) -> list[uuid.UUID]:
    """Who posted it, or all who may act for the organisation that did."""
    if opportunity.posting_organisation_id is None:
        return [opportunity.posted_by_id] if opportunity.posted_by_id else []
    members = OrganisationMember.objects.filter(organisation_id=opportunity.posting_organisation_id)
    return list(members.values_list("user_id", flat=True))
