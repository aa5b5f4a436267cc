"""Streaming, idempotent imports. Running a file twice changes nothing; what a source no longer lists is retired, and its links stay."""

from __future__ import annotations

import hashlib
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pydantic
from django.db import connection, transaction
from django.db.models import Model
from django.utils import timezone

from catalog.enums import ImportKind, ImportState, OpportunityState, TermState
from catalog.errors import ImportFileUnreadable
from catalog.models import Category, ImportRefusal, ImportRun, Occupation, Opportunity, Skill
from catalog.querysets import INDEX_COLUMNS
from catalog.services.documents import title_key
from catalog.services.indexing import index_opportunities, refresh_statistics
from catalog.services.record_shapes import CategoryRecord, OccupationRecord, OpportunityRecord, SkillRecord, TaxonomyReader
from catalog.services.records import Record, read_records

_BATCH = 500
# Refusals beyond this many are counted but not stored: a file of another kind would fill the table.
_STORED_REFUSALS = 1_000
# What staff have closed or paused, an import does not bring back.
_LEFT_TO_THE_SOURCE = frozenset({OpportunityState.LIVE, OpportunityState.EXPIRED, OpportunityState.RETIRED})
Progress = Callable[[int], None]


def import_opportunities(*, path: Path, progress: Progress = lambda position: None) -> ImportRun:
    """Import JSON lines or CSV of opportunities. `progress` is told the position in the file, in bytes.

    Raises:
        ImportFileUnreadable: what was read until then stays imported; nothing is retired.
    """
    run = _begin(ImportKind.OPPORTUNITIES, path)
    sources: set[str] = set()
    for batch in _batches(_read(run, path, OpportunityRecord.model_validate, progress)):
        sources |= {record.source for record in batch}
        with transaction.atomic():
            _store_opportunities(run, batch)
    with transaction.atomic():
        gone = Opportunity.objects.filter(source__in=sources, state__in=_LEFT_TO_THE_SOURCE).exclude(last_import=run)
        gone = gone.exclude(state=OpportunityState.RETIRED)
        run.retired = gone.update(state=OpportunityState.RETIRED, updated_at=timezone.now())
        _finish(run)
    refresh_statistics()
    return run


def import_taxonomy(*, path: Path, progress: Progress = lambda position: None) -> ImportRun:
    """Import categories, skills and occupations, in Soosh's own shape or as O*NET, ESCO and GitHub publish them.

    Raises:
        ImportFileUnreadable: what was read until then stays imported; nothing is retired.
    """
    run = _begin(ImportKind.TAXONOMY, path)
    reader = TaxonomyReader(path)
    seen: dict[type[Model], dict[str, set[str]]] = {Skill: {}, Occupation: {}, Category: {}}
    for batch in _batches(_read(run, path, reader.read, progress)):
        with transaction.atomic():
            for model, records in _by_model(batch):
                _STORE[model](run, records)
                for record in records:
                    seen[model].setdefault(record.source, set()).add(record.source_id)
    with transaction.atomic():
        if not reader.is_partial:
            run.retired = _retire_terms(seen)
        _finish(run)
    _refresh_occupation_keys()
    return run


def _begin(kind: ImportKind, path: Path) -> ImportRun:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('catalog.import'))")
        # A run that is still marked as running was killed; what it wrote is kept and recognised as unchanged now.
        ImportRun.objects.filter(kind=kind, file_name=path.name, state=ImportState.RUNNING).update(state=ImportState.INTERRUPTED)
        return ImportRun.objects.create(kind=kind, file_name=path.name[:500], checksum=_checksum(path))


