from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, GistIndex, OpClass
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Func, Q
from django.utils import timezone
from pgvector.django import SparseVectorField

from catalog.enums import OpportunityKind, OpportunityState
from catalog.lexical import LEXICAL_DIMENSIONS
from catalog.models.organisations import Organisation
from catalog.models.terms import Category, Skill
from catalog.querysets import OpportunityQuerySet
from core.models import EmbeddedModel
from core.vectors import nearest_indexes

_DAY_IS_OVER = Func(
    F("deadline_zone"),
    Func(F("deadline_on"), F("ends_on"), template="((LEAST(%(expressions)s) + 1)::timestamp)", output_field=models.DateTimeField()),
    function="timezone",
    output_field=models.DateTimeField(null=True),
)


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
    # Derived from the location's words; empty where they name no city.
    latitude = models.FloatField(null=True, blank=True, editable=False)
    longitude = models.FloatField(null=True, blank=True, editable=False)
    is_remote = models.BooleanField(null=True, blank=True, help_text="Unknown when empty.")
    url = models.URLField(max_length=2000, blank=True, default="")
    language = models.CharField(max_length=16, blank=True, default="")
    licence = models.CharField(max_length=100, blank=True, default="")
    tags = ArrayField(models.CharField(max_length=150), default=list, blank=True)
    starts_on = models.DateField(null=True, blank=True)
    ends_on = models.DateField(null=True, blank=True)
    deadline_on = models.DateField(null=True, blank=True)
    deadline_zone = models.CharField(max_length=64, default="UTC", help_text="The IANA time zone in which the dates are meant.")
    # The instant at which the first of the two days, deadline and end, is over in that zone.
    open_until = models.GeneratedField(expression=_DAY_IS_OVER, output_field=models.DateTimeField(null=True), db_persist=True, null=True)
    published_at = models.DateTimeField(null=True, blank=True, default=timezone.now, editable=False)
    confirmed_at = models.DateTimeField(default=timezone.now, help_text="When its poster, or its source, last said that it stands.")
    confirmation_asked_at = models.DateTimeField(null=True, blank=True, editable=False)
    category = models.ForeignKey(Category, on_delete=models.SET_NULL, null=True, blank=True, related_name="opportunities")
    is_category_inferred = models.BooleanField(default=True)
    skills = models.ManyToManyField(Skill, blank=True, related_name="opportunities")
    posting_organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="opportunities")
    posted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    last_import = models.ForeignKey("ImportRun", on_delete=models.SET_NULL, null=True, blank=True, related_name="+", editable=False)

    # Written by the indexer. What the taxonomy adds to the document, and the two forms in which words are searched.
    alternative_titles = models.TextField(blank=True, default="", editable=False)
    skill_terms = models.TextField(blank=True, default="", editable=False)
    search_vector = SearchVectorField(null=True, editable=False)
    lexical_weights = SparseVectorField(dimensions=LEXICAL_DIMENSIONS, null=True, editable=False)
    # Bands of a MinHash sketch: texts that share one may be nearly the same. See `services.duplicates`.
    sketch = ArrayField(models.BigIntegerField(), default=list, editable=False)
    duplicate_of = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="+", editable=False)

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
            models.CheckConstraint(
                condition=~Q(state=OpportunityState.LIVE) | Q(published_at__isnull=False), name="live_opportunity_was_published"
            ),
            models.CheckConstraint(
                condition=Q(latitude__isnull=True, longitude__isnull=True)
                | Q(latitude__gte=-90, latitude__lte=90, longitude__gte=-180, longitude__lte=180),
                name="opportunity_is_on_the_map",
            ),
            models.CheckConstraint(condition=~Q(duplicate_of=F("id")), name="opportunity_is_not_its_own_duplicate"),
        )
        indexes = (
            GinIndex(fields=("search_vector",), name="opportunity_words"),
            GinIndex(OpClass(F("location"), "gin_trgm_ops"), name="opportunity_location_trigrams"),
            *nearest_indexes("opportunity"),
            models.Index(fields=("id",), name="opportunity_to_embed", condition=~Q(content_hash=F("embedded_hash"))),
            models.Index(fields=("id",), name="opportunity_twin_to_embed", condition=~Q(content_hash=F("twin_embedded_hash"))),
            models.Index(fields=("state", "kind", "-id"), name="opportunity_by_kind"),
            models.Index(fields=("category", "-id"), name="opportunity_by_category"),
            models.Index(fields=("deadline_on",), name="opportunity_by_deadline"),
            models.Index(fields=("open_until",), condition=Q(state=OpportunityState.LIVE), name="opportunity_to_expire"),
            models.Index(fields=("confirmed_at",), condition=Q(state=OpportunityState.LIVE), name="opportunity_to_confirm"),
            models.Index(fields=("-published_at",), condition=Q(state=OpportunityState.LIVE), name="opportunity_newest"),
            # Digests are spread evenly: a walk from any point in this order is a draw by chance.
            models.Index(fields=("content_hash",), condition=Q(state=OpportunityState.LIVE), name="opportunity_by_chance"),
            models.Index(fields=("posting_organisation", "-id"), name="opportunity_by_poster"),
            GistIndex(
                Func(F("latitude"), F("longitude"), function="ll_to_earth"),
                name="opportunity_places",
                condition=Q(latitude__isnull=False, longitude__isnull=False),
            ),
            GinIndex(fields=("sketch",), name="opportunity_sketch"),
            models.Index(fields=("language", "-id"), name="opportunity_by_language"),
            models.Index(fields=("is_remote", "-id"), name="opportunity_by_remote"),
        )

    def __str__(self) -> str:
        return self.title

    # Set by ranked retrieval on the rows that it returns.
    score: float
    vector_score: float
    lexical_score: float
    # Set by a search that was told where the person is.
    distance_km: float | None

    @property
    def matched_by(self) -> list[str]:
        """The legs that found this row, strongest first."""
        legs = [("lexical", self.lexical_score), ("vector", self.vector_score)]
        return [leg for leg, found in sorted(legs, key=lambda pair: -pair[1]) if found > 0]
