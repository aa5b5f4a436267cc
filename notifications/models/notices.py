from __future__ import annotations

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Q
from django.db.models.fields.json import KeyTextTransform

from core.models import BaseModel
from notifications.enums import Channel, DeliveryState, Urgency, Why
from notifications.querysets import NotificationQuerySet

WAITING = (DeliveryState.QUEUED, DeliveryState.HELD)


class Inbox(models.Model):
    """Counts the changes of a person's notifications. Whoever changes one holds this row, so `version` tells which of two counts is newer,
    in whatever order they arrive."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="+")
    version = models.PositiveBigIntegerField(default=0)

    class Meta:
        verbose_name_plural = "inboxes"

    def __str__(self) -> str:
        return f"of {self.user_id}"


class Notification(BaseModel):
    """Something that a person was told. It holds ids and short texts; names of people are looked up when it is shown."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notifications")
    kind = models.CharField(max_length=80)
    topic = models.CharField(max_length=40)
    urgency = models.PositiveSmallIntegerField(choices=Urgency, default=Urgency.NORMAL)
    data = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    calendar = models.JSONField(null=True, blank=True, encoder=DjangoJSONEncoder, help_text="An entry for the person's calendar.")
    about = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="+", help_text="Who is named in it."
    )
    # Told once per key; the newest per collapse key stands for the unread ones before it, and counts them.
    key = models.CharField(max_length=120, blank=True, default="")
    collapse_key = models.CharField(max_length=120, blank=True, default="")
    count = models.PositiveIntegerField(default=1)
    replaced_at = models.DateTimeField(null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveBigIntegerField(default=0, help_text="That of the inbox at its last change.")
    expires_at = models.DateTimeField(null=True, blank=True, help_text="When telling it has no sense any more.")

    objects = NotificationQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(fields=("user", "kind", "key"), condition=~Q(key=""), name="told_once_per_key"),
            models.UniqueConstraint(
                fields=("user", "kind", "collapse_key"),
                condition=~Q(collapse_key="") & Q(read_at__isnull=True, replaced_at__isnull=True),
                name="one_unread_per_collapse_key",
            ),
            models.CheckConstraint(condition=Q(about__isnull=True) | ~Q(about=F("user")), name="notification_names_somebody_else"),
            models.CheckConstraint(condition=Q(count__gte=1), name="notification_counts_itself"),
        )
        indexes = (
            models.Index(fields=("user", "-id"), condition=Q(replaced_at__isnull=True), name="notification_newest"),
            models.Index(fields=("user",), condition=Q(read_at__isnull=True, replaced_at__isnull=True), name="notification_unread"),
            models.Index(fields=("user", "topic", "-id"), condition=Q(replaced_at__isnull=True), name="notification_by_topic"),
            models.Index(fields=("user", "version"), name="notification_changed"),
            models.Index(F("user"), KeyTextTransform("uid", "calendar"), condition=Q(calendar__isnull=False), name="notification_of_entry"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


class Delivery(BaseModel):
    """One notification on its way to a person on one channel. Those that waited for the same end of quiet go out together: the others are
    bundled with the first, whose fate is theirs."""

    notification = models.ForeignKey(Notification, on_delete=models.CASCADE, related_name="deliveries")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    channel = models.CharField(max_length=5, choices=Channel)
    urgency = models.PositiveSmallIntegerField(choices=Urgency, default=Urgency.NORMAL)
    state = models.CharField(max_length=10, choices=DeliveryState, default=DeliveryState.QUEUED)
    why = models.CharField(max_length=12, choices=Why, blank=True, default="")
    due_at = models.DateTimeField()
    # Set while a worker has it, and cleared with the answer; one that stays is of a worker that died. What the provider had not been asked
    # for since the claim was surely not sent.
    claimed_at = models.DateTimeField(null=True, blank=True)
    asked_at = models.DateTimeField(null=True, blank=True, help_text="When the provider was last asked to send it.")
    bundled_with = models.ForeignKey("self", on_delete=models.CASCADE, null=True, blank=True, related_name="bundle")
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    provider_id = models.CharField(max_length=200, blank=True, default="")
    segments = models.PositiveSmallIntegerField(default=0, help_text="Parts of an SMS, which are what it costs.")
    last_error = models.TextField(blank=True, default="")

    class Meta:
        ordering = ("-id",)
        verbose_name_plural = "deliveries"
        constraints = (
            models.UniqueConstraint(fields=("notification", "channel"), name="one_delivery_per_channel"),
            models.CheckConstraint(
                condition=~Q(state__in=(DeliveryState.SENT, DeliveryState.DELIVERED)) | Q(sent_at__isnull=False),
                name="what_was_sent_has_its_instant",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=(DeliveryState.SUPPRESSED, DeliveryState.BOUNCED, DeliveryState.FAILED)) | ~Q(why=""),
                name="what_was_not_sent_says_why",
            ),
            models.CheckConstraint(condition=Q(claimed_at__isnull=True) | Q(state__in=WAITING), name="only_what_waits_is_claimed"),
        )
        indexes = (
            models.Index(
                fields=("channel", "-urgency", "due_at"),
                condition=Q(state__in=WAITING, claimed_at__isnull=True, bundled_with__isnull=True),
                name="delivery_queue",
            ),
            models.Index(fields=("user", "channel"), condition=Q(state__in=WAITING), name="delivery_waiting"),
            models.Index(fields=("claimed_at",), condition=Q(claimed_at__isnull=False), name="delivery_claimed"),
            models.Index(fields=("provider_id",), condition=~Q(provider_id=""), name="delivery_by_provider_id"),
            models.Index(fields=("state", "-id"), name="delivery_state_newest"),
            models.Index(fields=("channel", "sent_at"), condition=Q(segments__gt=0), name="delivery_costs"),
        )

    def __str__(self) -> str:
        return f"{self.channel} {self.id}"
