"""What a sentence may be about. Cheap cues of English decide which kinds a sentence is read for; what asks nothing else is an answer
to the question that was asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from profiling.enums import ClaimKind
from profiling.services.questions import ACCESS_WORDS

_CUES: dict[ClaimKind, str] = {
    ClaimKind.GOAL: (
        r"\bi (?:want|hope|plan|wish|aim|intend|dream)\b|\bi(?:['’]d| would) (?:like|love) (?:to|a)\b|\bmy (?:goal|dream|aim|plan)\b"
        r"|\bin (?:a|one|two|three|five|\d) (?:or two )?years?\b|\bone day\b|\bbecome\b|\bi(?:['’]m| am) looking for\b"
    ),
    ClaimKind.EXPERIENCE: (
        r"\bi(?:['’]ve| have)? (?:worked|studied|ran|led|managed|taught|volunteered|graduated|served|trained|helped|finished|started)\b"
        r"|\bi used to\b|\byears? (?:as|of|in|at|with)\b|\bi(?:['’]ve| have) been\b|\bmy (?:last|first|old|current|present) job\b"
        r"|\binternship\b|\bapprenticeship\b|\bsince \d{4}\b|\bi was an?\b"
        r"|\bfor (?:a|one|two|three|four|five|six|ten|\d+) (?:years?|months?)\b"
        r"|\bi work(?:ed)? as\b|\bi (?:am|['’]m) (?:a|an) \w+ (?:at|in)\b|\bi have done\b"
    ),
    ClaimKind.INTEREST: (
        r"\bi (?:really |also |just )?(?:like|love|enjoy|adore)\b"
        r"|\bi(?:['’]m| am) (?:\w+ )?(?:into|interested|keen|passionate|fascinated|curious)\b"
        r"|\bfan of\b|\bhobb(?:y|ies)\b|\b(?:for|in my free|in my spare) (?:fun|time)\b|\bmakes me happy\b|\bfavou?rite\b|\bi dream about\b"
    ),
    ClaimKind.SKILL: (
        r"\bi (?:can(?!['’]?t|not)|know how)\b|\bpeople ask me\b"
        r"|\bi(?:['’]m| am) (?:\w+ )?(?:good|great|skilled|strong|experienced|best) (?:at|in|with)\b"
        r"|\bgood at\b|\bi know\b|\bmy strength|\bmy skills?\b|\bi(?:['’]m| am) able\b"
    ),
    ClaimKind.LANGUAGE: (
        r"\b(?:speak|speaks|spoke|fluent|mother tongue|native|bilingual|first language|second language|at home we talk)\b|\bi understand\b"
    ),
    ClaimKind.LOCATION: (
        r"\b(?:live|living|based|located|stay|staying|moved|home is|come)"
        r" (?:\w+ )?(?:in|near|to|at|from|outside|close to|around)\b"
    ),
    ClaimKind.AVAILABILITY: (
        r"\b(?:free|available|availability|have time|got time|my time)\b"
        r"|\bhours? (?:a|per|each|every) (?:week|day)\b|\b(?:full|part)[- ]time\b"
        r"|\bcan (?:come|start|work|do it|meet|begin)\b"
        r"|\bonly (?:on|in the|at|after) (?:\w+days?|mornings?|evenings?|weekends?|work|school)\b"
    ),
    ClaimKind.CONSTRAINT: (
        r"\b(?:must|has to|have to|needs? to be|only if|no more than|at most|without|not possible)\b"
        r"|\b(?:cannot|can not|can['’]?t) (?:travel|commute|work|lift|pay|leave|move|drive|come|relocate|stay|afford)\b"
        r"|\b(?:only remote|remote only|from home)\b|\bno (?:travel|degree|nights?|lifting|money|permit)\b"
        r"|\bi need (?:a|the|some|to be)? ?(?:salary|money|pay|visa|permit)\b"
    ),
    ClaimKind.ACCESS_NEED: "|".join(ACCESS_WORDS.values()),
}
_PATTERNS = {kind: re.compile(cue, re.IGNORECASE) for kind, cue in _CUES.items()}
# Whoever tells one of these tells what the sentence is about, so it does not answer another question of this group.
_STORIES = (ClaimKind.GOAL, ClaimKind.EXPERIENCE, ClaimKind.INTEREST, ClaimKind.SKILL)
_FACTS = (ClaimKind.LANGUAGE, ClaimKind.LOCATION, ClaimKind.AVAILABILITY, ClaimKind.CONSTRAINT, ClaimKind.ACCESS_NEED)
# In one's own words goes what one says about oneself, not what one says about the weather; and a question is no answer.
_OWN_WORDS = (ClaimKind.GOAL, ClaimKind.EXPERIENCE)
_SMALL_TALK = re.compile(
    r"\?\s*$|^\W*(?:the|it|its|it['’]s|my|do|does|why|hm+|um+|well|let|honestly|he|she|they|you|your|there|this|that|what|how|nobody)\b",
    re.IGNORECASE,
)


def router(asked: ClaimKind) -> Callable[[Sequence[str]], list[frozenset[str]]]:
    """Routes the sentences of an answer to a question about `asked`."""
    return lambda sentences: [kinds_of(sentence, asked) for sentence in sentences]


def kinds_of(sentence: str, asked: ClaimKind) -> frozenset[str]:
    """The kinds of claim that a sentence may make, answered to a question about `asked`."""
    story = next((kind for kind in _STORIES if _PATTERNS[kind].search(sentence)), None)
    facts = {kind for kind in _FACTS if _PATTERNS[kind].search(sentence)}
    if story == ClaimKind.GOAL:
        # Of what somebody wants nothing is there yet: neither the language that they want to learn nor the skill.
        return frozenset({ClaimKind.GOAL, *(facts & {ClaimKind.CONSTRAINT, ClaimKind.ACCESS_NEED})})
    if story is not None:
        # Whoever likes or does something for blind people need not be blind.
        kinds = {story, *(facts - {ClaimKind.ACCESS_NEED})}
        return frozenset(kinds | {asked} if asked in _FACTS or (asked, story) == (ClaimKind.SKILL, ClaimKind.EXPERIENCE) else kinds)
    is_beside_the_point = (facts and asked not in facts and asked in _STORIES) or (asked in _OWN_WORDS and _SMALL_TALK.search(sentence))
    return frozenset(facts if is_beside_the_point else {*facts, asked})
