from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from payments.enums import PaymentState

if TYPE_CHECKING:
    from accounts.models import User
    from payments.models import Payment  # noqa: F401  (the base class names it as a string)


class PaymentQuerySet(models.QuerySet["Payment"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """What this person paid or was paid. Staff look in the admin, where that is logged."""
        return self.filter(Q(payer_id=user.pk) | Q(payee_id=user.pk)) if user.is_authenticated else self.none()

    def to_release(self) -> Self:
        """Payments whose payee has waited long enough."""
        return self.filter(state=PaymentState.CAPTURED, released_at__isnull=True, release_at__lte=timezone.now())

    def with_something_to_transfer(self) -> Self:
        """Released payments of which more may go to the payee than went, before what is disputed is looked at."""
        return self.filter(released_at__isnull=False, captured_amount__gt=F("returned_amount") + F("transferred_amount"))
