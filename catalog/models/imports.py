from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from catalog.enums import ImportKind, ImportState
from core.models import BaseModel


class ImportRun(BaseModel):
    """One run of an import, with its report."""

    kind = models.CharField(max_length=15, choices=ImportKind)
    file_name = models.CharField(max_length=500)
    checksum = models.CharField(max_length=64, help_text="SHA-256 of the file.")
    state = models.CharField(max_length=12, choices=ImportState, default=ImportState.RUNNING)
    added = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    retired = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    duplicates = models.PositiveIntegerField(default=0, help_text="Records with the id of an earlier one of the file; they were not read.")
    missing = models.PositiveIntegerField(default=0, help_text="Active rows of its sources that the file does not list.")
    missing_examples = ArrayField(models.CharField(max_length=300), default=list, blank=True)
    failure = models.CharField(max_length=500, blank=True, help_text="Why it failed, or why it retired nothing.")
    notes = models.CharField(max_length=1_000, blank=True, help_text="How the file was read, and what was not read of it.")
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.kind} from {self.file_name}"


class ImportRefusal(BaseModel):
    """A row that an import refused, where it stands, and why."""

    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="refusals")
    line = models.PositiveIntegerField()
    reason = models.CharField(max_length=500)

    class Meta:
        ordering = ("line",)
        indexes = (models.Index(fields=("run", "line"), name="refusals_of_a_run"),)

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"
