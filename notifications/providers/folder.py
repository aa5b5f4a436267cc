"""The embedded providers: what would be sent lands in files of `$SOOSH_HOME`, one per message. A file is named by the key of its message,
so that a second attempt writes the same file again and not another one."""

from __future__ import annotations

import datetime
import json
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from core.models import new_id
from notifications.providers.base import Outcome, Push, Receipt, Result, TextMessage

KEY_HEADER = "X-Soosh-Key"


def write(folder: Path, name: str, content: bytes) -> None:
    """Whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder.parent / f".{name}.{uuid.uuid4().hex}"
    draft.write_bytes(content)
    draft.replace(folder / name)


class EmailBackend(BaseEmailBackend):
    """Django's mail as `.eml` files that any mail program opens."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        for message in email_messages:
            key = uuid.UUID(message.extra_headers.get(KEY_HEADER) or str(new_id()))
            write(Path(settings.EMAIL_FILE_PATH), f"{_instant_of(key):%Y%m%d-%H%M%S-%f}-{key}.eml", message.message().as_bytes())
        return len(email_messages)


def _instant_of(key: uuid.UUID) -> datetime.datetime:
    """When it was made, which a UUIDv7 begins with, so that the files lie in the order of their messages."""
    return datetime.datetime.fromtimestamp((key.int >> 80) / 1000, tz=datetime.UTC)


def send_pushes(pushes: Sequence[Push]) -> list[Outcome]:
    """Pushes as JSON files, one per phone and tag."""
    outcomes = []
    for push in pushes:
        name = uuid.uuid5(uuid.NAMESPACE_URL, f"{push.token} {push.tag}").hex
        shown: dict[str, Any] = {"to": push.token, "title": push.title, "body": push.body, "badge": push.badge, "data": dict(push.data)}
        write(settings.EMBEDDED_HOME.root / "push", f"{name}.json", json.dumps(shown, indent=2, ensure_ascii=False).encode())
        outcomes.append(Outcome(Result.ACCEPTED, name))
    return outcomes


def receipts(tickets: Sequence[str]) -> list[Receipt]:
    """What is in the folder has arrived."""
    return [Receipt(ticket) for ticket in tickets]


def send_text(message: TextMessage) -> Outcome:
    """A text message as a file."""
    content = f"To: {message.to}\n\n{message.text}\n"
    write(settings.EMBEDDED_HOME.root / "sms", f"{message.key}.txt", content.encode())
    return Outcome(Result.ACCEPTED, str(message.key))
