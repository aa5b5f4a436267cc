from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from unittest import mock
from urllib.parse import quote, unquote

import jwt
import pytest
from allauth.account.models import EmailAddress
from django.contrib.sessions.models import Session
from django.core import mail
from django.db import transaction
from django.db.models import F
from django.test import Client
from django.utils import timezone

from accounts.models import Device, MailedKey, SecurityEvent, User
from accounts.providers import tokens
from conftest import PASSWORD, Api, at_once
from core.models import OutboxEvent

pytestmark = pytest.mark.django_db
NEW = {"email": "new@example.org", "password": "a-long-pass-phrase", "full_name": "New Person"}


def key_in_mail() -> str:
    found = re.search(r"/verify-email/(\S+)", str(mail.outbox[-1].body))
    assert found
    return found[1]


def code_in_mail() -> str:
    found = re.search(r"\b([2-9A-Z]{4}-[2-9A-Z]{4})\b", str(mail.outbox[-1].body))
    assert found
    return found[1]


def let_pass(*, seconds: int) -> None:
    """Move what devices remember of their tokens into the past."""
    ago = timedelta(seconds=seconds)
    Device.objects.update(spent_at=F("spent_at") - ago, issued_at=F("issued_at") - ago)


class TestRegister:
    def test_creates_an_unverified_person_and_mails_a_link(self, api: Api) -> None:
        response = api.post("auth/register", NEW | {"birth_date": "2001-02-03", "time_zone": "Africa/Nairobi"})
        assert response.status_code == 201, response.content
        assert response.json() == {"user": {"email": NEW["email"], "full_name": "New Person", "is_email_verified": False}}
        user = User.objects.get(email=NEW["email"])
        assert (str(user.birth_date), user.time_zone, user.is_staff) == ("2001-02-03", "Africa/Nairobi", False)
        assert user.check_password(NEW["password"])
        assert mail.outbox[0].to == [NEW["email"]]

    def test_a_known_address_gets_the_same_answer_and_a_mail_of_its_own(self, api: Api, user: User) -> None:
        known = api.post("auth/register", NEW | {"email": user.email.upper()})
        unknown = api.post("auth/register", NEW)
        assert known.status_code == unknown.status_code == 201
        assert known.json()["user"].keys() == unknown.json()["user"].keys()
        assert User.objects.filter(email__iexact=user.email).count() == 1
        assert User.objects.get(pk=user.pk).check_password(PASSWORD)
        assert "verify-email" not in str(mail.outbox[0].body)

    @pytest.mark.parametrize(
        ("change", "field", "code"),
        [
            ({"email": "no-address"}, "email", "invalid"),
            ({"email": None}, "email", "null"),
            ({"password": "short"}, "password", "min_length"),
            ({"password": "password1234"}, "password", "password_too_common"),
            ({"full_name": ""}, "full_name", "blank"),
            ({"full_name": "x" * 151}, "full_name", "max_length"),
            ({"birth_date": "yesterday"}, "birth_date", "invalid"),
            ({"is_staff": True}, "is_staff", "unknown_field"),
        ],
    )
    def test_bad_input_names_field_and_rule_and_changes_nothing(self, api: Api, change: dict[str, Any], field: str, code: str) -> None:
        response = api.post("auth/register", NEW | change)
        assert (response.status_code, response.json()["code"]) == (400, "invalid_input")
        assert (field, code) in {(error["field"], error["code"]) for error in response.json()["errors"]}
        assert not User.objects.exists()

    @pytest.mark.parametrize(
        ("reported", "stored"),
        [
            *(
                ("Etc/UTC", "UTC"),
                ("GMT", "UTC"),
                ("Etc/Unknown", "UTC"),
                ("UTC+2", "UTC"),
                ("Etc/GMT+5", "UTC"),
                ("", "UTC"),
                (None, "UTC"),
            ),
            *(("Asia/Calcutta", "Asia/Kolkata"), ("US/Eastern", "America/New_York"), ("europe/berlin", "Europe/Berlin"), ("x" * 99, "UTC")),
        ],
    )
    def test_no_time_zone_that_a_device_reports_prevents_registering(self, api: Api, reported: str | None, stored: str) -> None:
        assert api.post("auth/register", NEW | {"time_zone": reported}).status_code == 201
        assert User.objects.get(email=NEW["email"]).time_zone == stored
        page = Client()
        page.cookies["zone"] = quote(reported or "")
        assert page.post("/sign-up/", NEW | {"email": "page@example.org"}).status_code == 200
        assert User.objects.get(email="page@example.org").time_zone == stored

    def test_a_browser_session_of_staff_does_not_get_in_the_way(self, staff: User) -> None:
        browser = Client()
        browser.force_login(staff)
        assert browser.post("/api/v1/auth/register", NEW, content_type="application/json").status_code == 201

    def test_without_mail_nothing_is_created(self, api: Api) -> None:
        with mock.patch("django.core.mail.message.EmailMessage.send", side_effect=ConnectionRefusedError):
            response = api.post("auth/register", NEW)
        assert (response.status_code, response.json()["code"]) == (503, "unavailable")
        assert not User.objects.exists()

    def test_too_many_registrations_from_one_place_have_to_wait(self, api: Api) -> None:
        answers = [api.post("auth/register", NEW | {"email": f"p{number}@example.org"}) for number in range(25)]
        assert answers[-1].status_code == 429
        assert answers[-1]["Retry-After"]


