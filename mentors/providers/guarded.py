"""Fetching what a person named by its address, without letting them reach into our own network (server-side request forgery).

HTTPS alone; every address is looked at between the look-up of the name and the connection, so a name that is bound anew meanwhile gains
nothing; redirects are not followed; size and time are bounded whatever the other side does.
"""

from __future__ import annotations

import base64
import dataclasses
import ipaddress
import re
import socket
import ssl
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

import idna
import urllib3
from urllib3.connection import HTTPSConnection
from urllib3.exceptions import HTTPError

MOST_BYTES = 10_000_000
_DEADLINE_SECONDS = 25.0
_CONNECT_SECONDS = 8.0
_CHUNK = 65_536
_MOST_ADDRESS = 2_000
_PORTS = range(1, 65_536)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
# All that is given out (RFC 4291, 2.4); what lies elsewhere is local, or stands for something else.
_GIVEN_OUT = ipaddress.ip_network("2000::/3")
_SAFE_IN_PATH = "/%:@!$&'()*+,;=~-._"
_NEVER_IN_AN_ADDRESS = re.compile(r"[\x00-\x20\x7f]")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class FetchFailed(Exception):
    """`code` is one of invalid_address, not_https, private_address, unknown_host, unreachable, bad_certificate, too_slow, too_large,
    redirected, unauthorised, gone, refused, failing."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


@dataclasses.dataclass(frozen=True)
class Fetched:
    """An answer of the other side. `content` is empty where nothing changed (304)."""

    status: int
    content: bytes
    headers: Mapping[str, str]


@dataclasses.dataclass(frozen=True)
class Target:
    """An address, taken apart and checked for what can be told without asking anybody."""

    host: str
    port: int
    path: str

    @property
    def address(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"https://{host}{'' if self.port == 443 else f':{self.port}'}{self.path}"


def target_of(address: str) -> Target:
    """Take an address apart. `webcal` is what calendar programs write for https.

    Raises:
        FetchFailed: invalid_address, not_https.
    """
    if len(address) > _MOST_ADDRESS or _NEVER_IN_AN_ADDRESS.search(address) or "\\" in address:
        raise FetchFailed("invalid_address")
    try:
        parts = urlsplit(address)
        port = parts.port or 443
        host = (parts.hostname or "").rstrip(".")
        host = host if ":" in host else _ascii_host(host)
    except (ValueError, UnicodeError) as error:
        raise FetchFailed("invalid_address") from error
    if parts.scheme.lower() not in ("https", "webcal", "webcals"):
        raise FetchFailed("not_https")
    if not host or parts.username is not None or parts.password is not None or port not in _PORTS:
        raise FetchFailed("invalid_address")
    path = quote(parts.path or "/", safe=_SAFE_IN_PATH) + (f"?{quote(parts.query, safe=_SAFE_IN_PATH + '?')}" if parts.query else "")
    return Target(host, port, path)


def _ascii_host(host: str) -> str:
    """The name as DNS has it, by IDNA 2008: Python's own codec has that of 2003, by which straße.example is another site.

    Raises:
        UnicodeError: there is no such name.
    """
    return (host.encode("idna") if host.isascii() else idna.encode(host, uts46=True)).decode()


def is_public(address: Address) -> bool:
    """Whether an address stands for one machine on the open internet. What an address of one family wraps of another counts as well."""
    if address.version == 6:
        inner = _unwrapped(address)
        if inner is not None:
            return is_public(inner)
        if address not in _GIVEN_OUT or address.teredo is not None:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved and not address.is_unspecified


def _unwrapped(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def fetch(
    target: Target,
    *,
    method: str = "GET",
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    credentials: tuple[str, str] | None = None,
    most_bytes: int = MOST_BYTES,
) -> Fetched:
    """Ask for what stands at an address; 200, 207 and 304 are answers.

    Raises:
        FetchFailed
    """
    sent = {"User-Agent": "Soosh calendar reader", "Accept-Encoding": "gzip"} | dict(headers or {})
    if credentials is not None:
        sent["Authorization"] = "Basic " + base64.b64encode(":".join(credentials).encode()).decode()
    pool = _Pool(target.host, target.port, maxsize=1, block=True, retries=False, ssl_context=_context())
    try:
        with pool:
            return _ask(pool, target, method=method, body=body, headers=sent, most_bytes=most_bytes)
    except FetchFailed:
        raise
    except ssl.SSLError as error:
        raise FetchFailed("bad_certificate") from error
    except (HTTPError, OSError, ValueError) as error:
        raise _told(error) from error


def _ask(pool: _Pool, target: Target, *, method: str, body: bytes | None, headers: Mapping[str, str], most_bytes: int) -> Fetched:
    # The other side may send a byte every few seconds for ever; then the socket is shut from here.
    watch = threading.Timer(_DEADLINE_SECONDS, pool.shut)
    watch.daemon = True
    watch.start()
    answer = None
    try:
        answer = pool.urlopen(
            method,
            target.path,
            body=body,
            headers=headers,
            redirect=False,
            preload_content=False,
            decode_content=True,
            timeout=urllib3.Timeout(connect=_CONNECT_SECONDS, read=_DEADLINE_SECONDS),
        )
        _require_answer(answer.status)
        content = bytearray()
        while chunk := answer.read1(_CHUNK, decode_content=True):
            content += chunk
            if len(content) > most_bytes:
                raise FetchFailed("too_large")
        if pool.was_shut:
            # What was cut off looks like an answer that is over.
            raise FetchFailed("too_slow")
        return Fetched(answer.status, bytes(content), {name.lower(): value for name, value in answer.headers.items()})
    except (HTTPError, OSError, ValueError) as error:
        if pool.was_shut:
            raise FetchFailed("too_slow") from error
        raise
    finally:
        watch.cancel()
        if answer is not None:
            answer.close()
        pool.hang_up()


def _require_answer(status: int) -> None:
    if status in (200, 207, 304):
        return
    codes = {401: "unauthorised", 403: "unauthorised", 404: "gone", 410: "gone"}
    code = codes.get(status) or ("redirected" if 300 <= status < 400 else "refused" if status < 500 else "failing")
    raise FetchFailed(code)


def _told(error: BaseException) -> FetchFailed:
    """What a failure of the network comes down to."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, FetchFailed):
            return seen
        if isinstance(seen, ssl.SSLError):
            return FetchFailed("bad_certificate")
        if isinstance(seen, TimeoutError | urllib3.exceptions.TimeoutError):
            return FetchFailed("too_slow")
        seen = seen.__cause__ or seen.__context__
    return FetchFailed("unreachable")


