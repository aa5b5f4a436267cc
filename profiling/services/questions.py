"""What the interview can ask: for each slot a question, another wording with examples or choices, and what the slot is worth."""

from __future__ import annotations

import dataclasses

from profiling.enums import ClaimKind, Slot

NONE_OF_THESE = "None of these"


@dataclasses.dataclass(frozen=True)
class SlotPlan:
    """How one slot is asked and what it is worth.

    `weight` is the share of a good match that hangs on the slot (all together 1), `claim_share` how much of the slot one sure claim
    fills. `options` go with the second wording. `description` tells a language model what belongs to the kind.
    """

    kind: ClaimKind
    question: str
    follow_up: str
    description: str
    weight: float
    claim_share: float
    options: tuple[str, ...] = ()
    # Whether "nothing" is an answer: there may be no constraint, but everybody can do something.
    can_be_empty: bool = False


PLANS: dict[Slot, SlotPlan] = {
    Slot.SKILLS: SlotPlan(
        ClaimKind.SKILL,
        "What are you good at? Think of things that people ask you for help with, at work, at school or at home.",
        "What else can you do? It can be something small, such as: I repair bikes, I speak in public, I build web pages.",
        "something the person can do",
        weight=0.23,
        claim_share=0.4,
    ),
    Slot.INTERESTS: SlotPlan(
        ClaimKind.INTEREST,
        "What do you like to spend time on, even when nobody asks you to?",
        "What else do you like? For example: games, plants, music, how machines work, helping others.",
        "something the person likes or is curious about",
        weight=0.18,
        claim_share=0.5,
    ),
    Slot.EXPERIENCE: SlotPlan(
        ClaimKind.EXPERIENCE,
        "What have you done so far? Jobs, studies, projects and looking after family all count.",
        "One sentence is enough, such as: I worked in a kitchen for a year. What have you done?",
        "something the person did or does: a job, studies, a project, care for others",
        weight=0.12,
        claim_share=0.6,
    ),
    Slot.GOALS: SlotPlan(
        ClaimKind.GOAL,
        "Where would you like to be in a year or two?",
        "For example: I want a first job with computers, or I want to study nursing. What would you like?",
        "something the person wants to reach, become or learn",
        weight=0.17,
        claim_share=0.7,
    ),
    Slot.CONSTRAINTS: SlotPlan(
        ClaimKind.CONSTRAINT,
        "Is there anything that an opportunity has to respect? For example money, travel or working from home.",
        "Which of these has to be so? You can also say that there is nothing.",
        "a condition that an opportunity has to meet, such as: remote only, has to be paid, no travel",
        weight=0.07,
        claim_share=0.7,
        options=("remote only", "has to be paid", "has to be free", "no travel", "no degree"),
        can_be_empty=True,
    ),
    Slot.ACCESS_NEEDS: SlotPlan(
        ClaimKind.ACCESS_NEED,
        "Is there anything that you need so that you can take part well? For example captions, step-free access or more time. "
        "You do not have to say why.",
        "Does any of these help you? You can also say that there is nothing.",
        "what the person needs to take part, such as: screen reader, captions, wheelchair access, more time; never a diagnosis",
        weight=0.06,
        claim_share=0.8,
        options=("screen reader", "large text", "captions", "sign language", "wheelchair access", "quiet place", "more time"),
        can_be_empty=True,
    ),
    Slot.LANGUAGES: SlotPlan(
        ClaimKind.LANGUAGE,
        "Which languages do you speak?",
        "Please name the languages that you can talk in, such as: English and some Spanish.",
        "a language that the person speaks, by its English name alone",
        weight=0.05,
        claim_share=0.8,
    ),
    Slot.AVAILABILITY: SlotPlan(
        ClaimKind.AVAILABILITY,
        "When do you have time, and how much of it?",
        "Which of these fits?",
        "when or how much the person has time, such as: evenings, weekends, full time, 10 hours a week",
        weight=0.06,
        claim_share=0.8,
        options=("mornings", "afternoons", "evenings", "weekends", "full time", "part time"),
    ),
    Slot.LOCATION: SlotPlan(
        ClaimKind.LOCATION,
        "Where do you live? A town or a country is enough.",
        "Please name the town or the country where you are. You can also skip this.",
        "the place where the person lives, by its name alone",
        weight=0.06,
        claim_share=1.0,
    ),
}
SLOTS: tuple[Slot, ...] = tuple(Slot)
SLOT_OF_KIND: dict[str, Slot] = {str(plan.kind): slot for slot, plan in PLANS.items()}

