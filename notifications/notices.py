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

from django.utils.dateparse import parse_datetime

from notifications.enums import Channel, Urgency

LANGUAGES = ("en", "de")
MOST_CHARACTERS = 1_000
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u2028\u2029]+")


class UndeclaredData(ValueError):
    """A notice carries other data than its kind declares."""


class BadKind(TypeError):
    """A kind contradicts itself; raised where it is declared."""


@dataclasses.dataclass(frozen=True)
class Usefulness:
    """Until when a notice can be acted on. It is never held for a digest or quiet hours so long that it would come too late to act.

    Use `ALWAYS`, `until` or `within`. `field` is an instant in the notice's data, such as the answer-by time, plus as many minutes as the
    data's `minutes_field` says; `lasts` counts from the notice. A question is dropped after its deadline; an outcome (`is_outcome`) is
    still sent, because nothing else says how the matter ended.
    """

    field: str = ""
    minutes_field: str = ""
    lasts: datetime.timedelta | None = None
    is_outcome: bool = False

    def deadline(self, data: Mapping[str, Any], created_at: datetime.datetime) -> datetime.datetime | None:
        """The last useful instant of a notice with this data, as given or as stored; None for what is always useful."""
        if self.lasts is not None:
            return created_at + self.lasts
        value = data.get(self.field) if self.field else None
        instant = parse_datetime(value) if isinstance(value, str) else value
        if instant is None:
            return None
        return instant + datetime.timedelta(minutes=int(data.get(self.minutes_field) or 0) if self.minutes_field else 0)


ALWAYS = Usefulness()


def until(field: str, *, plus_minutes: str = "", is_outcome: bool = False) -> Usefulness:
    """Useful until an instant in the data, plus the minutes that another field of the data gives."""
    return Usefulness(field=field, minutes_field=plus_minutes, is_outcome=is_outcome)


def within(lasts: datetime.timedelta, *, is_outcome: bool = False) -> Usefulness:
    """Useful for some time after the notice."""
    return Usefulness(lasts=lasts, is_outcome=is_outcome)


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
    `examples` is what the preview shows. `useful` says until when it can be acted on. With `carries_calendar` a notice may change the
    person's calendar: its e-mail is sent alone and at once, and cannot be turned off (docs/decisions/0026).

    Raises:
        BadKind: the facts contradict each other.
    """

    name: str
    topic: Topic
    data: Mapping[str, type]
    path: str
    examples: Mapping[str, Any]
    carries_calendar: bool
    useful: Usefulness
    urgency: Urgency = Urgency.NORMAL
    channels: frozenset[Channel] = frozenset({Channel.PUSH, Channel.EMAIL})
    fixed: frozenset[Channel] = frozenset()

    def __post_init__(self) -> None:
        if self.useful.field and self.data.get(self.useful.field) is not datetime.datetime:
            raise BadKind(f"{self.name} is useful until {self.useful.field}, which is no instant in its data.")
        if self.useful.minutes_field and self.data.get(self.useful.minutes_field) is not int:
            raise BadKind(f"{self.name} counts {self.useful.minutes_field}, which is no number in its data.")
        if self.carries_calendar and Channel.EMAIL not in self.fixed:
            raise BadKind(f"{self.name} carries a calendar part, so its e-mail must be fixed.")

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
        carries_calendar=False,
        useful=ALWAYS,
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
        carries_calendar=False,
        useful=ALWAYS,
        urgency=Urgency.BULK,
        channels=frozenset({Channel.EMAIL}),
    )
)
