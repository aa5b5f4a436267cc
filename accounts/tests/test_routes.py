"""What each kind of account may do on each route of this app. A route without a row here fails."""

from __future__ import annotations

import dataclasses
import datetime
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Permission
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client, override_settings
from django.urls import URLPattern, URLResolver
from django.utils import timezone

from accounts.api.v1 import urls as api_urls
from accounts.enums import KeyPurpose
from accounts.middleware import SESSION_KEY
from accounts.models import Erasure, Guardianship, Impersonation, LinkedProvider, User
from accounts.services.guardianship import make_ward_profile
from accounts.services.keys import issue_key
from accounts.web import urls as page_urls
from conftest import PASSWORD, Api, new_user

pytestmark = pytest.mark.django_db

KINDS = ("ward", "minor", "unverified", "fresh", "stale", "impersonated", "suspended", "grace")
ADULT, TEEN, CHILD = datetime.date(1980, 1, 1), datetime.date(2011, 1, 1), datetime.date(2018, 1, 1)
NEW_PASSWORD = "another-long-pass-phrase"
WRONG = "x" * 20


@dataclasses.dataclass
class House:
    people: dict[str, User]
    tokens: dict[str, tuple[str, str]]
    looking: Client
    bystander: User
    guardianship: Guardianship


def _sign_in(person: User) -> tuple[str, str]:
    pair = Api().post("auth/login", {"email": person.email, "password": PASSWORD}).json()
    return pair["access_token"], pair["refresh_token"]


def _make_stale(person: User) -> None:
    session = SessionStore(person.devices.get().session_key)
    for record in session["account_authentication_methods"]:
        record["at"] -= 600
    session.save()


def _looking(person: User) -> Client:
    """The browser of a member of staff who sees the pages as this person does."""
    staff = new_user(role="staff")
    staff.user_permissions.add(Permission.objects.get(codename="add_impersonation"))
    until = timezone.now() + datetime.timedelta(hours=1)
    row = Impersonation.objects.create(staff=staff, person=person, reason="x", ends_at=until)
    client = Client(raise_request_exception=False)
    client.force_login(staff)
    session = client.session
    session[SESSION_KEY] = str(row.pk)
    session.save()
    return client


@pytest.fixture(scope="module")
def house(kept_rows: None, django_db_blocker: Any) -> Iterator[House]:
    hashers = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    with django_db_blocker.unblock(), override_settings(PASSWORD_HASHERS=hashers, THROTTLE=False):
        born = {"minor": TEEN, "fresh": ADULT, "stale": ADULT, "impersonated": ADULT, "suspended": ADULT, "grace": ADULT}
        people = {kind: new_user(birth_date=born.get(kind)) for kind in KINDS if kind != "ward"}
        tokens = {kind: _sign_in(person) for kind, person in people.items() if kind != "impersonated"}
        people["ward"] = make_ward_profile(user=people["fresh"], full_name="Kim", birth_date=CHILD)
        own = Guardianship.objects.get()
        Guardianship.objects.create(ward=own.ward, guardian=people["stale"], state="active", accepted_at=timezone.now())
        pair = Api().call("POST", f"users/me/wards/{own.ward_id}/session", HTTP_AUTHORIZATION=f"Bearer {tokens['fresh'][0]}").json()
        tokens["ward"] = (pair["access_token"], pair["refresh_token"])
        tokens["impersonated"] = ("", WRONG)
        _make_stale(people["stale"])
        EmailAddress.objects.filter(user=people["unverified"]).update(verified=False)
        # Their sessions are still there, so that the routes must refuse them.
        User.objects.filter(pk=people["suspended"].pk).update(is_active=False, suspended_at=timezone.now())
        User.objects.filter(pk=people["grace"].pk).update(is_active=False)
        Erasure.objects.create(person_id=people["grace"].pk, due_at=timezone.now() + datetime.timedelta(days=3))
        for person in people.values():
            person.refresh_from_db()
        yield House(people, tokens, _looking(people["impersonated"]), new_user(birth_date=ADULT), own)


