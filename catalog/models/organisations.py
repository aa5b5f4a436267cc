from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from catalog.enums import MemberRole, OrganisationState
from catalog.querysets import OrganisationQuerySet
from core.models import BaseModel


class Organisation(BaseModel):
    """Somebody who posts opportunities. Staff check it once; until then each of its postings is looked at."""

    slug = models.SlugField(max_length=100, unique=True)
    name = models.CharField(max_length=300)
    website = models.URLField(max_length=500, blank=True, default="")
    state = models.CharField(max_length=10, choices=OrganisationState, default=OrganisationState.PENDING)
    verified_at = models.DateTimeField(null=True, blank=True)
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, through="OrganisationMember", related_name="+")

    objects = OrganisationQuerySet.as_manager()

    class Meta:
        ordering = ("name",)
        constraints = (
            models.CheckConstraint(
                condition=~Q(state=OrganisationState.VERIFIED) | Q(verified_at__isnull=False), name="verified_organisation_has_its_instant"
            ),
        )

    def __str__(self) -> str:
        return self.name


class OrganisationMember(BaseModel):
    """A person who posts for an organisation."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="organisation_memberships")
    role = models.CharField(max_length=10, choices=MemberRole, default=MemberRole.POSTER)

    class Meta:
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=("organisation", "user"), name="one_membership_per_person_and_organisation"),)

    def __str__(self) -> str:
        return f"{self.user_id} in {self.organisation_id}"