class TestVerify:
    def test_the_key_works_once_and_opens_the_door(self, api: Api) -> None:
        api.post("auth/register", NEW)
        login = {"email": NEW["email"], "password": NEW["password"]}
        refused = api.post("auth/login", login)
        assert (refused.status_code, refused.json()["code"]) == (403, "email_not_verified")
        key = unquote(key_in_mail())
        assert api.post("auth/verify-email", {"key": key}).json() == {"email": NEW["email"], "is_email_verified": True}
        assert api.post("auth/login", login).status_code == 200
        again = api.post("auth/verify-email", {"key": key})
        assert (again.status_code, again.json()["errors"][0]["field"]) == (400, "key")
        assert OutboxEvent.objects.filter(name="accounts.email-verified").count() == 1

    @pytest.mark.parametrize("key", ["x", "NA:1:forged", "😀", "a" * 200])
    def test_a_wrong_key_is_refused(self, api: Api, key: str) -> None:
        assert api.post("auth/verify-email", {"key": key}).json()["code"] == "invalid_key"

    def test_the_code_works_as_well_however_it_is_typed(self, api: Api) -> None:
        api.post("auth/register", NEW)
        code = code_in_mail().lower().replace("-", " ")
        assert api.post("auth/verify-email", {"key": code}).status_code == 200
        assert api.post("auth/verify-email", {"key": unquote(key_in_mail())}).status_code == 400, "link and code are one key"

    def test_a_key_expires(self, api: Api) -> None:
        api.post("auth/register", NEW)
        MailedKey.objects.update(expires_at=timezone.now())
        assert api.post("auth/verify-email", {"key": code_in_mail()}).status_code == 400

    def test_guessing_codes_is_stopped(self, api: Api) -> None:
        codes = [api.post("auth/verify-email", {"key": f"AAAA-AA{number}"}).status_code for number in range(22)]
        assert codes[-1] == 429

    def test_whoever_else_asks_for_a_mail_does_not_spoil_the_owners_which_goes_with_the_first_that_is_spent(self, api: Api) -> None:
        api.post("auth/register", NEW)
        own = code_in_mail()
        answer = Api().post("auth/verify-email/resend", {"email": NEW["email"]})
        assert (answer.status_code, answer.json()) == (200, {"email": NEW["email"]})
        newer = code_in_mail()
        assert api.post("auth/verify-email", {"key": own}).status_code == 200
        assert api.post("auth/verify-email", {"key": newer}).status_code == 400

    def test_resending_tells_nothing_about_an_address(self, api: Api, user: User) -> None:
        for email in (user.email, "nobody@example.org"):
            answer = api.post("auth/verify-email/resend", {"email": email})
            assert (answer.status_code, answer.json()) == (200, {"email": email})
        assert "verify-email" not in "".join(str(sent.body) for sent in mail.outbox)

    def test_the_page_behind_the_link_asks_first(self, client: Client, api: Api) -> None:
        api.post("auth/register", NEW)
        page = f"/verify-email/{key_in_mail()}"
        assert b"<form" in client.get(page).content
        assert not EmailAddress.objects.get().verified, "mail scanners open links"
        assert b"is confirmed" in client.post(page, {"password": NEW["password"]}).content
        assert EmailAddress.objects.get().verified
        assert client.post(page).status_code == 400


