from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.enums import DeviceKind, KeyPurpose, Provider, SecurityEventKind
from accounts.querysets import OwnedQuerySet
from core.models import BaseModel


class Device(BaseModel):
    """One signed-in device: a family of refresh tokens, or a browser session. Deleting it, with its session, ends every token of it."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="devices")
    kind = models.CharField(max_length=5, choices=DeviceKind)
    session_key = models.CharField(max_length=40, unique=True, editable=False)
    name = models.CharField(max_length=100, blank=True, default="")
    user_agent = models.CharField(max_length=300, blank=True, default="")
    ip_address = models.GenericIPAddressField(null=True, blank=True)
    last_used_at = models.DateTimeField(default=timezone.now)

    # The refresh token that is valid now, and the one it was made from, each by the `jti` of the token.
    refresh_id = models.CharField(max_length=36, blank=True, default="", editable=False)
    issued_at = models.DateTimeField(default=timezone.now, editable=False)
    spent_id = models.CharField(max_length=36, blank=True, default="", editable=False)
    spent_at = models.DateTimeField(null=True, blank=True, editable=False)
    is_successor_used = models.BooleanField(
        default=False, editable=False, help_text="Whether a token of the pair that replaced the spent one was ever presented."
    )

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ("-last_used_at",)
        constraints = (
            models.CheckConstraint(condition=Q(kind=DeviceKind.WEB) | ~Q(refresh_id=""), name="app_device_has_a_refresh_token"),
            models.CheckConstraint(condition=Q(spent_id="") | Q(spent_at__isnull=False), name="spent_token_has_its_instant"),
        )
        indexes = (models.Index(fields=("user", "-id"), name="device_by_user"),)

    def __str__(self) -> str:
        return self.name or self.kind


class MailedKey(BaseModel):
    """A secret that was mailed, as a link and as a code. Only digests of it are kept. A row without a person is made for unknown
    addresses, so that the two cases cost the same time; nothing can be done with it."""

    purpose = models.CharField(max_length=16, choices=KeyPurpose)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    email = models.EmailField(max_length=254, db_index=True)
    link_digest = models.CharField(max_length=64, unique=True, editable=False)
    code_digest = models.CharField(max_length=64, unique=True, editable=False)
    password_print = models.CharField(max_length=64, editable=False, help_text="Ties the key to the password that was in force.")
    expires_at = models.DateTimeField(db_index=True)
    spent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)
        indexes = (models.Index(fields=("user", "purpose"), name="mailed_key_by_user"),)

    def __str__(self) -> str:
        return f"{self.purpose} {self.id}"


class LinkedProvider(BaseModel):
    """An identity at Google, Apple or LinkedIn with which this person signs in. `subject` is the provider's own id of the person."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="linked_providers")
    provider = models.CharField(max_length=10, choices=Provider)
    subject = models.CharField(max_length=255)
    email = models.EmailField(max_length=254, blank=True, default="", help_text="As the provider last told it.")
    last_used_at = models.DateTimeField(default=timezone.now)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(fields=("provider", "subject"), name="one_person_per_provider_identity"),
            models.UniqueConstraint(fields=("user", "provider"), name="one_identity_per_person_and_provider"),
        )

    def __str__(self) -> str:
        return f"{self.provider}"


class SecurityEvent(BaseModel):
    """One line of the log that a person sees about the safety of their own account."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="security_events")
    kind = models.CharField(max_length=24, choices=SecurityEventKind)
    ip_address = models.GenericIPAddressField(null=True, blank=True)
    device_name = models.CharField(max_length=100, blank=True, default="")
    detail = models.CharField(max_length=200, blank=True, default="")

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        indexes = (models.Index(fields=("user", "-id"), name="security_event_by_user"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.created_at:%Y-%m-%d %H:%M}"
