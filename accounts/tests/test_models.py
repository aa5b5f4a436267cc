from __future__ import annotations

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client

from accounts import demo, services
from accounts.models import User, validate_time_zone
from accounts.providers import headless, tokens
from conftest import PASSWORD

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"])
def test_time_zones_are_places(name: str) -> None:
    validate_time_zone(name)


@pytest.mark.parametrize("name", ["", "+02:00", "Etc/GMT-3", "CET", "Mars/Olympus", "Europe/../etc/passwd"])
def test_offsets_are_no_time_zones(name: str) -> None:
    with pytest.raises(ValidationError):
        validate_time_zone(name)


def test_one_person_an_address_whatever_its_case(user: User) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.bulk_create([User(email=user.email.upper(), full_name="Twin")])
    assert User.objects.get_by_natural_key(user.email.upper()) == user


def test_people_see_themselves_and_staff_see_all(user: User, staff: User) -> None:
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
    assert list(User.objects.order_by("email").values_list("email", "is_staff")) == [
        ("ada@soosh.example", False),
        ("staff@soosh.example", True),
    ]


@pytest.mark.django_db(transaction=True)
def test_rotation_needs_a_transaction(user: User) -> None:
    from allauth.headless.tokens.strategies.jwt import internal
    from django.contrib.sessions.backends.db import SessionStore

    session = SessionStore()
    session.create()
    token = internal.create_refresh_token(user, session)
    with pytest.raises(transaction.TransactionManagementError):
        tokens.rotate(token)


def test_a_session_of_somebody_else_gives_no_tokens(user: User, make_user: Any) -> None:
    from allauth.headless.tokens.strategies.jwt import internal
    from django.contrib.sessions.backends.db import SessionStore

    session = SessionStore()
    session.create()
    token = internal.create_refresh_token(user, session)
    session.save()
    with transaction.atomic():
        assert tokens.rotate(token) is None, "the session is nobody's"
    with pytest.raises(services.InvalidRefreshToken):
        services.refresh_tokens(refresh_token=token)
