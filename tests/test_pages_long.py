"""Every list and every row of the admin in a real Chromium, with all that looks at pages. The gate looks at one page of each kind."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.urls import reverse

from accounts.models import User
from bookings.tests.conftest import clock, world
from mentors.tests.conftest import make_mentor
from tests.browser import Visitor
from tests.looking import look_at_the_desk
from tests.test_admin import MODELS, filled
from tests.test_pages import browser, site, visit

__all__ = ["browser", "clock", "filled", "make_mentor", "site", "visit", "world"]  # fixtures
pytestmark = [pytest.mark.django_db, pytest.mark.long]


def test_every_page_of_the_desk_can_be_used_by_everybody(filled: None, visit: Callable[..., Visitor]) -> None:
    visitor = visit(User.objects.get(is_superuser=True))
    faults, seen = [], 0
    for model in MODELS:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        row = model._default_manager.first()
        rows = [] if row is None else [reverse(f"{name}_change", args=[row.pk])]
        for path in (reverse(f"{name}_changelist"), *rows):
            faults += [f"{path}: {fault}" for fault in look_at_the_desk(visitor, path)]
            seen += 1
    print(f"{seen} pages of the desk looked at")
    assert not faults, "\n".join(faults)
