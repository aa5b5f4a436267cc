"""A child under 13 never has an account of its own, nor a profile without a guardian."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Device, Guardianship, User
from accounts.services.staff import suspend_person
from conftest import PASSWORD, Api

pytestmark = pytest.mark.django_db


@pytest.fixture
def guardian(make_user: object) -> User:
    return make_user(birth_date=date(1980, 1, 1))  # type: ignore[operator, no-any-return]


@pytest.fixture
def ward(guardian: User) -> User:
    born = str(timezone.now().date() - timedelta(days=9 * 365))
    assert Api().sign_in(guardian).post("users/me/wards", {"full_name": "Kim", "birth_date": born}).status_code == 201
    return User.objects.get(email__endswith="@ward.invalid")


def session(guardian: User, ward: User) -> Api:
    api = Api()
    api.token = Api().sign_in(guardian).post(f"users/me/wards/{ward.pk}/session").json()["access_token"]
    return api


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "users/me/email", {"email": "kim@example.org"}),
        ("POST", "auth/password/change", {"new_password": "a-long-pass-phrase"}),
        ("POST", "auth/reauthenticate", {"password": "a-long-pass-phrase"}),
        ("POST", "auth/factors/totp", {}),
        ("POST", "auth/factors/totp/confirm", {"code": "123456"}),
        ("POST", "auth/factors/recovery-codes", {}),
        ("GET", "auth/factors/passkeys", None),
        ("POST", "auth/factors/passkeys", {"name": "Kim", "credential": {}}),
        ("PUT", "notifications/phone", {"number": "+4915112345678"}),
    ],
)
def test_a_childs_profile_gets_no_sign_in_of_its_own(guardian: User, ward: User, method: str, path: str, body: object) -> None:
    answer = session(guardian, ward).call(method, path, body)
    assert (answer.status_code, answer.json()["code"]) == (403, "managed_profile")
    ward.refresh_from_db()
    assert ward.is_ward and not ward.has_usable_password()


def test_the_database_gives_it_none_either(ward: User) -> None:
    for change in ({"password": "md5$x$y"}, {"role": "mentor"}, {"is_superuser": True, "role": "staff"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            User.objects.filter(pk=ward.pk).update(**change)


def test_a_guardian_on_whom_a_child_depends_alone_cannot_go(guardian: User, ward: User, make_user: object, staff_api: Api) -> None:
    api = Api().sign_in(guardian)
    for refused in (api.delete("users/me"), staff_api.delete(f"users/{guardian.pk}/account")):
        assert (refused.status_code, refused.json()["code"]) == (409, "wards_need_guardian")
    own = Guardianship.objects.get(ward=ward)
    assert api.delete(f"users/me/guardians/{own.pk}").json()["code"] == "wards_need_guardian"
    other: User = make_user(birth_date=date(1980, 1, 1))  # type: ignore[operator]
    Guardianship.objects.create(ward=ward, guardian=other, state="active", accepted_at=timezone.now())
    assert api.delete("users/me").status_code == 202
    assert Api().sign_in(other).delete("users/me").json()["code"] == "wards_need_guardian", "the first is leaving"
    assert session(other, ward).delete("users/me").status_code == 202
    assert Api().sign_in(other).delete("users/me").status_code == 202


def test_a_guardian_who_is_shut_out_is_out_of_the_childs_profile_too(guardian: User, ward: User, staff: User) -> None:
    child = session(guardian, ward)
    suspend_person(actor=staff, person=guardian, reason="x")
    assert child.get("users/me").status_code == 401
    assert not Device.objects.filter(user=ward).exists()


def test_nobody_becomes_a_child_by_telling_a_birth_date_later(
    signed_in: Api, user: User, staff_api: Api, guardian: User, ward: User
) -> None:
    young = str(timezone.now().date() - timedelta(days=12 * 365))
    for answer in (signed_in.patch("users/me", {"birth_date": young}), staff_api.patch(f"users/{user.pk}/account", {"birth_date": young})):
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "guardian_profile_required")
    for born in (None, str(timezone.now().date() - timedelta(days=16 * 365))):
        assert staff_api.patch(f"users/{guardian.pk}/account", {"birth_date": born}).status_code == 400
    user.refresh_from_db()
    assert user.birth_date is None and user.check_password(PASSWORD)
