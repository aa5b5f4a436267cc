"""Typed environment variables. Malformed ones are collected, so that one start names them all."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

Value = TypeVar("Value")
_TRUE, _FALSE = ("on", "true", "yes", "1"), ("off", "false", "no", "0")
HTTP = ("http", "https")
WHERE = "See .env.example."


class Environment:
    """The variables of this process and of the `.env` file. An empty variable is an unset one."""

    def __init__(self, file: Path) -> None:
        if file.exists():
            environ.Env.read_env(file)
        self.faults: list[str] = []

    def _read(self, name: str, default: Value, convert: Callable[[str], Value], form: str) -> Value:
        text = os.environ.get(name, "").strip()
        if not text:
            return default
        try:
            return convert(text)
        except (ValueError, KeyError, TypeError, ImproperlyConfigured):
            # Leave out the value: it may be a secret in the wrong variable.
            self.faults.append(f"{name} must be {form}.")
            return default

    def text(self, name: str, default: str = "") -> str:
        return self._read(name, default, str, "text")

    def possibly_empty(self, name: str, default: str) -> str:
        """A text that an empty variable clears; only an unset one gives the default."""
        return os.environ.get(name, default).strip()

    def lines(self, name: str) -> str:
        """A text whose line ends may be written as `\\n`."""
        return self.text(name).replace("\\n", "\n")

    def items(self, name: str, default: Sequence[str] = ()) -> list[str]:
        return self._read(
            name, list(default), lambda text: [part.strip() for part in text.split(",") if part.strip()], "a list separated by commas"
        )

    def flag(self, name: str, default: bool) -> bool:
        def convert(text: str) -> bool:
            if text.lower() not in _TRUE + _FALSE:
                raise ValueError
            return text.lower() in _TRUE

        return self._read(name, default, convert, "on or off")

    def number(self, name: str, default: int, *, least: int = 0, most: int = 10**12) -> int:
        def convert(text: str) -> int:
            if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
                raise ValueError
            return int(text)

        return self._read(name, default, convert, f"a whole number from {least} to {most}")

    def seconds(self, name: str, default: float) -> float:
        def convert(text: str) -> float:
            value = float(text)
            if not 0 < value <= 3_600:
                raise ValueError
            return value

        return self._read(name, default, convert, "a number of seconds, more than 0 and at most 3600")

    def choice(self, name: str, default: str, choices: Sequence[str]) -> str:
        def convert(text: str) -> str:
            if text not in choices:
                raise ValueError
            return text

        names = " or ".join(repr(choice) for choice in choices)
        return self._read(name, default, convert, names)

    def url(self, name: str, default: str, schemes: Sequence[str]) -> str:
        """An address with one of these schemes. Sockets have no host, but a path."""

        def convert(text: str) -> str:
            parts = urlsplit(text)
            _ = parts.port
            if parts.scheme not in schemes or not (parts.hostname or parts.path.strip("/")):
                raise ValueError
            return text

        return self._read(name, default, convert, f"an address that begins with {' or '.join(f'{scheme}://' for scheme in schemes)}")

    def origin(self, name: str, default: str) -> str:
        """A scheme and a host, such as `https://soosh.example`, without a slash at the end."""

        def convert(text: str) -> str:
            parts = urlsplit(text.rstrip("/"))
            _ = parts.port
            if parts.scheme not in HTTP or not parts.hostname or parts.path or parts.query or parts.fragment or parts.username:
                raise ValueError
            return text.rstrip("/")

        return self._read(name, default, convert, "a scheme and a host, such as https://soosh.example, without a path")

    def email(self, name: str) -> dict[str, Any]:
        """Django's mail settings of an address such as `smtp+tls://user:password@host:587`; empty if there is none."""
        return self._read(name, {}, environ.Env.email_url_config, "a mail server, such as smtp+tls://user:password@smtp.example:587")

    def refuse_if(self, is_wrong: object, message: str) -> None:
        """Add a fault that several variables make together."""
        if is_wrong:
            self.faults.append(message)

    def refuse_faults(self) -> None:
        """Stop the start if there are faults.

        Raises:
            ImproperlyConfigured: names every fault so far.
        """
        if self.faults:
            raise ImproperlyConfigured("\n".join(["The environment is not valid:", *(f"  - {fault}" for fault in self.faults), WHERE]))
