"""Calls allauth's own headless views in process, so that its rate limits, stages and enumeration guards hold, and reads their answers."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Iterator
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.internal.stagekit import get_pending_stage, unstash_login
from allauth.account.models import EmailAddress, Login
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.headless import app_settings
from allauth.headless.base.response import AuthenticationResponse
from allauth.headless.base.views import APIView
from allauth.headless.constants import Client
from allauth.headless.internal.sessionkit import lookup_session
from allauth.headless.mfa import views as mfa
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse

from accounts.models import User
from accounts.providers.adapter import serializable


@dataclasses.dataclass(frozen=True)
class Answer:
    """allauth's answer, flattened. `pending` names the step that is missing, such as `verify_email` or `mfa_authenticate`, and
    `methods` how it can be taken. `mail_due` is what allauth would have mailed: ("verify" or "known", address)."""

    status: int
    access_token: str = ""
    refresh_token: str = ""
    session_token: str = ""
    pending: str = ""
    methods: tuple[str, ...] = ()
    errors: tuple[tuple[str, str, str], ...] = ()  # (field, code, message)
    data: dict[str, Any] = dataclasses.field(default_factory=dict)
    mail_due: tuple[str, str] | None = None


class _ProvenLoginView(APIView):
    """Signs a person in who has proven themselves by `proof` outside allauth: a mailed code, a provider. Second factors still apply."""

    person: User | None = None
    proof = ""

    def post(self, request: HttpRequest) -> HttpResponse:
        record_authentication(request, self.person, self.proof)
        response = perform_login(request, Login(user=self.person, email=self.person.email if self.person else None))
        return AuthenticationResponse.from_response(request, response)


class _AnewView(APIView):
    """Opens a new session for somebody who was signed in until a moment ago, second factor included, or without any proof of theirs."""

    person: User | None = None
    proof = ""

    def post(self, request: HttpRequest) -> HttpResponse:
        if self.proof:
            record_authentication(request, self.person, self.proof)
        get_adapter().login(request, self.person)
        return AuthenticationResponse(request)


def with_backend(person: User) -> User:
    """The person as Django's own `login` wants them."""
    person.backend = settings.AUTHENTICATION_BACKENDS[0]  # type: ignore[attr-defined]
    return person


def log_in_proven(request: HttpRequest, *, person: User, proof: str, in_browser: bool = False) -> Answer:
    """Sign in somebody who was identified by `proof`."""
    return ask(_ProvenLoginView, request, {}, in_browser=in_browser, person=person, proof=proof)


def log_in_anew(request: HttpRequest, *, person: User, proof: str = "") -> Answer:
    """Open a new session after a change of password has ended all others.

    Without `proof` the session is for a person on whose behalf another one acts, and never counts as a fresh sign-in.
    """
    return ask(_AnewView, request, {}, person=person, proof=proof)


def record_proof(session_key: str, *, person: User, proof: str) -> None:
    """Record in a session that its person has just proved their identity."""
    session = lookup_session(session_key)
    if session is None:
        return
    request = HttpRequest()
    request.session, request.user = session, person
    record_authentication(request, person, proof)
    session.save()


def pending_person(session: SessionBase | None) -> User | None:
    """The person whose sign-in in this session still needs a second factor."""
    if session is None:
        return None
    request = HttpRequest()
    request.session, request.user = session, AnonymousUser()
    login = unstash_login(request, peek=True)
    return login.user if login else None


def session_of_token(session_token: str) -> SessionBase | None:
    """The session of a sign-in that is pending in the API."""
    session: SessionBase | None = app_settings.TOKEN_STRATEGY.lookup_session(session_token) if session_token else None
    return session


def answer_second_factor(request: HttpRequest, *, code: str, session_token: str = "", in_browser: bool = False) -> Answer:
    """Finish a sign-in that is pending in the session of `session_token`, or of the browser."""
    return ask(mfa.AuthenticateView, request, {"code": code}, session_token=session_token, in_browser=in_browser)


def waits_for_second_factor(request: HttpRequest) -> bool:
    """Whether the browser's session holds a sign-in that only lacks its second factor."""
    stage = get_pending_stage(request)
    return bool(stage and stage.key == "mfa_authenticate")


def verified_address(user: User) -> bool:
    """Whether the person has proven that their address is theirs."""
    return EmailAddress.objects.filter(user=user, verified=True).exists()


def is_proven(email: str) -> bool:
    """Whether somebody has proven that this address is theirs."""
    return EmailAddress.objects.filter(email__iexact=email, verified=True).exists()


def mark_verified(user: User) -> None:
    """Take the person's present address as proven, and forget every other."""
    EmailAddress.objects.filter(user=user).exclude(email__iexact=user.email).delete()
    updated = EmailAddress.objects.filter(user=user).update(email=user.email, verified=True, primary=True)
    if not updated:
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)


def add_unverified(user: User) -> None:
    EmailAddress.objects.get_or_create(user=user, email=user.email, defaults={"verified": False, "primary": True})


def ask(
    view_class: type[APIView],
    request: HttpRequest,
    fields: dict[str, Any],
    *,
    method: str = "POST",
    session_token: str = "",
    as_person: bool = False,
    in_browser: bool = False,
    **view_options: Any,
) -> Answer:
    """Run one of allauth's views: in a session of its own, in the one of `session_token`, `as_person` behind the request's access token,
    or in the browser's."""
    view = view_class.as_api_view(client=Client.BROWSER if in_browser else Client.APP, **view_options)
    with _request_of_allauth(request, fields, method, session_token, as_person):
        try:
            return _read(view(request), request)
        except ImmediateHttpResponse as answer:
            # Such as 410 for a session token that is over.
            return _read(answer.response, request)


@contextlib.contextmanager
def _request_of_allauth(request: HttpRequest, fields: dict[str, Any], method: str, session_token: str, as_person: bool) -> Iterator[None]:
    original = request.method, getattr(request, "_body", b""), dict(request.META)
    # The API's parser has read the stream already; allauth reads the body again.
    request.method = method
    request._body = json.dumps(serializable(fields)).encode()  # type: ignore[attr-defined]
    request.mail_due = None  # type: ignore[attr-defined]
    request.META.pop("HTTP_X_SESSION_TOKEN", None)
    if not as_person:
        request.META.pop("HTTP_AUTHORIZATION", None)
    if session_token:
        request.META["HTTP_X_SESSION_TOKEN"] = session_token
    # Django reads the headers once and remembers them.
    request.__dict__.pop("headers", None)
    try:
        yield
    finally:
        request.method, request._body, meta = original  # type: ignore[attr-defined]
        request.META.update(meta)
        request.__dict__.pop("headers", None)


def _read(response: Any, request: HttpRequest) -> Answer:
    try:
        content = json.loads(response.content)
    except ValueError:
        content = {}
    meta = content.get("meta") or {}
    data = content.get("data") or {}
    flows = data.get("flows") or [] if isinstance(data, dict) else []
    pending: dict[str, Any] = next((flow for flow in flows if flow.get("is_pending")), {})
    return Answer(
        status=response.status_code,
        access_token=meta.get("access_token", ""),
        refresh_token=meta.get("refresh_token", ""),
        session_token=meta.get("session_token", ""),
        pending=pending.get("id", ""),
        methods=tuple(pending.get("types", ())),
        errors=tuple((error.get("param", ""), error["code"], error["message"]) for error in content.get("errors") or ()),
        data={"content": data, "meta": meta},
        mail_due=getattr(request, "mail_due", None),
    )
