"""People are told what becomes of their postings and searches."""

from __future__ import annotations

import pytest
from django.utils import timezone

from accounts.models import User
from catalog.events import ConfirmationAsked, PostingReviewed, SavedSearchMatched
from catalog.handlers import ask_poster, tell_about_search, tell_poster_what_was_decided
from catalog.models import Opportunity, Organisation, OrganisationMember, PostingReview, SavedSearch
from core.models import new_id
from notifications.models import Notification
from notifications.selectors import card_of

pytestmark = pytest.mark.django_db


def told(user: User) -> list[str]:
    return [card_of(row)["title"] for row in Notification.objects.visible_to(user).order_by("id")]


@pytest.fixture
def posting(user: User) -> Opportunity:
    return Opportunity.objects.create(
        source="s", source_id="1", kind="job", title="Nurse", posted_by=user, confirmation_asked_at=timezone.now()
    )


def test_a_search_that_found_something(user: User, posting: Opportunity) -> None:
    search = SavedSearch.objects.create(user=user, name="Nurses in Oslo")
    search.found.add(posting)
    for _ in range(2):
        tell_about_search(SavedSearchMatched(user.pk, search.pk, 1))
    assert told(user) == ["1 new in your search “Nurses in Oslo”"]
    SavedSearch.objects.update(is_notifying=False)
    tell_about_search(SavedSearchMatched(user.pk, search.pk, 1))
    tell_about_search(SavedSearchMatched(user.pk, new_id(), 1))
    assert len(told(user)) == 1


def test_a_posting_that_waits_for_confirmation(user: User, posting: Opportunity) -> None:
    for _ in range(2):
        ask_poster(ConfirmationAsked(posting.pk))
    ask_poster(ConfirmationAsked(new_id()))
    assert told(user) == ["Does “Nurse” still stand?"]


def test_a_posting_that_was_looked_at(user: User, staff: User, posting: Opportunity) -> None:
    organisation = Organisation.objects.create(slug="c", name="Clinic")
    OrganisationMember.objects.create(organisation=organisation, user=staff)
    review = PostingReview.objects.create(opportunity=posting, note="Say who pays.")
    tell_poster_what_was_decided(PostingReviewed(posting.pk, review.pk, False))
    Opportunity.objects.update(posting_organisation=organisation)
    PostingReview.objects.update(state="rejected", decided_at=timezone.now())
    other = PostingReview.objects.create(opportunity=posting)
    tell_poster_what_was_decided(PostingReviewed(posting.pk, other.pk, True))
    tell_poster_what_was_decided(PostingReviewed(posting.pk, new_id(), True))
    assert (told(user), told(staff)) == (["“Nurse” was not published"], ["“Nurse” is published"])
    assert "Say who pays." in card_of(Notification.objects.visible_to(user).get())["text"]
    Opportunity.objects.update(posting_organisation=None, posted_by=None)
    ask_poster(ConfirmationAsked(posting.pk))
    assert Notification.objects.count() == 2
