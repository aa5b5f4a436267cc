from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client

from accounts import demo
from accounts.models import User, age_band_on, validate_birth_date, validate_handle
from accounts.providers import headless
from conftest import PASSWORD

pytestmark = pytest.mark.django_db


def test_one_person_an_address_whatever_its_case(user: User) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.bulk_create([User(email=user.email.upper(), full_name="Twin")])
    assert User.objects.get_by_natural_key(user.email.upper()) == user


def test_people_see_themselves_and_staff_see_all(user: User, staff: User) -> None:
    User.objects.filter(pk=staff.pk).update(is_active=False)
    assert list(User.objects.visible_to(user)) == [user]
    assert set(User.objects.visible_to(staff)) == {user, staff}
    assert not User.objects.visible_to(AnonymousUser()).exists()


def test_superusers_sign_in_to_the_admin_by_e_mail(client: Client) -> None:
    root = User.objects.create_superuser("Root@Example.org", PASSWORD, full_name="Root")
    headless.mark_verified(root)
    response = client.post("/admin/login/?next=/admin/", {"username": "root@example.org", "password": PASSWORD})
    assert (response.status_code, response["Location"]) == (302, "/admin/")
    assert (str(root), root.get_full_name()) == ("root@example.org", "Root")
    assert EmailAddress.objects.get(user=root).verified


def test_demo_people_are_made_once(db: Any) -> None:
    demo.load()
    demo.load()
    assert list(User.objects.order_by("email").values_list("email", "role")) == [
        ("ada@soosh.example", "member"),
        ("mara@soosh.example", "member"),
        ("staff@soosh.example", "staff"),
    ]


@pytest.mark.parametrize("handle", ["ada", "ada_lovelace", "a1b2c3", "x" * 30])
def test_handles_are_plain_names(handle: str) -> None:
    validate_handle(handle)


@pytest.mark.parametrize("handle", ["", "ab", "1ada", "_ada", "Ada", "ada-l", "admin", "soosh", "x" * 31, "аda"])
def test_other_handles_are_refused(handle: str) -> None:
    with pytest.raises(ValidationError):
        validate_handle(handle)


@pytest.mark.parametrize(
    ("born", "today", "band"),
    [
        ("2013-11-23", "2026-11-23", "teenager"),
        ("2013-11-24", "2026-11-23", "child"),
        ("2008-11-23", "2026-11-23", "adult"),
        ("2008-11-24", "2026-11-23", "teenager"),
        ("2008-02-29", "2026-02-28", "teenager"),
        ("2008-02-29", "2026-03-01", "adult"),
    ],
)
def test_the_band_changes_on_the_birthday(born: str, today: str, band: str) -> None:
    assert age_band_on(date.fromisoformat(born), date.fromisoformat(today)) == band


def test_an_unstated_birth_date_is_a_band_of_its_own(user: User) -> None:
    assert user.age_band == "unstated"


@pytest.mark.parametrize("born", ["1850-01-01", "2999-01-01"])
def test_impossible_birth_dates_are_refused(born: str) -> None:
    with pytest.raises(ValidationError):
        validate_birth_date(date.fromisoformat(born))


@pytest.mark.parametrize(
    "broken",
    [
        {"handle": ""},
        {"suspended_at": "2026-01-01T00:00Z", "is_active": True},
        {"erased_at": "2026-01-01T00:00Z", "is_active": True},
        {"is_superuser": True, "role": "member"},
    ],
)
def test_the_database_refuses_what_must_never_be(user: User, broken: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=user.pk).update(**broken)
