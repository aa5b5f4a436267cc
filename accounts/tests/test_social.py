from __future__ import annotations

import base64
import hashlib
import json
import time
from typing import Any
from unittest import mock
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from allauth.account.models import EmailAddress
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.core import mail
from django.test import Client

from accounts.models import Device, LinkedProvider, User
from accounts.tests.providers import CLIENT, SECRET, Forger, NanoIdp
from conftest import PASSWORD, Api, at_once

pytestmark = pytest.mark.django_db
RETURN = "https://app.soosh.example/return"


def authorise(nano: NanoIdp, client_id: str = CLIENT, **more: str) -> str:
    """A code from nanoidp, as a phone's browser gets it."""
    query = {"response_type": "code", "client_id": client_id, "redirect_uri": RETURN, "scope": "openid profile email", "state": "s"} | more
    back = nano.sign_in(f"{nano.issuer}/authorize?{urlencode(query)}")
    found = parse_qs(urlsplit(back).query)
    assert "code" in found, back
    return found["code"][0]


def session_login(api: Api, provider: str, **proof: Any) -> Any:
    return api.post(f"auth/social/{provider}", proof)


class TestEndToEndWithNanoIdp:
    """nanoidp leaves `email_verified` out, as the specification allows: then the person proves the address to us."""

    def test_mobile_by_id_token(self, api: Api, with_nano: NanoIdp) -> None:
        asked = json.dumps({"id_token": {"email": None, "email_verified": None, "name": None}})
        tokens = with_nano.redeem(authorise(with_nano, claims=asked, nonce="n-1"), RETURN)
        wrong = session_login(api, "google", id_token=tokens["id_token"], nonce="another")
        assert (wrong.status_code, wrong.json()["code"]) == (400, "provider_refused")
        answer = session_login(api, "google", id_token=tokens["id_token"], nonce="n-1")
        self._first_then_verified(api, answer, lambda: session_login(api, "google", id_token=tokens["id_token"], nonce="n-1"))

    def test_mobile_by_access_token(self, api: Api, with_nano: NanoIdp) -> None:
        tokens = with_nano.redeem(authorise(with_nano), RETURN)
        answer = session_login(api, "linkedin", access_token=tokens["access_token"])
        self._first_then_verified(api, answer, lambda: session_login(api, "linkedin", access_token=tokens["access_token"]))

    def test_mobile_by_code_with_pkce_and_the_code_works_once(self, api: Api, with_nano: NanoIdp) -> None:
        verifier = "v" * 50
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        codes = [authorise(with_nano, code_challenge=challenge, code_challenge_method="S256") for _ in range(3)]
        stolen = session_login(api, "google", code=codes[0], redirect_uri=RETURN, code_verifier="w" * 50)
        assert (stolen.status_code, stolen.json()["code"]) == (400, "provider_refused")
        asked = {"redirect_uri": RETURN, "code_verifier": verifier}
        answer = session_login(api, "google", code=codes[1], **asked)
        self._first_then_verified(api, answer, lambda: session_login(api, "google", code=codes[2], **asked))
        again = session_login(api, "google", code=codes[1], **asked)
        assert (again.status_code, again.json()["code"]) == (400, "provider_refused")

    def _first_then_verified(self, api: Api, first: Any, again: Any) -> None:
        if first.status_code == 403:
            assert first.json()["code"] == "email_not_verified"
            code = str(mail.outbox[-1].body).split("in the app: ")[1][:9]
            assert api.post("auth/verify-email", {"key": code}).status_code == 200
            first = again()
        assert first.status_code == 200, first.content
        assert first.json().keys() == {"access_token", "refresh_token", "token_type", "expires_in", "user"}
        api.token = first.json()["access_token"]
        assert api.get("users/me").json()["email"] == "grace@example.org"
        assert not User.objects.get().has_usable_password()

    def test_a_token_that_another_app_got_is_no_proof(self, api: Api, with_nano: NanoIdp) -> None:
        data = {"grant_type": "authorization_code", "code": authorise(with_nano, "another-app"), "redirect_uri": RETURN}
        tokens = with_nano.redeem(data["code"], RETURN, client_id="another-app")
        assert tokens.get("access_token"), tokens
        for proof in ({"access_token": tokens["access_token"]}, {"id_token": tokens["id_token"]}):
            answer = session_login(api, "google", **proof)
            assert (answer.status_code, answer.json()["code"]) == (400, "provider_refused")
        assert not User.objects.exists()

    def test_web_by_redirect(self, client: Client, with_nano: NanoIdp, make_user: Any) -> None:
        grace = make_user("grace@example.org")
        subject = _subject(with_nano)
        LinkedProvider.objects.create(user=grace, provider="linkedin", subject=subject)
        assert b"Sign in with LinkedIn" in client.get("/sign-in/").content
        to_provider = client.post("/sign-in/linkedin", {"next": "/api/docs"})
        assert to_provider.status_code == 302
        query = parse_qs(urlsplit(to_provider["Location"]).query)
        assert query["code_challenge_method"] == ["S256"] and query["state"] and query["nonce"]
        back = with_nano.sign_in(to_provider["Location"])
        assert back.startswith("http://127.0.0.1:8000/sign-in/linkedin/callback?")
        home = client.get(back)
        assert (home.status_code, home["Location"]) == (302, "/api/docs")
        assert client.session["_auth_user_id"] == str(grace.pk)
        assert Device.objects.get(user=grace).kind == "web"
        assert client.get(back).status_code == 400, "the state was for one return"

    def test_a_return_that_was_not_begun_here_is_refused(self, client: Client, with_nano: NanoIdp) -> None:
        """Login CSRF: the attacker's own code in the victim's browser."""
        code = authorise(with_nano)
        assert client.get(f"/sign-in/google/callback?code={code}&state=made-up").status_code == 400
        client.post("/sign-in/google")
        assert client.get(f"/sign-in/google/callback?code={code}&state=made-up").status_code == 400
        client.post("/sign-in/google")
        state = client.session["sign_in_with_provider"]["state"]
        assert client.get(f"/sign-in/linkedin/callback?code={code}&state={state}").status_code == 400, "another provider"
        assert not User.objects.exists()

    def test_apples_answer_by_form_comes_back_as_a_visit_with_the_name(self, client: Client, with_forger: Forger) -> None:
        user = json.dumps({"name": {"firstName": "Grace", "lastName": "Hopper"}})
        page = client.post("/sign-in/apple/callback", {"code": "c", "state": "s", "user": user})
        assert page["Location"] == "http://127.0.0.1:8000/sign-in/apple/callback?code=c&state=s&name=Grace%20Hopper"
        assert client.post("/sign-in/apple/callback", {"code": "c", "user": "[1"}).status_code == 302


