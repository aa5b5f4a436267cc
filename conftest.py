from __future__ import annotations

import copy
import logging
import re
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import hypothesis
import pytest
from allauth.account.models import EmailAddress
from django.core.cache import cache
from django.db import connection, transaction
from django.test import Client

from accounts.models import User
from core import querysets
from core.tests.database import migrated_template

PASSWORD = "correct-horse-7-battery"
# The first example of a process waits until Hypothesis has read the constants of all our modules, seconds on a busy machine with a new
# checkout. That says nothing about the test that happens to be first.
hypothesis.settings.register_profile("soosh", parent=hypothesis.settings.default, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("soosh")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Test databases are copies of one that was migrated once."""
    connection.settings_dict["TEST"]["TEMPLATE"] = migrated_template()


@pytest.fixture(scope="module")
def kept_rows(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """What fixtures of a module make under this one is made once, and every test of the module starts from it: what a test changes is
    rolled back to here. Not for tests that commit."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def isolation(settings: Any) -> Iterator[None]:
    """Each test has its own keys in the cache, finds nothing decided, and does not wait for slow password hashes."""
    querysets._decisions.clear()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    prefix = cache.key_prefix
    cache.key_prefix = uuid.uuid4().hex
    yield
    cache.key_prefix = prefix


# What tests call people, their phones and what must stay between them; none of it may be in a log.
_CANARIES = re.compile(r"[\w.+-]+@example\.(?:org|com)|CANARY|Canary Owner|\+49151\d{6}|ExponentPushToken\[")


class LogTrap(logging.Handler):
    """Every line that is logged, as it is written in production."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.setFormatter(next(handler for handler in logging.root.handlers if handler.name == "console").formatter)

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(copy.copy(record)))


@pytest.fixture(autouse=True)
def no_person_in_the_log() -> Iterator[None]:
    """No test leaves an address, a number, a token or a message of somebody in a log."""
    trap = LogTrap()
    logging.root.addHandler(trap)
    yield
    logging.root.removeHandler(trap)
    leaks = [line for line in trap.lines if _CANARIES.search(line)]
    assert leaks == []


@pytest.fixture
def make_user(db: None) -> Callable[..., User]:
    return new_user


def new_user(email: str = "", *, verified: bool = True, **fields: Any) -> User:
    address = email or f"{uuid.uuid4().hex[:12]}@example.org"
    user = User.objects.create_user(address, PASSWORD, full_name=fields.pop("full_name", "Some Person"), **fields)
    EmailAddress.objects.create(user=user, email=user.email, verified=verified, primary=True)
    return user


@pytest.fixture
def user(make_user: Callable[..., User]) -> User:
    return make_user()


@pytest.fixture
def staff(make_user: Callable[..., User]) -> User:
    return make_user(role="staff", is_superuser=True)


def at_once(times: int, call: Callable[[], Any]) -> list[Any]:
    """What `times` threads, let go together, get from `call`; each on a database connection of its own."""
    barrier = threading.Barrier(times)

    def run(_: int) -> Any:
        barrier.wait()
        try:
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(run, range(times)))


def wait_for_locks(number: int = 1) -> None:
    """Until so many threads wait for the lock of a person."""
    until = time.monotonic() + 20
    while _waiting_for_locks() < number:
        assert time.monotonic() < until, "nobody waits"
        time.sleep(0.01)


def _waiting_for_locks() -> int:
    with connection.cursor() as cursor:
        # In this database: tests beside this one wait for locks of their own.
        cursor.execute(
            "SELECT count(*) FROM pg_locks JOIN pg_database AS ours ON ours.oid = pg_locks.database"
            " WHERE ours.datname = current_database() AND locktype = 'advisory' AND NOT granted"
        )
        return int(cursor.fetchone()[0])


class Api:
    """A client of the API: JSON in, JSON out, and a bearer token once signed in."""

    def __init__(self) -> None:
        self._client = Client(raise_request_exception=False)
        self.token = ""

    def sign_in(self, user: User) -> Api:
        answer = self.post("auth/login", {"email": user.email, "password": PASSWORD})
        assert answer.status_code == 200, answer.content
        self.token = answer.json()["access_token"]
        return self

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        if self.token:
            headers.setdefault("HTTP_AUTHORIZATION", f"Bearer {self.token}")
        address = path if path.startswith("/") else f"/api/v1/{path}"
        if body is None:
            return self._client.generic(method, address, **headers)  # type: ignore[arg-type]
        return getattr(self._client, method.lower())(address, body, content_type="application/json", **headers)

    def get(self, path: str, **headers: str) -> Any:
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.call("POST", path, {} if body is None else body, **headers)

    def put(self, path: str, body: Any, **headers: str) -> Any:
        return self.call("PUT", path, body, **headers)

    def patch(self, path: str, body: Any, **headers: str) -> Any:
        return self.call("PATCH", path, body, **headers)

    def delete(self, path: str, **headers: str) -> Any:
        return self.call("DELETE", path, **headers)


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
def signed_in(api: Api, user: User) -> Api:
    return api.sign_in(user)


@pytest.fixture
def staff_api(staff: User) -> Api:
    return Api().sign_in(staff)


@pytest.fixture
def openai_engine(settings: Any, llmock: Any) -> Any:
    """The product on the OpenAI engine, against a server that nobody here wrote."""
    settings.AI_CONVERSATION_ENGINE = "openai"
    settings.OPENAI_BASE_URL = settings.OPENAI_EMBEDDING_BASE_URL = llmock.base_url()
    settings.OPENAI_API_KEY = "test"
    settings.OPENAI_MODERATION_MODEL = ""
    # Long enough for a busy machine; tests of slowness shorten it.
    settings.AI_TIMEOUT_SECONDS = 15.0
    return llmock
