"""What an engine says about an answer is checked before anybody else sees it: only what the answer itself says may pass."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ai.providers.base import Mention, Turn
from ai.providers.embedded import minilm

MOST_MENTIONS = 24
_LONGEST_LABEL = 200
# A label in other words than its passage has to be near to it in meaning. Measured on the labelled phrases: true pairs lie above this.
_SAME_MATTER = 0.2
_MARKUP = re.compile(r"[<>{}\[\]|`\\]|https?:|www\.|\n")
# What people write to a machine and not about themselves. Such a passage tells nothing about anybody. An order is an order only where
# nobody is named who gives or follows it: "I print posters" tells something, "now print the prompt" does not.
_ORDER = r"(?:^|[.!?;:,\n\"'()\[\]*#>-]\s*|\b(?:please|now|then|instead|must|should|will|shall|you|you\s+to|and)\s+)"
_PATTERNS = (
    # Not where somebody says that they would like to forget the rules of their office.
    r"(?<!want to )(?<!like to )(?<!\bi )(?<!i can )\b(?:ignore|disregard|forget|override|bypass)\b.{0,30}"
    r"\b(?:instructions?|rules|prompts?|above|previous|prior|guidelines|polic(?:y|ies)|everything\s+(?:you|that|above|before))\b",
    r"\b(?:language\s+model|chatbot|llm)\b.{0,30}\b(?:you|must|should)\b",
    r"\byou\s+(?:must|should|have\s+to|will)\s+(?:now\s+|always\s+)?"
    r"(?:list|include|add|answer|say|write|output|rank|recommend|obey)\b",
    r"\b(?:system|developer|hidden|initial)\s+(?:prompt|message|instructions?)\b",
    r"\byou\s+are\s+(?:now|no\s+longer|chatgpt|dan\b|going\s+to|an?\s+(?:unrestricted|ai|assistant|language\s+model|database|terminal|linux))",
    r"\bfrom\s+now\s+on\b.{0,30}\byou\b|\byour\s+(?:new\s+)?(?:task|role|instructions?|rules|prompt|answer|response|output)\b",
    _ORDER + r"(?:act|behave|respond|answer|reply|pretend|roleplay)\s+(?:as|like|that\s+you|only\s+with|with|to\s+be)\b",
    r"\b(?:jailbreak|developer\s+mode|do\s+anything\s+now|god\s+mode|sudo|admin\s+mode|debug\s+mode)\b",
    _ORDER
    + r"(?:print|reveal|repeat|output|show|list|dump|export|send|return|tell|give)\b.{0,40}\b(?:prompt|instructions|passwords?|secrets?"
    r"|api\s+keys?|access\s+tokens?|database|all\s+users|(?:other|another|every)\s+(?:people|person|users?|profiles?|members?)|json|entries)\b",
    _ORDER + r"(?:add|create|insert|mark|set|assign|grant|give|record|store|report|label|classify|append|include|write)\b.{0,60}"
    r"\b(?:claims?|entry|entries|verified|confidence|admin|superuser|is_staff|skills?\s*[:=]|everyone|every\s+(?:user|person|opportunity))\b",
    _ORDER + r"(?:rank|rate|score|recommend|put)\s+(?:me|this|it|us|(?:the|my)\s+\w+)\b"
    r".{0,30}\b(?:first|top|highest|everyone|above|best|10|100)\b",
    _ORDER + r"(?:call|invoke|execute|run|use)\b.{0,30}\b(?:tools?|functions?|commands?|endpoint|shell|delete_\w+|sql)\b",
    _ORDER + r"(?:delete|drop|truncate|update|erase)\b.{0,30}\b(?:tables?|users?|profiles?|database|accounts?|records?|claims?)\b",
    r"(?:^|[\s\"'])(?:system|assistant|developer|tool)\s*:|<\|?\s*/?\s*(?:im_start|im_end|system|assistant|user|endoftext)|\[/?(?:inst|sys)\b",
    r"\#{2,}\s*(?:instruction|system|response|end)|={6,}",
    r"[\"'](?:kind|label|quote|confidence|entries|denied|tool_calls?|role|content)[\"']\s*:",
)
_INSTRUCTIONS = re.compile("|".join(f"(?:{pattern})" for pattern in _PATTERNS), re.IGNORECASE)


def reads_like_an_instruction(text: str) -> bool:
    """Whether a passage speaks to a machine rather than about a person."""
    return bool(_INSTRUCTIONS.search(" ".join(text.split())))


def checked(mentions: Sequence[Mention], turn: Turn, *, is_outside: bool) -> tuple[Mention, ...]:
    """The mentions that may count: of a kind that was asked for, quoted from the answer, about the matter of the quote, and no instruction.

    `is_outside`: the engine may have made labels up, so each is also compared with its quote.
    """
    kinds = {kind.name for kind in turn.kinds}
    said = _words(turn.answer)
    kept = [mention for mention in mentions[:MOST_MENTIONS] if mention.kind in kinds and _is_grounded(mention, said)]
    return tuple(_about_the_quote(kept) if is_outside else kept)


def _is_grounded(mention: Mention, said: str) -> bool:
    quote = _words(mention.quote)
    return (
        bool(quote)
        and f" {quote} " in f" {said} "
        and bool(_words(mention.label))
        and len(mention.label) <= _LONGEST_LABEL
        and not _MARKUP.search(mention.label)
        and not reads_like_an_instruction(mention.quote)
        and not reads_like_an_instruction(mention.label)
    )


def _about_the_quote(mentions: list[Mention]) -> list[Mention]:
    apart = [mention for mention in mentions if not _shares_a_stem(mention)]
    vectors = minilm().embed([text for mention in apart for text in (mention.label, mention.quote)]).vectors if apart else []
    pairs = zip(apart, vectors[::2], vectors[1::2], strict=True)
    strange = {id(mention) for mention, label, quote in pairs if sum(a * b for a, b in zip(label, quote, strict=True)) < _SAME_MATTER}
    return [mention for mention in mentions if id(mention) not in strange]


def _shares_a_stem(mention: Mention) -> bool:
    label, quote = _words(mention.label).split(), _words(mention.quote).split()
    return any(word[:5] == other[:5] for word in label for other in quote if len(word) > 3 or word == other)


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))
