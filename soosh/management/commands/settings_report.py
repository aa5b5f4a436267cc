from __future__ import annotations

import re
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

_SECRET = re.compile(r"SECRET|KEY|PASSWORD|TOKEN")
_PASSWORD_IN_URL = re.compile(r"(?<=://)([^:/@]*):[^@]*@")


class Command(BaseCommand):
    help = "List every setting of Soosh that is in force, with its type. Secrets are masked."
    requires_system_checks: list[str] = []  # noqa: RUF012  (Django's own declaration style)

    def handle(self, *args: Any, **options: Any) -> None:
        names = sorted(name for name in dir(settings._wrapped) if name.isupper() and settings.is_overridden(name))
        for name in names:
            value = getattr(settings, name)
            self.stdout.write(f"{name} ({type(value).__name__}) = {_shown(name, value)}")


def _shown(name: str, value: Any) -> Any:
    """The value without secrets, however deep they stand."""
    if isinstance(value, dict):
        return {key: _shown(str(key), part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_shown(name, part) for part in value]
    if not isinstance(value, str):
        return value
    if _SECRET.search(name.upper()):
        return "********" if value else "(not set)"
    return _PASSWORD_IN_URL.sub(r"\1:********@", value)
