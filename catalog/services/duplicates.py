"""Finds postings that say nearly the same: MinHash bands choose the candidates (Broder 1997; Leskovec et al., Mining of Massive Datasets,
chapter 3), the exact Jaccard similarity of their word triples decides."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence

import numpy
from datasketch import MinHash
from django.db.models import QuerySet

from catalog.enums import OpportunityState
from catalog.models import Opportunity
from catalog.services.documents import title_key

_PERMUTATIONS = 64
# 16 bands of 4 rows: texts that share half of their triples have an even chance to share a band, at 0.8 it is 0.9999.
_BANDS = 16
_SHINGLE_WORDS = 3
_SAME_ENOUGH = 0.8
# A shorter text is a title and little more; such rows are the same only if their organisation is.
_TELLING_TRIPLES = 30
_MOST_CANDIDATES = 50
_MOST_WORDS = 3_000
_WORD = re.compile(r"\w+")


def _triples(opportunity: Opportunity) -> set[str]:
    words = _WORD.findall(f"{opportunity.title} {opportunity.description}".lower())[:_MOST_WORDS]
    return {" ".join(words[start : start + _SHINGLE_WORDS]) for start in range(max(1, len(words) - _SHINGLE_WORDS + 1))}


def sketch_of(opportunity: Opportunity) -> list[int]:
    """The bands of the text's sketch, as signed 64-bit numbers. Equal texts have equal bands."""
    return sketches_of([opportunity])[0]


def sketches_of(opportunities: Sequence[Opportunity]) -> list[list[int]]:
    """The same for many; the permutations are drawn once."""
    seed = MinHash(num_perm=_PERMUTATIONS, hashfunc=zlib.crc32)
    sketches = []
    for opportunity in opportunities:
        sketch = seed.copy()
        sketch.update_batch([triple.encode() for triple in _triples(opportunity)])
        bands = numpy.asarray(sketch.hashvalues, dtype=numpy.uint64).reshape(_BANDS, -1)
        sketches.append([_number(index, band) for index, band in enumerate(bands)])
    return sketches


def _number(index: int, band: numpy.ndarray) -> int:
    checksum = zlib.crc32(band.tobytes(), index)
    # The index stands in the upper half, so that a band only meets its own like.
    return (index << 32) | checksum


def near_duplicate_of(opportunity: Opportunity) -> Opportunity | None:
    """Another opportunity that is, or soon may be, shown, and says nearly the same; the oldest one."""
    shown = (OpportunityState.LIVE, OpportunityState.REVIEW, OpportunityState.PAUSED)
    rows: QuerySet[Opportunity] = Opportunity.objects.filter(sketch__overlap=sketch_of(opportunity), state__in=shown)
    candidates = rows.exclude(pk=opportunity.pk).only("title", "description", "organisation", "posted_by", "posting_organisation")
    own = _triples(opportunity)
    for candidate in candidates.order_by("id")[:_MOST_CANDIDATES]:
        other = _triples(candidate)
        similarity = len(own & other) / len(own | other)
        same_poster = title_key(candidate.organisation) == title_key(opportunity.organisation)
        if similarity >= _SAME_ENOUGH and (same_poster or min(len(own), len(other)) >= _TELLING_TRIPLES):
            return candidate
    return None
