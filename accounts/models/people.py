from __future__ import annotations

import datetime
import re
import zoneinfo
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.hashers import check_password
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper
from django.utils import timezone

from accounts.enums import AgeBand, Role
from accounts.querysets import UserQuerySet
from core.email_addresses import is_normalized, normalize_email
from core.models import BaseModel
from core.passwords import is_password, normalize_password
from core.person_names import LONGEST_NAME, NameField, is_storable
from core.time_zones import validate_time_zone

# Names that a person must not be able to pass for.
_RESERVED = """
about account accounts admin administrator api app assistant billing certificates dashboard docs healthz help legal login logout media me
mentor mentors moderator official pay payments privacy readyz register root safety security settings sign_in signin signup soosh staff
static status support system team terms users verify www
"""
RESERVED_HANDLES = frozenset(_RESERVED.split())
LANGUAGE_PATTERN = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z")
MOST_LANGUAGES = 20
# Ends the addresses that the system itself gives to rows without a mailbox (RFC 2606). Nobody can state one.
NO_MAILBOX = ".invalid"
# Profiles of children under 13, which guardians manage, have no mailbox and no sign-in of their own.
WARD_DOMAIN = "ward.invalid"


class UserAccountManager(BaseUserManager.from_queryset(UserQuerySet)["User"]):  # type: ignore[misc]
    """What `createsuperuser` and `authenticate` ask of a user model's default manager."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        address = email if email.endswith(NO_MAILBOX) else normalize_email(email)
        user: User = self.model(email=address, **fields)
        user.set_password(password)
        user.save()
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, role=Role.STAFF, is_superuser=True, **fields)

    def get_by_natural_key(self, email: str | None) -> User:
        try:
            return self.get(email=normalize_email(email or ""))
        except ValidationError as error:
            raise self.model.DoesNotExist from error


def validate_handle(handle: str) -> None:
    """3 to 30 small letters, digits and underscores, beginning with a letter; no name that could pass for Soosh itself."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{2,29}", handle):
        raise ValidationError("Use 3 to 30 small letters, digits and underscores. Begin with a letter.", code="invalid_handle")
    if handle in RESERVED_HANDLES:
        raise ValidationError("This handle is reserved.", code="reserved_handle")


def validate_birth_date(birth_date: datetime.date) -> None:
    """A day of the last 120 years."""
    today = timezone.now().date()
    if not today - datetime.timedelta(days=366 * 120) < birth_date <= today:
        raise ValidationError("This cannot be a birth date.", code="invalid_birth_date")


def age_on(birth_date: datetime.date, day: datetime.date) -> int:
    """Completed years of life. Who is born on 29 February has a birthday on 1 March in other years."""
    return day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))


class User(AbstractBaseUser, PermissionsMixin, BaseModel):
    """A person. The e-mail address is the name they sign in with."""

    email = models.EmailField(max_length=254, unique=True)
    handle = models.CharField(max_length=30, unique=True, null=True, blank=True, validators=[validate_handle])
    full_name = NameField(max_length=LONGEST_NAME)
    bio = models.TextField(max_length=2000, blank=True, default="")
    languages = ArrayField(
        models.CharField(max_length=16, validators=[RegexValidator(LANGUAGE_PATTERN)]), default=list, blank=True, size=MOST_LANGUAGES
    )
    birth_date = models.DateField(null=True, blank=True, validators=[validate_birth_date])
    time_zone = models.CharField(max_length=64, default="UTC", validators=[validate_time_zone])
    locale = models.CharField(max_length=16, default="en")
    avatar = models.CharField(max_length=200, blank=True, default="", editable=False, help_text="The stem of its files in the storage.")

    # How this person wants to be served.
    reduced_motion = models.BooleanField(default=False)
    captions = models.BooleanField(default=False)
    screen_reader = models.BooleanField(default=False)
    voice_first = models.BooleanField(default=False)
    plain_language = models.BooleanField(default=False)

    role = models.CharField(max_length=10, choices=Role, default=Role.MEMBER)
    is_active = models.BooleanField(default=True)
    suspended_at = models.DateTimeField(null=True, blank=True, editable=False)
    suspension_reason = models.CharField(max_length=500, blank=True, default="", editable=False)
    erased_at = models.DateTimeField(null=True, blank=True, editable=False)

    registrant_digest = models.CharField(
        max_length=64, blank=True, default="", editable=False, help_text="Of the secret that the registering browser or app holds."
    )
    registrant_origin = models.CharField(
        max_length=64, blank=True, default="", editable=False, help_text="Of the network and program from which the account was registered."
    )
    has_normalized_password = models.BooleanField(
        default=True, editable=False, help_text="False for a password that was stored before passwords had one form."
    )

    objects = UserAccountManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["full_name"]

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(condition=is_normalized("email"), name="address_is_normalized"),
            models.CheckConstraint(
                # "!" is Django's mark of a password that nobody can use.
                condition=~Q(email__endswith=f"@{WARD_DOMAIN}") | Q(password__startswith="!", role=Role.MEMBER, is_superuser=False),  # noqa: S106
                name="ward_has_no_sign_in",
            ),
            models.CheckConstraint(condition=~Q(handle=""), name="handle_is_a_name_or_unset"),
            models.CheckConstraint(condition=is_storable("full_name"), name="name_hides_nothing"),
            models.CheckConstraint(condition=Q(suspended_at__isnull=True) | Q(is_active=False), name="suspended_person_is_inactive"),
            models.CheckConstraint(condition=Q(erased_at__isnull=True) | Q(is_active=False), name="erased_person_is_inactive"),
            models.CheckConstraint(condition=Q(is_superuser=False) | Q(role=Role.STAFF), name="superuser_is_staff"),
        )
        indexes = (
            models.Index(fields=("role", "-id"), name="user_by_role"),
            # Staff search by any part of these.
            *(GinIndex(OpClass(Upper(name), "gin_trgm_ops"), name=f"user_search_{name}") for name in ("email", "full_name", "handle")),
        )

    def __str__(self) -> str:
        return self.email

    def set_password(self, raw_password: str | None) -> None:
        """Raises ValidationError for a text that cannot be a password."""
        super().set_password(None if raw_password is None else normalize_password(raw_password))
        self.has_normalized_password = True

    def check_password(self, raw_password: str | None) -> bool:
        """Compares in the one form of passwords. One stored before there was such a form also as it was typed, and without the spaces
        at its ends, which were cut off then."""
        if raw_password is None:
            return False
        if is_password(raw_password) and super().check_password(normalize_password(raw_password)):
            return True
        former = () if self.has_normalized_password else (raw_password, raw_password.strip())
        return any(check_password(text, self.password) for text in former if text)

    def get_full_name(self) -> str:
        return self.full_name

    @property
    def is_ward(self) -> bool:
        """A child's profile that a guardian manages."""
        return self.email.endswith(f"@{WARD_DOMAIN}")

    @property
    def is_staff(self) -> bool:
        """May sign in to the admin. Django's name for it."""
        return self.role == Role.STAFF

    @property
    def age_band(self) -> AgeBand:
        """By the calendar of the person's own time zone. Never inferred from anything but the stated birth date."""
        if self.birth_date is None:
            return AgeBand.UNSTATED
        return age_band_on(self.birth_date, timezone.localdate(timezone=zoneinfo.ZoneInfo(self.time_zone)))


def age_band_on(birth_date: datetime.date, day: datetime.date) -> AgeBand:
    """The band of somebody born on `birth_date`, on `day`."""
    age = age_on(birth_date, day)
    return AgeBand.CHILD if age < 13 else AgeBand.TEENAGER if age < 18 else AgeBand.ADULT
