from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Q
from pgvector.django import HnswIndex, SparseVectorField

from catalog.enums import ImportKind, ImportState, OpportunityKind, OpportunityState, TermState
from catalog.lexical import LEXICAL_DIMENSIONS
from catalog.querysets import CategoryQuerySet, OpportunityQuerySet, SkillQuerySet
from core.models import BaseModel, EmbeddedModel


class Category(EmbeddedModel):
    """A node of the tree under which opportunities are browsed."""

    source_id = models.CharField(max_length=200, unique=True)
    slug = models.SlugField(max_length=100, unique=True)
    name = models.CharField(max_length=150)
    description = models.TextField(blank=True, default="")
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="children")
    state = models.CharField(max_length=10, choices=TermState, default=TermState.ACTIVE)

    objects = CategoryQuerySet.as_manager()

    class Meta(EmbeddedModel.Meta):
        verbose_name_plural = "categories"
        ordering = ("name",)
        constraints = (  # type: ignore[assignment]
            *EmbeddedModel.Meta.constraints,
            models.CheckConstraint(condition=~Q(parent=F("id")), name="category_is_not_its_own_parent"),
        )

    def __str__(self) -> str:
        return self.name


class Skill(EmbeddedModel):
    """A term of a skills taxonomy, under the stable id of its source (ESCO, O*NET, GitHub topics)."""

    source = models.CharField(max_length=60)
    source_id = models.CharField(max_length=300)
    name = models.CharField(max_length=300)
    alternative_names = ArrayField(models.CharField(max_length=300), default=list, blank=True)
    # Lower-case name and alternative names, for exact look-ups.
    keys = ArrayField(models.CharField(max_length=300), default=list, editable=False)
    description = models.TextField(blank=True, default="")
    state = models.CharField(max_length=10, choices=TermState, default=TermState.ACTIVE)

    objects = SkillQuerySet.as_manager()

    class Meta(EmbeddedModel.Meta):
        ordering = ("name",)
        constraints = (  # type: ignore[assignment]
            *EmbeddedModel.Meta.constraints,
            models.UniqueConstraint(fields=("source", "source_id"), name="one_skill_per_source_id"),
        )
        indexes = (
            GinIndex(fields=("keys",), name="skill_keys"),
            GinIndex(OpClass(F("name"), "gin_trgm_ops"), name="skill_name_trigrams"),
            HnswIndex(fields=("embedding",), name="skill_nearest", m=16, ef_construction=200, opclasses=("halfvec_cosine_ops",)),
            HnswIndex(fields=("twin_embedding",), name="skill_twin_nearest", m=16, ef_construction=200, opclasses=("halfvec_cosine_ops",)),
            models.Index(fields=("id",), name="skill_to_embed", condition=~Q(content_hash=F("embedded_hash"))),
            models.Index(fields=("id",), name="skill_twin_to_embed", condition=~Q(content_hash=F("twin_embedded_hash"))),
        )

    def __str__(self) -> str:
        return self.name


class Occupation(BaseModel):
    """What an occupation is also called and what it takes: with this, documents whose title names it are enriched."""

    source = models.CharField(max_length=60)
    source_id = models.CharField(max_length=300)
    title = models.CharField(max_length=300)
    alternative_titles = ArrayField(models.CharField(max_length=300), default=list, blank=True)
    skill_names = ArrayField(models.CharField(max_length=300), default=list, blank=True)
    # Lower-case title, and alternative titles that no other occupation of the source has.
    keys = ArrayField(models.CharField(max_length=300), default=list, editable=False)
    state = models.CharField(max_length=10, choices=TermState, default=TermState.ACTIVE)

    class Meta:
        ordering = ("title",)
        constraints = (models.UniqueConstraint(fields=("source", "source_id"), name="one_occupation_per_source_id"),)
        indexes = (GinIndex(fields=("keys",), name="occupation_keys"),)

    def __str__(self) -> str:
        return self.title


