"""What clauses of an answer are compared with: the skills of the taxonomy, and the phrases of constraints."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from functools import lru_cache

from ai.services.text import Candidate, embed
from catalog.models import Skill
from catalog.services.documents import title_key
from profiling.services.questions import CONSTRAINT_PHRASES

_NEIGHBOURS = 3
# A free label is taken for a skill of the taxonomy only if they are as good as the same.
_SAME_SKILL = 0.8


def skill_finder(user_id: uuid.UUID) -> Callable[[Sequence[str]], list[list[Candidate]]]:
    """Finds the skills of the taxonomy that lie nearest to each clause."""

    def find(clauses: Sequence[str]) -> list[list[Candidate]]:
        embeddings = embed(texts=clauses, purpose="profiling.read", user_id=user_id)
        return [_nearest_skills(vector, embeddings.model) for vector in embeddings.vectors]

    return find


def _nearest_skills(vector: Sequence[float], model: str) -> list[Candidate]:
    found = Skill.objects.active().nearest(vector, model=model, limit=_NEIGHBOURS)
    names = dict(Skill.objects.filter(id__in=[key for key, _ in found]).values_list("id", "name"))
    return [Candidate(names[key], similarity) for key, similarity in found]


def constraint_finder(user_id: uuid.UUID) -> Callable[[Sequence[str]], list[list[Candidate]]]:
    """Finds the constraint whose phrases lie nearest to each clause."""

    def find(clauses: Sequence[str]) -> list[list[Candidate]]:
        embeddings = embed(texts=clauses, purpose="profiling.read", user_id=user_id)
        phrases = _constraint_vectors(embeddings.model)
        return [_nearest_constraint(vector, phrases) for vector in embeddings.vectors]

    return find


@lru_cache(maxsize=2)
def _constraint_vectors(model: str) -> tuple[tuple[str, tuple[float, ...]], ...]:
    labels = [label for label, phrases in CONSTRAINT_PHRASES.items() for _ in phrases]
    texts = [phrase for phrases in CONSTRAINT_PHRASES.values() for phrase in phrases]
    vectors = embed(texts=texts, purpose="profiling.vocabulary").vectors
    return tuple((label, tuple(vector)) for label, vector in zip(labels, vectors, strict=True))


def _nearest_constraint(vector: Sequence[float], phrases: Sequence[tuple[str, Sequence[float]]]) -> list[Candidate]:
    scored = [Candidate(label, sum(a * b for a, b in zip(vector, other, strict=True))) for label, other in phrases]
    return [max(scored, key=lambda candidate: candidate.similarity)]


def skills_named(labels: Sequence[str], user_id: uuid.UUID) -> dict[str, Skill]:
    """The taxonomy's skill for each label that names one: by its names, or else by as good as the same meaning."""
    keys = {title_key(label): label for label in labels}
    found: dict[str, Skill] = {}
    for skill in Skill.objects.active().filter(keys__overlap=list(keys)).order_by("source", "id").only("id", "name", "keys"):
        for key in keys.keys() & set(skill.keys):
            if keys[key] not in found or title_key(skill.name) == key:
                found[keys[key]] = skill
    missing = [label for label in labels if label not in found]
    if missing:
        embeddings = embed(texts=missing, purpose="profiling.link", user_id=user_id)
        for label, vector in zip(missing, embeddings.vectors, strict=True):
            nearest = Skill.objects.active().nearest(vector, model=embeddings.model, limit=1)
            if nearest and nearest[0][1] >= _SAME_SKILL:
                found[label] = Skill.objects.only("id", "name").get(id=nearest[0][0])
    return found
