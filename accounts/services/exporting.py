"""Everything that is held about a person, as one archive: a JSON file per table, their files, and the schema of it all."""

from __future__ import annotations

import datetime
import json
import tempfile
import uuid
import zipfile
from collections.abc import Callable
from typing import IO, Any

from django.conf import settings
from django.core.files import File
from django.core.files.storage import Storage, storages
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction
from django.utils import timezone
from psycopg.types.multirange import Multirange
from psycopg.types.range import Range

from accounts.enums import ExportState, SecurityEventKind
from accounts.models import DataExport, User
from accounts.services.devices import note_security_event
from core.privacy import Declaration, declarations, files_of

FORMAT = "soosh-export-1"
_MOST_ATTEMPTS = 5
# A run that has not moved for so long was killed.
_STALE = datetime.timedelta(minutes=10)
_LATEST_REUSABLE = datetime.timedelta(hours=24)
_JSON_TYPES = {
    "BooleanField": "boolean",
    "FloatField": "number",
    "ArrayField": "array",
    "JSONField": "object",
    "HalfVectorField": "array",
    **dict.fromkeys(
        (
            "PositiveIntegerField",
            "PositiveSmallIntegerField",
            "PositiveBigIntegerField",
            "BigIntegerField",
            "IntegerField",
            "BigAutoField",
            "AutoField",
        ),
        "integer",
    ),
}


def request_export(*, user: User) -> DataExport:
    """The person's newest archive: one that is under way, one that was made within a day, or a new one, which a worker makes."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        now = timezone.now()
        latest = DataExport.objects.filter(user=user).order_by("-id").first()
        if latest and latest.state in (ExportState.WAITING, ExportState.RUNNING):
            return latest
        if latest and latest.state == ExportState.READY and latest.ready_at and latest.ready_at > now - _LATEST_REUSABLE:
            return latest
        return DataExport.objects.create(user=user)


def open_archive(export: DataExport) -> IO[bytes]:
    """The bytes of an archive that is ready."""
    file: IO[bytes] = private_storage().open(export.file_name, "rb")  # type: ignore[assignment]
    return file


def make_waiting_exports(*, most: int = 10) -> int:
    """Make the archives that wait, and those whose worker was killed. Returns how many were tried."""
    tried = 0
    while tried < most and (export := _claim()):
        tried += 1
        make_export(export=export)
    return tried


def _claim() -> DataExport | None:
    with transaction.atomic():
        stale = models.Q(state=ExportState.RUNNING, updated_at__lt=timezone.now() - _STALE)
        waiting = DataExport.objects.filter(models.Q(state=ExportState.WAITING) | stale)
        export = waiting.select_for_update(skip_locked=True).order_by("id").first()
        if export is None:
            return None
        export.attempts += 1
        export.state = ExportState.FAILED if export.attempts > _MOST_ATTEMPTS else ExportState.RUNNING
        export.parts_done = 0
        export.save()
    return export if export.state == ExportState.RUNNING else None


def make_export(*, export: DataExport) -> None:
    """Write the archive part by part into the private storage. May run again after a kill: the archive appears only when it is whole."""
    parts = _parts(export.user_id)
    DataExport.objects.filter(pk=export.pk).update(parts_total=len(parts))
    with tempfile.TemporaryFile() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for done, write in enumerate(parts, start=1):
                write(archive)
                DataExport.objects.filter(pk=export.pk).update(parts_done=done, updated_at=timezone.now())
        size = file.tell()
        file.seek(0)
        name = private_storage().save(f"exports/{export.user_id}/{uuid.uuid4().hex}.zip", File(file))
    with transaction.atomic():
        now = timezone.now()
        DataExport.objects.filter(pk=export.pk).update(
            state=ExportState.READY,
            file_name=name,
            size_bytes=size,
            ready_at=now,
            expires_at=now + datetime.timedelta(days=settings.EXPORT_RETENTION_DAYS),
        )
        note_security_event(user=export.user, kind=SecurityEventKind.EXPORT_MADE)


def _parts(person_id: uuid.UUID) -> list[Callable[[zipfile.ZipFile], None]]:
    tables = [declaration for declaration in declarations() if declaration.subject]
    parts: list[Callable[[zipfile.ZipFile], None]] = [_schema_part(tables)]
    parts += [_table_part(declaration, person_id) for declaration in tables]
    parts += [_file_part(name, read) for name, read in files_of(person_id)]
    return parts


def _table_part(declaration: Declaration, person_id: uuid.UUID) -> Callable[[zipfile.ZipFile], None]:
    def write(archive: zipfile.ZipFile) -> None:
        rows = declaration.rows_of(person_id).order_by("pk").values(*declaration.exported_columns()).iterator(chunk_size=500)
        with archive.open(f"data/{declaration.label}.json", "w") as file:
            file.write(b"[")
            for number, row in enumerate(rows):
                file.write((b",\n" if number else b"\n") + json.dumps(_plain(row), cls=DjangoJSONEncoder, ensure_ascii=False).encode())
            file.write(b"\n]\n")

    return write


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: _plain_value(value) for name, value in row.items()}


def _plain_value(value: Any) -> Any:
    """Vectors as lists of numbers, stretches of time as ISO 8601 intervals."""
    if isinstance(value, Range):
        ends = (end.isoformat() if end else ".." for end in (value.lower, value.upper))
        return "/".join(ends) if value else ""
    if isinstance(value, Multirange):
        return " ".join(_plain_value(part) for part in value)
    if isinstance(value, list):
        return [_plain_value(part) for part in value]
    return value.to_list() if hasattr(value, "to_list") else value


def _file_part(name: str, read: Callable[[], bytes]) -> Callable[[zipfile.ZipFile], None]:
    return lambda archive: archive.writestr(f"files/{name}", read())


def _schema_part(tables: list[Declaration]) -> Callable[[zipfile.ZipFile], None]:
    """JSON Schema (2020-12) of each file in `data/`, with the class of each column."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$comment": FORMAT,
        "files": {f"data/{declaration.label}.json": _table_schema(declaration) for declaration in tables},
    }

    def write(archive: zipfile.ZipFile) -> None:
        archive.writestr("schema.json", json.dumps(schema, indent=1))
        archive.writestr("README.txt", _README)

    return write


