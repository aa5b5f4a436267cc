from __future__ import annotations

import base64
import hmac
import json
import re
import secrets
import time
from datetime import timedelta
from smtplib import SMTPRecipientsRefused
from typing import Any
from unittest import mock
from urllib.parse import unquote

import jwt
import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.models import Device, MailedKey, SecurityEvent, User
from accounts.services import keys
from accounts.services.staff import suspend_person
from accounts.tasks import prune_accounts
from conftest import PASSWORD, Api, at_once
from core.events import run_delivery
from core.models import EventDelivery

pytestmark = pytest.mark.django_db
NEW_PASSWORD = "another-pass-phrase-9"


def last_code() -> str:
    found = re.search(r"\b([2-9A-Z]{4}-[2-9A-Z]{4})\b", str(mail.outbox[-1].body))
    assert found, mail.outbox[-1].body
    return found[1]


def last_link(path: str) -> str:
    found = re.search(rf"/{path}/(\S+)", str(mail.outbox[-1].body))
    assert found
    return unquote(found[1])


def tokens_of(user: User, **headers: str) -> dict[str, Any]:
    body: dict[str, Any] = Api().post("auth/login", {"email": user.email, "password": PASSWORD}, **headers).json()
    return body


class TestPasswordReset:
    @pytest.mark.parametrize("way", ["link", "code"])
    def test_a_new_password_ends_every_session(self, signed_in: Api, user: User, way: str) -> None:
        refresh = tokens_of(user)["refresh_token"]
        asked = Api().post("auth/password/reset", {"email": user.email.upper()})
        assert (asked.status_code, asked.json()) == (200, {"email": user.email})
        key = last_link("reset-password") if way == "link" else last_code()
        answer = Api().post("auth/password/reset/confirm", {"key": key, "password": NEW_PASSWORD})
        assert answer.status_code == 200, answer.content
        assert signed_in.get("users/me").status_code == 401
        assert Api().post("auth/refresh", {"refresh_token": refresh}).status_code == 401
        assert Api().post("auth/login", {"email": user.email, "password": PASSWORD}).status_code == 401
        assert Api().post("auth/login", {"email": user.email, "password": NEW_PASSWORD}).status_code == 200
        again = Api().post("auth/password/reset/confirm", {"key": key, "password": "third-pass-phrase-1"})
        assert (again.status_code, again.json()["code"]) == (400, "invalid_key")

    def test_an_unknown_address_gets_the_same_answer_and_a_mail_without_a_key(self, api: Api) -> None:
        answer = api.post("auth/password/reset", {"email": "nobody@example.org"})
        assert (answer.status_code, answer.json()) == (200, {"email": "nobody@example.org"})
        assert mail.outbox[-1].to == ["nobody@example.org"]
        assert "reset-password/" not in str(mail.outbox[-1].body)
        assert MailedKey.objects.get().user is None

    def test_a_key_of_nobody_opens_nothing(self, api: Api) -> None:
        secret = keys.issue_key(purpose="reset_password", user=None, email="nobody@example.org")  # type: ignore[arg-type]
        answer = api.post("auth/password/reset/confirm", {"key": secret.link, "password": NEW_PASSWORD})
        assert answer.json()["code"] == "invalid_key"

    def test_a_key_dies_with_the_password_that_it_was_made_for(self, api: Api, user: User) -> None:
        api.post("auth/password/reset", {"email": user.email})
        code = last_code()
        user.set_password("changed-in-between-1")
        user.save()
        assert api.post("auth/password/reset/confirm", {"key": code, "password": NEW_PASSWORD}).json()["code"] == "invalid_key"

    def test_a_key_is_for_its_purpose_alone(self, api: Api, user: User) -> None:
        api.post("auth/login/code", {"email": user.email})
        assert api.post("auth/password/reset/confirm", {"key": last_code(), "password": NEW_PASSWORD}).status_code == 400
        assert api.post("auth/verify-email", {"key": last_code()}).status_code == 400

    @pytest.mark.parametrize(
        ("password", "code"), [("short", "min_length"), ("password1234", "password_too_common"), ("x" * 129, "max_length")]
    )
    def test_a_weak_password_is_refused_and_the_key_is_still_good(self, api: Api, user: User, password: str, code: str) -> None:
        api.post("auth/password/reset", {"email": user.email})
        key = last_code()
        answer = api.post("auth/password/reset/confirm", {"key": key, "password": password})
        assert {(error["field"], error["code"]) for error in answer.json()["errors"]} == {("password", code)}
        assert api.post("auth/password/reset/confirm", {"key": key, "password": NEW_PASSWORD}).status_code == 200

    def test_a_reset_proves_the_address(self, api: Api, make_user: Any) -> None:
        person = make_user(verified=False)
        api.post("auth/password/reset", {"email": person.email})
        api.post("auth/password/reset/confirm", {"key": last_code(), "password": NEW_PASSWORD})
        assert api.post("auth/login", {"email": person.email, "password": NEW_PASSWORD}).status_code == 200

    def test_asking_too_often_has_to_wait_for_known_and_unknown_alike(self, api: Api, user: User) -> None:
        for email in (user.email, "nobody@example.org"):
            answers = [api.post("auth/password/reset", {"email": email}) for _ in range(6)]
            assert [answer.status_code for answer in answers] == [200] * 5 + [429]
            assert 500 < int(answers[-1]["Retry-After"]) <= 600

    @pytest.mark.django_db(transaction=True)
    def test_one_key_changes_one_password_at_once(self, user: User) -> None:
        Api().post("auth/password/reset", {"email": user.email})
        key = last_code()
        codes = at_once(4, lambda: Api().post("auth/password/reset/confirm", {"key": key, "password": NEW_PASSWORD}).status_code)
        assert sorted(codes) == [200, 400, 400, 400]

    def test_the_pages(self, client: Client, user: User) -> None:
        assert b"<form" in client.get("/reset-password/").content
        assert client.post("/reset-password/", {"email": "x"}).status_code == 400
        assert b"Look into your mail" in client.post("/reset-password/", {"email": user.email}).content
        address = f"/reset-password/{last_link('reset-password')}"
        page = client.get(address)
        assert (page["Referrer-Policy"], page.status_code) == ("strict-origin", 200)
        assert client.post(address, {"password": "short"}).status_code == 400
        assert b"common" in client.post(address, {"password": "password1234"}).content
        assert b"is changed" in client.post(address, {"password": NEW_PASSWORD}).content
        assert client.post(address, {"password": NEW_PASSWORD}).status_code == 400


