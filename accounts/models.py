from __future__ import annotations

import zoneinfo
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Lower

from accounts.querysets import UserQuerySet
from core.models import BaseModel


class UserAccountManager(BaseUserManager.from_queryset(UserQuerySet)["User"]):  # type: ignore[misc]
    """What `createsuperuser` and `authenticate` ask of a user model's default manager."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user: User = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save()
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, email: str | None) -> User:
        return self.get(email__iexact=email)


def validate_time_zone(name: str) -> None:
    """An IANA region name. Fixed offsets are refused: they are wrong for half of each year in most places."""
    if name != "UTC" and ("/" not in name or name.startswith("Etc/") or name not in zoneinfo.available_timezones()):
        raise ValidationError("Choose a time zone by place, such as Europe/Berlin.", code="invalid_time_zone")


class User(AbstractBaseUser, PermissionsMixin, BaseModel):
    """A person. The e-mail address is the name they sign in with."""

    email = models.EmailField(max_length=254, unique=True)
    full_name = models.CharField(max_length=150)
    birth_date = models.DateField(null=True, blank=True)
    time_zone = models.CharField(max_length=64, default="UTC", validators=[validate_time_zone])
    locale = models.CharField(max_length=16, default="en")
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False, help_text="May sign in to the admin.")

    objects = UserAccountManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["full_name"]

    class Meta:
        ordering = ("-id",)
        constraints = (models.UniqueConstraint(Lower("email"), name="one_user_per_email_address"),)

    def __str__(self) -> str:
        return self.email

    def get_full_name(self) -> str:
        return self.full_name
