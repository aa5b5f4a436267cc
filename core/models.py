from __future__ import annotations

import uuid

import uuid_utils.compat
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from pgvector.django import HalfVectorField

from core.vectors import DIMENSIONS, Column, SpaceState


def new_id() -> uuid.UUID:
    """A UUIDv7: unique everywhere and sorted by time of creation (RFC 9562, section 5.7)."""
    return uuid_utils.compat.uuid7()


class BaseModel(models.Model):
    """What every table of Soosh has: a UUIDv7 primary key and the instants of creation and last change."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True


class EmbeddingSpace(BaseModel):
    """The vectors of one model, and the column where they stand. Vectors of two models cannot be compared, so each search looks into one
    space. There are at most two: the one in force, and one that is being filled or kept to go back to."""

    model = models.CharField(max_length=120, unique=True)
    column = models.CharField(max_length=20, choices=Column, unique=True)
    state = models.CharField(max_length=10, choices=SpaceState)
    in_force_since = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(fields=("state",), condition=Q(state=SpaceState.IN_FORCE), name="one_space_in_force"),
            models.CheckConstraint(condition=Q(column__in=Column.values), name="space_has_a_column"),
        )

    def __str__(self) -> str:
        return f"{self.model}: {self.state}"


class EmbeddedModel(BaseModel):
    """A row with a vector. The embedded hash tells which content the vector was made from; while it differs from `content_hash`, or the
    vector is of another model than the space's, the row waits in the embedding queue of the space. See `core.vectors`."""

    content_hash = models.CharField(max_length=64, blank=True, default="")
    embedding = HalfVectorField(dimensions=DIMENSIONS, null=True, blank=True, editable=False)
    embedding_model = models.CharField(max_length=120, blank=True, default="", editable=False)
    embedded_hash = models.CharField(max_length=64, blank=True, default="", editable=False)
    twin_embedding = HalfVectorField(dimensions=DIMENSIONS, null=True, blank=True, editable=False)
    twin_embedding_model = models.CharField(max_length=120, blank=True, default="", editable=False)
    twin_embedded_hash = models.CharField(max_length=64, blank=True, default="", editable=False)

    class Meta:
        abstract = True
        constraints = (
            models.CheckConstraint(
                condition=Q(embedding__isnull=True, embedding_model="") | Q(embedding__isnull=False) & ~Q(embedding_model=""),
                name="%(class)s_vector_names_its_model",
            ),
            models.CheckConstraint(
                condition=Q(twin_embedding__isnull=True, twin_embedding_model="")
                | Q(twin_embedding__isnull=False) & ~Q(twin_embedding_model=""),
                name="%(class)s_twin_names_its_model",
            ),
        )


class OutboxEvent(BaseModel):
    """A fact that a service published, stored in the transaction that made it true."""

    name = models.CharField(max_length=100)
    payload = models.JSONField()
    request_id = models.CharField(max_length=64, blank=True, default="")

    class Meta:
        ordering = ("-created_at",)
        indexes = (models.Index(fields=("-created_at",), name="outbox_event_newest"),)

    def __str__(self) -> str:
        return f"{self.name} {self.id}"


class DeliveryState(models.TextChoices):
    PENDING = "pending", "pending"
    DONE = "done", "done"
    DEAD = "dead", "dead letter"


class EventDelivery(BaseModel):
    """One handler's share of one event. This row is the queue of record; the broker only rings the bell."""

    event = models.ForeignKey(OutboxEvent, on_delete=models.CASCADE, related_name="deliveries")
    handler = models.CharField(max_length=200)
    state = models.CharField(max_length=10, choices=DeliveryState, default=DeliveryState.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(default=timezone.now)
    done_at = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True, default="")

    class Meta:
        verbose_name_plural = "event deliveries"
        ordering = ("-created_at",)
        constraints = (
            models.UniqueConstraint(fields=("event", "handler"), name="one_delivery_per_event_and_handler"),
            models.CheckConstraint(
                condition=Q(state=DeliveryState.DONE, done_at__isnull=False) | ~Q(state=DeliveryState.DONE),
                name="done_delivery_has_its_instant",
            ),
        )
        indexes = (
            models.Index(fields=("due_at",), condition=Q(state=DeliveryState.PENDING), name="delivery_due"),
            models.Index(fields=("state", "-created_at"), name="delivery_by_state"),
        )

    def __str__(self) -> str:
        return f"{self.handler} ({self.state})"


class KeptAnswer(BaseModel):
    """What a request with an `Idempotency-Key` was answered, so that the same request gets the same answer. Stored in the transaction of
    its effect. See `core.idempotency`."""

    owner = models.UUIDField()
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64, help_text="Of method, path and body.")
    status = models.PositiveSmallIntegerField()
    body = models.JSONField(null=True)

    class Meta:
        ordering = ("-id",)
        constraints = (models.UniqueConstraint(fields=("owner", "key"), name="one_answer_per_person_and_key"),)
        indexes = (models.Index(fields=("created_at",), name="kept_answer_by_age"),)

    def __str__(self) -> str:
        return f"{self.status} {self.id}"


class AuditEntry(models.Model):
    """One thing that a member of staff looked at or did. Written by `core.auditing.record` alone; a trigger refuses every change."""

    number = models.PositiveBigIntegerField(primary_key=True)
    happened_at = models.DateTimeField(default=timezone.now)
    actor_id = models.UUIDField()
    action = models.CharField(max_length=20)
    thing_kind = models.CharField(max_length=100)
    thing_id = models.CharField(max_length=100, blank=True, default="")
    fields = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    previous_digest = models.CharField(max_length=64, blank=True, default="")
    digest = models.CharField(max_length=64)

    class Meta:
        verbose_name_plural = "audit entries"
        ordering = ("-number",)
        indexes = (
            models.Index(fields=("actor_id", "-number"), name="audit_by_actor"),
            models.Index(fields=("thing_kind", "thing_id", "-number"), name="audit_by_thing"),
        )

    def __str__(self) -> str:
        return f"{self.number} {self.action} {self.thing_kind}"
