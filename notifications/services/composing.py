"""From a notification to words: in the person's language, in plain words for those who chose them, by the clock on their wall."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import quote
from zoneinfo import ZoneInfo

import structlog
from django.conf import settings
from django.template import Context
from django.template.loader import render_to_string, select_template
from django.utils import timezone, translation
from django.utils.dateparse import parse_datetime

from accounts.models import User
from core.plain_text import one_line
from notifications.models import Notification
from notifications.notices import LANGUAGES, Kind, kind_named
from notifications.providers.base import Outcome, Result

logger = structlog.get_logger(__name__)
Made = TypeVar("Made")


@dataclasses.dataclass(frozen=True)
class Words:
    """What a person reads. `url` is absolute; paragraphs are plain text."""

    title: str
    paragraphs: Sequence[str]
    link: str
    path: str

    @property
    def url(self) -> str:
        return f"{settings.SITE_URL}{self.path}"

    @property
    def text(self) -> str:
        return "\n\n".join(self.paragraphs)


@dataclasses.dataclass(frozen=True)
class Frame:
    """The words around those of the kinds."""

    hello: str
    why: str
    stop: str
    settings: str
    digest: str
    digest_hello: str
    more: str
    private: str
    code: str


FRAMES: Mapping[tuple[str, bool], Frame] = {
    ("en", False): Frame(
        hello="Hello {name},",
        why="You get this because you asked to hear about: {topic}.",
        stop="Stop e-mails about this",
        settings="Choose what you are told, and when",
        digest="{count} new things on Soosh",
        digest_hello="this is what has gathered for you:",
        more="And {count} more in the app.",
        private="Open Soosh to read it.",
        code="Your code for Soosh is {code}. It works for ten minutes. Nobody from Soosh will ask you for it.",
    ),
    ("en", True): Frame(
        hello="Hello {name},",
        why="Why do you get this? You said you want to know about: {topic}.",
        stop="I do not want e-mails about this",
        settings="Choose what we tell you",
        digest="{count} new things on Soosh",
        digest_hello="these things are new:",
        more="There are {count} more in the app.",
        private="Open Soosh to read it.",
        code="Your code is {code}. Type it in the Soosh app. Do not tell it to anybody.",
    ),
    ("de", False): Frame(
        hello="Hallo {name},",
        why="Du bekommst das, weil du davon hören wolltest: {topic}.",
        stop="Keine E-Mails mehr dazu",
        settings="Wählen, was du wann erfährst",
        digest="{count} Neuigkeiten bei Soosh",
        digest_hello="das hat sich für dich gesammelt:",
        more="Und {count} weitere in der App.",
        private="Öffne Soosh, um es zu lesen.",
        code="Dein Code für Soosh ist {code}. Er gilt zehn Minuten. Niemand von Soosh wird dich danach fragen.",
    ),
    ("de", True): Frame(
        hello="Hallo {name},",
        why="Warum bekommst du das? Du wolltest davon wissen: {topic}.",
        stop="Ich will dazu keine E-Mails",
        settings="Aussuchen, was wir dir sagen",
        digest="{count} neue Sachen bei Soosh",
        digest_hello="das ist neu:",
        more="In der App sind noch {count} mehr.",
        private="Öffne Soosh, um es zu lesen.",
        code="Dein Code ist {code}. Gib ihn in der Soosh-App ein. Sag ihn niemandem.",
    ),
}


def language_of(person: User) -> str:
    """The one of our languages that is closest to the person's."""
    base = person.locale.partition("-")[0].lower()
    return base if base in LANGUAGES else LANGUAGES[0]


def frame_for(person: User) -> Frame:
    return FRAMES[language_of(person), person.plain_language]


def words_for(notification: Notification) -> Words | None:
    """What its person reads; None where no app declares the kind any more. Asks nothing of the database where `user` and `about` are
    loaded."""
    kind = kind_named(notification.kind)
    if kind is None:
        return None
    other = notification.about.full_name if notification.about else ""
    person = notification.user
    return words_of(kind, _read(kind, notification.data), person=person, other=other, count=notification.count)


def words_of(kind: Kind, data: Mapping[str, Any], *, person: User, other: str = "", count: int = 1) -> Words:
    """The words of a kind for a person. Templates see the data, `other`, who is named in it, and `count`. The title becomes
    subjects, titles of pushes and text messages, so it holds no link of anybody's."""
    language = language_of(person)
    template: Any = select_template(kind.templates(language, is_plain=person.plain_language))
    with translation.override(language), timezone.override(ZoneInfo(person.time_zone)):
        # Plain text; what becomes a page is escaped there.
        text = template.template.render(Context({**data, "other": other, "count": count}, autoescape=False))
    title, *rest = [" ".join(part.split()) for part in text.strip().split("\n\n")]
    title = one_line(title)
    link = rest.pop().lstrip("> ") if rest and rest[-1].startswith(">") else ""
    path = kind.path.format(**{name: quote(str(value), safe="") for name, value in data.items()})
    return Words(title, [part for part in rest if part], link, path)


def _read(kind: Kind, data: Mapping[str, Any]) -> dict[str, Any]:
    """Stored data as the types that its kind declares, with what a later version of the kind added left empty."""
    found = {name: data.get(name, "") for name in kind.data}
    return {name: parse_datetime(value) if kind.data[name] is datetime.datetime else value for name, value in found.items()}


def composed(compose: Callable[..., Made], *arguments: Any) -> Made | Outcome:
    """What `compose` makes of these, or, where its words are broken, an outcome that is tried again after they were mended: one bad
    notice must not hold up those beside it."""
    try:
        return compose(*arguments)
    except Exception as error:
        logger.exception("words could not be made")
        return Outcome(Result.BUSY, error=f"words could not be made: {type(error).__name__}")


def html_of(template: str, context: Mapping[str, Any], *, language: str) -> str:
    with translation.override(language):
        return render_to_string(f"notifications/{template}.html", {**context, "language": language, "site": settings.SITE_URL})