Body = dict[str, Any] | Callable[[User], dict[str, Any]]


@dataclasses.dataclass(frozen=True)
class Row:
    """What a route answers to each kind: the status if it does something, the code of the problem if it refuses."""

    answers: dict[str, int | str]
    body: Body | None = None


def public(answer: int | str, body: Body | None = None, **others: int | str) -> Row:
    """No token is read: who is signed in makes no difference."""
    return Row(dict.fromkeys(KINDS, answer) | others, body)


def signed_in(answer: int | str, body: Body | None = None, **others: int | str) -> Row:
    out = dict.fromkeys(("impersonated", "suspended", "grace"), "not_authenticated")
    return Row(dict.fromkeys(KINDS, answer) | out | others, body)


def fresh(answer: int | str, body: Body | None = None, **others: int | str) -> Row:
    """Changes how somebody signs in, or who manages a child's profile."""
    refusals = {"ward": "managed_profile", "unverified": "email_not_verified", "stale": "fresh_sign_in_required"}
    return signed_in(answer, body, **(refusals | others))


def guardian(answer: int | str, body: Body | None = None, **others: int | str) -> Row:
    """For the guardians of the ward alone."""
    return signed_in("not_found", body, **({"fresh": answer, "stale": answer} | others))


def for_staff(body: Body | None = None) -> Row:
    return signed_in("forbidden", body)


def own_address(person: User) -> dict[str, Any]:
    return {"email": person.email}


def own_key(purpose: KeyPurpose, **others: str) -> Callable[[User], dict[str, Any]]:
    return lambda person: {"key": issue_key(purpose=purpose, user=person, email=person.email).link} | others