class TestPasswordChange:
    def test_ends_every_session_and_gives_this_device_new_tokens(self, signed_in: Api, user: User) -> None:
        other = tokens_of(user)
        answer = signed_in.post("auth/password/change", {"password": PASSWORD, "new_password": NEW_PASSWORD})
        assert answer.status_code == 200, answer.content
        assert signed_in.get("users/me").status_code == 401
        assert Api().post("auth/refresh", {"refresh_token": other["refresh_token"]}).status_code == 401
        signed_in.token = answer.json()["access_token"]
        assert signed_in.get("users/me").status_code == 200
        assert Device.objects.filter(user=user).count() == 1

    def test_asks_for_the_present_one(self, signed_in: Api) -> None:
        for body in ({"new_password": NEW_PASSWORD}, {"password": "wrong", "new_password": NEW_PASSWORD}):
            answer = signed_in.post("auth/password/change", body)
            assert (answer.json()["code"], answer.json()["errors"][0]["field"]) == ("wrong_password", "password")
        weak = signed_in.post("auth/password/change", {"password": PASSWORD, "new_password": "password1234"})
        assert weak.json()["errors"][0] == weak.json()["errors"][0] | {"field": "new_password", "code": "password_too_common"}

    def test_guessing_is_stopped(self, signed_in: Api) -> None:
        answers = [signed_in.post("auth/reauthenticate", {"password": "wrong"}).status_code for _ in range(6)]
        assert answers == [400] * 5 + [429]
        assert signed_in.post("auth/password/change", {"password": PASSWORD, "new_password": NEW_PASSWORD}).status_code == 429

    def test_kills_what_was_mailed_before(self, signed_in: Api, user: User) -> None:
        Api().post("auth/password/reset", {"email": user.email})
        code = last_code()
        signed_in.post("auth/password/change", {"password": PASSWORD, "new_password": NEW_PASSWORD})
        assert Api().post("auth/password/reset/confirm", {"key": code, "password": "third-pass-phrase"}).status_code == 400