class TestLogin:
    def test_gives_tokens_that_open_the_api(self, api: Api, user: User) -> None:
        body = api.post("auth/login", {"email": user.email.upper(), "password": PASSWORD}).json()
        assert (body["token_type"], body["expires_in"], body["user"]["id"]) == ("Bearer", 300, str(user.pk))
        api.token = body["access_token"]
        assert api.get("users/me").json()["email"] == user.email

    def test_wrong_password_and_unknown_address_look_the_same(self, api: Api, user: User) -> None:
        wrong = api.post("auth/login", {"email": user.email, "password": "not-this-one"})
        unknown = api.post("auth/login", {"email": "who@example.org", "password": "not-this-one"})
        assert wrong.status_code == unknown.status_code == 401
        assert wrong.json() == unknown.json()
        assert wrong.json()["code"] == "invalid_credentials"

    def test_guessing_is_stopped(self, api: Api, user: User) -> None:
        codes = [api.post("auth/login", {"email": user.email, "password": f"guess-{number}"}).status_code for number in range(7)]
        assert codes == [401] * 5 + [429] * 2
        assert api.post("auth/login", {"email": user.email, "password": PASSWORD}).status_code == 429

    def test_an_inactive_person_stays_outside(self, api: Api, make_user: Any) -> None:
        person = make_user(is_active=False)
        assert api.post("auth/login", {"email": person.email, "password": PASSWORD}).status_code == 401

    @pytest.mark.parametrize("token", ["", "x", "a.b.c", "Bearer"])
    def test_a_bad_token_is_401(self, api: Api, token: str) -> None:
        response = api.get("users/me", HTTP_AUTHORIZATION=f"Bearer {token}")
        assert (response.status_code, response.json()["code"], response["WWW-Authenticate"]) == (401, "not_authenticated", "Bearer")


