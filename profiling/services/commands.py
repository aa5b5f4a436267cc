"""Short words that steer the interview instead of answering it, said or typed alike; and which of the options an answer chooses."""

from __future__ import annotations

import re
from collections.abc import Sequence

from django.db.models import TextChoices

from profiling.services.questions import NONE_OF_THESE


class Command(TextChoices):
    SKIP = "skip", "go on without an answer"
    BACK = "back", "go to the question before"
    PAUSE = "pause", "stop for now"
    REPEAT = "repeat", "ask again"


_WORDS: dict[Command, frozenset[str]] = {
    Command.SKIP: frozenset({"skip", "skip it", "skip this", "pass", "next", "next question", "no answer", "-", "i would rather not say"}),
    Command.BACK: frozenset({"back", "go back", "previous", "previous question", "go to the last question", "the question before"}),
    Command.PAUSE: frozenset({"pause", "stop", "stop here", "later", "not now", "i need a break", "let us stop", "let's stop"}),
    Command.REPEAT: frozenset({"repeat", "repeat that", "say that again", "again please", "what was the question", "pardon"}),
}
_NOTHING = frozenset(
    {
        *(
            "no",
            "none",
            "nothing",
            "nope",
            "not really",
            "no thanks",
            "no thank you",
            "n/a",
            "nothing special",
            "nothing at all",
            "no needs",
        ),
        *(
            "there is nothing",
            "nothing comes to mind",
            "no i do not",
            "no i don't",
            "i do not need anything",
            "i don't need anything",
            "no nothing",
        ),
    }
)
_NO_OPTION = frozenset(
    {"no", "none", "none of these", "none of them", "neither", "not any", "nothing", "nope", "wrong", "no none of these"}
)
_EVERY_OPTION = frozenset({"all", "all of them", "all of these", "both", "every one"})
_YES = frozenset({"yes", "yes please", "right", "correct", "that is right", "that's right", "exactly", "ok", "okay", "yep", "true"})
_ORDINALS = (
    *(("first", "one", "1"), ("second", "two", "2"), ("third", "three", "3"), ("fourth", "four", "4")),
    *(("fifth", "five", "5"), ("sixth", "six", "6"), ("seventh", "seven", "7")),
)
_ORDINAL = r"(?:the |number |option |no\.? ?)*"


def command_in(text: str) -> Command | None:
    """The command that an answer is, all of it; None for an answer."""
    said = _plain(text)
    return next((command for command, words in _WORDS.items() if said in words), None)


def says_nothing(text: str) -> bool:
    """Whether an answer says that there is nothing to say."""
    return _plain(text) in _NOTHING


def chosen(text: str, options: Sequence[str]) -> list[str] | None:
    """The options that an answer chooses, by name, number, yes or no; empty for none of them; None if it does not speak of them."""
    real = [option for option in options if option != NONE_OF_THESE]
    said = _plain(text)
    if said in _NO_OPTION or said == _plain(NONE_OF_THESE):
        return []
    if said in _EVERY_OPTION:
        return real
    if said in _YES and NONE_OF_THESE in options:
        return real[:1]
    for option, words in zip(options, _ORDINALS, strict=False):
        if re.fullmatch(rf"{_ORDINAL}(?:{'|'.join(words)})(?: one)?", said):
            return [option] if option in real else []
    # The longest first, so that "driving heavy vehicles" does not also choose "driving".
    named = []
    for option in sorted(real, key=len, reverse=True):
        pattern = rf"\b{re.escape(_plain(option))}\b"
        if re.search(pattern, said):
            named.append(option)
            said = re.sub(pattern, " ", said)
    return [option for option in real if option in named] or None


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[^\w\s'/+#.-]", " ", text.lower().replace("\u2019", "'")).split()).rstrip(".")
