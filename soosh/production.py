"""Settings that production needs: one list for the refusal to start, `check --deploy` and `doctor --production`."""

from __future__ import annotations

import dataclasses
import ipaddress
import itertools
import math
import socket
from collections import Counter
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

DEVELOPMENT_KEY = "development-only-key-" + "0" * 43
# With these nobody receives an e-mail.
UNDELIVERED_MAIL = frozenset(
    {
        "notifications.providers.folder.EmailBackend",
        *(f"django.core.mail.backends.{name}.EmailBackend" for name in ("console", "dummy", "locmem")),
    }
)
_LOCAL_NAMES = ("", "localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback")
_LEAST_KEY_LENGTH = 50
# A key of 50 random letters and digits has about 250 bits by this measure, one of 64 hexadecimal digits 240.
_LEAST_KEY_BITS = 190
_LEAST_DISTINCT_TRIPLES = 0.8
_MOST_NEIGHBOURS = 0.4
# Words of examples and defaults, and rows of keyboards; random keys do not contain them.
_FOUND_IN_WEAK_KEYS = (
    "secret",
    "password",
    "passwort",
    "changeme",
    "change-me",
    "example",
    "random",
    "insecure",
    "development",
    "qwerty",
    "soosh",
)


@dataclasses.dataclass(frozen=True)
class Fault:
    """A variable that is unsafe for production, and the remedy."""

    variable: str
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.variable}: {self.message} {self.remedy}"


@dataclasses.dataclass(frozen=True)
class Safety:
    """The settings that decide whether production is safe."""

    secret_key: str = dataclasses.field(repr=False)
    allowed_hosts: Sequence[str]
    site_url: str
    is_mail_chosen: bool
    throttle: bool


def production_faults(safety: Safety) -> list[Fault]:
    """Every fault of these settings, in the order of `.env.example`."""
    return [*_site(safety), *_key(safety.secret_key), *_hosts(safety.allowed_hosts), *_throttle(safety), *_mail(safety)]


def _site(safety: Safety) -> Iterator[Fault]:
    remedy = "Set it to the address that people use, such as https://soosh.example."
    parts = urlsplit(safety.site_url)
    if parts.scheme != "https":
        yield Fault("SITE_URL", "Links in e-mails would not begin with https.", remedy)
    if _is_of_this_machine(parts.hostname or ""):
        yield Fault("SITE_URL", "Links in e-mails would lead to the reader's own machine.", remedy)


def _is_of_this_machine(host: str) -> bool:
    name = host.rstrip(".")
    address = _address_in(name)
    if address is None:
        return name in _LOCAL_NAMES or name.endswith(".localhost")
    return address.is_loopback or address.is_unspecified


def _address_in(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that a host name is, in every form that browsers know: 127.1 and 2130706433 are 127.0.0.1."""
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        try:
            return ipaddress.IPv4Address(socket.inet_aton(name))
        except OSError:
            return None
    return getattr(address, "ipv4_mapped", None) or address


def _key(key: str) -> Iterator[Fault]:
    remedy = 'Set it to the output of: python -c "import secrets; print(secrets.token_urlsafe(60))"'
    if not key or key == DEVELOPMENT_KEY:
        yield Fault("SECRET_KEY", "It is not set, and the development key is public.", remedy)
    elif is_weak_key(key):
        yield Fault("SECRET_KEY", f"It is weak: it needs {_LEAST_KEY_LENGTH} random characters.", remedy)


def is_weak_key(key: str) -> bool:
    """Whether a key could be guessed: too short, few characters, repetition, alphabetical order, or words of examples."""
    if len(key) < _LEAST_KEY_LENGTH:
        return True
    counts = Counter(key)
    bits = -sum(count * math.log2(count / len(key)) for count in counts.values())
    triples = {key[start : start + 3] for start in range(len(key) - 2)}
    neighbours = sum(abs(ord(one) - ord(other)) <= 1 for one, other in itertools.pairwise(key))
    return (
        bits < _LEAST_KEY_BITS
        or len(triples) < _LEAST_DISTINCT_TRIPLES * (len(key) - 2)
        or neighbours > _MOST_NEIGHBOURS * len(key)
        or any(word in key.lower() for word in _FOUND_IN_WEAK_KEYS)
    )


def _hosts(hosts: Sequence[str]) -> Iterator[Fault]:
    remedy = "Name each host that Soosh serves, such as soosh.example."
    if not hosts:
        yield Fault("ALLOWED_HOSTS", "It is not set: no request would be answered.", remedy)
    if "*" in hosts:
        yield Fault("ALLOWED_HOSTS", "A wildcard is refused: links could be made to lead anywhere.", remedy)


def _throttle(safety: Safety) -> Iterator[Fault]:
    if not safety.throttle:
        yield Fault("THROTTLE", "It is off, which is for load tests.", "Leave it out.")


def _mail(safety: Safety) -> Iterator[Fault]:
    if not safety.is_mail_chosen:
        remedy = "Set EMAIL_URL or SENDGRID_API_KEY; EMAIL_URL=filemail:///path if files are what you want."
        yield Fault("EMAIL_URL", "E-mails would not leave this machine, so nobody could confirm an address.", remedy)
