"""What somebody means by the text they type into a search."""

from __future__ import annotations

import dataclasses
import re

from catalog.models import Skill
from catalog.services.documents import title_key

_PHRASE = re.compile(r'(?<!\w)(-?)["“”„«]([^"“”„«»]+)["“”„»]')
_EXCLUDED = re.compile(r"(?<!\S)-(\w[\w+#.]*)")
_ACRONYM = re.compile(r"[A-Za-z][A-Za-z0-9&+]{1,4}")
# In a longer text short words are words, not acronyms.
_MOST_TOKENS = 6
_MOST_TERMS = 10


@dataclasses.dataclass(frozen=True)
class SearchText:
    """`text` is what is looked for; each of `phrases` must stand in it word for word, none of `excluded` may. `meant` are the long forms of
    acronyms in the text."""

    text: str
    phrases: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    meant: tuple[str, ...] = ()

    @property
    def expanded(self) -> str:
        """The text and the long forms."""
        return " ".join((self.text, *self.meant))


def read_search_text(typed: str) -> SearchText:
    """Read "exact phrases", -excluded words, -"excluded phrases", and acronyms that a skill is also called by."""
    phrases = [(bool(minus), words.strip()) for minus, words in _PHRASE.findall(typed)]
    rest = _PHRASE.sub(" ", typed)
    excluded = [words for is_out, words in phrases if is_out] + _EXCLUDED.findall(rest)
    wanted = [words for is_out, words in phrases if not is_out and words]
    text = " ".join([*_EXCLUDED.sub(" ", rest).split(), *wanted])
    return SearchText(text, tuple(wanted[:_MOST_TERMS]), tuple(excluded[:_MOST_TERMS]), _long_forms(text))


def _long_forms(text: str) -> tuple[str, ...]:
    tokens = text.split()
    if len(tokens) > _MOST_TOKENS:
        return ()
    acronyms = [token for token in tokens if _ACRONYM.fullmatch(token)]
    keys = {title_key(token) for token in acronyms}
    names: dict[str, None] = {}
    for skill in Skill.objects.active().filter(keys__overlap=list(keys)).order_by("source", "name").only("name", "keys"):
        if title_key(skill.name) not in keys and keys & set(skill.keys):
            names[skill.name] = None
    return tuple(names)[:_MOST_TERMS]
