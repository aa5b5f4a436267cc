from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.middleware import SESSION_KEY
from accounts.models import Impersonation, User
from accounts.services.impersonating import end_impersonation, start_impersonation
from conftest import Api, new_user
from core.errors import Forbidden
from core.models import AuditEntry

pytestmark = pytest.mark.django_db
BANNER = b"Seen by staff"


def begin(client: Client, person: User, reason: str = "They cannot find their requests") -> Any:
    return client.post(reverse("admin:accounts_user_impersonate", args=[person.pk]), {"reason": reason})


@pytest.fixture
def helper(client: Client, make_user: Any) -> User:
    """Staff who may look, and no more."""
    person: User = make_user(role="staff")
    person.user_permissions.add(Permission.objects.get(codename="add_impersonation"))
    client.force_login(person)
    return person


def test_staff_look_for_a_reason_and_change_nothing(client: Client, helper: User, user: User) -> None:
    assert begin(client, user, reason=" ").context["form"].errors["reason"]
    assert not Impersonation.objects.exists()
    assert begin(client, user).headers["Location"] == reverse("dashboard")
    row = Impersonation.objects.get()
    assert (row.staff, row.person, row.reason) == (helper, user, "They cannot find their requests")
    page = client.get("/bookings/")
    assert page.context["user"] == user
    assert BANNER in page.content and user.full_name.encode() in page.content
    # Neither settings nor a sign-out, which would be the person's.
    for path in ("/dashboard/settings", "/sign-out/", "/dashboard/profile"):
        refused = client.post(path, {"minutes_before": "5"})
        assert (refused.status_code, b"<h1>You only look</h1>" in refused.content) == (403, True)
    assert client.get("/dashboard/calendars").status_code == 403
    # The desk of staff is their own, and so is the API.
    assert client.get("/admin/", follow=True).context["user"] == helper
    assert AuditEntry.objects.filter(actor_id=helper.pk, action="impersonated", thing_id=str(user.pk)).count() == 1


def test_it_is_told_and_ended(client: Client, helper: User, user: User) -> None:
    begin(client, user)
    assert client.get(reverse("admin:accounts_impersonation_end")).status_code == 405
    assert client.post(reverse("admin:accounts_impersonation_end")).headers["Location"].endswith(f"/{user.pk}/change/")
    assert BANNER not in client.get("/").content
    assert Impersonation.objects.get().ends_at <= timezone.now()
    assert AuditEntry.objects.filter(action="impersonation ended", thing_id=str(user.pk)).count() == 1
    events = Api().sign_in(user).get("auth/security-log").json()["results"]
    assert "seen_by_staff" in [event["kind"] for event in events]
    # Twice is once.
    end_impersonation(impersonation=Impersonation.objects.get())
    assert client.post(reverse("admin:accounts_impersonation_end")).headers["Location"] == reverse("admin:index")
    assert AuditEntry.objects.filter(action="impersonation ended").count() == 1


@pytest.mark.parametrize("why", ["over", "right", "gone", "shut out", "stranger"])
def test_it_ends_by_itself(client: Client, helper: User, user: User, why: str) -> None:
    begin(client, user)
    if why == "over":
        Impersonation.objects.update(ends_at=timezone.now() - datetime.timedelta(seconds=1))
    elif why == "right":
        helper.user_permissions.clear()
    elif why == "gone":
        Impersonation.objects.all().delete()
    elif why == "shut out":
        User.objects.filter(pk=user.pk).update(is_active=False)
    else:
        # The key of somebody else's look, put into one's own session.
        other = new_user(role="staff")
        Impersonation.objects.update(staff=other)
    page = client.get("/")
    assert (page.context["user"], BANNER in page.content, SESSION_KEY in client.session) == (helper, False, False)
    assert "You see Soosh as yourself again." in page.content.decode()


def test_who_may_look_at_whom(client: Client, make_user: Any, user: User) -> None:
    assert begin(client, user).status_code == 302  # to the sign-in
    client.force_login(make_user())
    assert begin(client, user).status_code == 302
    plain, boss = make_user(role="staff"), make_user(role="staff", is_superuser=True)
    client.force_login(plain)
    assert (begin(client, user).status_code, client.get(reverse("admin:accounts_user_impersonate", args=[user.pk])).status_code) == (
        403,
        403,
    )
    assert not Impersonation.objects.exists()
    for staff, person in ((plain, user), (boss, boss)):
        with pytest.raises(Forbidden):
            start_impersonation(staff=staff, person=person, reason="x")
    plain.user_permissions.add(Permission.objects.get(codename="add_impersonation"))
    plain = User.objects.get(pk=plain.pk)
    with pytest.raises(Forbidden):
        start_impersonation(staff=plain, person=boss, reason="x")
    client.force_login(boss)
    address = reverse("admin:accounts_user_impersonate", args=[user.pk])
    assert address in client.get(reverse("admin:accounts_user_change", args=[user.pk])).content.decode()
    assert address not in client.get(reverse("admin:accounts_user_change", args=[boss.pk])).content.decode()
    assert begin(client, user).status_code == 302


def test_what_the_database_refuses(helper: User, user: User) -> None:
    for fields in ({"staff": user, "person": user, "reason": "x"}, {"staff": helper, "person": user, "reason": ""}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Impersonation.objects.create(ends_at=timezone.now(), **fields)