def _checksum(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ImportFileUnreadable(f"{path}: {error}") from error


def _finish(run: ImportRun) -> None:
    run.state = ImportState.COMPLETED
    run.finished_at = timezone.now()
    run.save()


def _read(run: ImportRun, path: Path, parse: Callable[[dict[str, Any]], Any], progress: Progress) -> Iterator[Any]:
    for record in read_records(path):
        progress(record.position)
        parsed, reason = _parsed(record, parse)
        if parsed is not None:
            yield parsed
        else:
            _refuse(run, reason, line=record.line)


def _refuse(run: ImportRun, reason: str, *, line: int = 0) -> None:
    run.refused += 1
    if run.refused <= _STORED_REFUSALS:
        ImportRefusal.objects.create(run=run, line=line, reason=reason[:500].replace("\x00", ""))


def _parsed(record: Record, parse: Callable[[dict[str, Any]], Any]) -> tuple[Any, str]:
    if record.fields is None:
        return None, record.refusal
    try:
        return parse(record.fields), ""
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        return None, f"{'.'.join(map(str, first['loc'])) or 'record'}: {first['msg']}"


def _batches(records: Iterable[Any]) -> Iterator[list[Any]]:
    """Batches in which each (source, source id) stands once; the later record of a pair wins."""
    batch: dict[tuple[type, str, str], Any] = {}
    for record in records:
        batch[(type(record), record.source, record.source_id)] = record
        if len(batch) >= _BATCH:
            yield list(batch.values())
            batch = {}
    if batch:
        yield list(batch.values())


def _store_opportunities(run: ImportRun, records: list[OpportunityRecord]) -> None:
    existing = _existing(Opportunity, records)
    added, changed, unchanged = [], [], []
    for record in records:
        row = existing.get((record.source, record.source_id))
        if row is None:
            added.append(Opportunity(last_import=run, state=_state_of(record), **record.columns()))
        elif _apply(row, record.columns() | ({"state": _state_of(record)} if row.state in _LEFT_TO_THE_SOURCE else {})):
            changed.append(row)
        else:
            unchanged.append(row)
    Opportunity.objects.bulk_create(added)
    columns = [*OpportunityRecord.COLUMNS, "state", "last_import", "confirmed_at", "updated_at"]
    for row in changed:
        row.last_import, row.confirmed_at, row.updated_at = run, timezone.now(), timezone.now()
    Opportunity.objects.bulk_update(changed, columns)
    Opportunity.objects.filter(id__in=[row.id for row in unchanged]).update(last_import=run, confirmed_at=timezone.now())
    _link_skills([*added, *changed])
    index_opportunities([row.id for row in (*added, *changed)])
    _count(run, added, changed, unchanged)


def _state_of(record: OpportunityRecord) -> OpportunityState:
    over = min((day for day in (record.deadline_on, record.ends_on) if day), default=None)
    return OpportunityState.EXPIRED if over and over < timezone.now().date() else OpportunityState.LIVE


def _existing(model: Any, records: Sequence[Any]) -> dict[tuple[str, str], Any]:
    """Stored rows of these records, locked against a second import of the same file."""
    wanted = {(record.source, record.source_id) for record in records}
    rows = model.objects.select_for_update().filter(source__in={source for source, _ in wanted}, source_id__in={key for _, key in wanted})
    if model is Opportunity:
        rows = rows.defer(*INDEX_COLUMNS)
    return {(row.source, row.source_id): row for row in rows if (row.source, row.source_id) in wanted}


def _apply(row: Model, columns: dict[str, Any]) -> bool:
    """Set what differs. Returns whether anything did."""
    different = {name: value for name, value in columns.items() if getattr(row, name) != value}
    for name, value in different.items():
        setattr(row, name, value)
    return bool(different)


def _link_skills(rows: list[Opportunity]) -> None:
    """Link skills whose name, or another name, is a tag of the row."""
    keys = {title_key(tag) for row in rows for tag in row.tags}
    by_key: dict[str, list[uuid.UUID]] = {}
    for skill in Skill.objects.active().filter(keys__overlap=list(keys)).only("id", "keys"):
        for key in keys.intersection(skill.keys):
            by_key.setdefault(key, []).append(skill.id)
    through = Opportunity.skills.through
    through.objects.filter(opportunity_id__in=[row.id for row in rows]).delete()
    links = {(row.id, skill_id) for row in rows for tag in row.tags for skill_id in by_key.get(title_key(tag), ())}
    through.objects.bulk_create([through(opportunity_id=row_id, skill_id=skill_id) for row_id, skill_id in links], ignore_conflicts=True)


def _count(run: ImportRun, added: Sequence[Any], changed: Sequence[Any], unchanged: Sequence[Any]) -> None:
    run.added += len(added)
    run.changed += len(changed)
    run.unchanged += len(unchanged)
    run.save()


def _by_model(batch: list[Any]) -> Iterator[tuple[type[Model], list[Any]]]:
    for record_type, model in ((CategoryRecord, Category), (SkillRecord, Skill), (OccupationRecord, Occupation)):
        records = [record for record in batch if isinstance(record, record_type)]
        if records:
            yield model, records


def _store_terms(model: Any) -> Callable[[ImportRun, list[Any]], None]:
    def store(run: ImportRun, records: list[Any]) -> None:
        existing = _existing(model, records)
        added: list[Any] = []
        changed: list[Any] = []
        unchanged: list[Any] = []
        for record in records:
            row = existing.get((record.source, record.source_id))
            if row is None and model is Occupation and record.title is None:
                _refuse(run, f"{record.source_id}: this occupation's title is not known; import the occupations first")
            elif row is None:
                added.append(model(**record.columns()))
            else:
                (changed if _apply(row, _term_columns(row, record)) else unchanged).append(row)
        model.objects.bulk_create(added)
        for row in changed:
            row.updated_at = timezone.now()
        model.objects.bulk_update(changed, [*records[0].columns(), "state", "updated_at"])
        _count(run, added, changed, unchanged)

    return store


def _term_columns(row: Any, record: Any) -> dict[str, Any]:
    columns: dict[str, Any] = record.columns() | _revived(row)
    if isinstance(row, Skill) and not set(columns["keys"]) >= set(row.keys) and row.predecessors.exists():
        # It is also looked up by the names of those that were merged into it.
        inherited = {key for keys in row.predecessors.values_list("keys", flat=True) for key in keys}
        columns["keys"] = sorted(inherited | set(columns["keys"]))
    return columns


def _revived(row: Any) -> dict[str, Any]:
    """A term that its source lists is active, unless staff have replaced it."""
    return {} if row.state == TermState.REPLACED else {"state": TermState.ACTIVE}


def _store_categories(run: ImportRun, records: list[CategoryRecord]) -> None:
    counts: Counter[str] = Counter()
    for record in records:
        parent = Category.objects.filter(source_id=record.parent).first() if record.parent else None
        if record.parent and parent is None:
            _refuse(run, f"{record.source_id}: its parent {record.parent} is not known")
            continue
        columns = record.columns() | {"parent_id": parent.id if parent else None}
        row = Category.objects.filter(source_id=record.source_id).first()
        if row is None:
            Category.objects.create(**columns)
            counts["added"] += 1
        elif _apply(row, columns | _revived(row)):
            row.save()
            counts["changed"] += 1
        else:
            counts["unchanged"] += 1
    _count(run, range(counts["added"]), range(counts["changed"]), range(counts["unchanged"]))


_STORE: dict[type[Model], Callable[[ImportRun, list[Any]], None]] = {
    Category: _store_categories,
    Skill: _store_terms(Skill),
    Occupation: _store_terms(Occupation),
}


def _retire_terms(seen: dict[type[Model], dict[str, set[str]]]) -> int:
    retired = 0
    for model in (Skill, Occupation):
        for source, source_ids in seen[model].items():
            gone = model.objects.filter(source=source, state=TermState.ACTIVE).exclude(source_id__in=source_ids)
            retired += gone.update(state=TermState.RETIRED, updated_at=timezone.now())
    for source_ids in seen[Category].values():
        gone_categories = Category.objects.active().exclude(source_id__in=source_ids)
        retired += gone_categories.update(state=TermState.RETIRED, updated_at=timezone.now())
    return retired


def _refresh_occupation_keys() -> None:
    """Look-up keys: an alternative title that two occupations share says nothing about either."""
    rows = list(Occupation.objects.filter(state=TermState.ACTIVE).only("id", "title", "alternative_titles", "keys"))
    shared = Counter(key for row in rows for key in {title_key(title) for title in row.alternative_titles})
    changed = []
    for row in rows:
        own = {title_key(title) for title in row.alternative_titles if shared[title_key(title)] == 1}
        keys = sorted(own | {title_key(row.title)})
        if keys != row.keys:
            row.keys = keys
            changed.append(row)
    Occupation.objects.bulk_update(changed, ["keys"], batch_size=_BATCH)
