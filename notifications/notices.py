"""What people can be told. Each app declares its topics and kinds in its own `notices.py`; here is the register, and what everybody gets.

The words of a kind stand beside it, in `<app>/templates/<app>/notices/<slug>.<language>.txt` and `<slug>.<language>.plain.txt`: the title
in the first line, paragraphs after empty lines, and in the last paragraph, after ">", what the link is called.
"""

from __future__ import annotations

import dataclasses
import datetime
import re
import uuid
from collections.abc import Mapping
from typing import Any

from notifications.enums import Channel, Urgency

LANGUAGES = ("en", "de")
MOST_CHARACTERS = 1_000
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u2028\u2029]+")


class UndeclaredData(ValueError):
    """A notice carries other data than its kind declares."""


@dataclasses.dataclass(frozen=True)
class Topic:
    """What a person chooses channels for; label and description in each language."""

    name: str
    labels: Mapping[str, str]
    descriptions: Mapping[str, str]

    @property
    def label(self) -> str:
        return self.labels[LANGUAGES[0]]

    @property
    def description(self) -> str:
        return self.descriptions[LANGUAGES[0]]


@dataclasses.dataclass(frozen=True)
class Kind:
    """One kind of notice. `data` gives the type of each value that it carries (str, int, bool, uuid.UUID, datetime); `path` leads to its
    screen, with values of the data in braces; `channels` are those of people who chose nothing, `fixed` those that nobody can turn off;
    after `lasts` it is not worth sending; `examples` is what the preview shows."""

    name: str
    topic: Topic
    data: Mapping[str, type]
    path: str
    examples: Mapping[str, Any]
    urgency: Urgency = Urgency.NORMAL
    channels: frozenset[Channel] = frozenset({Channel.PUSH, Channel.EMAIL})
    fixed: frozenset[Channel] = frozenset()
    lasts: datetime.timedelta | None = None

    @property
    def app(self) -> str:
        return self.name.partition(".")[0]

    @property
    def slug(self) -> str:
        return self.name.partition(".")[2].replace("-", "_")

    def templates(self, language: str, *, is_plain: bool) -> list[str]:
        """Of the words in this language, the best first."""
        base = f"{self.app}/notices/{self.slug}.{language}"
        return [f"{base}.plain.txt", f"{base}.txt"] if is_plain else [f"{base}.txt"]

    def checked(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """The data as it is stored.

        Raises:
            UndeclaredData: it has other members, or of other types, than declared.
        """
        if set(data) != set(self.data):
            raise UndeclaredData(f"{self.name} carries {sorted(self.data)}, not {sorted(data)}.")
        wrong = [name for name, value in data.items() if type(value) is not self.data[name]]
        if wrong:
            raise UndeclaredData(f"{self.name}: {wrong} are of another type than declared.")
        return {name: _stored(value) for name, value in data.items()}


def _stored(value: Any) -> Any:
    if isinstance(value, str):
        return _CONTROL.sub(" ", value)[:MOST_CHARACTERS]
    return str(value) if isinstance(value, uuid.UUID) else value.isoformat() if isinstance(value, datetime.datetime) else value


_kinds: dict[str, Kind] = {}


def declare(kind: Kind) -> Kind:
    """Add a kind to the register."""
    _kinds[kind.name] = kind
    return kind


def kinds() -> list[Kind]:
    return sorted(_kinds.values(), key=lambda kind: kind.name)


def kind_named(name: str) -> Kind | None:
    return _kinds.get(name)


def topics() -> list[Topic]:
    """Of all kinds, by name."""
    return sorted({kind.topic.name: kind.topic for kind in _kinds.values()}.values(), key=lambda topic: topic.name)


def kinds_of(topic: str) -> list[Kind]:
    return [kind for kind in kinds() if kind.topic.name == topic]


ACCOUNT = Topic(
    "account",
    {"en": "Your account", "de": "Dein Konto"},
    {"en": "What concerns the safety of your account.", "de": "Was die Sicherheit deines Kontos betrifft."},
)
DESK = Topic(
    "desk",
    {"en": "The staff's desk", "de": "Der Schreibtisch des Teams"},
    {"en": "What needs one of the staff.", "de": "Was jemanden vom Team braucht."},
)
NEWS = Topic(
    "news",
    {"en": "News of Soosh", "de": "Neues von Soosh"},
    {
        "en": "What is new for everybody. By mail only if you allowed news and offers.",
        "de": "Was es für alle Neues gibt. Per E-Mail nur, wenn du Neuigkeiten und Angebote erlaubt hast.",
    },
)

# The mail about it is sent by `accounts`, to the address that counts for it.
SAFETY_CHANGED = declare(
    Kind(
        name="notifications.safety-changed",
        topic=ACCOUNT,
        data={"device": str},
        path="/account/security",
        examples={"device": "Firefox on Linux"},
        urgency=Urgency.BINDING,
        channels=frozenset({Channel.PUSH}),
        fixed=frozenset({Channel.PUSH}),
    )
)
ANNOUNCED = declare(
    Kind(
        name="notifications.announced",
        topic=NEWS,
        data={"title": str, "text": str},
        path="/news",
        examples={"title": "Soosh speaks German now", "text": "You can choose the language in your settings."},
        urgency=Urgency.BULK,
        channels=frozenset({Channel.EMAIL}),
    )
)
