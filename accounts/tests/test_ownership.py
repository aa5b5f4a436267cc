"""Whoever proves the address owns the account: nothing that a stranger entered before stays."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail
from django.test import Client

from accounts.models import Device, LinkedProvider, User
from accounts.services.staff import create_person
from conftest import Api

pytestmark = pytest.mark.django_db

OWNER = "owner@example.org"
THEIRS = "the-strangers-pass-phrase"
OWN = "the-owners-pass-phrase"


def link() -> str:
    found = re.search(r"/(?:verify-email|sign-in/code|reset-password)/(\S+)", str(mail.outbox[-1].body))
    assert found
    return found[1]


def code() -> str:
    found = re.search(r"\b([2-9A-Z]{4}-[2-9A-Z]{4})\b", str(mail.outbox[-1].body))
    assert found
    return found[1]


def register(password: str, *, by: Api | None = None, agent: str = "", **more: str) -> Api:
    api = by or Api()
    # A stranger's program is another one than the owner's.
    headers = {"HTTP_USER_AGENT": agent or ("stranger" if password == THEIRS else "owner")}
    fields = {"email": OWNER, "password": password, "full_name": "Somebody"} | more
    assert api.post("auth/register", fields, **headers).status_code == 201
    return api


def can_sign_in(password: str) -> bool:
    return bool(Api().post("auth/login", {"email": OWNER, "password": password}).status_code == 200)


def by_link(api: Api, browser: Client) -> None:
    answer = api.post("auth/verify-email", {"key": link()})
    assert api.post("auth/password/reset/confirm", {"key": answer.json()["password_key"], "password": OWN}).status_code == 200


def by_code(api: Api, browser: Client) -> None:
    assert api.post("auth/verify-email", {"key": code(), "password": OWN}).json() == {"email": OWNER, "is_email_verified": True}


def by_page(api: Api, browser: Client) -> None:
    page = f"/verify-email/{link()}"
    assert b'name="password"' in browser.get(page).content
    assert browser.post(page, {"password": "short"}).status_code == 400
    assert browser.post(page, {"password": "password1234"}).status_code == 400
    assert browser.post(page, {"password": OWN}).status_code == 200


def by_page_without_a_password(api: Api, browser: Client) -> None:
    chosen = browser.post(f"/verify-email/{link()}", {"password": ""})
    assert chosen.status_code == 302
    assert browser.post(chosen["Location"], {"password": OWN}).status_code == 200


def by_mailed_code(api: Api, browser: Client) -> None:
    api.post("auth/login/code", {"email": OWNER})
    pair = api.post("auth/login/code/confirm", {"key": code()}).json()
    api.token = pair["access_token"]
    assert api.post("auth/password/change", {"new_password": OWN}).status_code == 200


def by_reset(api: Api, browser: Client) -> None:
    api.post("auth/password/reset", {"email": OWNER})
    assert api.post("auth/password/reset/confirm", {"key": code(), "password": OWN}).status_code == 200


def by_registering_again(api: Api, browser: Client) -> None:
    register(OWN, by=api)
    assert api.post("auth/verify-email", {"key": link()}).status_code == 200


def by_resending(api: Api, browser: Client) -> None:
    api.post("auth/verify-email/resend", {"email": OWNER})
    assert api.post("auth/verify-email", {"key": link(), "password": OWN}).status_code == 200


@pytest.mark.parametrize(
    "prove", [by_link, by_code, by_page, by_page_without_a_password, by_mailed_code, by_reset, by_registering_again, by_resending]
)
def test_a_strangers_registration_leaves_them_no_way_in(prove: Callable[[Api, Client], None]) -> None:
    stranger = register(THEIRS, birth_date="1990-01-01")
    stranger_key = link()
    user = User.objects.get(email=OWNER)
    LinkedProvider.objects.create(user=user, provider="google", subject="stranger")
    Authenticator.objects.create(user=user, type="totp", data={})
    Device.objects.create(user=user, kind="app", session_key="s", refresh_id="r")
    prove(Api(), Client())
    user.refresh_from_db()
    assert user.birth_date is None or prove is by_registering_again
    assert not can_sign_in(THEIRS)
    assert can_sign_in(OWN)
    assert not LinkedProvider.objects.exists() and not Authenticator.objects.exists()
    assert not Device.objects.filter(session_key="s").exists()
    assert stranger.post("auth/verify-email", {"key": stranger_key}).status_code == 400


def test_a_stranger_who_registers_last_gains_nothing_either() -> None:
    owner = register(OWN)
    register(THEIRS)
    answer = owner.post("auth/verify-email", {"key": link()})
    assert answer.status_code == 200 and "password_key" in answer.json()
    assert not can_sign_in(THEIRS)


def test_an_app_without_cookies_is_known_by_its_network_and_program() -> None:
    register(OWN)
    assert Api().post("auth/verify-email", {"key": code()}, HTTP_USER_AGENT="owner").json() == {"email": OWNER, "is_email_verified": True}
    assert can_sign_in(OWN)
    assert User.objects.get(email=OWNER).registrant_origin == ""


@pytest.mark.parametrize("other", [{"REMOTE_ADDR": "192.0.2.9", "HTTP_USER_AGENT": "owner"}, {"HTTP_USER_AGENT": "stranger"}])
def test_an_app_elsewhere_chooses_a_password(other: dict[str, str]) -> None:
    register(OWN)
    assert "password_key" in Api().post("auth/verify-email", {"key": code()}, **other).json()
    assert not can_sign_in(OWN)


def test_a_mailed_link_opened_in_the_strangers_network_asks_for_a_password(client: Client) -> None:
    register(THEIRS)
    page = f"/verify-email/{link()}"
    assert b'name="password"' in client.get(page, HTTP_USER_AGENT="stranger").content
    assert client.post(page, {"password": ""}, HTTP_USER_AGENT="stranger").status_code == 302
    assert not can_sign_in(THEIRS)


@pytest.mark.parametrize("where", ["client", "browser", "elsewhere with the password", "elsewhere with another one"])
def test_whoever_registered_keeps_what_they_entered(where: str, client: Client) -> None:
    if where == "browser":
        fields = {"email": OWNER, "password": OWN, "full_name": "Ada", "birth_date": "1990-01-01"}
        assert client.post("/sign-up/", fields).status_code == 200
        page = f"/verify-email/{link()}"
        assert b'name="password"' not in client.get(page).content
        assert client.post(page).status_code == 200
    elif where == "client":
        registered = register(OWN, full_name="Ada", birth_date="1990-01-01")
        assert registered.post("auth/verify-email", {"key": code()}).json() == {"email": OWNER, "is_email_verified": True}
    else:
        chosen = OWN if where.endswith("the password") else "another-pass-phrase"
        register(OWN, full_name="Ada", birth_date="1990-01-01")
        assert Api().post("auth/verify-email", {"key": link(), "password": chosen}).status_code == 200
        assert can_sign_in(chosen)
        assert can_sign_in(OWN) == (chosen == OWN)
        return
    user = User.objects.get(email=OWNER)
    assert (user.full_name, str(user.birth_date), user.registrant_digest) == ("Ada", "1990-01-01", "")
    assert can_sign_in(OWN)


def test_a_weak_password_confirms_nothing_and_leaves_the_key_good() -> None:
    register(THEIRS)
    key = link()
    answer = Api().post("auth/verify-email", {"key": key, "password": "password1234"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "password")
    assert Api().post("auth/verify-email", {"key": key, "password": OWN}).status_code == 200


def test_an_invited_person_is_not_taken_over_by_who_registers_their_address(staff: User) -> None:
    create_person(actor=staff, email=OWNER, full_name="Invited")
    register(THEIRS)
    answer = Api().post("auth/verify-email", {"key": link(), "password": OWN})
    assert answer.status_code == 200
    assert not can_sign_in(THEIRS) and can_sign_in(OWN)


def test_a_strangers_account_cannot_be_pushed_onto_somebodys_address(signed_in: Api, user: User, client: Client) -> None:
    signed_in.post("users/me/email", {"email": OWNER})
    key = link()
    for answer in (
        Api().post("auth/verify-email", {"key": key}),
        Api().post("auth/verify-email", {"key": key, "password": "the-wrong-password"}),
        client.post(f"/verify-email/{key}"),
    ):
        assert answer.status_code == 403
    user.refresh_from_db()
    assert user.email != OWNER
    assert signed_in.post("auth/verify-email", {"key": key}).status_code == 200


def test_a_key_that_went_to_the_former_address_opens_nothing(signed_in: Api, user: User) -> None:
    Api().post("auth/password/reset", {"email": user.email})
    former = code()
    signed_in.post("users/me/email", {"email": OWNER})
    signed_in.post("auth/verify-email", {"key": code()})
    assert Api().post("auth/password/reset/confirm", {"key": former, "password": THEIRS}).status_code == 400


def test_known_and_unknown_addresses_get_answers_of_one_shape(user: User) -> None:
    answers: list[Any] = []
    for email in (user.email, "new@example.org"):
        answers.append(Api().post("auth/register", {"email": email, "password": OWN, "full_name": "Ada"}))
    assert [set(answer.cookies) for answer in answers] == [{"registration"}] * 2
    assert len({len(answer.cookies["registration"].value) for answer in answers}) == 1
    assert answers[0].json()["user"].keys() == answers[1].json()["user"].keys()
