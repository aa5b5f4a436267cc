"""Every notice as people get it: in each language, plain and not, on each channel. For staff, and for the tests of all templates."""

from __future__ import annotations

import dataclasses
import uuid

from django.utils import timezone

from accounts.models import User
from notifications.models import Notification
from notifications.notices import LANGUAGES, Kind, kind_named, kinds
from notifications.services.composing import Words, words_for
from notifications.services.letters import letter_for
from notifications.services.texts import segments_of, text_for

VARIANTS = tuple(f"{language}{plain}" for language in LANGUAGES for plain in ("", "-plain"))


@dataclasses.dataclass(frozen=True)
class Preview:
    """One variant of one kind. `segments` is what its SMS costs."""

    variant: str
    words: Words
    text_message: str
    segments: int


def all_previews() -> list[tuple[Kind, list[Preview]]]:
    """Of every kind, by name."""
    return [(kind, [_preview(kind, variant) for variant in VARIANTS]) for kind in kinds()]


def letter_html(kind_name: str, variant: str) -> str | None:
    """The page of an e-mail; None where there is no such kind or variant."""
    kind = kind_named(kind_name)
    return letter_for(uuid.UUID(int=0), [example(kind, variant)]).html if kind and variant in VARIANTS else None


def example(kind: Kind, variant: str) -> Notification:
    """A notification of nobody, with the kind's own examples; it is not stored."""
    language, _, plain = variant.partition("-")
    person = User(full_name="Ada Example", email="ada@example.org", locale=language, plain_language=bool(plain))
    other = User(full_name="Grace Example", email="grace@example.org")
    data = kind.checked(kind.examples)
    fields = {"kind": kind.name, "topic": kind.topic.name, "urgency": kind.urgency, "data": data, "created_at": timezone.now()}
    return Notification(user=person, about=other, **fields)


def _preview(kind: Kind, variant: str) -> Preview:
    notification = example(kind, variant)
    words = words_for(notification)
    text = text_for([notification])
    return Preview(variant, words, text, segments_of(text))  # type: ignore[arg-type]  # the kind is declared
