from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.core import mail
from django.test import Client

from accounts.models import SecurityEvent, User
from accounts.tests.authenticator import Passkey
from conftest import PASSWORD, Api, at_once

pytestmark = pytest.mark.django_db


@contextmanager
def app_at(step: int = 0) -> Iterator[Callable[[str], str]]:
    """An authenticator app, and the product's clock, held `step` half minutes from now: no half minute can end in between."""
    counter = int(time.time()) // 30 + step
    with mock.patch("allauth.mfa.totp.internal.auth.yield_hotp_counters_from_time", lambda: iter([counter])):
        yield lambda secret: totp.format_hotp_value(totp.hotp_value(secret, counter))


def enrol(api: Api) -> tuple[str, list[str]]:
    """An authenticator app on the account; its secret and the recovery codes. Its first code is spent."""
    secret = api.post("auth/factors/totp").json()["secret"]
    with app_at() as code_of:
        answer = api.post("auth/factors/totp/confirm", {"code": code_of(secret)})
    assert answer.status_code == 200, answer.content
    return secret, answer.json()["recovery_codes"]


class TestTotp:
    def test_sign_in_asks_for_the_code_when_there_is_one(self, signed_in: Api, user: User) -> None:
        secret, codes = enrol(signed_in)
        assert len(codes) == 10
        login = {"email": user.email, "password": PASSWORD}
        asked = Api().post("auth/login", login)
        assert (asked.status_code, asked.json()["code"]) == (401, "mfa_required")
        assert set(asked.json()["methods"]) == {"totp", "recovery_codes"}
        assert "access_token" not in asked.json()
        wrong = Api().post("auth/login", login | {"mfa_code": "000000"})
        assert (wrong.status_code, wrong.json()["code"]) == (401, "invalid_mfa_code")
        with app_at(2) as code_of:
            right = code_of(secret)
            assert Api().post("auth/login", login | {"mfa_code": right}).status_code == 200
            assert Api().post("auth/login", login | {"mfa_code": right}).json()["code"] == "invalid_mfa_code", "a code works once"

    def test_the_answer_can_be_continued(self, signed_in: Api, user: User) -> None:
        _, codes = enrol(signed_in)
        token = Api().post("auth/login", {"email": user.email, "password": PASSWORD}).json()["session_token"]
        wrong = Api().post("auth/login/second-factor", {"session_token": token, "mfa_code": "111111"})
        assert wrong.json()["code"] == "invalid_mfa_code"
        done = Api().post("auth/login/second-factor", {"session_token": token, "mfa_code": codes[0]})
        assert done.json()["user"]["id"] == str(user.pk)
        spent = Api().post("auth/login/second-factor", {"session_token": token, "mfa_code": codes[1]})
        assert spent.status_code == 401
        assert Api().post("auth/login/second-factor", {"session_token": "x", "mfa_code": codes[1]}).status_code == 401

    def test_a_pending_session_opens_nothing(self, signed_in: Api, user: User) -> None:
        enrol(signed_in)
        token = Api().post("auth/login", {"email": user.email, "password": PASSWORD}).json()["session_token"]
        assert Api().get("users/me", HTTP_X_SESSION_TOKEN=token).status_code == 401

    def test_a_recovery_code_works_once(self, signed_in: Api, user: User) -> None:
        _, codes = enrol(signed_in)
        login = {"email": user.email, "password": PASSWORD, "mfa_code": codes[0]}
        assert Api().post("auth/login", login).status_code == 200
        assert Api().post("auth/login", login).status_code == 401
        factors = {factor["kind"]: factor for factor in signed_in.get("auth/factors").json()["factors"]}
        assert factors["recovery_codes"]["codes_left"] == 9

    def test_new_recovery_codes_replace_the_old(self, signed_in: Api, user: User) -> None:
        _, old = enrol(signed_in)
        new = signed_in.post("auth/factors/recovery-codes").json()["recovery_codes"]
        assert not set(old) & set(new)
        assert Api().post("auth/login", {"email": user.email, "password": PASSWORD, "mfa_code": old[0]}).status_code == 401

    def test_guessing_codes_is_stopped(self, signed_in: Api, user: User) -> None:
        enrol(signed_in)
        login = {"email": user.email, "password": PASSWORD}
        answers = [Api().post("auth/login", login | {"mfa_code": f"{number:06}"}) for number in range(7)]
        assert [answer.status_code for answer in answers] == [401] * 5 + [429] * 2
        assert int(answers[-1]["Retry-After"]) > 60

    def test_a_mailed_code_and_a_reset_do_not_go_around_the_second_step(self, signed_in: Api, user: User) -> None:
        _, codes = enrol(signed_in)
        Api().post("auth/login/code", {"email": user.email})
        key = str(mail.outbox[-1].body).split("to Soosh: ")[1][:9]
        asked = Api().post("auth/login/code/confirm", {"key": key})
        assert (asked.status_code, asked.json()["code"]) == (401, "mfa_required")
        token = asked.json()["session_token"]
        assert Api().post("auth/login/second-factor", {"session_token": token, "mfa_code": codes[0]}).status_code == 200

    def test_it_is_removed_with_its_recovery_codes_and_asks_for_a_fresh_sign_in(self, signed_in: Api, user: User, ages_ago: Any) -> None:
        secret, _ = enrol(signed_in)
        ages_ago(user)
        refused = signed_in.delete("auth/factors/totp")
        assert (refused.json()["code"], refused.json()["methods"]) == ("fresh_sign_in_required", ["password", "mfa_code"])
        with app_at(2) as code_of:
            assert signed_in.post("auth/reauthenticate", {"mfa_code": code_of(secret)}).status_code == 204
        assert signed_in.delete("auth/factors/totp").status_code == 204
        assert not Authenticator.objects.exists()
        assert signed_in.delete("auth/factors/totp").json()["code"] == "second_factor_missing"
        assert signed_in.post("auth/factors/recovery-codes").json()["code"] == "second_factor_missing"
        kinds = set(SecurityEvent.objects.values_list("kind", flat=True))
        assert {"second_factor_added", "second_factor_removed"} <= kinds

    @pytest.mark.parametrize("path", ["auth/factors/totp", "auth/factors/recovery-codes"])
    def test_changing_factors_asks_for_a_fresh_sign_in(self, signed_in: Api, user: User, ages_ago: Any, path: str) -> None:
        ages_ago(user)
        assert signed_in.post(path).json()["code"] == "fresh_sign_in_required"

    def test_a_wrong_first_code_adds_nothing(self, signed_in: Api) -> None:
        signed_in.post("auth/factors/totp")
        answer = signed_in.post("auth/factors/totp/confirm", {"code": "000000"})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (401, "code")
        assert not Authenticator.objects.exists()

    def test_there_is_one_at_a_time(self, signed_in: Api) -> None:
        enrol(signed_in)
        assert signed_in.post("auth/factors/totp").json()["code"] == "second_factor_exists"
        assert signed_in.post("auth/factors/totp/confirm", {"code": "000000"}).json()["code"] == "second_factor_exists"

    def test_the_secret_is_not_readable_in_the_database(self, signed_in: Api) -> None:
        secret, codes = enrol(signed_in)
        stored = str(list(Authenticator.objects.values_list("data", flat=True)))
        assert secret not in stored and codes[0] not in stored

    @pytest.mark.django_db(transaction=True)
    def test_one_code_opens_one_door_at_once(self, user: User) -> None:
        api = Api().sign_in(user)
        secret, _ = enrol(api)
        with app_at(2) as code_of:
            body = {"email": user.email, "password": PASSWORD, "mfa_code": code_of(secret)}
            codes = at_once(4, lambda: Api().post("auth/login", body).status_code)
        assert sorted(codes) == [200, 401, 401, 401]

    def test_the_admin_asks_as_well(self, staff_api: Api, staff: User) -> None:
        _, codes = enrol(staff_api)
        login = {"username": staff.email, "password": PASSWORD}
        page = Client().post("/admin/login/?next=/admin/", login)
        assert page.status_code == 200 and b"mfa_code" in page.content
        assert Client().post("/admin/login/?next=/admin/", login | {"mfa_code": "000000"}).status_code == 200
        inside = Client().post("/admin/login/?next=/admin/", login | {"mfa_code": codes[0]})
        assert (inside.status_code, inside["Location"]) == (302, "/admin/")

    def test_the_page_asks_as_well(self, signed_in: Api, user: User) -> None:
        _, codes = enrol(signed_in)
        browser = Client()
        to_step = browser.post("/sign-in/", {"email": user.email, "password": PASSWORD, "next": "/api/docs"})
        assert to_step["Location"] == "/sign-in/second-step?next=/api/docs"
        assert b"authenticator app" in browser.get(to_step["Location"]).content
        assert "_auth_user_id" not in browser.session
        assert browser.post("/sign-in/second-step", {"code": "000000"}).status_code == 401
        assert browser.post("/sign-in/second-step", {"code": ""}).status_code == 400
        done = browser.post("/sign-in/second-step", {"code": codes[0], "next": "/api/docs"})
        assert (done.status_code, done["Location"]) == (302, "/api/docs")
        assert Client().get("/sign-in/second-step")["Location"].startswith("/sign-in/")