_REGISTRATION = {"email": "new@example.org", "password": NEW_PASSWORD, "full_name": "New Person", "time_zone": "UTC"}
_LATER = {"birth_date": "2020-01-01"}
API = {
    "POST register": public(201, _REGISTRATION),
    "POST verify-email": public("invalid_key", {"key": WRONG}),
    "POST resend-verification": public(200, own_address, ward="invalid_input"),
    "POST login": public(
        200,
        lambda person: {"email": person.email, "password": PASSWORD},
        ward="invalid_input",
        unverified="email_not_verified",
        suspended="account_suspended",
        grace="account_being_erased",
    ),
    "POST login-second-factor": public("invalid_mfa_code", {"session_token": WRONG, "mfa_code": "123456"}),
    "POST login-code": public(200, own_address, ward="invalid_input"),
    "POST login-code-confirm": public(200, own_key(KeyPurpose.LOG_IN), ward="invalid_key", suspended="invalid_key", grace="invalid_key"),
    "GET login-passkey": public(200),
    "POST login-passkey": public("invalid_passkey", {"session_token": WRONG, "credential": {"id": "x"}}),
    "GET ways-in": signed_in(200),
    "POST social-login": public("provider_not_configured", {"id_token": WRONG}),
    "POST link-provider": fresh("provider_not_configured", {"id_token": WRONG}),
    "DELETE link-provider": fresh("not_found"),
    "POST refresh": public(
        200,
        {"refresh_token": "own"},
        impersonated="invalid_refresh_token",
        suspended="invalid_refresh_token",
        grace="invalid_refresh_token",
    ),
    "POST logout": public(204, {"refresh_token": "own"}),
    "POST password-reset": public(200, own_address, ward="invalid_input"),
    "POST password-reset-confirm": public(
        200,
        own_key(KeyPurpose.RESET_PASSWORD, password=NEW_PASSWORD),
        ward="invalid_key",
        suspended="invalid_key",
        grace="invalid_key",
    ),
    "POST password-change": signed_in(200, {"password": PASSWORD, "new_password": NEW_PASSWORD}, ward="managed_profile"),
    "POST reauthenticate": signed_in(204, {"password": PASSWORD}, ward="managed_profile"),
    "POST undo-erasure": public("invalid_key", own_key(KeyPurpose.UNDO_ERASURE), grace=200),
    "GET devices": signed_in(200),
    "DELETE devices": signed_in(204),
    "DELETE device": signed_in("not_found"),
    "GET security-log": signed_in(200),
    "GET factors": signed_in(200),
    "POST totp": fresh(200),
    "DELETE totp": fresh("second_factor_missing"),
    "POST totp-confirm": fresh("invalid_mfa_code", {"code": "123456"}),
    "POST recovery-codes": fresh("second_factor_missing"),
    "GET passkeys": fresh(200),
    "POST passkeys": fresh("invalid_passkey", {"name": "x", "credential": {"id": "x"}}),
    "DELETE passkey": fresh("not_found"),
    "GET me": signed_in(200),
    "PATCH me": signed_in("birth_date_is_set", _LATER, unverified="guardian_profile_required"),
    "DELETE me": signed_in(202),
    "POST my-email": fresh(202, {"email": "other@example.org"}),
    "PUT my-avatar": signed_in("unsupported_media_type", {}),
    "DELETE my-avatar": signed_in(204),
    "GET my-export": signed_in(202),
    "GET my-consents": signed_in(200),
    "POST my-consents": signed_in("invalid_input", {}),
    "GET my-guardians": signed_in(200),
    "POST my-guardians": signed_in("conflict", {"email": "parent@example.org"}, ward="managed_profile", minor=201),
    "DELETE my-guardian": signed_in("not_found", ward="managed_profile", fresh=204),
    "GET my-wards": signed_in(200),
    "POST my-wards": signed_in("adults_only", {"full_name": "Lou", "birth_date": str(CHILD)}, fresh=201, stale=201),
    "POST accept-ward": signed_in("adults_only", {"key": WRONG}, fresh="invalid_key", stale="invalid_key"),
    "POST ward-session": guardian(200),
    "POST ward-guardians": fresh(201, {"email": "parent@example.org"}, minor="not_found"),
    "POST hand-over-ward": fresh("still_a_child", {"email": "kim@example.org"}, minor="not_found"),
    "GET ward-consents": guardian(200),
    "POST ward-consents": guardian("invalid_input", {}),
    "GET person": signed_in(200),
    "GET managed-person": for_staff(),
    "PATCH managed-person": for_staff({"role": "staff"}),
    "DELETE managed-person": for_staff(),
    "POST suspend-person": for_staff({"reason": "x"}),
    "POST reinstate-person": for_staff({}),
    "GET people": for_staff(),
    "POST people": for_staff({"email": "new@example.org", "full_name": "New Person"}),
    "GET blocks": signed_in(200),
    "POST blocks": signed_in("invalid_input", {}),
    "DELETE block": signed_in("not_found"),
}

# To a visitor, to somebody who is signed in, to somebody whose account is suspended or being erased. Staff who look get 403 everywhere.
PAGES = {
    "GET sign-in": (200, 302, 200),
    "POST sign-in": (400, 400, 400),
    "GET sign-up": (200, 302, 200),
    "POST sign-up": (400, 400, 400),
    "GET mailed-code": (200, 200, 200),
    "POST mailed-code": (400, 400, 400),
    "GET passkey-sign-in": (200, 200, 200),
    "POST passkey-sign-in": (400, 400, 400),
    "GET socket-token": (302, 200, 302),
    "GET second-step": (302, 302, 302),
    "POST second-step": (400, 400, 400),
    "GET login-code-page": (200, 200, 200),
    "POST login-code-page": (400, 400, 400),
    "POST provider": (404, 404, 404),
    "GET provider-callback": (400, 400, 400),
    "POST provider-callback": (302, 302, 302),
    "POST sign-out": (302, 302, 302),
    "GET verify-email-page": (200, 200, 200),
    "POST verify-email-page": (400, 400, 400),
    "GET request-reset-page": (200, 200, 200),
    "POST request-reset-page": (400, 400, 400),
    "GET reset-password-page": (200, 200, 200),
    "POST reset-password-page": (400, 400, 400),
    "GET keep-account": (200, 200, 200),
    "POST keep-account": (400, 400, 400),
    "GET no-invitations": (404, 404, 404),
    "POST no-invitations": (404, 404, 404),
    "GET guardian-page": (302, 200, 302),
    "POST guardian-page": (302, 400, 302),
}