def _context() -> ssl.SSLContext:
    return ssl.create_default_context()


class _Connection(HTTPSConnection):
    """Connects to an address that was looked at, and to none other. Certificate and name are checked as ever."""

    def _new_conn(self) -> socket.socket:
        return checked_socket(self._dns_host, self.port or 443)


class _Pool(urllib3.HTTPSConnectionPool):
    ConnectionCls: Any = _Connection
    _open: Any = None
    was_shut = False

    def _new_conn(self) -> Any:
        self._open = super()._new_conn()
        return self._open

    def shut(self) -> None:
        """Break off whatever is going on."""
        self.was_shut = True
        if self._open is not None and self._open.sock is not None:
            try:
                self._open.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                return

    def hang_up(self) -> None:
        """Close the connection, wherever the exchange stopped."""
        if self._open is not None:
            self._open.close()


def checked_socket(host: str, port: int) -> socket.socket:
    """A connection to a public address of this host.

    Raises:
        FetchFailed: unknown_host; private_address where it has no other; unreachable.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise FetchFailed("unknown_host") from error
    public = [entry for entry in found if is_public(ipaddress.ip_address(str(entry[4][0]).partition("%")[0]))]
    if not public:
        raise FetchFailed("private_address")
    for family, kind, protocol, _, address in public:
        connection = socket.socket(family, kind, protocol)
        connection.settimeout(_CONNECT_SECONDS)
        try:
            connection.connect(address)
        except OSError:
            connection.close()
        else:
            connection.settimeout(_DEADLINE_SECONDS)
            return connection
    raise FetchFailed("unreachable")
