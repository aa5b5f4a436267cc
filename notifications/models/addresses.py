from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import Device
from accounts.querysets import OwnedQuerySet
from core.models import BaseModel
from notifications.enums import Channel, Complaint
from notifications.models.notices import Delivery


class PushDevice(BaseModel):
    """A phone that takes pushes. It goes with the sign-in that registered it: a phone that is signed out shows nothing more."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="push_devices")
    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="+", help_text="The sign-in that registered it.")
    token = models.CharField(max_length=200, unique=True)
    shows_text = models.BooleanField(default=False, help_text="Whether the lock screen may show what it is about.")

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"of {self.user_id}"


class PushTicket(BaseModel):
    """What Expo answered for one device; its receipt tells later whether the push arrived."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="tickets")
    device = models.ForeignKey(PushDevice, on_delete=models.SET_NULL, null=True, related_name="+")
    ticket = models.CharField(max_length=100, blank=True, default="")
    settled_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=60, blank=True, default="")

    class Meta:
        ordering = ("-id",)
        constraints = (models.UniqueConstraint(fields=("delivery", "device"), name="one_ticket_per_delivery_and_device"),)
        indexes = (models.Index(fields=("created_at",), condition=Q(settled_at__isnull=True), name="push_ticket_open"),)

    def __str__(self) -> str:
        return self.ticket


class Phone(BaseModel):
    """A number that a person proved to be theirs, twice: they gave it, and typed the code that was sent to it."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="phone")
    number = models.CharField(max_length=16, help_text="In the international form, such as +4915112345678.")
    code_hash = models.CharField(max_length=64, blank=True, default="")
    code_expires_at = models.DateTimeField(null=True, blank=True)
    code_attempts = models.PositiveSmallIntegerField(default=0)
    verified_at = models.DateTimeField(null=True, blank=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(fields=("number",), condition=Q(verified_at__isnull=False), name="verified_number_is_of_one_person"),
            models.CheckConstraint(condition=Q(number__regex=r"^\+[1-9][0-9]{6,14}$"), name="number_is_international"),
        )

    def __str__(self) -> str:
        return f"of {self.user_id}"


class Suppression(BaseModel):
    """An address that gets nothing more on this channel, as a keyed hash: it must outlive the person's account, and say nothing of it."""

    channel = models.CharField(max_length=5, choices=Channel)
    address_hash = models.CharField(max_length=64)
    reason = models.CharField(max_length=10, choices=Complaint)

    class Meta:
        ordering = ("-id",)
        constraints = (models.UniqueConstraint(fields=("channel", "address_hash"), name="address_suppressed_once"),)

    def __str__(self) -> str:
        return f"{self.channel}: {self.reason}"
