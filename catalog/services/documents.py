"""What of an opportunity is indexed: its own text, and what the taxonomy knows about an occupation of that title."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Iterable, Sequence

import numpy

from catalog.enums import TermState
from catalog.models import Occupation, Opportunity

# The shares of the parts in a document's vector, and of sentences in a query's; chosen on eval_dev (docs/decisions/0005-fusion.md).
_ALTERNATIVE_TITLES_SHARE = 0.3
_SKILL_TERMS_SHARE = 0.5
_SENTENCE_END = re.compile(r"(?<=[.!?;\n])\s+")
_SHORTEST_SENTENCE = 15
_MAX_PART_CHARACTERS = 4_000


@dataclasses.dataclass(frozen=True)
class Enrichment:
    """What the taxonomy adds to a document."""

    alternative_titles: str = ""
    skill_terms: str = ""


def title_key(title: str) -> str:
    """A title as look-ups compare it."""
    return " ".join(title.lower().split())[:300]


def digest(*texts: str) -> str:
    """The fingerprint by which changed content is recognised."""
    return hashlib.sha256("\x1f".join(texts).encode()).hexdigest()


def skill_keys(name: str, alternative_names: Iterable[str]) -> list[str]:
    """What a skill is looked up by."""
    return sorted({title_key(text) for text in (name, *alternative_names)})


def enrichments_for(titles: Iterable[str], skill_names: Iterable[Sequence[str]]) -> list[Enrichment]:
    """The enrichment of each document, in order, with one query for all of them."""
    keys = [title_key(title) for title in titles]
    found: dict[str, Occupation] = {}
    for occupation in Occupation.objects.filter(keys__overlap=keys, state=TermState.ACTIVE).order_by("source", "source_id"):
        for key in occupation.keys:
            # An occupation of that very title goes before one that is also called so.
            if key not in found or title_key(occupation.title) == key:
                found[key] = occupation
    return [_enrichment(found.get(key), names) for key, names in zip(keys, skill_names, strict=True)]


def _enrichment(occupation: Occupation | None, skill_names: Sequence[str]) -> Enrichment:
    names = [*skill_names, *(occupation.skill_names if occupation else ())]
    titles = occupation.alternative_titles if occupation else ()
    return Enrichment(alternative_titles=", ".join(titles), skill_terms=", ".join(dict.fromkeys(names)))


def parts_of(opportunity: Opportunity) -> tuple[str, str, str]:
    """The three texts whose vectors make the document's vector; the last two may be empty."""
    body = f"{opportunity.title}. {opportunity.description}".strip(". ") or opportunity.title or "."
    return (
        body[:_MAX_PART_CHARACTERS],
        opportunity.alternative_titles[:_MAX_PART_CHARACTERS],
        opportunity.skill_terms[:_MAX_PART_CHARACTERS],
    )


def content_hash_of(opportunity: Opportunity) -> str:
    return digest(*parts_of(opportunity))


def document_vectors(parts: Sequence[tuple[str, str, str]], vectors: Sequence[Sequence[float]]) -> list[list[float]]:
    """Blend the vectors of the non-empty parts, which come in the order of `flatten`, into one unit vector a document."""
    shares = (1.0, _ALTERNATIVE_TITLES_SHARE, _SKILL_TERMS_SHARE)
    remaining = iter(vectors)
    blended = []
    for texts in parts:
        present = [(share, next(remaining)) for share, text in zip(shares, texts, strict=True) if text]
        blended.append(_unit(sum((share * numpy.asarray(vector) for share, vector in present), start=numpy.zeros(len(present[0][1])))))
    return blended


def flatten(parts: Sequence[tuple[str, str, str]]) -> list[str]:
    """The non-empty texts, document by document."""
    return [text for texts in parts for text in texts if text]


def query_parts(text: str) -> list[str]:
    """A query as it is embedded: whole, and sentence by sentence, because a model reads a long text thinly."""
    sentences = [sentence for sentence in _SENTENCE_END.split(text) if len(sentence) > _SHORTEST_SENTENCE]
    return [text, *(sentences or [text])][:40]


def query_vector(vectors: Sequence[Sequence[float]]) -> list[float]:
    """The unit vector of a query, from the vectors of its `query_parts`."""
    return _unit(numpy.asarray(vectors[0]) + numpy.asarray(vectors[1:]).mean(axis=0))


def _unit(vector: numpy.ndarray) -> list[float]:
    return list(map(float, vector / (numpy.linalg.norm(vector) or 1.0)))
