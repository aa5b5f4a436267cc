from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Left, Length


class Lexeme(models.Model):
    """In how many documents a lexeme stands; with the corpus size this gives its weight in BM25."""

    lexeme = models.TextField(primary_key=True)
    document_count = models.PositiveIntegerField()

    class Meta:
        ordering = ("lexeme",)
        # For those that a word with a slip may have been.
        indexes = (models.Index(Left("lexeme", 1), Length("lexeme"), name="lexeme_by_shape"),)

    def __str__(self) -> str:
        return self.lexeme


class CorpusStatistics(models.Model):
    """One row: the figures of the corpus that BM25 needs, as of the last count."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    documents = models.PositiveIntegerField(default=0)
    average_length = models.FloatField(default=60.0)
    counted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "corpus statistics"
        constraints = (models.CheckConstraint(condition=Q(id=1), name="corpus_statistics_is_one_row"),)

    def __str__(self) -> str:
        return f"{self.documents} documents"