class TestRefresh:
    def tokens(self, api: Api, user: User) -> dict[str, Any]:
        body: dict[str, Any] = api.post("auth/login", {"email": user.email, "password": PASSWORD}).json()
        return body

    def test_rotates(self, api: Api, user: User) -> None:
        first = self.tokens(api, user)
        second = api.post("auth/refresh", {"refresh_token": first["refresh_token"]})
        assert second.status_code == 200
        assert second.json()["refresh_token"] != first["refresh_token"]
        assert second.json().keys() == first.keys()

    def test_a_token_used_again_after_the_grace_ends_the_family(self, api: Api, user: User) -> None:
        first = self.tokens(api, user)
        second = api.post("auth/refresh", {"refresh_token": first["refresh_token"]}).json()
        let_pass(seconds=21)
        replay = api.post("auth/refresh", {"refresh_token": first["refresh_token"]})
        assert (replay.status_code, replay.json()["code"]) == (401, "invalid_refresh_token")
        assert api.post("auth/refresh", {"refresh_token": second["refresh_token"]}).status_code == 401
        api.token = second["access_token"]
        assert api.get("users/me").status_code == 401
        assert OutboxEvent.objects.get(name="accounts.refresh-token-reused").payload == {"user_id": str(user.pk)}
        assert SecurityEvent.objects.filter(user=user, kind="token_reused").exists()

    def test_a_token_that_was_used_twice_before_ends_the_family_even_in_the_grace(self, api: Api, user: User) -> None:
        first = self.tokens(api, user)
        second = api.post("auth/refresh", {"refresh_token": first["refresh_token"]}).json()
        third = api.post("auth/refresh", {"refresh_token": second["refresh_token"]}).json()
        assert api.post("auth/refresh", {"refresh_token": first["refresh_token"]}).status_code == 401
        assert api.post("auth/refresh", {"refresh_token": third["refresh_token"]}).status_code == 401

    def test_a_lost_answer_can_be_asked_for_again_within_the_grace(self, api: Api, user: User) -> None:
        first = self.tokens(api, user)
        lost = api.post("auth/refresh", {"refresh_token": first["refresh_token"]}).json()
        race = api.post("auth/refresh", {"refresh_token": first["refresh_token"]})
        assert (race.status_code, race.json()["code"]) == (409, "refresh_race")
        assert 1 <= int(race["Retry-After"]) <= 5
        let_pass(seconds=6)
        again = api.post("auth/refresh", {"refresh_token": first["refresh_token"]})
        assert again.status_code == 200
        claims = [jwt.decode(body["refresh_token"], options={"verify_signature": False})["jti"] for body in (lost, again.json())]
        assert claims[0] == claims[1], "the same successor: whoever holds it keeps it"
        assert api.post("auth/refresh", {"refresh_token": lost["refresh_token"]}).status_code == 200

    @pytest.mark.parametrize("use", ["access", "refresh", "logout"])
    def test_there_is_no_grace_once_the_successor_was_used(self, api: Api, user: User, use: str) -> None:
        first = self.tokens(api, user)
        second = api.post("auth/refresh", {"refresh_token": first["refresh_token"]}).json()
        if use == "access":
            api.token = second["access_token"]
            assert api.get("users/me").status_code == 200
        else:
            newest = api.post(f"auth/{use}", {"refresh_token": second["refresh_token"]})
            assert newest.status_code in (200, 204)
        let_pass(seconds=12)
        assert Api().post("auth/refresh", {"refresh_token": first["refresh_token"]}).status_code == 401
        assert Api().post("auth/refresh", {"refresh_token": second["refresh_token"]}).status_code == 401
        assert not Device.objects.filter(user=user).exists()

    def test_an_old_access_token_does_not_use_up_the_grace(self, api: Api, user: User) -> None:
        first = self.tokens(api, user)
        api.post("auth/refresh", {"refresh_token": first["refresh_token"]})
        api.token = first["access_token"]
        assert api.get("users/me").status_code == 200
        let_pass(seconds=12)
        assert api.post("auth/refresh", {"refresh_token": first["refresh_token"]}).status_code == 200

    @pytest.mark.django_db(transaction=True)
    def test_a_thief_and_the_owner_at_once_leave_no_second_family(self, user: User) -> None:
        first = self.tokens(Api(), user)["refresh_token"]
        second = Api().post("auth/refresh", {"refresh_token": first}).json()["refresh_token"]
        let_pass(seconds=12)
        queue = [first, second] * 4
        answers = at_once(8, lambda: Api().post("auth/refresh", {"refresh_token": queue.pop()}))
        fresh = {answer.json()["refresh_token"] for answer in answers if answer.status_code == 200} - {second}
        alive = [token for token in fresh if Api().post("auth/refresh", {"refresh_token": token}).status_code == 200]
        assert len(alive) <= 1
        assert Device.objects.filter(user=user).count() == len(alive)

    def test_another_device_of_the_same_person_is_not_touched(self, api: Api, user: User) -> None:
        phone, laptop = self.tokens(api, user), self.tokens(Api(), user)
        api.post("auth/refresh", {"refresh_token": phone["refresh_token"]})
        Device.objects.update(spent_at=timezone.now() - timedelta(minutes=1), issued_at=timezone.now() - timedelta(minutes=1))
        assert api.post("auth/refresh", {"refresh_token": phone["refresh_token"]}).status_code == 401
        assert api.post("auth/refresh", {"refresh_token": laptop["refresh_token"]}).status_code == 200

    def test_an_access_token_is_no_refresh_token_and_the_other_way_round(self, api: Api, user: User) -> None:
        tokens = self.tokens(api, user)
        assert api.post("auth/refresh", {"refresh_token": tokens["access_token"]}).status_code == 401
        api.token = tokens["refresh_token"]
        assert api.get("users/me").status_code == 401

    def test_logout_ends_the_session_at_once(self, api: Api, user: User) -> None:
        tokens = self.tokens(api, user)
        api.token = tokens["access_token"]
        assert api.post("auth/logout", {"refresh_token": tokens["refresh_token"]}).status_code == 204
        assert api.get("users/me").status_code == 401
        assert api.post("auth/logout", {"refresh_token": "unknown"}).status_code == 204

    def test_a_deactivated_person_is_out_at_once(self, signed_in: Api, user: User) -> None:
        User.objects.update(is_active=False)
        assert signed_in.get("users/me").status_code == 401

    @pytest.mark.django_db(transaction=True)
    def test_of_eight_at_once_exactly_one_wins(self, user: User) -> None:
        token = self.tokens(Api(), user)["refresh_token"]
        codes = at_once(8, lambda: Api().post("auth/refresh", {"refresh_token": token}).status_code)
        assert sorted(codes) == [200] + [409] * 7

    @pytest.mark.django_db(transaction=True)
    def test_rotation_needs_a_transaction(self, user: User) -> None:
        token = self.tokens(Api(), user)["refresh_token"]
        with pytest.raises(transaction.TransactionManagementError):
            tokens.rotate(token, arrived_at=timezone.now())

    def test_a_session_that_is_somebody_elses_by_now_gives_no_tokens(self, api: Api, user: User, make_user: Any) -> None:
        pair = self.tokens(api, user)
        Device.objects.update(user=make_user())
        assert api.post("auth/refresh", {"refresh_token": pair["refresh_token"]}).status_code == 401

    def test_a_session_that_ended_gives_no_tokens(self, api: Api, user: User) -> None:
        pair = self.tokens(api, user)
        Session.objects.all().delete()
        assert api.post("auth/refresh", {"refresh_token": pair["refresh_token"]}).status_code == 401