# What somebody can do, likes, did and wants is compared with opportunities; the rest are conditions and private needs.
MATCHED_BY_MEANING = frozenset({ClaimKind.SKILL, ClaimKind.INTEREST, ClaimKind.EXPERIENCE, ClaimKind.GOAL})
REMOTE_ONLY = "remote only"
# What a constraint or an access need sounds like. A clause is compared with each phrase; the label of the nearest one is offered.
CONSTRAINT_PHRASES: dict[str, tuple[str, ...]] = {
    REMOTE_ONLY: ("I can only work from home", "it has to be remote", "online only, I cannot commute"),
    "has to be paid": ("it has to be paid", "I need a salary", "I cannot work without pay"),
    "has to be free": ("it must not cost anything", "I cannot pay for a course", "free of charge"),
    "no travel": ("I cannot travel", "close to where I live", "no business trips"),
    "no degree": ("I have no degree", "without a university degree", "I did not finish school"),
    "no night shifts": ("no night work", "I cannot work at night"),
    "no heavy lifting": ("I cannot lift heavy things", "nothing physically hard, my back is weak"),
    "work permit": ("I need a visa", "I have no work permit yet"),
    "time for family": ("I have to pick up my children", "I look after a parent, so hours must be flexible"),
}
ACCESS_PHRASES: dict[str, tuple[str, ...]] = {
    "wheelchair access": ("I use a wheelchair", "the building needs a ramp or a lift", "I cannot climb stairs"),
    "screen reader": ("I use a screen reader", "I am blind", "I cannot see the screen"),
    "large text": ("I need large text", "my sight is poor", "high contrast helps me read"),
    "captions": ("I am deaf", "I need captions", "I am hard of hearing"),
    "sign language": ("I use sign language", "I need a sign language interpreter"),
    "quiet place": ("I need a quiet place", "noise and crowds are too much for me", "I am autistic"),
    "more time": ("I need more time for reading", "I am dyslexic", "I am slower with text"),
    "plain language": ("please use simple words", "I have learning difficulties"),
    "breaks": ("I tire quickly and need breaks", "I have a chronic illness", "I live with pain"),
    "voice control": ("I cannot use a keyboard or a mouse", "I control the computer by voice"),
}
# Words that name a constraint or an access need outright.
CONSTRAINT_WORDS: dict[str, str] = {
    REMOTE_ONLY: r"\bremote(?:ly)?\b|\bonline\b|\bfrom (?:my )?(?:own )?(?:home|flat|house|room|place)\b|\bhome office\b",
    "has to be paid": r"\bpaid\b|\bsalary\b|\bwages?\b|\bearn\b",
    "has to be free": r"\bfree of charge\b|\bfor free\b|\bno fees?\b|\b(?:not|without) cost|\bno money for\b|\bafford\b",
    "no travel": r"\bno (?:travel|trips|commut\w+)\b|\b(?:cannot|can['’]?t|without) travel\w*",
    "no degree": r"\b(?:no|without a|without any) (?:\w+ )?(?:degree|diploma)\b",
}
ACCESS_WORDS: dict[str, str] = {
    "wheelchair access": r"wheelchair|step[- ]free|\bramps?\b|\b(?:no|climb|manage) stairs\b",
    "screen reader": r"screen[- ]?reader|\bblind\b|\bbraille\b|\bnvda\b|\bvoiceover\b",
    "large text": r"large (?:text|print|letters)|big(?:ger)? (?:text|print|letters)|low vision|high contrast|partially sighted",
    "captions": r"\bcaptions?\b|\bsubtitles?\b|\bdeaf\b|hard of hearing|hearing aids?",
    "sign language": r"sign language|\b(?:asl|bsl)\b",
    "quiet place": r"quiet (?:place|room|space)|\bautis\w+|sensory",
    "more time": r"(?:more|extra) time|dyslexi\w+|\badhd\b",
    "plain language": r"(?:plain|simple|easy) (?:language|words)|learning (?:difficult|disabilit)\w+",
    "breaks": r"\b(?:regular|more|short|frequent) breaks\b|chronic(?:ally)? (?:ill|pain|fatigue)\w*",
    "voice control": r"voice control|without (?:a )?(?:mouse|hands)|cannot (?:use|hold) a mouse",
}
