"""Lets the simulated people through the interview and scores what was asked and what was understood."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Callable, Iterable, Sequence

from django.db import transaction

from accounts.models import User
from profiling.enums import Slot
from profiling.models import Claim, Interview
from profiling.services.interview import Position, start_interview, submit_answer
from profiling.services.questions import PLANS, SLOT_OF_KIND, SLOTS
from profiling.services.simulation import Conversation, Person

# What is known after each question: (kind, label, quote) of each claim that counts.
Held = frozenset[tuple[str, str, str]]
Ask = Callable[[Position], Position]


@dataclasses.dataclass(frozen=True)
class Score:
    """Precision is the share of claims that are true, recall the share of facts that were understood, F1 their harmonic mean."""

    right: int = 0
    claims: int = 0
    found: int = 0
    facts: int = 0

    def __add__(self, other: Score) -> Score:
        return Score(self.right + other.right, self.claims + other.claims, self.found + other.found, self.facts + other.facts)

    @property
    def precision(self) -> float:
        return self.right / self.claims if self.claims else 1.0

    @property
    def recall(self) -> float:
        return self.found / self.facts if self.facts else 1.0

    @property
    def f1(self) -> float:
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


@dataclasses.dataclass(frozen=True)
class Course:
    """One person's interview: what was held after each question."""

    person: Person
    held: tuple[Held, ...]

    def after(self, questions: int) -> Held:
        return self.held[min(questions, len(self.held)) - 1] if self.held else frozenset()


@dataclasses.dataclass(frozen=True)
class Review:
    """What came out of letting people through the interview in one way of asking."""

    courses: tuple[Course, ...]

    @property
    def questions(self) -> float:
        """The mean number of questions asked."""
        return statistics.fmean(len(course.held) for course in self.courses)

    def score(self, *, questions: int | None = None, slot: Slot | None = None, style: str = "") -> Score:
        """Over all people, or those of a style; after so many questions, or at the end; for all slots, or one."""
        chosen = [course for course in self.courses if style in ("", course.person.style)]
        return sum((_score(course, questions, slot) for course in chosen), Score())


def review_interview(people: Sequence[Person], *, progress: Callable[[], object] = lambda: None) -> Review:
    """Let people through the interview as it is. Leaves the database as it was."""
    return Review(tuple(_courses(people, lambda position: position, progress)))


def review_fixed_form(people: Sequence[Person], *, progress: Callable[[], object] = lambda: None) -> Review:
    """The same people, engine and first wordings, but every slot once and in the same order: what a form would ask."""
    return Review(tuple(_courses(people, _by_the_form, progress)))


def _courses(people: Sequence[Person], ask: Ask, progress: Callable[[], object]) -> Iterable[Course]:
    for person in people:
        with transaction.atomic():
            yield _course(person, ask)
            transaction.set_rollback(True)
        progress()


def _course(person: Person, ask: Ask) -> Course:
    user = User.objects.create_user(f"{person.id}@review.invalid", None, full_name=person.id)
    conversation, held = Conversation(person), []
    position = ask(start_interview(user=user))
    while position.question is not None:
        text = conversation.answer(position.question)
        position = ask(submit_answer(user=user, interview_id=position.interview.pk, step=position.question.step, text=text))
        held.append(frozenset(Claim.objects.filter(user=user).active().values_list("kind", "label", "quote")))
    return Course(person, tuple(held))


def _by_the_form(position: Position) -> Position:
    """Puts the form's question in the place of the one that was chosen."""
    asked = position.interview.step - 1
    slot = SLOTS[asked] if asked < len(SLOTS) else None
    text = PLANS[slot].question if slot else ""
    row = Interview.objects.filter(pk=position.interview.pk)
    row.update(slot=slot or "", question=text, question_kind="text", options=[], confirms=None)
    return start_interview(user=position.interview.user)


def _score(course: Course, questions: int | None, slot: Slot | None) -> Score:
    held = course.after(questions or len(course.held))
    claims = [claim for claim in held if slot is None or SLOT_OF_KIND[claim[0]] == slot]
    facts = [fact for fact in course.person.true_facts() if slot in (None, fact.slot)]
    # Every claim is shown by some fact of its own slot, or it is wrong.
    pairs = [
        (number, index)
        for number, (kind, label, quote) in enumerate(claims)
        for index, fact in enumerate(facts)
        if SLOT_OF_KIND[kind] == fact.slot and fact.is_shown_by(label, quote)
    ]
    return Score(len({claim for claim, _ in pairs}), len(claims), len({fact for _, fact in pairs}), len(facts))