class TestMailedCode:
    def test_signs_in_once(self, api: Api, user: User) -> None:
        assert api.post("auth/login/code", {"email": user.email}).json() == {"email": user.email}
        key = last_code()
        assert api.post("auth/login/code/confirm", {"key": key}).json()["user"]["id"] == str(user.pk)
        assert api.post("auth/login/code/confirm", {"key": key}).json()["code"] == "invalid_key"

    def test_an_unknown_address_gets_the_same_answer(self, api: Api) -> None:
        answer = api.post("auth/login/code", {"email": "nobody@example.org"})
        assert (answer.status_code, answer.json()) == (200, {"email": "nobody@example.org"})

    def test_proves_an_address_and_wipes_a_password_that_was_never_proven(self, api: Api, make_user: Any) -> None:
        """Somebody may have registered the address of another person to wait for them."""
        person = make_user(verified=False)
        api.post("auth/login/code", {"email": person.email})
        assert api.post("auth/login/code/confirm", {"key": last_code()}).status_code == 200
        assert api.post("auth/login", {"email": person.email, "password": PASSWORD}).status_code == 401

    def test_lasts_ten_minutes(self, api: Api, user: User) -> None:
        api.post("auth/login/code", {"email": user.email})
        left = MailedKey.objects.get().expires_at - timezone.now()
        assert timedelta(minutes=9) < left <= timedelta(minutes=10)

    def test_the_page_asks_for_the_address_and_then_for_the_code(self, client: Client, user: User) -> None:
        assert b"Mail me a code" in client.get("/sign-in/mail").content
        assert client.post("/sign-in/mail", {"email": "nonsense"}).status_code == 400
        assert b"a mail is on its way" in client.post("/sign-in/mail", {"email": "stranger@example.org"}).content
        assert b"a mail is on its way" in client.post("/sign-in/mail", {"email": user.email}).content
        wrong = client.post("/sign-in/mail", {"key": "000000"})
        assert wrong.status_code == 400
        assert "_auth_user_id" not in client.session
        assert client.post("/sign-in/mail", {"key": last_code(), "next": "/dashboard/"})["Location"] == "/dashboard/"
        assert client.session["_auth_user_id"] == str(user.pk)

    def test_the_page_signs_the_browser_in(self, client: Client, api: Api, user: User) -> None:
        api.post("auth/login/code", {"email": user.email})
        address = f"/sign-in/code/{last_link('sign-in/code')}"
        assert "_auth_user_id" not in client.session, client.get(address)
        assert client.post(address)["Location"] == "/"
        assert client.session["_auth_user_id"] == str(user.pk)


class TestSignUpPage:
    def test_known_and_unknown_addresses_get_the_same_page(self, client: Client, user: User) -> None:
        form = {"full_name": "New Person", "email": "new@example.org", "password": "correct-horse-7-battery"}
        known, unknown = client.post("/sign-up/", form | {"email": user.email}), client.post("/sign-up/", form)
        assert (known.status_code, unknown.status_code) == (200, 200)
        assert known.content.replace(user.email.encode(), b"") == unknown.content.replace(b"new@example.org", b"")
        assert User.objects.filter(email="new@example.org").exists()

    @pytest.mark.parametrize(
        ("field", "value"), [("password", "short"), ("password", "password1"), ("email", "x"), ("birth_date", "2020-01-01")]
    )
    def test_what_is_wrong_stands_at_its_field(self, client: Client, field: str, value: str) -> None:
        form = {"full_name": "New Person", "email": "new@example.org", "password": "correct-horse-7-battery"}
        page = client.post("/sign-up/", form | {field: value})
        assert 400 <= page.status_code < 500
        assert list(page.context["form"].errors) == [field]
        assert not User.objects.filter(email="new@example.org").exists()


