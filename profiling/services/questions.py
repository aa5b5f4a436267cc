"""The interview's graph: the slots in order, what is asked about each, and what an answer is compared with."""

from __future__ import annotations

import dataclasses

from profiling.enums import ClaimKind, Slot

SLOTS: tuple[Slot, ...] = tuple(Slot)
MOST_FOLLOW_UPS = 1
SKIP_WORDS = frozenset({"skip", "pass", "next", "no answer", "-"})


@dataclasses.dataclass(frozen=True)
class SlotPlan:
    """How one slot is asked: first, and once more with examples if the answer told nothing."""

    kind: ClaimKind
    question: str
    follow_up: str
    is_own_words: bool = False
    # Words that negate a skill ("I cannot draw") do not negate a constraint ("no travel").
    negation_cancels: bool = True


PLANS: dict[Slot, SlotPlan] = {
    Slot.SKILLS: SlotPlan(
        ClaimKind.SKILL,
        "What are you good at? Think of things that people ask you for help with, at work, at school or at home.",
        "It can be something small, such as: I repair bikes, I speak Spanish, I build web pages. What comes to mind?",
    ),
    Slot.INTERESTS: SlotPlan(
        ClaimKind.INTEREST,
        "What do you like to spend time on, even when nobody asks you to?",
        "For example: games, plants, music, how machines work, helping others. What do you like?",
    ),
    Slot.EXPERIENCE: SlotPlan(
        ClaimKind.EXPERIENCE,
        "What have you done so far? Jobs, studies, projects and looking after family all count.",
        "One sentence is enough, such as: I worked in a kitchen for a year. What have you done?",
        is_own_words=True,
    ),
    Slot.GOALS: SlotPlan(
        ClaimKind.GOAL,
        "Where would you like to be in a year or two?",
        "For example: I want a first job with computers, or I want to study nursing. What would you like?",
        is_own_words=True,
    ),
    Slot.CONSTRAINTS: SlotPlan(
        ClaimKind.CONSTRAINT,
        "Is there anything that an opportunity has to respect? For example place, hours, money, or access needs.",
        "You can also say that there is nothing.",
        negation_cancels=False,
    ),
}

REMOTE_ONLY = "remote only"
# What a constraint sounds like. A clause is compared with each phrase; the label of the nearest one is offered.
CONSTRAINT_PHRASES: dict[str, tuple[str, ...]] = {
    REMOTE_ONLY: ("I can only work from home", "it has to be remote", "online only, I cannot commute"),
    "part time": ("only part time", "a few hours a week", "I can work at most twenty hours"),
    "evenings and weekends": ("only in the evenings", "only at weekends", "after school or after work"),
    "has to be paid": ("it has to be paid", "I need a salary", "I cannot work without pay"),
    "has to be free": ("it must not cost anything", "I cannot pay for a course", "free of charge"),
    "no travel": ("I cannot travel", "close to where I live", "no business trips"),
    "wheelchair access": ("I use a wheelchair", "the building needs a ramp or a lift"),
    "screen reader": ("I use a screen reader", "I am blind", "I cannot see the screen"),
    "captions": ("I am deaf", "I need captions", "I am hard of hearing"),
    "no degree": ("I have no degree", "without a university degree", "I did not finish school"),
}