def _table_schema(declaration: Declaration) -> dict[str, Any]:
    properties = {}
    for name in declaration.exported_columns():
        field: models.Field[Any, Any] = declaration.model._meta.get_field(name)  # type: ignore[assignment]
        stored: Any = field.target_field if field.is_relation else field  # type: ignore[attr-defined]
        kind = "array" if stored.default is list else _JSON_TYPES.get(stored.get_internal_type(), "string")
        properties[name] = {"type": [kind, "null"] if field.null else kind, "x-privacy": str(declaration.columns[name])}
    item = {"type": "object", "properties": properties, "required": sorted(properties)}
    return {"type": "array", "title": str(declaration.model._meta.verbose_name_plural), "items": item}


_README = """This archive holds everything that Soosh keeps about you.

data/     one file per kind of record, as JSON
files/    the files that belong to you, such as your picture
schema.json   what each column of each file is, and how sensitive we hold it to be

Passwords, keys and other secrets are not in here: they are kept as digests that nobody can read, or open something.
"""


def expire_exports() -> int:
    """Delete archives that were kept long enough."""
    expired = DataExport.objects.filter(state=ExportState.READY, expires_at__lt=timezone.now())
    for export in expired:
        private_storage().delete(export.file_name)
    return expired.update(state=ExportState.EXPIRED, file_name="", size_bytes=0)


def export_files(person_id: uuid.UUID) -> list[str]:
    """Every archive of a person that the storage holds."""
    try:
        _, names = private_storage().listdir(f"exports/{person_id}")
    except FileNotFoundError:
        return []
    return [f"exports/{person_id}/{name}" for name in names]


def delete_export_files(person_id: uuid.UUID) -> None:
    """Part of the erasure of a person."""
    for name in export_files(person_id):
        private_storage().delete(name)


def private_storage() -> Storage:
    """Where files lie that no address leads to."""
    return storages["private"]
