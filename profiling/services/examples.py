"""What people did with what was recommended to them, as numbers to learn from."""

from __future__ import annotations

import dataclasses
import datetime
import json
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import numpy
from django.db import connections, transaction
from django.utils import timezone

from core.replicas import alias_of_reads, reading_from_replica
from profiling.services.scoring import TERMS

# What a reaction is worth; a dismissal is worth nothing and counts as a no that was said aloud.
GAINS = {"opened": 1.0, "saved": 2.0, "applied": 3.0}
# A reaction is put down to the newest serving before it, if that was no longer ago than this.
_REACTS_WITHIN = datetime.timedelta(days=7)
LEARNS_FROM_DAYS = 120
# Nobody's habits count for more than these many servings.
_MOST_SERVINGS_A_PERSON = 20
_MOST_PAGES = 100_000
_FETCH = 2_000
# Somebody is no ordinary reader who says yes to nearly everything, or very often, or nearly always to one poster.
_MOST_YES_A_DAY = 60
_YES_SHARE, _FROM_SHOWN = 0.6, 20
_ONE_POSTER_SHARE, _FROM_YES = 0.8, 10

_ROWS = """
WITH numbered AS (
    SELECT serving.*, row_number() OVER (PARTITION BY user_id ORDER BY created_at DESC) AS age
    FROM profiling_serving AS serving WHERE created_at >= %(since)s AND cardinality(opportunity_ids) > 0
)
SELECT serving.id, serving.user_id, serving.created_at, serving.terms, serving.propensities,
    array_agg(row.id ORDER BY shown.place),
    array_agg(coalesce(row.posting_organisation_id::text, nullif(lower(btrim(row.organisation)), ''), row.id::text) ORDER BY shown.place),
    array_agg(coalesce(row.published_at, row.created_at) ORDER BY shown.place),
    array_agg(reaction.opened_at ORDER BY shown.place),
    array_agg(reaction.saved_at ORDER BY shown.place),
    array_agg(reaction.applied_at ORDER BY shown.place),
    array_agg(reaction.dismissed_at ORDER BY shown.place)
FROM numbered AS serving
CROSS JOIN LATERAL unnest(serving.opportunity_ids) WITH ORDINALITY AS shown(id, place)
LEFT JOIN catalog_opportunity AS row ON row.id = shown.id
LEFT JOIN catalog_reaction AS reaction ON reaction.user_id = serving.user_id AND reaction.opportunity_id = shown.id
WHERE serving.age <= %(most)s
GROUP BY serving.id, serving.user_id, serving.created_at, serving.terms, serving.propensities
ORDER BY serving.created_at DESC, serving.id LIMIT %(most_pages)s
"""


@dataclasses.dataclass(frozen=True)
class Page:
    """One serving. Arrays go by place: terms (places x terms), gains, dismissals (0 or 1), posters, and whether it was new then."""

    user_id: uuid.UUID
    served_at: datetime.datetime
    terms: numpy.ndarray
    gains: numpy.ndarray
    dismissed: numpy.ndarray
    posters: tuple[str, ...]
    is_new: numpy.ndarray


def pages_of_the_log() -> list[Page]:
    """The servings of the last months, oldest first, each with what followed from it. Rows are streamed, no person has more than a few."""
    since = timezone.now() - datetime.timedelta(days=LEARNS_FROM_DAYS)
    taken: set[tuple[uuid.UUID, uuid.UUID, str]] = set()
    pages = []
    for row in _streamed(_ROWS, {"since": since, "most": _MOST_SERVINGS_A_PERSON, "most_pages": _MOST_PAGES}):
        pages.append(_page(row, taken))
    return pages[::-1]


def _streamed(sql: str, parameters: dict[str, Any]) -> Iterator[Any]:
    with (
        reading_from_replica(),
        transaction.atomic(alias_of_reads()),
        connections[alias_of_reads()].connection.cursor(name="servings") as cursor,
    ):
        cursor.itersize = _FETCH
        cursor.execute(sql, parameters)
        yield from cursor


def _page(row: Any, taken: set[tuple[uuid.UUID, uuid.UUID, str]]) -> Page:
    """Servings come newest first, so the newest one before a reaction takes it."""
    _, user_id, served_at, terms, _, ids, posters, published, *reactions = row
    gains, dismissed = numpy.zeros(len(ids)), numpy.zeros(len(ids))
    for name, instants in zip((*GAINS, "dismissed"), reactions, strict=True):
        for place, instant in enumerate(instants):
            key = (user_id, ids[place], name)
            if instant is None or not served_at <= instant <= served_at + _REACTS_WITHIN or key in taken:
                continue
            taken.add(key)
            if name == "dismissed":
                dismissed[place] = 1.0
            else:
                gains[place] = max(gains[place], GAINS[name])
    new = numpy.array([instant is not None and (served_at - instant).days < 14 for instant in published])
    values = numpy.array(json.loads(terms), dtype=float).reshape(len(ids), len(TERMS))
    return Page(user_id, served_at, values, gains, dismissed, tuple(map(str, posters)), new)


def suspicious_people(pages: Sequence[Page]) -> set[uuid.UUID]:
    """Whose reactions are not those of an ordinary reader. They teach the ranker nothing."""
    shown: Counter[uuid.UUID] = Counter()
    yes: Counter[uuid.UUID] = Counter()
    by_day: Counter[tuple[uuid.UUID, datetime.date]] = Counter()
    by_poster: dict[uuid.UUID, Counter[str]] = defaultdict(Counter)
    for page in pages:
        said_yes = numpy.flatnonzero(page.gains)
        shown[page.user_id] += len(page.gains)
        yes[page.user_id] += len(said_yes)
        by_day[(page.user_id, page.served_at.date())] += len(said_yes)
        by_poster[page.user_id].update(page.posters[place] for place in said_yes)
    busy = {person for (person, _), count in by_day.items() if count > _MOST_YES_A_DAY}
    eager = {person for person, count in shown.items() if count >= _FROM_SHOWN and yes[person] > _YES_SHARE * count}
    loyal = {
        person
        for person, counts in by_poster.items()
        if yes[person] >= _FROM_YES and counts.most_common(1)[0][1] > _ONE_POSTER_SHARE * yes[person]
    }
    return busy | eager | loyal