class TestDevices:
    def test_are_listed_and_signed_out(self, user: User) -> None:
        phone, laptop = Api(), Api()
        agents = (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Version/18.0 Safari/604",
            "Mozilla/5.0 (Windows NT 10.0) Gecko Firefox/140.0",
        )
        for api, agent in zip((phone, laptop), agents, strict=True):
            api.token = tokens_of(user, HTTP_USER_AGENT=agent)["access_token"]
        rows = phone.get("auth/devices").json()["results"]
        assert {(row["name"], row["is_current"]) for row in rows} == {("Safari on iPhone", True), ("Firefox on Windows", False)}
        assert all(row["ip_address"] == "127.0.0.1" and row["last_used_at"] for row in rows)
        other = next(row for row in rows if not row["is_current"])
        assert phone.delete(f"auth/devices/{other['id']}").status_code == 204
        assert laptop.get("users/me").status_code == 401
        assert phone.get("users/me").status_code == 200
        assert phone.delete(f"auth/devices/{other['id']}").status_code == 404

    def test_a_stranger_cannot_sign_them_out(self, signed_in: Api, user: User, make_user: Any) -> None:
        device = Device.objects.get(user=user)
        assert Api().sign_in(make_user()).delete(f"auth/devices/{device.pk}").status_code == 404
        assert signed_in.get("users/me").status_code == 200

    def test_everywhere_but_here(self, signed_in: Api, user: User) -> None:
        others = [tokens_of(user) for _ in range(2)]
        assert signed_in.delete("auth/devices").status_code == 204
        assert signed_in.get("users/me").status_code == 200
        assert {Api().get("users/me", HTTP_AUTHORIZATION=f"Bearer {pair['access_token']}").status_code for pair in others} == {401}

    def test_a_refresh_is_a_use(self, user: User) -> None:
        pair = tokens_of(user)
        long_ago = timezone.now() - timedelta(days=3)
        Device.objects.update(last_used_at=long_ago)
        Api().post("auth/refresh", {"refresh_token": pair["refresh_token"]})
        assert Device.objects.get().last_used_at > long_ago

    def test_the_log_tells_what_happened(self, signed_in: Api, user: User) -> None:
        Api().post("auth/login", {"email": user.email, "password": "wrong"})
        rows = signed_in.get("auth/security-log").json()["results"]
        assert [(row["kind"], row["ip_address"]) for row in rows] == [("sign_in_failed", "127.0.0.1"), ("signed_in", "127.0.0.1")]

    def test_a_sign_in_from_a_new_device_is_told_by_mail(self, user: User) -> None:
        for _ in range(2):
            tokens_of(user, HTTP_USER_AGENT="Firefox Windows", HTTP_X_DEVICE_NAME="Ada's phone")
        assert not EventDelivery.objects.filter(handler__contains="tell_about_safety").exists(), "the very first is no news"
        tokens_of(user, HTTP_USER_AGENT="Chrome Android")
        run_delivery(EventDelivery.objects.get(handler__contains="tell_about_safety").pk)
        assert "Chrome on Android" in str(mail.outbox[-1].body)
        assert mail.outbox[-1].to == [user.email]

    def test_what_expired_is_pruned(self, user: User) -> None:
        tokens_of(user)
        Api().post("auth/login/code", {"email": user.email})
        Session.objects.update(expire_date=timezone.now() - timedelta(days=1))
        MailedKey.objects.update(expires_at=timezone.now() - timedelta(days=1))
        SecurityEvent.objects.update(created_at=timezone.now() - timedelta(days=366))
        prune_accounts()
        assert not any(model.objects.exists() for model in (Session, Device, MailedKey, SecurityEvent))


