"""Blocks, and the list of every place where people meet other people's things. Each app joins its places to the list; a test walks it
with two people who blocked each other."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable

from django.db import transaction

from accounts.events import PersonBlocked
from accounts.models import Block, User
from core.errors import Conflict, NotFound
from core.events import publish

# What a place shows, counts, finds or notifies: from the person who looks to the ids of the people behind it.
PeopleShown = Callable[[User], Iterable[uuid.UUID]]

_places: dict[str, PeopleShown] = {}


def register_place(name: str, people_shown: PeopleShown) -> None:
    """Join a place where one person meets others: a list, a count, a search, a notification. `name` is such as "mentors.search"."""
    _places[name] = people_shown


def places() -> dict[str, PeopleShown]:
    """Every place that was joined, by name."""
    return dict(_places)


def block_person(*, user: User, person_id: uuid.UUID) -> Block:
    """Block somebody. From now on neither meets the other anywhere. Blocking twice is no error.

    Raises:
        NotFound: nobody whom this person may see.
        Conflict: oneself.
    """
    if person_id == user.pk:
        raise Conflict
    with transaction.atomic():
        known = Block.objects.filter(blocker=user, blocked_id=person_id).first()
        if known:
            return known
        # Somebody who has blocked this person first is invisible to them, and may be blocked back all the same.
        if not User.objects.present().filter(pk=person_id).exists():
            raise NotFound
        block, created = Block.objects.get_or_create(blocker=user, blocked_id=person_id)
        if created:
            publish(PersonBlocked(user_id=user.pk, blocked_id=person_id))
    return block


def unblock_person(*, user: User, person_id: uuid.UUID) -> None:
    """Take a block back.

    Raises:
        NotFound: there is none.
    """
    with transaction.atomic():
        deleted, _ = Block.objects.filter(blocker=user, blocked_id=person_id).delete()
        if not deleted:
            raise NotFound


def is_apart(one: User, other: User) -> bool:
    """Whether either of the two blocked the other."""
    return Block.objects.filter(blocker=one, blocked=other).exists() or Block.objects.filter(blocker=other, blocked=one).exists()
