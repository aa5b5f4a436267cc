"""A child under 13 never has an account of its own, nor a profile without a guardian."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Device, Guardianship, User
from accounts.policies import is_guardian_of
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


def test_another_guardian_is_invited_by_the_guardian_not_by_the_child(guardian: User, ward: User, make_user: object) -> None:
    other: User = make_user(birth_date=date(1980, 1, 1))  # type: ignore[operator]
    child = session(guardian, ward)
    assert child.post("users/me/guardians", {"email": other.email}).json()["code"] == "managed_profile"
    assert mail.outbox == []
    api = Api().sign_in(guardian)
    assert Api().sign_in(other).post(f"users/me/wards/{ward.pk}/guardians", {"email": other.email}).status_code == 404
    assert api.post(f"users/me/wards/{ward.pk}/guardians", {"email": other.email}).status_code == 201
    key = mail.outbox[-1].body.split("/guardian/")[1].split()[0]
    assert Api().sign_in(other).post("users/me/wards/accept", {"key": key}).json()["state"] == "active"
    assert is_guardian_of(other, ward) and is_guardian_of(guardian, ward)
    # Nor does the child end what binds a guardian to it.
    for row in Guardianship.objects.filter(ward=ward):
        assert child.delete(f"users/me/guardians/{row.pk}").json()["code"] == "managed_profile"


@pytest.mark.parametrize(("age", "is_minor"), [(13, True), (18, False)])
def test_a_guardian_hands_the_profile_over_when_its_owner_is_old_enough(guardian: User, ward: User, age: int, is_minor: bool) -> None:
    api, path = Api().sign_in(guardian), f"users/me/wards/{ward.pk}/hand-over"
    assert api.post(path, {"email": "kim@example.org"}).json()["code"] == "still_a_child"
    today = timezone.now().date()
    User.objects.filter(pk=ward.pk).update(birth_date=today.replace(year=today.year - age, day=1))
    child = session(guardian, ward)
    assert child.post(path, {"email": "kim@example.org"}).json()["code"] == "managed_profile"
    # A taken address gets another mail, with which nothing can be done, and the same answer.
    assert api.post(path, {"email": guardian.email}).status_code == 202
    assert api.post(path, {"email": "kim@example.org"}).json() == {"email": "kim@example.org"}
    ward.refresh_from_db()
    assert ward.is_ward, "nothing changes before its owner has chosen a password"
    assert [message.to for message in mail.outbox[-2:]] == [[guardian.email], ["kim@example.org"]]
    key = mail.outbox[-2].body.split("/reset-password/")[1].split()[0]
    assert Api().post("auth/password/reset/confirm", {"key": key, "password": PASSWORD}).json()["code"] == "invalid_key"
    key = mail.outbox[-1].body.split("/reset-password/")[1].split()[0]
    page = Client().post(f"/reset-password/{key}", {"password": PASSWORD})
    assert page.status_code == 200
    ward.refresh_from_db()
    assert (ward.email, ward.full_name, ward.is_ward) == ("kim@example.org", "Kim", False)
    assert child.get("users/me").status_code == 401, "the sessions of the guardian have ended"
    assert Api().sign_in(ward).get("users/me").json()["id"] == str(ward.pk)
    assert is_guardian_of(guardian, ward) is is_minor
    assert api.post(f"users/me/wards/{ward.pk}/session").status_code == 404
    assert [wards["person"]["id"] for wards in api.get("users/me/wards").json()["wards"]] == ([str(ward.pk)] if is_minor else [])
    assert ([guardian.email], "A profile that you manage was handed over") in [(message.to, message.subject) for message in mail.outbox]
    assert Api().post("auth/password/reset/confirm", {"key": key, "password": PASSWORD}).json()["code"] == "invalid_key"


def test_a_key_of_a_guardian_who_is_shut_out_hands_nothing_over(guardian: User, ward: User, staff: User) -> None:
    User.objects.filter(pk=ward.pk).update(birth_date=timezone.now().date() - timedelta(days=14 * 366))
    assert Api().sign_in(guardian).post(f"users/me/wards/{ward.pk}/hand-over", {"email": "kim@example.org"}).status_code == 202
    key = mail.outbox[-1].body.split("/reset-password/")[1].split()[0]
    suspend_person(actor=staff, person=guardian, reason="x")
    assert Api().post("auth/password/reset/confirm", {"key": key, "password": PASSWORD}).json()["code"] == "invalid_key"


def test_whoever_grew_up_decides_alone(guardian: User, make_user: object) -> None:
    teen: User = make_user(birth_date=timezone.now().date() - timedelta(days=15 * 366))  # type: ignore[operator]
    Guardianship.objects.create(ward=teen, guardian=guardian, state="active", accepted_at=timezone.now())
    api = Api().sign_in(guardian)
    assert api.get(f"users/me/wards/{teen.pk}/consents").status_code == 200
    User.objects.filter(pk=teen.pk).update(birth_date=date(1990, 1, 1))
    assert api.get(f"users/me/wards/{teen.pk}/consents").status_code == 404
    assert api.get("users/me/wards").json()["wards"] == []


def test_staff_keep_to_the_rules_in_their_forms(client: Client, staff: User, user: User, ward: User, staff_api: Api) -> None:
    client.force_login(staff)
    young = str(timezone.now().date() - timedelta(days=12 * 365))
    for person, change, field in ((user, {"birth_date": young}, "birth_date"), (ward, {"role": "mentor"}, "__all__")):
        address = reverse("admin:accounts_user_change", args=[person.pk])
        initial = client.get(address).context["adminform"].form.initial
        fields = {name: "" if value is None else value for name, value in initial.items() if value not in (False, [])}
        page = client.post(address, fields | {"languages": ""} | change)
        assert list(page.context["adminform"].form.errors) == [field]
    assert staff_api.patch(f"users/{ward.pk}/account", {"role": "mentor"}).json()["code"] == "managed_profile"