class TestMe:
    def test_reads_and_changes_oneself(self, signed_in: Api, user: User) -> None:
        body = signed_in.patch(
            "users/me", {"full_name": "Changed", "time_zone": "Asia/Kathmandu", "locale": "de-CH", "birth_date": "1990-05-01"}
        ).json()
        assert (body["full_name"], body["time_zone"], body["locale"]) == ("Changed", "Asia/Kathmandu", "de-CH")
        assert (body["birth_date"], body["age_band"]) == ("1990-05-01", "adult")
        assert signed_in.get("users/me").json() == body
        assert "password" not in str(body)

    @pytest.mark.parametrize(
        "change", [{"email": "x@example.org"}, {"is_staff": True}, {"is_superuser": True}, {"id": "1"}, {"password": "x"}, {"locale": "EN"}]
    )
    def test_the_rest_is_not_writable(self, signed_in: Api, user: User, change: dict[str, Any]) -> None:
        assert signed_in.patch("users/me", change).status_code == 400
        user.refresh_from_db()
        assert (user.is_staff, user.is_superuser) == (False, False)

    def test_nobody_is_refused(self, api: Api) -> None:
        assert api.get("users/me").status_code == 401


@pytest.mark.parametrize("path", ["auth/login", "auth/login/", "users/me", "users/me/"])
def test_a_path_answers_with_and_without_its_slash(api: Api, path: str) -> None:
    assert api.patch(path, {}).status_code in (401, 405)


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        ("{", "application/json", 400),
        ("[]", "application/json", 400),
        ('{"email": "\\u0000"}', "application/json", 400),
        ("email=a", "application/x-www-form-urlencoded", 415),
        ("<a/>", "text/xml", 415),
        ('{"email": "' + "x" * 1_100_000 + '"}', "application/json", 413),
    ],
)
def test_malformed_bodies_are_refused_with_a_problem(client: Client, body: str, content_type: str, status: int) -> None:
    response = client.post("/api/v1/auth/login", body, content_type=content_type)
    assert (response.status_code, response["Content-Type"]) == (status, "application/problem+json")