class TestForgedTokens:
    def payload(self, user: User) -> dict[str, Any]:
        return dict(jwt.decode(tokens_of(user)["access_token"], options={"verify_signature": False}))

    def status(self, token: str) -> int:
        code: int = Api().get("users/me", HTTP_AUTHORIZATION=f"Bearer {token}").status_code
        return code

    def test_the_true_one_is_accepted(self, user: User) -> None:
        assert self.status(jwt.encode(self.payload(user), settings.HEADLESS_JWT_PRIVATE_KEY, algorithm="HS256")) == 200

    @pytest.mark.parametrize(
        "changes",
        [
            {"exp": int(time.time()) - 1},
            {"aud": "another"},
            {"aud": None},
            {"iss": "https://evil.example"},
            {"iss": None},
            {"token_use": "refresh"},
            {"token_use": None},
            {"sub": "018f0000-0000-7000-8000-000000000000"},
            {"sub": "x"},
            {"sub": 5},
            {"sid": "x"},
            {"sid": "AAAA"},
            {"sid": base64.b64encode(b"0" * 40).decode()},
            {"sid": 5},
            {"sid": None},
            {"jti": None},
        ],
    )
    def test_one_wrong_claim_is_enough(self, user: User, changes: dict[str, Any]) -> None:
        payload = {name: value for name, value in (self.payload(user) | changes).items() if value is not None}
        # PyJWT refuses to sign a subject that is no text.
        token = _sign(payload)
        assert self.status(token) == 401
        assert Api().post("auth/refresh", {"refresh_token": token}).status_code == 401
        assert Api().post("auth/logout", {"refresh_token": token}).status_code == 204

    def test_unsigned_and_otherwise_signed(self, user: User) -> None:
        payload = self.payload(user)
        for header in ({"alg": "none"}, {"alg": "None"}, {"alg": "HS512"}, {"alg": "RS256"}, {}, {"alg": 5}):
            assert self.status(_sign(payload, header=header)) == 401
        assert self.status(_sign(payload, key=b"another")) == 401
        assert self.status(_sign(payload, key=b"")) == 401
        assert self.status(_sign(payload).rsplit(".", 1)[0] + ".") == 401


def _sign(payload: dict[str, Any], *, header: dict[str, Any] | None = None, key: bytes | None = None) -> str:
    def part(content: bytes) -> str:
        return base64.urlsafe_b64encode(content).rstrip(b"=").decode()

    head = {"alg": "HS256", "typ": "JWT"} if header is None else header
    signed = f"{part(json.dumps(head).encode())}.{part(json.dumps(payload).encode())}"
    digest = hmac.new(settings.SECRET_KEY.encode() if key is None else key, signed.encode(), "sha256").digest()
    return f"{signed}.{part(digest)}"


class TestBan:
    def test_access_dies_at_once(self, signed_in: Api, user: User, staff: User) -> None:
        refresh = tokens_of(user)["refresh_token"]
        assert signed_in.get("users/me").status_code == 200
        suspend_person(actor=staff, person=user, reason="spam")
        assert signed_in.get("users/me").status_code == 401
        assert Api().post("auth/refresh", {"refresh_token": refresh}).status_code == 401
        answer = Api().post("auth/login", {"email": user.email, "password": PASSWORD})
        assert (answer.status_code, answer.json()["code"], answer.json()["reason"]) == (403, "account_suspended", "spam")
        wrong = Api().post("auth/login", {"email": user.email, "password": "wrong"})
        assert wrong.json()["code"] == "invalid_credentials", "who does not know the password learns nothing"