def _subject(nano: NanoIdp) -> str:
    import jwt

    tokens = nano.redeem(authorise(nano), RETURN)
    return str(jwt.decode(tokens["id_token"], options={"verify_signature": False})["sub"])


class TestLinkingRules:
    def test_a_first_sign_in_registers(self, api: Api, with_forger: Forger) -> None:
        body = session_login(api, "google", id_token=with_forger.sign()).json()
        assert (body["user"]["email"], body["user"]["full_name"]) == ("grace@example.org", "Grace Hopper")
        assert EmailAddress.objects.get().verified

    def test_a_changed_address_at_the_provider_changes_nothing_here(self, api: Api, with_forger: Forger, make_user: Any) -> None:
        first = session_login(api, "google", id_token=with_forger.sign()).json()["user"]
        victim = make_user("victim@example.org")
        again = session_login(api, "google", id_token=with_forger.sign(email="victim@example.org"))
        assert again.json()["user"]["id"] == first["id"] != str(victim.pk)
        assert again.json()["user"]["email"] == "grace@example.org"

    def test_apple_tells_the_name_once_and_to_the_app(self, api: Api, with_forger: Forger) -> None:
        first = api.post("auth/social/apple", {"id_token": with_forger.sign(name=None), "full_name": "Grace From The App"})
        assert first.json()["user"]["full_name"] == "Grace From The App"
        second = session_login(api, "apple", id_token=with_forger.sign(name=None))
        assert (second.status_code, second.json()["user"]["full_name"]) == (200, "Grace From The App")

    def test_apple_without_any_name_or_with_none_later_still_works(self, api: Api, with_forger: Forger) -> None:
        relay = "x7f@privaterelay.appleid.com"
        first = session_login(api, "apple", id_token=with_forger.sign(name=None, email=relay, email_verified="true"))
        assert (first.status_code, first.json()["user"]["full_name"]) == (200, "x7f")
        later = session_login(api, "apple", id_token=with_forger.sign(name=None, email=None, email_verified=None))
        assert later.json()["user"]["id"] == first.json()["user"]["id"]

    def test_a_relay_address_that_bounces_does_not_shut_its_person_out(self, api: Api, with_forger: Forger) -> None:
        from smtplib import SMTPRecipientsRefused

        from accounts.events import SafetyChanged
        from accounts.handlers import tell_about_safety
        from accounts.models import SecurityEvent

        session_login(api, "apple", id_token=with_forger.sign())
        event = SecurityEvent.objects.get(kind="signed_in")
        with mock.patch("django.core.mail.message.EmailMessage.send", side_effect=SMTPRecipientsRefused({})):
            tell_about_safety(SafetyChanged(user_id=event.user_id, security_event_id=event.pk))
        assert SecurityEvent.objects.filter(kind="mail_bounced").exists()
        assert session_login(api, "apple", id_token=with_forger.sign()).status_code == 200

    def test_a_prehijacked_account_is_wiped(self, api: Api, with_forger: Forger) -> None:
        attack = {"email": "grace@example.org", "password": "the-attackers-password", "full_name": "Attacker", "birth_date": "1990-01-01"}
        assert api.post("auth/register", attack).status_code == 201
        code = str(mail.outbox[-1].body).split("in the app: ")[1][:9]
        body = session_login(api, "google", id_token=with_forger.sign()).json()
        assert (body["user"]["full_name"], body["user"]["birth_date"]) == ("Grace Hopper", None)
        assert not User.objects.get().has_usable_password()
        refused = api.post("auth/login", {"email": "grace@example.org", "password": "the-attackers-password"})
        assert refused.status_code == 401
        assert api.post("auth/verify-email", {"key": code}).status_code == 400, "keys of the attacker's registration are worthless"

    def test_a_proven_account_is_never_joined_without_signing_in_to_it(self, api: Api, with_forger: Forger, make_user: Any) -> None:
        grace = make_user("grace@example.org")
        answer = session_login(api, "google", id_token=with_forger.sign())
        assert (answer.status_code, answer.json()["code"]) == (409, "link_needs_sign_in")
        assert not LinkedProvider.objects.exists()
        assert User.objects.get(pk=grace.pk).check_password(PASSWORD)

    @pytest.mark.parametrize("verified", [False, "false", None, "yes"])
    def test_an_unproven_address_takes_nothing_over(self, api: Api, with_forger: Forger, make_user: Any, verified: Any) -> None:
        make_user("grace@example.org", verified=False)
        token = with_forger.sign(email_verified=verified)
        assert session_login(api, "google", id_token=token).json()["code"] == "link_needs_sign_in"
        assert User.objects.get().check_password(PASSWORD)

    def test_an_unproven_address_of_a_new_person_must_be_proven(self, api: Api, with_forger: Forger) -> None:
        token = with_forger.sign(email_verified=False)
        refused = session_login(api, "google", id_token=token)
        assert (refused.status_code, refused.json()["code"]) == (403, "email_not_verified")
        code = str(mail.outbox[-1].body).split("in the app: ")[1][:9]
        assert api.post("auth/verify-email", {"key": code}).status_code == 200
        assert session_login(api, "google", id_token=token).json()["code"] == "link_needs_sign_in", "it may have been another's identity"

    def test_without_an_address_nobody_is_registered(self, api: Api, with_forger: Forger) -> None:
        assert session_login(api, "google", id_token=with_forger.sign(email=None)).json()["code"] == "provider_email_missing"

    def test_linking_asks_for_a_fresh_sign_in(self, signed_in: Api, user: User, with_forger: Forger, ages_ago: Any) -> None:
        token = with_forger.sign(email="other@example.org")
        ages_ago(user)
        refused = signed_in.post("auth/social/google/link", {"id_token": token})
        assert (refused.status_code, refused.json()["code"], refused.json()["methods"]) == (401, "fresh_sign_in_required", ["password"])
        assert signed_in.post("auth/reauthenticate", {"password": "wrong"}).json()["code"] == "wrong_password"
        assert signed_in.post("auth/reauthenticate", {"password": PASSWORD}).status_code == 204
        assert signed_in.post("auth/social/google/link", {"id_token": token}).status_code == 200
        assert session_login(Api(), "google", id_token=token).json()["user"]["id"] == str(user.pk)
        ways = signed_in.get("auth/social").json()
        assert ([link["provider"] for link in ways["linked"]], ways["has_password"]) == (["google"], True)
        ages_ago(user)
        assert signed_in.delete("auth/social/google/link").json()["code"] == "fresh_sign_in_required"

    def test_one_identity_belongs_to_one_person(self, signed_in: Api, with_forger: Forger) -> None:
        token = with_forger.sign()
        session_login(Api(), "google", id_token=token)
        taken = signed_in.post("auth/social/google/link", {"id_token": token})
        assert (taken.status_code, taken.json()["code"]) == (409, "provider_linked_elsewhere")
        mine = with_forger.sign(sub="mine")
        assert signed_in.post("auth/social/google/link", {"id_token": mine}).status_code == 200
        assert signed_in.post("auth/social/google/link", {"id_token": mine}).status_code == 200, "again is no error"
        second = signed_in.post("auth/social/google/link", {"id_token": with_forger.sign(sub="second")})
        assert second.json()["code"] == "provider_linked_elsewhere"

    def test_the_last_way_in_stays(self, api: Api, with_forger: Forger) -> None:
        body = session_login(api, "google", id_token=with_forger.sign()).json()
        api.token = body["access_token"]
        last = api.delete("auth/social/google/link")
        assert (last.status_code, last.json()["code"]) == (409, "last_way_in")
        changed = api.post("auth/password/change", {"new_password": "a-new-pass-phrase"})
        api.token = changed.json()["access_token"]
        assert api.delete("auth/social/google/link").status_code == 204
        assert api.delete("auth/social/google/link").status_code == 404

    @pytest.mark.django_db(transaction=True)
    def test_two_first_sign_ins_at_once_make_one_person(self, with_forger: Forger) -> None:
        token = with_forger.sign()
        codes = at_once(4, lambda: session_login(Api(), "google", id_token=token).status_code)
        assert codes == [200] * 4
        assert User.objects.count() == LinkedProvider.objects.count() == 1