def routes(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator[tuple[str, str]]:
    """Method and name of each route, and its path."""
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, path)
            continue
        view = getattr(pattern.callback, "cls", None) or pattern.callback.view_class  # type: ignore[attr-defined]
        for method in ("get", "post", "put", "patch", "delete"):
            if hasattr(view, method):
                yield f"{method.upper()} {pattern.name}", path


API_ROUTES = dict(routes(api_urls.urlpatterns, "/api/v1/"))
PAGE_ROUTES = dict(routes(page_urls.urlpatterns, "/"))  # type: ignore[arg-type]


def identity(person: User) -> list[Any]:
    """Everything by which a person signs in, and who answers for them."""
    columns = ("email", "password", "role", "is_superuser", "birth_date", "is_active", "suspended_at")
    return [
        User.objects.values(*columns).get(pk=person.pk),
        *(
            list(model.objects.filter(user=person).order_by("pk").values())  # type: ignore[attr-defined]
            for model in (EmailAddress, Authenticator, LinkedProvider)
        ),
        list(Guardianship.objects.filter(ward=person).order_by("pk").values("guardian_id", "guardian_email", "state")),
    ]


def test_every_route_has_a_row() -> None:
    assert (set(API_ROUTES), set(PAGE_ROUTES)) == (set(API), set(PAGES))


@pytest.mark.parametrize("route", API)
def test_each_kind_of_account_gets_its_answer(route: str, house: House) -> None:
    row, seen = API[route], {}
    for kind in KINDS:
        person = house.people[kind]
        before = identity(person)
        answer = _call(house, kind, route, row.body)
        seen[kind] = answer.json()["code"] if answer.status_code >= 400 else answer.status_code
        assert answer.status_code < 400 or identity(person) == before, kind
    assert seen == row.answers


def _call(house: House, kind: str, route: str, body: Body | None) -> Any:
    person, (access, refresh) = house.people[kind], house.tokens[kind]
    content = body(person) if callable(body) else body
    if content == {"refresh_token": "own"}:
        content = {"refresh_token": refresh}
    values = {"ward_id": house.people["ward"].pk, "guardianship_id": house.guardianship.pk, "user_id": house.bystander.pk}
    path = _filled(API_ROUTES[route], values | {"provider": "google", "passkey_id": 1, "device_id": house.bystander.pk})
    api = Api()
    api.token = access
    if kind == "impersonated":
        # There staff are themselves: the session of their browser opens nothing of the API.
        api._client = house.looking
    return api.call(route.split(maxsplit=1)[0], path, content)


def _filled(path: str, values: dict[str, Any]) -> str:
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda match: str(values[match[1]]), path)


@pytest.mark.parametrize("route", PAGES)
def test_each_visitor_of_a_page_gets_its_answer(route: str, house: House) -> None:
    path = _filled(PAGE_ROUTES[route], {"key": WRONG, "token": WRONG, "provider": "google"})
    seen = {}
    for kind in ("visitor", "fresh", "suspended", "grace", "impersonated"):
        client = house.looking if kind == "impersonated" else Client(raise_request_exception=False)
        if kind in ("fresh", "suspended", "grace"):
            client.force_login(house.people[kind])
        person = house.people.get(kind, house.bystander)
        before = identity(person)
        seen[kind] = client.generic(route.split(maxsplit=1)[0], path).status_code
        assert identity(person) == before
    visitor, member, shut_out = PAGES[route]
    assert seen == {"visitor": visitor, "fresh": member, "suspended": shut_out, "grace": shut_out, "impersonated": 403}
