"""Searches that people keep. What is new in them is found by a task and told by an event."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from catalog.errors import TooManySavedSearches
from catalog.events import SavedSearchMatched
from catalog.models import Opportunity, SavedSearch
from catalog.querysets import OpportunityQuerySet
from core.errors import FieldError, InvalidInput, NotFound
from core.events import publish

MOST_SEARCHES = 20
_LOOK_EVERY = datetime.timedelta(minutes=15)
_MOST_FOUND = 50
_BATCH = 200
# From rows and the parameters of a search to the rows that match.
Narrow = Callable[[OpportunityQuerySet, dict[str, Any]], OpportunityQuerySet]
_narrow: list[Narrow] = []


def narrows_searches(function: Narrow) -> Narrow:
    """Hand in how parameters narrow rows down. The API does, with the filters of its own list, so that both find the same."""
    _narrow[:] = [function]
    return function


def save_search(*, user: User, name: str, filters: dict[str, Any], is_notifying: bool) -> SavedSearch:
    """Keep a search.

    Raises:
        TooManySavedSearches: the person keeps `MOST_SEARCHES` already.
        InvalidInput: they keep another one of this name.
    """
    with transaction.atomic():
        User.objects.select_for_update(of=("self",), no_key=True).get(pk=user.pk)
        own = SavedSearch.objects.visible_to(user)
        if own.count() >= MOST_SEARCHES:
            raise TooManySavedSearches
        _check_name(user, name)
        return SavedSearch.objects.create(user=user, name=name, filters=filters, is_notifying=is_notifying)


def change_search(*, user: User, search_id: uuid.UUID, fields: dict[str, Any]) -> SavedSearch:
    """Change name, filters, or whether it notifies. After a change of the filters everything until now counts as seen.

    Raises:
        NotFound: there is none of theirs.
        InvalidInput: they keep another one of this name.
    """
    with transaction.atomic():
        search = _locked(user, search_id)
        if fields.get("name", search.name) != search.name:
            _check_name(user, fields["name"])
        for name, value in fields.items():
            setattr(search, name, value)
        if "filters" in fields:
            search.looked_until = timezone.now()
            search.found.clear()
        search.save()
    return search


def mark_seen(*, user: User, search_id: uuid.UUID) -> SavedSearch:
    """The person has seen what was new.

    Raises:
        NotFound: there is none of theirs.
    """
    with transaction.atomic():
        search = _locked(user, search_id)
        search.found.clear()
    return search


def forget_search(*, user: User, search_id: uuid.UUID) -> None:
    """Keep a search no more.

    Raises:
        NotFound: there is none of theirs.
    """
    with transaction.atomic():
        _locked(user, search_id).delete()


def look_for_news() -> int:
    """Look through what was published since each search was last looked through. Returns how many searches found something. Safe to run
    twice and at once: each search is locked, and what was looked through is not looked through again."""
    matched = 0
    now = timezone.now()
    while True:
        with transaction.atomic():
            due = SavedSearch.objects.select_for_update(of=("self",), skip_locked=True).filter(looked_until__lte=now - _LOOK_EVERY)
            batch = list(due.select_related("user").order_by("looked_until")[:_BATCH])
            matched += sum(_look(search, now) for search in batch)
        if len(batch) < _BATCH:
            return matched


def _look(search: SavedSearch, now: datetime.datetime) -> bool:
    rows = Opportunity.objects.listed_for(search.user).untouched_by(search.user)
    (narrow,) = _narrow
    rows = narrow(rows.filter(published_at__gt=search.looked_until, published_at__lte=now), search.filters)
    found = list(rows.order_by("-published_at").values_list("pk", flat=True)[:_MOST_FOUND])
    search.looked_until = now
    search.save(update_fields=["looked_until", "updated_at"])
    links = SavedSearch.found.through
    links.objects.bulk_create([links(savedsearch_id=search.pk, opportunity_id=key) for key in found], ignore_conflicts=True)
    if found and search.is_notifying:
        publish(SavedSearchMatched(search.user_id, search.pk, len(found)))
    return bool(found)


def _locked(user: User, search_id: uuid.UUID) -> SavedSearch:
    search: SavedSearch | None = SavedSearch.objects.visible_to(user).select_for_update().filter(pk=search_id).first()
    if search is None:
        raise NotFound
    return search


def _check_name(user: User, name: str) -> None:
    if SavedSearch.objects.visible_to(user).filter(name=name).exists():
        raise InvalidInput(errors=(FieldError("name", "name_taken", "You keep a search of this name already."),))
