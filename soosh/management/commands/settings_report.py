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


def _shown(name: str, value: Any) -> str:
    if _SECRET.search(name) and isinstance(value, str):
        return "(not set)" if not value else "********"
    if name == "DATABASES":
        return str(
            {
                alias: {key: "********" if key == "PASSWORD" and part else part for key, part in options.items()}
                for alias, options in value.items()
            }
        )
    return _PASSWORD_IN_URL.sub(r"\1:********@", str(value))