class TestForgery:
    @pytest.mark.parametrize(
        "changes",
        [
            {"aud": "another-app"},
            {"aud": ["another-app", "third"]},
            {"iss": "https://evil.example"},
            {"exp": int(time.time()) - 60},
            {"exp": None},
            {"sub": None},
            {"sub": ""},
            {"sub": "x" * 300},
            {"sub": 7},
        ],
    )
    def test_wrong_claims(self, api: Api, with_forger: Forger, changes: dict[str, Any]) -> None:
        answer = session_login(api, "google", id_token=with_forger.sign(**changes) if changes != {"sub": 7} else _raw(with_forger, sub=7))
        assert (answer.status_code, answer.json()["code"]) == (400, "provider_refused")
        assert not User.objects.exists()

    def test_an_id_token_without_kid(self, api: Api, with_forger: Forger) -> None:
        assert session_login(api, "google", id_token=with_forger.sign(headers={})).json()["code"] == "provider_refused"

    @pytest.mark.parametrize("kid", ["unknown", 5, "", None, {"a": 1}])
    def test_a_strange_kid(self, api: Api, with_forger: Forger, kid: Any) -> None:
        token = _with_header(with_forger, kid=kid)
        assert session_login(api, "google", id_token=token).json()["code"] == "provider_refused"

    def test_another_key_under_the_right_name(self, api: Api, with_forger: Forger) -> None:
        other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        assert session_login(api, "google", id_token=with_forger.sign(key=other)).json()["code"] == "provider_refused"

    def test_unsigned(self, api: Api, with_forger: Forger) -> None:
        token = with_forger.sign(headers={"kid": with_forger.kid}, algorithm="none")
        assert session_login(api, "google", id_token=token).json()["code"] == "provider_refused"
        body = with_forger.sign().rsplit(".", 1)[0]
        assert session_login(api, "google", id_token=f"{body}.").json()["code"] == "provider_refused"

    def test_the_public_key_as_a_shared_secret(self, api: Api, with_forger: Forger) -> None:
        """Algorithm confusion: HS256, signed with the published key."""
        public = with_forger.key.public_key()
        pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        header = _part({"alg": "HS256", "typ": "JWT", "kid": with_forger.kid})
        signed = f"{header}.{_part(with_forger.claims())}"
        import hmac

        token = f"{signed}.{base64.urlsafe_b64encode(hmac.new(pem, signed.encode(), 'sha256').digest()).rstrip(b'=').decode()}"
        assert session_login(api, "google", id_token=token).json()["code"] == "provider_refused"

    @pytest.mark.parametrize("token", ["x", "a.b.c", "é" * 20, "." * 50, "eyJ.eyJ.eyJ"])
    def test_garbage(self, api: Api, with_forger: Forger, token: str) -> None:
        assert session_login(api, "google", id_token=token).json()["code"] == "provider_refused"

    def test_an_app_of_ours_may_be_the_audience(self, api: Api, with_forger: Forger) -> None:
        assert session_login(api, "google", id_token=with_forger.sign(aud="soosh-ios")).status_code == 200

    def test_an_access_token_of_nobody_knows_whom(self, api: Api, with_forger: Forger) -> None:
        for about in ({"active": False}, {"active": True}, {"aud": "another-app"}, {"active": False, "client_id": CLIENT}):
            with_forger.answers["/introspection"] = 200, about
            assert session_login(api, "google", access_token="t").json()["code"] == "provider_refused"
        with_forger.answers["/introspection"] = 200, {"active": True, "client_id": CLIENT}
        with_forger.answers["/userinfo"] = 200, {"sub": "1", "email": "a@example.org", "email_verified": "true"}
        assert session_login(api, "google", access_token="t").status_code == 200

    @pytest.mark.parametrize("body", [(500, {}), (200, b"<html>"), (200, [1]), (404, b"")])
    def test_a_provider_that_is_out_is_503(self, api: Api, with_forger: Forger, body: Any) -> None:
        with_forger.answers["/.well-known/openid-configuration"] = body
        status = session_login(api, "google", id_token=with_forger.sign()).status_code
        assert status == 503

    def test_a_provider_that_speaks_for_another_is_not_believed(self, api: Api, with_forger: Forger) -> None:
        configuration = with_forger.answer("/.well-known/openid-configuration")[1]
        with_forger.answers["/.well-known/openid-configuration"] = 200, configuration | {"issuer": "https://evil.example"}
        assert session_login(api, "google", id_token=with_forger.sign()).status_code == 503

    def test_keys_that_cannot_be_fetched_are_503(self, api: Api, with_forger: Forger) -> None:
        with_forger.answers["/keys"] = 500, {}
        assert session_login(api, "google", id_token=with_forger.sign()).status_code == 503

    @pytest.mark.parametrize("provider", ["facebook", "Google", "google-", "a" * 50])
    def test_an_unknown_provider_is_404(self, api: Api, with_forger: Forger, provider: str) -> None:
        answer = api.post(f"auth/social/{provider}", {"id_token": "x"})
        assert (answer.status_code, answer.json()["code"]) == (404, "provider_not_configured")

    @pytest.mark.parametrize("body", [{}, {"code": "c"}, {"id_token": ""}, {"id_token": "x" * 20_000}, {"nonce": "n"}])
    def test_incomplete_proofs_are_named(self, api: Api, with_forger: Forger, body: dict[str, Any]) -> None:
        answer = api.post("auth/social/google", body)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_input")
        assert answer.json()["errors"]

    def test_apples_client_secret_is_signed_by_us(self, api: Api, with_forger: Forger) -> None:
        with_forger.answers["/token"] = 200, {"id_token": with_forger.sign()}
        assert session_login(api, "apple", code="c", redirect_uri=RETURN).status_code == 200
        with_forger.answers["/token"] = 200, {"access_token": "only"}
        assert session_login(api, "apple", code="c", redirect_uri=RETURN).json()["code"] == "provider_refused"
        assert SECRET not in str(mail.outbox)


def _part(content: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def _with_header(forger: Forger, **header: Any) -> str:
    """Signed rightly over a header that no library would write."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    signed = f"{_part({'alg': 'RS256', 'typ': 'JWT'} | header)}.{_part(forger.claims())}"
    signature = forger.key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def _raw(forger: Forger, **changes: Any) -> str:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    signed = f"{_part({'alg': 'RS256', 'typ': 'JWT', 'kid': forger.kid})}.{_part(forger.claims(**changes))}"
    signature = forger.key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"
