"""Runs every way to sign in with secrets that can be recognised, and looks for them wherever something is written down."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from typing import Any
from unittest import mock
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings
from django.core import mail
from django.test import Client

from accounts.models import SecurityEvent, User
from accounts.tests import conftest as fixtures
from accounts.tests.authenticator import Passkey
from accounts.tests.providers import SECRET, Forger
from accounts.tests.test_factors import app_at
from conftest import Api
from core.events import run_delivery
from core.logging import configure
from core.models import AuditEntry, EventDelivery, OutboxEvent

pytestmark = pytest.mark.django_db
forger, with_forger = fixtures.forger, fixtures.with_forger
PASSWORDS = ("MARKED-first-pass-phrase", "MARKED-second-pass-phrase", "MARKED-third-pass-phrase", "MARKED-wrong-pass-phrase")
ADDRESS = "marked@example.org"


class Catcher(logging.Handler):
    """Every log record of every logger, as production and as a terminal would print it."""

    def __init__(self) -> None:
        super().__init__(level=logging.DEBUG)
        self.lines: list[str] = []
        self.printers = []
        for as_json in (True, False):
            setup = configure(as_json=as_json)["formatters"]["lines"]
            self.printers.append(setup["()"](processor=setup["processor"], foreign_pre_chain=setup["foreign_pre_chain"]))

    def emit(self, record: logging.LogRecord) -> None:
        for printer in self.printers:
            try:
                self.lines.append(printer.format(logging.makeLogRecord(record.__dict__)))
            except Exception as error:  # DropEvent of a probe
                assert type(error).__name__ == "DropEvent"


@pytest.fixture
def logs() -> Iterator[Catcher]:
    catcher = Catcher()
    names = [None, "accounts", "core", "django", "django.request", "django.security", "django_structlog", "allauth", "urllib3", "celery"]
    loggers = [logging.getLogger(name) for name in names]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    logging.getLogger().addHandler(catcher)
    yield catcher
    logging.getLogger().removeHandler(catcher)
    for logger, level in zip(loggers, before, strict=True):
        logger.setLevel(level)


class Journey:
    """Walks through everything and remembers each secret that it sees."""

    def __init__(self) -> None:
        self.api = Api()
        self.secrets: set[str] = {*PASSWORDS, SECRET, settings.SECRET_KEY}

    def post(self, path: str, body: dict[str, Any] | None = None, status: int = 200) -> dict[str, Any]:
        answer = self.api.post(path, body)
        assert answer.status_code == status, (path, answer.content)
        content: dict[str, Any] = answer.json() if answer.content else {}
        for name in ("access_token", "refresh_token", "session_token", "secret"):
            if content.get(name):
                self.secrets.add(content[name])
        self.secrets.update(content.get("recovery_codes", ()))
        return content

    def key(self) -> str:
        text = str(mail.outbox[-1].body)
        code = re.search(r"\b([2-9A-Z]{4}-[2-9A-Z]{4})\b", text)
        link = re.search(r"/([A-Za-z0-9_-]{43})\b", text)
        assert code and link
        self.secrets |= {code[1], code[1].replace("-", ""), link[1]}
        return link[1]

    def walk(self, provider: Forger) -> None:
        self._register()
        self._factors()
        self._providers(provider)
        self._reset()
        self._pages()
        self._erase()

    def _register(self) -> None:
        self.post("auth/register", {"email": ADDRESS, "password": PASSWORDS[0], "full_name": "Marked"}, 201)
        self.post("auth/login", {"email": ADDRESS, "password": PASSWORDS[0]}, 403)
        self.post("auth/verify-email", {"key": self.key()})
        self.post("auth/verify-email", {"key": self.key()}, 400)
        self.post("auth/login", {"email": ADDRESS, "password": PASSWORDS[3]}, 401)
        self.tokens = self.post("auth/login", {"email": ADDRESS, "password": PASSWORDS[0]})
        self.tokens = self.post("auth/refresh", {"refresh_token": self.tokens["refresh_token"]})
        self.api.token = self.tokens["access_token"]
        self.post("auth/login/code", {"email": ADDRESS})
        self.post("auth/login/code/confirm", {"key": self.key()})
        self.post("users/me/email", {"email": "marked-too@example.org"}, 202)
        self.key()

    def _factors(self) -> None:
        secret = self.post("auth/factors/totp")["secret"]
        with app_at() as code_of:
            code = code_of(secret)
            self.secrets.add(code)
            self.codes = self.post("auth/factors/totp/confirm", {"code": code})["recovery_codes"]
        asked = self.post("auth/login", {"email": ADDRESS, "password": PASSWORDS[0]}, 401)
        self.post("auth/login/second-factor", {"session_token": asked["session_token"], "mfa_code": self.codes[0]})
        self.post("auth/reauthenticate", {"password": PASSWORDS[0]}, 204)
        passkey = Passkey()
        options = self.api.get("auth/factors/passkeys").json()["options"]
        self.post("auth/factors/passkeys", {"name": "Phone", "credential": passkey.create(options)}, 201)
        begun = self.api.get("auth/login/passkey").json()
        self.secrets.add(begun["session_token"])
        self.post("auth/login/passkey", {"session_token": begun["session_token"], "credential": passkey.get(begun["options"])})

    def _providers(self, provider: Forger) -> None:
        token = provider.sign(email="other@example.org")
        bad = provider.sign(aud="another")
        self.secrets |= {token, bad, "MARKED-access-token", "MARKED-code"}
        self.post("auth/social/google/link", {"id_token": token})
        self.post("auth/social/google", {"id_token": bad}, 400)
        self.post("auth/social/google", {"access_token": "MARKED-access-token"}, 400)
        self.post("auth/social/google", {"code": "MARKED-code", "redirect_uri": "https://x.example"}, 400)
        provider.answers["/token"] = 500, {}
        self.post("auth/social/google", {"code": "MARKED-code", "redirect_uri": "https://x.example"}, 503)

    def _reset(self) -> None:
        changed = self.post("auth/password/change", {"password": PASSWORDS[0], "new_password": PASSWORDS[1]})
        self.api.token = changed["access_token"]
        self.post("auth/password/reset", {"email": ADDRESS})
        self.post("auth/password/reset/confirm", {"key": self.key(), "password": PASSWORDS[2]})
        self.post("auth/refresh", {"refresh_token": changed["refresh_token"]}, 401)

    def _pages(self) -> None:
        browser = Client(raise_request_exception=False)
        browser.post("/sign-in/", {"email": ADDRESS, "password": PASSWORDS[2]})
        browser.post("/sign-in/second-step", {"code": self.codes[1]})
        browser.post("/sign-out/")
        self.post("auth/login/code", {"email": ADDRESS})
        browser.get(f"/sign-in/code/{self.key()}")
        self.post("auth/password/reset", {"email": ADDRESS})
        browser.post(f"/reset-password/{self.key()}", {"password": "short"})
        there = browser.post("/sign-in/google")
        state = parse_qs(urlsplit(there["Location"]).query)["state"][0]
        self.secrets |= {state, str(browser.session["sign_in_with_provider"]["code_verifier"])}
        browser.get(f"/sign-in/google/callback?code=MARKED-code&state={state}")
        browser.post("/admin/login/", {"username": ADDRESS, "password": PASSWORDS[3]})

    def _erase(self) -> None:
        self.api.token = self.post("auth/login", {"email": ADDRESS, "password": PASSWORDS[2], "mfa_code": self.codes[2]})["access_token"]
        assert self.api.delete("users/me").status_code == 202
        self.key()
        self.post("auth/login", {"email": ADDRESS, "password": PASSWORDS[2]}, 403)


def written_down() -> str:
    rows = [
        *OutboxEvent.objects.values(),
        *EventDelivery.objects.values(),
        *AuditEntry.objects.values(),
        *SecurityEvent.objects.values("kind", "detail", "device_name"),
    ]
    return "\n".join(map(str, rows))


@pytest.mark.usefixtures("with_forger")
def test_no_secret_is_in_logs_outbox_or_error_reports(logs: Catcher, forger: Forger) -> None:
    journey = Journey()
    journey.walk(forger)
    for delivery in EventDelivery.objects.filter(state="pending"):
        with mock.patch("accounts.handlers.send_mail", side_effect=RuntimeError(f"cannot write to {ADDRESS}")):
            run_delivery(delivery.pk)
    text = "\n".join(logs.lines) + written_down()
    assert len(journey.secrets) > 40 and "POST /api/v1/auth/login" in text and "second_factor_added" in text, "the test is blind"
    assert [secret[:12] for secret in journey.secrets if secret in text] == []
    assert ADDRESS not in text, "nor is an address of a person"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("auth/login", {"email": ADDRESS, "password": PASSWORDS[0], "mfa_code": "MARKED-mfa"}),
        ("auth/register", {"email": ADDRESS, "password": PASSWORDS[0], "full_name": "Marked"}),
        ("auth/password/reset/confirm", {"key": "MARKED-key", "password": PASSWORDS[0]}),
        ("auth/refresh", {"refresh_token": "MARKED-refresh"}),
        ("auth/social/google", {"id_token": "MARKED-id-token"}),
    ],
)
def test_an_unexpected_error_does_not_print_what_was_sent(logs: Catcher, path: str, body: dict[str, Any]) -> None:
    broken = RuntimeError(f"something that nobody foresaw about MARKED {ADDRESS}")
    inside = ("headless.log_in_proven", "headless.add_unverified", "limits.consume", "tokens.rotate", "social.is_configured")
    patches = [mock.patch(f"accounts.providers.{name}", side_effect=broken) for name in inside]
    for patch in patches:
        patch.start()
    try:
        answer = Api().post(path, body)
    finally:
        mock.patch.stopall()
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    text = "\n".join(logs.lines)
    assert "RuntimeError" in text and "unhandled exception" in text, "the test is blind"
    assert "MARKED" not in text and "MARKED" not in answer.content.decode()


def test_the_catcher_catches(logs: Catcher) -> None:
    logging.getLogger("accounts").warning("a line with %s", "MARKED-canary")
    assert "MARKED-canary" in "\n".join(logs.lines)


def test_marked_people_stay_out_of_reprs(make_user: Any) -> None:
    from accounts.services.keys import issue_key

    user: User = make_user()
    secret = issue_key(purpose="log_in", user=user, email=user.email)  # type: ignore[arg-type]
    assert secret.link not in repr(secret) and secret.code not in repr(secret)