class TestBehindAProxy:
    @pytest.fixture(autouse=True)
    def one_proxy(self, settings: Any) -> None:
        settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1

    def test_limits_count_the_address_that_our_proxy_saw(self, user: User) -> None:
        for number in range(5):
            tokens_of(user, HTTP_X_FORWARDED_FOR=f"6.6.6.{number}, 203.0.113.9")
        assert set(SecurityEvent.objects.values_list("ip_address", flat=True)) == {"203.0.113.9"}

    @pytest.mark.parametrize("header", ["", "nonsense", ",,,", "1.2.3.4:80", "[::1]:5", "999.1.1.1", "é"])
    def test_a_strange_header_is_no_error(self, user: User, header: str) -> None:
        assert Api().post("auth/login", {"email": user.email, "password": PASSWORD}, HTTP_X_FORWARDED_FOR=header).status_code in (200, 401)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("address", "looked_at", "refusal"), [("10.{1}.{2}.99", 5, 429), ("10.{1}.{2}.{0}", 20, 403), ("2001:db8:{1}:{2}::{0:x}", 5, 429)]
)
def test_of_thirty_guesses_at_once_few_are_looked_at(user: User, address: str, looked_at: int, refusal: int) -> None:
    """From one network, from thirty, and from thirty addresses of one subscriber."""
    numbers = iter(range(1, 31))
    # Other threads share their counters with other tests.
    place = (secrets.randbelow(250), secrets.randbelow(250))
    with mock.patch.object(User, "check_password", autospec=True, return_value=False) as check:
        body = {"email": user.email, "password": "guess"}
        codes = at_once(30, lambda: Api().post("auth/login", body, REMOTE_ADDR=address.format(next(numbers), *place)).status_code)
    assert sorted(codes) == sorted([401] * looked_at + [refusal] * (30 - looked_at))
    assert check.call_count == looked_at


@pytest.mark.django_db(transaction=True)
def test_two_registrations_of_one_address_at_once_are_one(db: None) -> None:
    body = {"email": "twice@example.org", "password": "a-long-pass-phrase", "full_name": "Twice"}
    assert at_once(4, lambda: Api().post("auth/register", body).status_code) == [201] * 4
    assert User.objects.count() == 1


@pytest.mark.parametrize("path", ["auth/register", "auth/password/reset", "auth/login/code", "auth/verify-email/resend"])
def test_a_mailbox_that_does_not_exist_is_a_clear_error_for_known_and_unknown_alike(api: Api, user: User, path: str) -> None:
    answers = []
    with mock.patch("django.core.mail.message.EmailMessage.send", side_effect=SMTPRecipientsRefused({})):
        for email in (user.email, "typo@example.org"):
            more = {"password": "a-long-pass-phrase", "full_name": "Typo"} if path == "auth/register" else {}
            answers.append(api.post(path, {"email": email} | more))
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(400, "mail_refused")] * 2
    assert User.objects.count() == 1, "an undeliverable registration is undone"


def test_a_new_address_whose_mailbox_refuses_still_counts(signed_in: Api, user: User) -> None:
    signed_in.post("users/me/email", {"email": "new@example.org"})
    key = last_code()
    with mock.patch("django.core.mail.message.EmailMessage.send", side_effect=SMTPRecipientsRefused({})):
        assert signed_in.post("auth/verify-email", {"key": key}).status_code == 200
    assert SecurityEvent.objects.filter(kind="mail_bounced").count() == 2


def test_the_browser_is_signed_in_and_out(client: Client, user: User) -> None:
    form = {"email": user.email.upper(), "password": PASSWORD, "next": "https://evil.example/"}
    answer = client.post("/sign-in/", form)
    assert (answer.status_code, answer["Location"]) == (302, "/"), "never to another site"
    assert client.get("/sign-in/?next=/api/docs")["Location"] == "/api/docs"
    device = Device.objects.get(user=user)
    assert (device.kind, device.refresh_id) == ("web", "")
    assert client.post("/sign-out/")["Location"] == "/"
    assert not Device.objects.exists() and "_auth_user_id" not in client.session
    assert client.post("/sign-out/").status_code == 302


def test_the_page_says_what_is_wrong(client: Client, user: User, make_user: Any) -> None:
    wrong = client.post("/sign-in/", {"email": user.email, "password": "wrong"})
    assert wrong.status_code == 401 and b'role="alert"' in wrong.content and b"not right" in wrong.content
    assert client.post("/sign-in/", {"email": "x", "password": ""}).status_code == 400
    waiting = client.post("/sign-in/", {"email": make_user(verified=False).email, "password": PASSWORD})
    assert waiting.status_code == 403 and b"open the link" in waiting.content


def test_a_device_ends_its_web_session_too(client: Client, signed_in: Api, user: User) -> None:
    client.post("/sign-in/", {"email": user.email, "password": PASSWORD})
    assert signed_in.delete("auth/devices").status_code == 204
    assert b"Sign in" in client.get("/sign-in/").content