class Opportunity(EmbeddedModel):
    """Something a person can take up: a job, a course, a mentorship programme, a project that wants help."""

    source = models.CharField(max_length=60)
    source_id = models.CharField(max_length=300)
    kind = models.CharField(max_length=20, choices=OpportunityKind)
    state = models.CharField(max_length=10, choices=OpportunityState, default=OpportunityState.LIVE)
    title = models.CharField(max_length=500)
    description = models.TextField(blank=True, default="")
    organisation = models.CharField(max_length=300, blank=True, default="")
    location = models.CharField(max_length=300, blank=True, default="")
    is_remote = models.BooleanField(null=True, blank=True, help_text="Unknown when empty.")
    url = models.URLField(max_length=2000, blank=True, default="")
    language = models.CharField(max_length=16, blank=True, default="")
    licence = models.CharField(max_length=100, blank=True, default="")
    tags = ArrayField(models.CharField(max_length=150), default=list, blank=True)
    starts_on = models.DateField(null=True, blank=True)
    ends_on = models.DateField(null=True, blank=True)
    deadline_on = models.DateField(null=True, blank=True)
    category = models.ForeignKey(Category, on_delete=models.SET_NULL, null=True, blank=True, related_name="opportunities")
    is_category_inferred = models.BooleanField(default=True)
    skills = models.ManyToManyField(Skill, blank=True, related_name="opportunities")
    posted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    last_import = models.ForeignKey("ImportRun", on_delete=models.SET_NULL, null=True, blank=True, related_name="+", editable=False)

    # Written by the indexer. What the taxonomy adds to the document, and the two forms in which words are searched.
    alternative_titles = models.TextField(blank=True, default="", editable=False)
    skill_terms = models.TextField(blank=True, default="", editable=False)
    search_vector = SearchVectorField(null=True, editable=False)
    lexical_weights = SparseVectorField(dimensions=LEXICAL_DIMENSIONS, null=True, editable=False)

    objects = OpportunityQuerySet.as_manager()

    class Meta(EmbeddedModel.Meta):
        verbose_name_plural = "opportunities"
        ordering = ("-id",)
        constraints = (  # type: ignore[assignment]
            *EmbeddedModel.Meta.constraints,
            models.UniqueConstraint(fields=("source", "source_id"), name="one_opportunity_per_source_id"),
            models.CheckConstraint(
                condition=Q(starts_on__isnull=True) | Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                name="opportunity_ends_after_it_starts",
            ),
        )
        indexes = (
            GinIndex(fields=("search_vector",), name="opportunity_words"),
            GinIndex(OpClass(F("location"), "gin_trgm_ops"), name="opportunity_location_trigrams"),
            HnswIndex(fields=("embedding",), name="opportunity_nearest", m=16, ef_construction=200, opclasses=("halfvec_cosine_ops",)),
            HnswIndex(
                fields=("twin_embedding",), name="opportunity_twin_nearest", m=16, ef_construction=200, opclasses=("halfvec_cosine_ops",)
            ),
            models.Index(fields=("id",), name="opportunity_to_embed", condition=~Q(content_hash=F("embedded_hash"))),
            models.Index(fields=("id",), name="opportunity_twin_to_embed", condition=~Q(content_hash=F("twin_embedded_hash"))),
            models.Index(fields=("state", "kind", "-id"), name="opportunity_by_kind"),
            models.Index(fields=("category", "-id"), name="opportunity_by_category"),
            models.Index(fields=("deadline_on",), name="opportunity_by_deadline"),
            models.Index(fields=("language", "-id"), name="opportunity_by_language"),
            models.Index(fields=("is_remote", "-id"), name="opportunity_by_remote"),
        )

    def __str__(self) -> str:
        return self.title

    # Set by ranked retrieval on the rows that it returns.
    score: float
    vector_score: float
    lexical_score: float

    @property
    def matched_by(self) -> list[str]:
        """The legs that found this row, strongest first."""
        legs = [("lexical", self.lexical_score), ("vector", self.vector_score)]
        return [leg for leg, found in sorted(legs, key=lambda pair: -pair[1]) if found > 0]


class Lexeme(models.Model):
    """In how many documents a lexeme stands; with the corpus size this gives its weight in BM25."""

    lexeme = models.TextField(primary_key=True)
    document_count = models.PositiveIntegerField()

    class Meta:
        ordering = ("lexeme",)
        indexes = (GinIndex(OpClass(F("lexeme"), "gin_trgm_ops"), name="lexeme_trigrams"),)

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
