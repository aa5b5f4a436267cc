from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from catalog.models import Organisation, OrganisationMember
from conftest import Api

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic(signed_in: Api) -> dict[str, Any]:
    body: dict[str, Any] = signed_in.post("organisations", {"name": "City Clinic", "website": "https://clinic.example"}).json()
    return body


def test_found_change_and_check(signed_in: Api, staff_api: Api, clinic: dict[str, Any], make_user: Any) -> None:
    assert (clinic["slug"], clinic["state"], clinic["is_verified"]) == ("city-clinic", "pending", False)
    other = Api().sign_in(make_user())
    assert other.get("organisations/city-clinic").status_code == 404, "before it is checked only its members see it"
    assert other.get("organisations").json()["results"] == []
    assert [row["slug"] for row in signed_in.get("organisations?mine=true").json()["results"]] == ["city-clinic"]
    assert signed_in.call("PUT", "organisations/city-clinic/state", {"state": "verified"}).status_code == 403
    assert staff_api.call("PUT", "organisations/city-clinic/state", {"state": "verified"}).json()["is_verified"]
    assert other.get("organisations/city-clinic").status_code == 200
    assert other.patch("organisations/city-clinic", {"name": "Mine"}).status_code == 403
    changed = signed_in.patch("organisations/city-clinic", {"website": "https://new.example"}).json()
    assert (changed["website"], changed["is_verified"]) == ("https://new.example", True)
    assert not signed_in.patch("organisations/city-clinic", {"name": "Famous Clinic"}).json()["is_verified"], "a new name is checked again"


@pytest.mark.parametrize("name", ["City Clinic", "city  clinic!", "医院", ""])
def test_names_must_be_free_and_usable(signed_in: Api, clinic: dict[str, Any], name: str) -> None:
    refused = signed_in.post("organisations", {"name": name})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "name")


def test_nobody_founds_a_flood(signed_in: Api, clinic: dict[str, Any]) -> None:
    assert [signed_in.post("organisations", {"name": f"Clinic {number}"}).status_code for number in range(3)] == [201, 201, 409]
    assert Organisation.objects.count() == 3


def test_owners_decide_who_posts(signed_in: Api, user: User, clinic: dict[str, Any], make_user: Any) -> None:
    path = "organisations/city-clinic/members"
    helper = make_user(handle="helper")
    assert signed_in.post(path, {"handle": "nobody_here"}).json()["errors"][0]["code"] == "unknown_person"
    added = signed_in.post(path, {"handle": "helper"})
    assert (added.status_code, added.json()["role"]) == (201, "poster")
    assert [row["role"] for row in signed_in.get(path).json()["results"]] == ["poster", "owner"]
    theirs = Api().sign_in(helper)
    assert theirs.get(path).status_code == theirs.post(path, {"handle": "helper", "role": "owner"}).status_code == 403
    assert theirs.post("opportunities", {"kind": "job", "title": "Nurse", "posting_organisation": "city-clinic"}).status_code == 201
    assert len(signed_in.get("opportunities/mine").json()["results"]) == 1, "members share what they post"
    assert signed_in.delete(f"{path}/{user.pk}").json()["code"] == "last_owner"
    assert signed_in.post(path, {"handle": "helper", "role": "owner"}).json()["role"] == "owner"
    assert signed_in.delete(f"{path}/{user.pk}").status_code == 204, "everybody may leave"
    assert signed_in.get(path).status_code == 404
    assert theirs.delete(f"{path}/{user.pk}").status_code == 404
    assert OrganisationMember.objects.count() == 1
