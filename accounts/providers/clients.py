"""Who is calling: the address behind trusted proxies, and a name for the device that a person recognises."""

from __future__ import annotations

import re

from allauth.account.adapter import get_adapter
from django.http import HttpRequest

_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Darwin", "Apple"),
    ("Linux", "Linux"),
)


def address_of(request: HttpRequest) -> str:
    """The client's address. Forwarded headers count only as far as `TRUSTED_PROXY_COUNT` says."""
    address: str = get_adapter().get_client_ip(request)
    return address


def device_name(user_agent: str) -> str:
    """Such as "Firefox on Windows"; the first word of an unknown agent."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    if browser and system:
        return f"{browser} on {system}"
    return browser or system or (re.split(r"[/\s]", user_agent, maxsplit=1)[0][:60] or "Unknown device")
