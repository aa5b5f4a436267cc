"""Retiring of rows that a source no longer lists: only on request, and a large share only with its number confirmed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Model, QuerySet
from django.utils import timezone

from catalog.enums import OpportunityState, TermState
from catalog.errors import RetiringRefused
from catalog.models import Category, ImportRun, Occupation, Opportunity, Skill

# Percent of the active rows of a source. If more are missing, the file was more likely cut off than the source cleared out.
MOST_PERCENT = 20
_MOST_EXAMPLES = 10
# An import changes only these states; staff chose the others.
LEFT_TO_THE_SOURCE = frozenset({OpportunityState.LIVE, OpportunityState.EXPIRED, OpportunityState.RETIRED})


@dataclasses.dataclass(frozen=True)
class ImportOptions:
    """What an import may retire. `confirmed` is the number of missing rows seen in a dry run, to be retired whatever share they are."""

    retires_missing: bool = False
    confirmed: int | None = None
    is_dry_run: bool = False


KEEP_MISSING = ImportOptions()


@dataclasses.dataclass(frozen=True)
class Missing:
    """The active rows of one source that its file does not list, and how many active rows it has in all."""

    source: str
    rows: QuerySet[Any]
    total: int
    retired_state: str

    @property
    def number(self) -> int:
        return self.rows.count()


def missing_opportunities(run: ImportRun, sources: set[str]) -> list[Missing]:
    active = Opportunity.objects.filter(state__in=LEFT_TO_THE_SOURCE - {OpportunityState.RETIRED})
    return [
        Missing(source, rows.exclude(last_import=run), rows.count(), OpportunityState.RETIRED)
        for source in sorted(sources)
        if (rows := active.filter(source=source))
    ]


def missing_terms(seen: Mapping[type[Model], Mapping[str, set[str]]]) -> list[Missing]:
    found = []
    for model in (Skill, Occupation):
        for source, ids in seen[model].items():
            rows: QuerySet[Any] = model.objects.filter(source=source, state=TermState.ACTIVE)
            found.append(Missing(source, rows.exclude(source_id__in=ids), rows.count(), TermState.RETIRED))
    for source, ids in seen[Category].items():
        rows = Category.objects.active()
        found.append(Missing(source, rows.exclude(source_id__in=ids), rows.count(), TermState.RETIRED))
    return found


def record_missing(run: ImportRun, missing: Sequence[Missing]) -> None:
    """Store the number of missing rows and a few examples in the run."""
    run.missing = sum(each.number for each in missing)
    run.missing_examples = [f"{each.source}: {row}"[:300] for each in missing for row in each.rows.order_by("pk")[:_MOST_EXAMPLES]][
        :_MOST_EXAMPLES
    ]


def retire(run: ImportRun, missing: Sequence[Missing], options: ImportOptions) -> None:
    """Retire what is missing.

    Raises:
        RetiringRefused: records were refused, so the missing rows are unknown; or their share is too large and not confirmed.
    """
    if not run.missing:
        return
    if run.refused:
        raise RetiringRefused(f"{run.refused} rows were refused, so it is not known what is missing. Nothing was retired.")
    if options.confirmed is not None and options.confirmed != run.missing:
        raise RetiringRefused(f"{run.missing} rows are missing, not {options.confirmed}. Nothing was retired.")
    for each in missing:
        if options.confirmed is None and each.number * 100 > each.total * MOST_PERCENT:
            raise RetiringRefused(
                f"{each.number} of {each.total} rows of {each.source} are missing, more than {MOST_PERCENT} %. Nothing was retired."
                f" If the file is whole, confirm the number of all missing rows: {run.missing}."
            )
    run.retired = sum(each.rows.update(state=each.retired_state, updated_at=timezone.now()) for each in missing)
