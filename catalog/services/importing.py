"""Streaming, idempotent imports. Importing a file twice changes nothing. Missing rows are retired only on request."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import uuid
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pydantic
from django.db import connection, transaction
from django.db.models import Model
from django.utils import timezone

from catalog.enums import ImportKind, ImportState, OpportunityState, TermState
from catalog.errors import ImportFileUnreadable, RetiringRefused
from catalog.models import Category, ImportRefusal, ImportRun, Occupation, Opportunity, Skill
from catalog.querysets import INDEX_COLUMNS
from catalog.services.documents import title_key
from catalog.services.indexing import index_opportunities, refresh_statistics
from catalog.services.record_shapes import (
    MALFORMED_RECORD,
    CategoryRecord,
    OccupationRecord,
    OpportunityReader,
    OpportunityRecord,
    SkillRecord,
    TaxonomyReader,
)
from catalog.services.records import Record, read_records
from catalog.services.retiring import (
    KEEP_MISSING,
    LEFT_TO_THE_SOURCE,
    ImportOptions,
    missing_opportunities,
    missing_terms,
    record_missing,
    retire,
)
from core.error_texts import describe
from core.errors import DomainError

_BATCH = 500
# Refusals beyond this many are counted but not stored: a file of another kind would fill the table.
_STORED_REFUSALS = 1_000
# A run that wrote nothing for this long was killed.
_SILENT_AFTER = datetime.timedelta(minutes=15)
Progress = Callable[[int], None]


def import_opportunities(*, path: Path, options: ImportOptions = KEEP_MISSING, progress: Progress = lambda position: None) -> ImportRun:
    """Import opportunities in Soosh's own shape or as known feeds publish them. `progress` receives the position in the file, in bytes.

    Raises:
        ImportFileUnreadable: what was read until then stays imported; nothing is retired.
        RetiringRefused: the file is imported; nothing is retired.
    """
    with _run_of(ImportKind.OPPORTUNITIES, path, options) as run:
        sources: set[str] = set()
        reader = OpportunityReader()
        for batch in _batches(run, _read(run, path, reader.read, progress)):
            sources |= {record.source for record in batch}
            with transaction.atomic():
                _store_opportunities(run, batch)
        _note(run, reader.unread)
        missing = missing_opportunities(run, sources)
        record_missing(run, missing)
        if options.retires_missing:
            with transaction.atomic():
                retire(run, missing, options)
    refresh_statistics()
    return run


def import_taxonomy(*, path: Path, options: ImportOptions = KEEP_MISSING, progress: Progress = lambda position: None) -> ImportRun:
    """Import categories, skills and occupations, in Soosh's own shape or as O*NET, ESCO and GitHub publish them.

    Raises:
        ImportFileUnreadable: what was read until then stays imported; nothing is retired.
        RetiringRefused: the file is imported; nothing is retired.
    """
    with _run_of(ImportKind.TAXONOMY, path, options) as run:
        reader = TaxonomyReader(path)
        seen: dict[type[Model], dict[str, set[str]]] = {Skill: {}, Occupation: {}, Category: {}}
        for batch in _batches(run, _read(run, path, reader.read, progress)):
            with transaction.atomic():
                for model, records in _by_model(batch):
                    _STORE[model](run, records)
                    for record in records:
                        seen[model].setdefault(record.source, set()).add(record.source_id)
        if not reader.is_partial:
            missing = missing_terms(seen)
            record_missing(run, missing)
            if options.retires_missing:
                with transaction.atomic():
                    retire(run, missing, options)
        _refresh_occupation_keys()
    return run


def end_silent_runs() -> int:
    """Mark runs whose process was killed. Returns how many."""
    silent = ImportRun.objects.filter(state=ImportState.RUNNING, updated_at__lt=timezone.now() - _SILENT_AFTER)
    return silent.update(state=ImportState.INTERRUPTED, finished_at=timezone.now())


@contextlib.contextmanager
def _run_of(kind: ImportKind, path: Path, options: ImportOptions) -> Iterator[ImportRun]:
    """Open an import run and close it with its final state, however the block ends. A dry run is rolled back."""
    with transaction.atomic() if options.is_dry_run else contextlib.nullcontext():
        run = _begin(kind, path)
        try:
            yield run
        except RetiringRefused as error:
            _finish(run, ImportState.COMPLETED, str(error.detail))
            raise
        except DomainError as error:
            _finish(run, ImportState.FAILED, str(error.detail))
            raise
        except Exception as error:
            _finish(run, ImportState.FAILED, describe(error))
            raise
        except BaseException:
            _finish(run, ImportState.INTERRUPTED)
            raise
        _finish(run, ImportState.COMPLETED)
        if options.is_dry_run:
            transaction.set_rollback(True)


def _begin(kind: ImportKind, path: Path) -> ImportRun:
    checksum = _checksum(path)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('catalog.import'))")
        # A run that is still marked as running was killed; what it wrote is kept and recognised as unchanged now.
        ImportRun.objects.filter(kind=kind, file_name=path.name, state=ImportState.RUNNING).update(state=ImportState.INTERRUPTED)
        return ImportRun.objects.create(kind=kind, file_name=path.name[:500], checksum=checksum)


def _checksum(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ImportFileUnreadable(f"{path}: {error}") from error


def _finish(run: ImportRun, state: ImportState, failure: str = "") -> None:
    run.state, run.failure, run.finished_at = state, failure[:500].replace("\x00", ""), timezone.now()
    run.save()


def _note(run: ImportRun, names: Collection[str]) -> None:
    if names:
        run.notes = f"{run.notes} Not read: {', '.join(sorted(names))}."[:1_000].strip()


def _read(run: ImportRun, path: Path, parse: Callable[[dict[str, Any]], Any], progress: Progress) -> Iterator[tuple[int, Any]]:
    """Each valid record with its line."""
    for record in read_records(path):
        progress(record.position)
        if record.note:
            run.notes = record.note
        parsed, reason = _parsed(record, parse)
        if parsed is not None:
            yield record.line, parsed
        else:
            _refuse(run, reason, line=record.line)


def _refuse(run: ImportRun, reason: str, *, line: int = 0) -> None:
    run.refused += 1
    _store_refusal(run, reason, line=line)


def _store_refusal(run: ImportRun, reason: str, *, line: int) -> None:
    if run.refused + run.duplicates <= _STORED_REFUSALS:
        ImportRefusal.objects.create(run=run, line=line, reason=reason[:500].replace("\x00", ""))


def _parsed(record: Record, parse: Callable[[dict[str, Any]], Any]) -> tuple[Any, str]:
    if record.fields is None:
        return None, record.refusal
    try:
        return parse(record.fields), ""
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        return None, f"{'.'.join(map(str, first['loc'])) or 'record'}: {first['msg']}"
    except MALFORMED_RECORD:
        return None, "record: a field does not have the type that records of this kind have."


def _batches(run: ImportRun, records: Iterable[tuple[int, Any]]) -> Iterator[list[Any]]:
    """Batches of records. The first record with an id is taken; later ones are counted and stored as duplicates."""
    lines: dict[bytes, int] = {}
    batch: list[Any] = []
    for line, record in records:
        key = hashlib.blake2b(f"{type(record).__name__}|{record.source}|{record.source_id}".encode(), digest_size=8).digest()
        if key in lines:
            run.duplicates += 1
            _store_refusal(run, f"source_id: {record.source_id} is already in line {lines[key]}.", line=line)
            continue
        lines[key] = line
        batch.append(record)
        if len(batch) >= _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _store_opportunities(run: ImportRun, records: list[OpportunityRecord]) -> None:
    existing = _existing(Opportunity, records)
    added, changed, unchanged = [], [], []
    for record in records:
        row = existing.get((record.source, record.source_id))
        if row is None:
            added.append(Opportunity(last_import=run, state=_state_of(record), **record.columns()))
        elif _apply(row, record.columns() | ({"state": _state_of(record)} if row.state in LEFT_TO_THE_SOURCE else {})):
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
