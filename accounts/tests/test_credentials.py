"""Passwords have one form on every path, and strangers who use up limits lock nobody out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.core import mail
from django.test import Client

from accounts.models import User
from accounts.tests.test_factors import enrol
from conftest import PASSWORD, Api

pytestmark = pytest.mark.django_db

STRANGER = {"REMOTE_ADDR": "203.0.113.9"}
OWNER = {"REMOTE_ADDR": "198.51.100.7"}
# One password, as two keyboards and a form may send it.
SPELLINGS = (" p\u00e4ss\u00a0phrase\u3000\u212b ", unicodedata.normalize("NFD", " p\u00e4ss\u00a0phrase \u00c5 "))


def code() -> str:
    found = re.search(r"\b([2-9A-Z]{4}-[2-9A-Z]{4})\b", str(mail.outbox[-1].body))
    assert found
    return found[1]


class TestOneForm:
    def sign_in(self, email: str, password: str) -> Any:
        return Api().post("auth/login", {"email": email, "password": password})

    @pytest.mark.parametrize("way", ["register", "page", "reset", "reset page", "change", "admin", "verify"])
    def test_it_is_set_and_checked_alike_on_every_path(self, user: User, staff: User, way: str) -> None:
        stored, typed = SPELLINGS
        email = user.email
        if way in ("register", "page", "verify"):
            email = "new@example.org"
            api = Api()
            fields = {"email": email, "password": stored, "full_name": "New"}
            if way == "page":
                assert api._client.post("/sign-up/", fields).status_code == 200
            else:
                assert api.post("auth/register", fields | ({"password": PASSWORD} if way == "verify" else {})).status_code == 201
            body = {"key": code()} | ({"password": stored} if way == "verify" else {})
            assert api.post("auth/verify-email", body).status_code == 200
        elif way.startswith("reset"):
            Api().post("auth/password/reset", {"email": email})
            if way == "reset":
                assert Api().post("auth/password/reset/confirm", {"key": code(), "password": stored}).status_code == 200
            else:
                assert Client().post(f"/reset-password/{code()}", {"password": stored}).status_code == 200
        elif way == "change":
            changed = Api().sign_in(user).post("auth/password/change", {"password": PASSWORD, "new_password": stored})
            assert changed.status_code == 200
        else:
            browser = Client()
            browser.force_login(staff)
            fields = {"password1": stored, "password2": stored}
            assert browser.post(f"/admin/accounts/user/{user.pk}/password/", fields).status_code == 302
        for password in SPELLINGS:
            assert Client().post("/sign-in/", {"email": email, "password": password}).status_code == 302
            api = Api()
            api.token = self.sign_in(email, password).json()["access_token"]
            assert api.post("auth/reauthenticate", {"password": password}).status_code == 204
        assert self.sign_in(email, stored.strip()).status_code == 401
        assert api.post("auth/reauthenticate", {"password": stored.strip()}).status_code == 400
        assert api.post("auth/password/change", {"password": typed, "new_password": PASSWORD}).status_code == 200

    @pytest.mark.parametrize(
        "password", ["with\ttab-inside", "with\u200bzero-width", "with\x07bell-inside", "\u202eright-to-left", "x" * 129]
    )
    def test_what_cannot_be_typed_again_is_refused_everywhere(self, user: User, staff: User, password: str) -> None:
        api = Api()
        refused = api.post("auth/register", {"email": "new@example.org", "password": password, "full_name": "New"})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "password")
        api.sign_in(user)
        assert api.post("auth/password/change", {"password": PASSWORD, "new_password": password}).status_code == 400
        assert api.post("auth/login", {"email": user.email, "password": password}).status_code == 401
        browser = Client()
        browser.force_login(staff)
        page = browser.post(f"/admin/accounts/user/{user.pk}/password/", {"password1": password, "password2": password})
        assert page.status_code == 200
        assert User.objects.get(pk=user.pk).check_password(PASSWORD)

    def test_the_length_is_counted_in_characters_of_that_form(self, signed_in: Api) -> None:
        long = unicodedata.normalize("NFD", "\u00e4" * 127) + "1"
        assert signed_in.post("auth/password/change", {"password": PASSWORD, "new_password": long}).status_code == 200

    def test_one_that_was_stored_as_typed_still_works_and_has_the_one_form_afterwards(self, user: User) -> None:
        typed = unicodedata.normalize("NFD", "p\u00e4ss-phrase-of-old")
        User.objects.update(password=make_password(typed), has_normalized_password=False)
        assert self.sign_in(user.email, unicodedata.normalize("NFC", typed)).status_code == 401
        assert self.sign_in(user.email, typed).status_code == 200
        user.refresh_from_db()
        assert user.has_normalized_password
        for form in ("NFC", "NFD"):
            assert self.sign_in(user.email, unicodedata.normalize(form, typed)).status_code == 200

    def test_one_whose_spaces_were_cut_off_works_with_and_without_them(self, user: User) -> None:
        User.objects.update(password=make_password("pass phrase"), has_normalized_password=False)
        for typed in (" pass phrase ", "pass phrase", " pass phrase "):
            pair = self.sign_in(user.email, typed)
            assert pair.status_code == 200
            api = Api()
            api.token = pair.json()["access_token"]
            assert api.post("auth/reauthenticate", {"password": typed}).status_code == 204


class TestLimits:
    def guess(self, user: User, times: int, address: str = STRANGER["REMOTE_ADDR"]) -> list[int]:
        body = {"email": user.email, "password": "guess"}
        return [Api().post("auth/login", body, REMOTE_ADDR=address.format(number)).status_code for number in range(times)]

    def test_a_stranger_who_guesses_locks_out_only_their_own_network(self, user: User) -> None:
        assert self.guess(user, 7) == [401] * 5 + [429] * 2
        right = {"email": user.email, "password": PASSWORD}
        assert Api().post("auth/login", right, **STRANGER).status_code == 429
        assert Api().post("auth/login", right, **OWNER).status_code == 200
        browser = Client()
        assert browser.post("/sign-in/", right, **OWNER).status_code == 302

    def test_many_networks_together_get_few_guesses_and_the_owner_always_gets_in(self, user: User) -> None:
        right = {"email": user.email, "password": PASSWORD}
        assert Api().post("auth/login", right, **OWNER).status_code == 200
        assert self.guess(user, 25, "203.0.113.{0}") == [401] * 20 + [403] * 5
        guessed = Api().post("auth/login", right, REMOTE_ADDR="203.0.113.99")
        assert (guessed.status_code, guessed.json()["code"]) == (403, "mailed_code_required"), "not even the right one"
        page = Client().post("/sign-in/", right, REMOTE_ADDR="203.0.113.98")
        assert page.status_code == 403 and b"mail" in page.content
        assert Api().post("auth/login", right, **OWNER).status_code == 200, "where they signed in before"
        travelling = {"REMOTE_ADDR": "192.0.2.1"}
        assert Api().post("auth/login/code", {"email": user.email}, **travelling).status_code == 200
        assert Api().post("auth/login/code/confirm", {"key": code()}, **travelling).status_code == 200
        assert Api().post("auth/login", right, **travelling).status_code == 200

    def test_an_unknown_address_is_counted_like_a_known_one(self, user: User) -> None:
        unknown = User(email="nobody@example.org")
        for number, expected in enumerate([*[401] * 20, *[403] * 2]):
            assert self.guess(unknown, 1, f"203.0.113.{number}") == self.guess(user, 1, f"198.51.100.{number}") == [expected]

    def test_a_network_that_tries_many_accounts_has_to_wait(self, make_user: Callable[..., User]) -> None:
        codes = [self.guess(make_user(), 1)[0] for _ in range(12)]
        assert codes == [401] * 10 + [429] * 2

    @pytest.mark.parametrize("path", ["auth/login/code", "auth/password/reset", "auth/verify-email/resend"])
    def test_a_stranger_who_asks_for_mails_keeps_none_from_the_owner(self, make_user: Callable[..., User], path: str) -> None:
        user = make_user(verified=path != "auth/verify-email/resend")
        asked = [Api().post(path, {"email": user.email}, **STRANGER).status_code for _ in range(7)]
        assert asked == [200] * 5 + [429] * 2
        before = len(mail.outbox)
        assert Api().post(path, {"email": user.email}, **OWNER).status_code == 200
        assert len(mail.outbox) == before + 1

    def test_a_flood_of_mails_slows_down_and_the_last_code_that_came_works(self, user: User) -> None:
        for number in range(30):
            assert Api().post("auth/login/code", {"email": user.email}, REMOTE_ADDR=f"203.0.113.{number}").status_code == 200
        assert len(mail.outbox) == 11
        assert Api().post("auth/login/code/confirm", {"key": code()}, **OWNER).status_code == 200

    def test_who_holds_one_session_cannot_use_up_the_tries_of_another(self, user: User) -> None:
        thief, owner = Api().sign_in(user), Api().sign_in(user)
        codes = [thief.post("auth/reauthenticate", {"password": "guess"}).status_code for _ in range(6)]
        assert codes == [400] * 5 + [429]
        assert thief.post("auth/password/change", {"password": PASSWORD, "new_password": "x" * 10}).status_code == 429
        assert owner.post("auth/reauthenticate", {"password": PASSWORD}).status_code == 204

    def test_a_stranger_who_has_the_password_and_guesses_codes_locks_out_only_their_own_network(self, user: User) -> None:
        enrol(Api().sign_in(user))
        body = {"email": user.email, "password": PASSWORD}
        for _ in range(2):
            waiting = Api().post("auth/login", body, **STRANGER).json()
            for _ in range(3):
                answer = {"session_token": waiting["session_token"], "mfa_code": "000000"}
                refused = Api().post("auth/login/second-factor", answer, **STRANGER)
                assert refused.status_code in (401, 429)
        assert refused.status_code == 429
        assert Api().post("auth/login", body | {"mfa_code": "000000"}, **STRANGER).status_code == 429
        assert Api().post("auth/login", body | {"mfa_code": "000000"}, **OWNER).status_code == 401, "looked at, and wrong"
