from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts.enums import ConsentPurpose, ConsentSource, GuardianshipState
from accounts.querysets import BlockQuerySet, OwnedQuerySet
from core.models import BaseModel


class ConsentDecision(BaseModel):
    """One yes or no to one version of one text. Rows are only ever added; the newest of a purpose is in force."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="consent_decisions")
    purpose = models.CharField(max_length=20, choices=ConsentPurpose)
    is_granted = models.BooleanField()
    text_version = models.PositiveSmallIntegerField()
    text_digest = models.CharField(max_length=64, help_text="SHA-256 of the text that was shown.")
    language = models.CharField(max_length=16, default="en")
    source = models.CharField(max_length=12, choices=ConsentSource)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        indexes = (models.Index(fields=("user", "purpose", "-id"), name="consent_newest"),)

    def __str__(self) -> str:
        return f"{self.purpose}: {'yes' if self.is_granted else 'no'}"


class Block(BaseModel):
    """One person wants nothing to do with another. It holds both ways."""

    blocker = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="blocks_made")
    blocked = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="blocks_received")

    objects = BlockQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(fields=("blocker", "blocked"), name="one_block_per_pair"),
            models.CheckConstraint(condition=~Q(blocker=F("blocked")), name="nobody_blocks_themselves"),
        )

    def __str__(self) -> str:
        return f"{self.blocker_id} blocks {self.blocked_id}"


class Guardianship(BaseModel):
    """An adult answers for somebody under 18. `guardian` is unset until the invited adult accepts."""

    ward = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="guardianships")
    guardian = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="wardships")
    guardian_email = models.EmailField(max_length=254, blank=True, default="")
    state = models.CharField(max_length=8, choices=GuardianshipState, default=GuardianshipState.INVITED)
    accepted_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("ward", "guardian"), condition=Q(state=GuardianshipState.ACTIVE), name="one_active_guardianship_per_pair"
            ),
            models.CheckConstraint(condition=Q(guardian__isnull=True) | ~Q(ward=F("guardian")), name="nobody_guards_themselves"),
            models.CheckConstraint(
                condition=~Q(state=GuardianshipState.ACTIVE) | Q(guardian__isnull=False, accepted_at__isnull=False),
                name="active_guardianship_was_accepted",
            ),
        )
        indexes = (models.Index(fields=("guardian", "state"), name="guardianship_by_guardian"),)

    def __str__(self) -> str:
        return f"{self.guardian_id or self.guardian_email} for {self.ward_id}"


class InvitationRefusal(BaseModel):
    """A mailbox that wants no invitations, as a keyed digest: its owner may have no account, and nobody learns the address from it."""

    address_digest = models.CharField(max_length=64, unique=True)

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return self.address_digest[:8]


class Impersonation(BaseModel):
    """A member of staff looks at the pages as somebody else does, for a reason and for a while. It ends early by its end being moved."""

    staff = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="impersonations_made")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="impersonations")
    reason = models.CharField(max_length=300)
    ends_at = models.DateTimeField()

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(condition=~Q(staff=F("person")), name="nobody_impersonates_themselves"),
            models.CheckConstraint(condition=~Q(reason=""), name="impersonation_has_a_reason"),
        )

    def __str__(self) -> str:
        return f"{self.staff_id} as {self.person_id}"
