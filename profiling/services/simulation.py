"""People who do not exist, with known facts, who answer an interview: to measure what it asks and what it understands."""

from __future__ import annotations

import dataclasses
import json
import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from profiling.enums import QuestionKind, Slot
from profiling.services.interview import Question
from profiling.services.questions import NONE_OF_THESE

PEOPLE = Path(__file__).parent.parent / "review" / "people.jsonl"
_MOST_TERSE_FACTS = 2
_UNASKED_FACTS = 2


@dataclasses.dataclass(frozen=True)
class Fact:
    """Something true about a person: what they say of it, at length and tersely, and the labels or key words that show it
    understood.

    A fact with `is_false` is said first and taken back with `denial`; nothing of it may be left.
    """

    slot: Slot
    sentence: str
    terse: str
    labels: tuple[str, ...]
    denial: str = ""

    @property
    def is_false(self) -> bool:
        return bool(self.denial)

    def is_shown_by(self, label: str, quote: str) -> bool:
        """Whether a claim of the fact's kind says this."""
        if self.slot in (Slot.EXPERIENCE, Slot.GOALS):
            return any(key.lower() in quote.lower() for key in self.labels)
        return label.lower() in {known.lower() for known in (*self.labels, self.terse)}


@dataclasses.dataclass(frozen=True)
class Person:
    """`style` is plain, terse, chatty, contradictory or off_topic."""

    id: str
    style: str
    facts: tuple[Fact, ...]
    fillers: tuple[str, ...] = ()
    off_topics: tuple[str, ...] = ()

    def true_facts(self) -> list[Fact]:
        return [fact for fact in self.facts if not fact.is_false]


def read_people(path: Path = PEOPLE) -> list[Person]:
    """The frozen people of the repository, or of another file of the same form."""
    return [_person(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def _person(row: dict[str, Any]) -> Person:
    facts = [
        Fact(Slot(fact["slot"]), fact["sentence"], fact["terse"], tuple(fact["labels"]), fact.get("denial", "")) for fact in row["facts"]
    ]
    return Person(row["id"], row["style"], tuple(facts), tuple(row.get("fillers", ())), tuple(row.get("off_topics", ())))


class Conversation:
    """One person in one interview: remembers what was told already."""

    def __init__(self, person: Person) -> None:
        self._person = person
        self._told: set[Fact] = set()
        self._dodged: set[str] = set()
        self._chance = random.Random(person.id)

    def answer(self, question: Question) -> str:
        """What this person says to a question."""
        if question.kind == QuestionKind.CONFIRM:
            return self._confirm(question)
        if self._person.style == "off_topic" and question.slot not in self._dodged:
            self._dodged.add(question.slot)
            return self._chance.choice(self._person.off_topics)
        facts = [fact for fact in self._person.facts if fact.slot == question.slot]
        if not facts:
            return "No, nothing."
        left = [fact for fact in facts if fact not in self._told] or facts
        return self._tell(left)

    def _confirm(self, question: Question) -> str:
        """Everybody knows of themselves what is true, whatever else they are like."""
        own = [fact for fact in self._person.true_facts() if fact.slot == question.slot]
        right = [option for option in question.options if any(fact.is_shown_by(option, option) for fact in own)]
        return "; ".join(right) or NONE_OF_THESE

    def _tell(self, facts: Sequence[Fact]) -> str:
        if self._person.style == "terse":
            told = facts[:_MOST_TERSE_FACTS]
            self._told.update(told)
            return ", ".join(fact.terse for fact in told)
        sentences = list(self._sentences(facts))
        if self._person.style == "chatty":
            others = [fact for fact in self._person.facts if fact not in self._told and fact not in facts]
            unasked = self._chance.sample(others, min(_UNASKED_FACTS, len(others)))
            sentences = [self._chance.choice(self._person.fillers), *sentences, *self._sentences(unasked)]
            self._told.update(unasked)
        self._told.update(facts)
        return " ".join(sentences)

    def _sentences(self, facts: Iterable[Fact]) -> Iterable[str]:
        for fact in facts:
            yield f"{fact.sentence}."
            if fact.denial:
                yield f"{fact.denial}."