class TestPasskeys:
    def add(self, api: Api, name: str = "Phone") -> Passkey:
        passkey = Passkey()
        options = api.get("auth/factors/passkeys").json()["options"]
        answer = api.post("auth/factors/passkeys", {"name": name, "credential": passkey.create(options)})
        assert answer.status_code == 201, answer.content
        return passkey

    def test_sign_in_without_a_password(self, signed_in: Api, user: User) -> None:
        passkey = self.add(signed_in)
        begun = Api().get("auth/login/passkey").json()
        body = {"session_token": begun["session_token"], "credential": passkey.get(begun["options"])}
        answer = Api().post("auth/login/passkey", body)
        assert (answer.status_code, answer.json().get("user", {}).get("id")) == (200, str(user.pk)), answer.content
        assert Api().post("auth/login/passkey", body).json()["code"] == "invalid_passkey", "a challenge works once"

    def test_the_page_signs_the_browser_in(self, signed_in: Api, user: User, client: Client) -> None:
        passkey = self.add(signed_in)
        credential = passkey.get(client.get("/sign-in/passkey").json())
        answer = client.post("/sign-in/passkey?next=/dashboard/", credential, content_type="application/json")
        assert (answer.status_code, answer.json()) == (200, {"next": "/dashboard/"}), answer.content
        assert client.session["_auth_user_id"] == str(user.pk)
        client.logout()
        for wrong in (credential, {"id": "x"}, [1]):
            answer = client.post("/sign-in/passkey", wrong, content_type="application/json")
            assert (answer.status_code, "_auth_user_id" in client.session) == (400, False)
            assert answer.json()["detail"]
        assert client.post("/sign-in/passkey", "{", content_type="application/json").status_code == 400

    def test_the_first_one_comes_with_recovery_codes(self, signed_in: Api) -> None:
        passkey = Passkey()
        options = signed_in.get("auth/factors/passkeys").json()["options"]
        body = {"name": "Phone", "credential": passkey.create(options)}
        assert len(signed_in.post("auth/factors/passkeys", body).json()["recovery_codes"]) == 10
        assert signed_in.post("auth/factors/passkeys", body).json()["code"] == "invalid_passkey", "the challenge is spent"

    def test_another_key_is_refused(self, signed_in: Api, user: User) -> None:
        passkey = self.add(signed_in)
        thief = Passkey()
        thief.id, thief.user_handle = passkey.id, passkey.user_handle
        begun = Api().get("auth/login/passkey").json()
        answer = Api().post("auth/login/passkey", {"session_token": begun["session_token"], "credential": thief.get(begun["options"])})
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_passkey")

    def test_another_site_is_refused(self, signed_in: Api) -> None:
        passkey = self.add(signed_in)
        passkey.origin = "https://evil.example"
        begun = Api().get("auth/login/passkey").json()
        answer = Api().post("auth/login/passkey", {"session_token": begun["session_token"], "credential": passkey.get(begun["options"])})
        assert answer.json()["code"] == "invalid_passkey"

    @pytest.mark.parametrize(
        "credential",
        [{}, {"id": 1}, {"response": {}}, {"response": 5}, {"response": {"userHandle": "eA"}}, {"rawId": "x", "type": "public-key"}],
    )
    def test_garbage_is_refused(self, signed_in: Api, credential: dict[str, Any]) -> None:
        begun = Api().get("auth/login/passkey").json()
        answer = Api().post("auth/login/passkey", {"session_token": begun["session_token"], "credential": credential})
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_passkey")
        signed_in.get("auth/factors/passkeys")
        answer = signed_in.post("auth/factors/passkeys", {"name": "x", "credential": credential})
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_passkey")

    def test_a_suspended_person_stays_outside(self, signed_in: Api, user: User) -> None:
        passkey = self.add(signed_in)
        User.objects.filter(pk=user.pk).update(is_active=False, suspended_at="2026-01-01T00:00Z", suspension_reason="spam")
        begun = Api().get("auth/login/passkey").json()
        answer = Api().post("auth/login/passkey", {"session_token": begun["session_token"], "credential": passkey.get(begun["options"])})
        assert (answer.status_code, answer.json()["code"], answer.json()["reason"]) == (403, "account_suspended", "spam")

    def test_is_removed(self, signed_in: Api, make_user: Any) -> None:
        self.add(signed_in)
        [factor] = [factor for factor in signed_in.get("auth/factors").json()["factors"] if factor["kind"] == "webauthn"]
        assert factor["name"] == "Phone"
        assert Api().sign_in(make_user()).delete(f"auth/factors/passkeys/{factor['id']}").status_code == 404
        assert signed_in.delete(f"auth/factors/passkeys/{factor['id']}").status_code == 204
        assert signed_in.delete(f"auth/factors/passkeys/{factor['id']}").status_code == 404
        assert signed_in.delete(f"auth/factors/passkeys/{10**30}").status_code == 404

    def test_a_passkey_counts_as_a_way_in(self, api: Api, with_forger: Any) -> None:
        body = api.post("auth/social/google", {"id_token": with_forger.sign()}).json()
        api.token = body["access_token"]
        self.add(api)
        assert api.delete("auth/social/google/link").status_code == 204
