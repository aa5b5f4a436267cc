"""What a person names is fetched from the open internet alone (T23): no hostile address is ever connected to."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mentors.providers import guarded
from mentors.providers.guarded import FetchFailed, fetch, is_public, target_of
from mentors.tests.calendar_servers import CalendarServer

PRIVATE = (
    *("127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254"),
    *(
        "100.64.0.1",
        "100.127.255.254",
        "192.0.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.250",
    ),
    *("240.0.0.1", "255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1"),
    *("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::", "2002:a00:1::", "2001:0:4136:e378:8000:63bf:3fff:fdd2"),
    *("fc00::1", "fd12:3456::1", "fe80::1", "fec0::1", "ff02::1", "2001:db8::1", "100::1"),
)
PUBLIC = ("8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "64:ff9b::808:808", "2002:808:808::", "::ffff:8.8.8.8")

# Sixty addresses that somebody might hand in to reach what is not theirs.
HOSTILE = (
    *(f"https://[{address}]/" if ":" in address else f"https://{address}/" for address in PRIVATE),
    *(
        "http://example.org/a.ics",
        "file:///etc/passwd",
        "gopher://127.0.0.1:6379/_FLUSHALL",
        "ftp://127.0.0.1/a.ics",
        "dict://127.0.0.1:11211/",
    ),
    *(
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.1/",
        "https://017700000001/",
        "https://127.1/",
        "https://0/",
        "https://①②⑦.0.0.1/",
    ),
    *("https://localhost/", "https://localhost./", "https://LOCALHOST/", "https://rebind.example/", "https://mixed.example/"),
    *("https://user:pass@127.0.0.1/", "https://example.org@127.0.0.1/", "https://example.org\\@127.0.0.1/", "https://127.0.0.1\t/"),
    *("https://[::1%25eth0]/", "https:///etc/passwd", "https://", "webcal://127.0.0.1/", "//127.0.0.1/", "https://example.org:99999/"),
)


@pytest.fixture
def connections(monkeypatch: Any) -> Iterator[list[Any]]:
    """Every address that a socket is asked to connect to. Names lead where an attacker's name server would send them."""
    seen: list[Any] = []
    look_up = socket.getaddrinfo
    private = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.7", 443))]

    def resolve(host: str, port: int, *args: Any, **options: Any) -> Any:
        if host.endswith(".example"):
            return private
        return look_up(host, port, *args, **options)

    def connect(self: socket.socket, address: Any) -> None:
        seen.append(address)
        raise OSError("refused by the test")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket.socket, "connect", connect)
    yield seen


@pytest.mark.parametrize("address", HOSTILE)
def test_no_hostile_address_is_connected_to(address: str, connections: list[Any]) -> None:
    with pytest.raises(FetchFailed) as caught:
        fetch(target_of(address))
    assert caught.value.code in ("not_https", "invalid_address", "private_address", "unknown_host")
    assert connections == []


def test_there_are_sixty_of_them() -> None:
    assert len(HOSTILE) >= 60


@pytest.mark.parametrize("address", PRIVATE)
def test_private(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_public(address: str, connections: list[Any]) -> None:
    assert is_public(ipaddress.ip_address(address))
    with pytest.raises(FetchFailed) as caught:
        fetch(target_of(f"https://[{address}]/" if ":" in address else f"https://{address}/"))
    assert caught.value.code == "unreachable"
    assert [str(seen[0]) for seen in connections] == [address]


def test_a_name_that_is_bound_anew_leads_nowhere(monkeypatch: Any) -> None:
    """The first look-up says a public address, each later one a private one: there is no second look-up, and no connection to that."""
    answers = [("8.8.8.8", 443)]
    seen = []

    def resolve(*_: Any, **__: Any) -> Any:
        address = answers.pop(0) if answers else ("127.0.0.1", 443)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address)]

    def connect(self: socket.socket, address: Any) -> None:
        seen.append(address)
        raise OSError("refused by the test")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket.socket, "connect", connect)
    with pytest.raises(FetchFailed):
        fetch(target_of("https://rebind.example/"))
    assert seen == [("8.8.8.8", 443)]


@pytest.fixture
def server(tmp_path: Path, monkeypatch: Any) -> Iterator[CalendarServer]:
    found = CalendarServer(tmp_path)
    monkeypatch.setattr(guarded, "is_public", lambda address: str(address) == "127.0.0.1")
    monkeypatch.setattr(guarded, "_context", lambda: ssl.create_default_context(cafile=str(found.certificate)))
    yield found
    found.server.shutdown()
    found.server.server_close()


class TestServers:
    def test_what_is_served(self, server: CalendarServer) -> None:
        server.content, server.etag = b"BEGIN:VCALENDAR", '"7"'
        answer = fetch(target_of(server.address("/mine.ics?token=a%20b&x=ü")))
        assert (answer.status, answer.content, answer.headers["etag"]) == (200, b"BEGIN:VCALENDAR", '"7"')
        assert server.requests[0][0] == "/mine.ics?token=a%20b&x=%C3%BC"
        assert fetch(target_of(server.address()), headers={"If-None-Match": '"7"'}).status == 304

    @pytest.mark.parametrize(
        ("path", "code"),
        [
            *(("/301", "redirected"), ("/302", "redirected"), ("/307", "redirected"), ("/401", "unauthorised"), ("/403", "unauthorised")),
            *(
                ("/404", "gone"),
                ("/410", "gone"),
                ("/418", "refused"),
                ("/500", "failing"),
                ("/endless", "too_large"),
                ("/bomb", "too_large"),
            ),
        ],
    )
    def test_what_goes_wrong(self, server: CalendarServer, path: str, code: str) -> None:
        with pytest.raises(FetchFailed) as caught:
            fetch(target_of(server.address(path)))
        assert caught.value.code == code
        assert len(server.requests) == 1, "a redirect is not followed"

    @pytest.mark.parametrize("path", ["/drip", "/drip-headers"])
    def test_who_sends_a_byte_now_and_then_is_cut_off(self, server: CalendarServer, path: str, monkeypatch: Any) -> None:
        monkeypatch.setattr(guarded, "_DEADLINE_SECONDS", 1.0)
        began = time.monotonic()
        with pytest.raises(FetchFailed) as caught:
            fetch(target_of(server.address(path)))
        assert caught.value.code == "too_slow"
        assert time.monotonic() - began < 4

    def test_a_certificate_of_nobody(self, server: CalendarServer, monkeypatch: Any) -> None:
        monkeypatch.setattr(guarded, "_context", ssl.create_default_context)
        with pytest.raises(FetchFailed) as caught:
            fetch(target_of(server.address()))
        assert caught.value.code == "bad_certificate"


def test_a_name_beyond_ascii_is_that_of_idna_2008() -> None:
    """By IDNA 2003 the first would be strasse.example, which may belong to somebody else: they would be sent the password."""
    addresses = ("https://straße.example/", "https://βόλος.example/", "https://BÜCHER.example/", "https://xn--strae-oqa.example/")
    hosts = ("xn--strae-oqa.example", "xn--nxasmm1c.example", "xn--bcher-kva.example", "xn--strae-oqa.example")
    assert tuple(target_of(address).host for address in addresses) == hosts
