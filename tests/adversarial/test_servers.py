"""Hostile and broken clients, and killed processes, against the production command."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import psutil
import pytest
import websockets
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.db import connection
from websockets.asyncio.client import ClientConnection, connect

from accounts.models import User
from accounts.services.devices import end_all_devices
from conftest import PASSWORD, new_user
from core.embedded.processes import processes_of
from tests.adversarial.servers import ProductionServers
from tests.adversarial.slow_clients import ATTACKER, HONEST, KINDS, exchange, fetch, slow_clients, wait_until

PATH = "/api/v1/categories"
_NUMBER = 40


def test_slow_clients_keep_nobody_waiting(production: ProductionServers) -> None:
    """Eight threads answer; nine slow bodies, or nine slow readers, used to hold them all."""
    with ExitStack() as attack:
        clients = {kind: attack.enter_context(slow_clients(production.port, kind, _NUMBER, path=PATH)) for kind in KINDS}
        for address in (HONEST, ATTACKER):
            began = time.monotonic()
            assert [fetch(production.port, PATH, address=address) for _ in range(5)] == [200] * 5
            assert time.monotonic() - began < 5
        for kind in ("silent", "head"):
            wait_until(lambda kind=kind: clients[kind].open_connections() == 0, 15)
        # A socket that nobody signs in to is closed by the clock: a close frame with the code 4401.
        assert all(b"\x88\x02\x11\x31" in received(opened, 5) for opened in clients["socket"].connections)


def received(connection: socket.socket, seconds: float) -> bytes:
    """What comes within so many seconds, as far as the first part with a close frame in it."""
    connection.settimeout(seconds)
    data = connection.recv(65_536)
    while b"\x88\x02" not in data:
        data += connection.recv(65_536)
    return data


def test_one_client_has_a_bound_of_its_own(production: ProductionServers) -> None:
    with slow_clients(production.port, "body", 520):
        refused = exchange(production.port, PATH, address=ATTACKER)
        assert (refused.status, refused.json["code"], refused.headers["Retry-After"]) == (429, "too_many_requests", "5")
        assert refused.headers["Content-Type"] == "application/problem+json"
        page = exchange(production.port, "/", address=ATTACKER)
        assert (page.status, page.headers["Content-Type"]) == (429, "text/html")
        assert fetch(production.port, PATH, address=HONEST) == 200


def test_errors_of_the_front_server_are_problem_documents(production: ProductionServers) -> None:
    too_large = exchange(production.port, "/api/v1/auth/login", method="POST", headers={"Content-Length": "13000000"})
    assert (too_large.status, too_large.json["code"]) == (413, "body_too_large")
    assert too_large.json["type"] == "https://soosh.example/api/problems/body_too_large"
    long_head = exchange(production.port, PATH, headers={"X-Long": "x" * 20_000})
    assert (long_head.status, long_head.json["code"]) == (431, "malformed_request")


@pytest.mark.long
def test_a_client_cannot_say_who_it_is(production: ProductionServers) -> None:
    """Every forged address would have a count of its own; the answer says how many are left to the true one."""
    forged = {"X-Real-IP": "203.0.113.7", "X-Forwarded-For": "203.0.113.7", "X-Request-ID": "forged", "X-Forwarded-Proto": "https"}
    answer = exchange(production.port, "/healthz", headers=forged)
    assert answer.status == 200
    assert answer.headers["X-Request-Id"] != "forged"
    codes = {exchange(production.port, PATH, headers=forged | {"X-Real-IP": f"203.0.113.{n}"}).status for n in range(125)}
    assert codes == {200, 429}


def test_probes_need_no_host_and_others_do(production: ProductionServers) -> None:
    assert exchange(production.port, "/healthz", headers={"Host": "10.0.0.7:8000"}).status == 200
    assert exchange(production.port, PATH, headers={"Host": "evil.example"}).status == 400


@pytest.fixture
def person(transactional_db: None) -> User:
    user = new_user()
    # The servers do not know the quick hasher of tests.
    user.password = PBKDF2PasswordHasher().encode(PASSWORD, "salt", iterations=1_000)
    user.save(update_fields=["password"])
    return user


@pytest.fixture
def token(production: ProductionServers, person: User) -> str:
    body = json.dumps({"email": person.email, "password": PASSWORD}).encode()
    answer = exchange(production.port, "/api/v1/auth/login", method="POST", body=body, headers={"Content-Type": "application/json"})
    assert answer.status == 200, answer.body
    return str(answer.json["access_token"])


def sign_out(person: User) -> None:
    try:
        end_all_devices(user=person)
    finally:
        connection.close()


def open_socket(production: ProductionServers, *protocols: str, path: str = "/ws/notifications/") -> Any:
    return connect(f"ws://127.0.0.1:{production.port}{path}", subprotocols=list(protocols) or None, ping_interval=None)  # type: ignore[arg-type]


async def close_code(socket: ClientConnection, seconds: float) -> int | None:
    """With which code the server closes it, within so many seconds."""
    async with asyncio.timeout(seconds):
        try:
            while True:
                await socket.recv()
        except websockets.ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else None


@pytest.mark.parametrize(
    ("frame", "code"),
    [("[" * 50_000, 1009), ("[" * 16_000, 4401), ("null", 4401), (b"\x00", 1003), (b"\x80".decode("latin-1") * 9_000, 1009)],
)
def test_hostile_frames_close_the_socket(production: ProductionServers, frame: str | bytes, code: int) -> None:
    async def scenario() -> None:
        async with open_socket(production) as socket:
            await socket.send(frame)
            assert await close_code(socket, 5) == code

    asyncio.run(scenario())
    assert "Traceback" not in production.log


def test_a_text_that_is_no_text_closes_the_socket(production: ProductionServers) -> None:
    async def scenario() -> None:
        async with open_socket(production) as socket:
            await socket.send(b"\xff\xfe", text=True)
            assert await close_code(socket, 5) == 1007

    asyncio.run(scenario())
    assert "Traceback" not in production.log


def test_sockets_close_with_the_session_and_for_floods(production: ProductionServers, token: str, person: User) -> None:
    async def scenario() -> None:
        async with (
            open_socket(production, "bearer", token) as flooding,
            open_socket(production, "bearer", token, path="/ws/dashboard/") as signed_in,
            open_socket(production, path="/ws/elsewhere/") as nowhere,
        ):
            await signed_in.recv()
            for _ in range(60):
                await flooding.send("{}")
            assert await close_code(flooding, 5) == 1008
            assert await close_code(nowhere, 5) == 4404
            await asyncio.to_thread(sign_out, person)
            assert await close_code(signed_in, 5) == 4401

    asyncio.run(scenario())
    assert "Traceback" not in production.log


def test_one_person_has_so_many_sockets(production: ProductionServers, token: str) -> None:
    async def scenario() -> None:
        sockets = [await open_socket(production, "bearer", token) for _ in range(21)]
        assert await close_code(sockets[-1], 5) == 4429
        await sockets[0].recv()
        for opened in sockets:
            await opened.close()

    asyncio.run(scenario())


@pytest.fixture
def victims(production: ProductionServers) -> Iterator[ProductionServers]:
    yield production
    production.wait_until_answering()


@pytest.mark.parametrize("program", ["web", pytest.param("front", marks=pytest.mark.long), pytest.param("live", marks=pytest.mark.long)])
def test_a_killed_server_leaves_nobody_on_its_port(victims: ProductionServers, program: str) -> None:
    before = list(processes_of(victims.home, program=program))
    oldest = min(before, key=lambda process: process.create_time())
    oldest.kill()
    wait_until(lambda: not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in before), 10)
    victims.wait_until_answering()
    assert not {process.pid for process in processes_of(victims.home, program=program)} & {process.pid for process in before}


@pytest.mark.long
def test_a_killed_supervisor_takes_its_servers_along(victims: ProductionServers) -> None:
    assert victims.supervisor
    victims.supervisor.send_signal(signal.SIGKILL)
    victims.supervisor.wait(10)
    wait_until(lambda: not list(processes_of(victims.home)), 15)
    victims.start()
