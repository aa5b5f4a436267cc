from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q

from catalog.enums import TermState
from catalog.querysets import CategoryQuerySet, SkillQuerySet
from core.models import BaseModel, EmbeddedModel
from core.vectors import nearest_indexes


class Category(EmbeddedModel):
    """A node of the tree under which opportunities are browsed."""

    source_id = models.CharField(max_length=200, unique=True)
    slug = models.SlugField(max_length=100, unique=True)
    name = models.CharField(max_length=150)
    description = models.TextField(blank=True, default="")
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="children")
    translations = models.JSONField(default=dict, blank=True, help_text="The name in other languages, by language code.")
    state = models.CharField(max_length=10, choices=TermState, default=TermState.ACTIVE)
    # One after a merge, several after a split. Old ids and slugs lead there for ever.
    successors = models.ManyToManyField("self", symmetrical=False, blank=True, related_name="predecessors")

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
    translations = models.JSONField(default=dict, blank=True, help_text="The name in other languages, by language code.")
    same_as = ArrayField(
        models.CharField(max_length=300),
        default=list,
        blank=True,
        help_text="Ids of the same skill in other taxonomies, such as ESCO's URI.",
    )
    state = models.CharField(max_length=10, choices=TermState, default=TermState.ACTIVE)
    # One after a merge, several after a split. Old ids lead there for ever.
    successors = models.ManyToManyField("self", symmetrical=False, blank=True, related_name="predecessors")

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
            *nearest_indexes("skill"),
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
