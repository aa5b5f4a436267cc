"""What clauses of an answer are compared with: the skills of the taxonomy, phrases of needs, and the words for plain facts."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Sequence
from functools import lru_cache

from ai.services.text import Candidate, CandidateFinder, Kind, embed
from catalog.models import Skill
from catalog.services.documents import title_key
from profiling.enums import ClaimKind
from profiling.services.facts import availability_in, languages_in, places_in
from profiling.services.questions import ACCESS_PHRASES, ACCESS_WORDS, CONSTRAINT_PHRASES, CONSTRAINT_WORDS, PLANS

_NEIGHBOURS = 8
_LONGEST_PHRASE = 4
_LONGEST_EVERYDAY_WORD = 6
_EVERYDAY_NEAR_ENOUGH = 0.5
# "I can't sing" lies at 0.42 from "I cannot travel": sentences of one pattern are nearer to each other than what they say.
_PHRASE_NEAR_ENOUGH = 0.5
_WORD = re.compile(r"[\w+#.'-]*[\w+#]")
# Topics of GitHub are names of products. Nobody means Bun or Yarn who does not say so, however near bread and sewing lie.
_PROPER_NAMES = frozenset({"github-topics"})
# "No travel" is the constraint, not its denial.
_NEGATIVE_KINDS = frozenset({ClaimKind.CONSTRAINT, ClaimKind.ACCESS_NEED, ClaimKind.AVAILABILITY})
# A free label is taken for a skill of the taxonomy only if they are as good as the same.
_SAME_SKILL = 0.8


def kinds_for(user_id: uuid.UUID | None) -> tuple[Kind, ...]:
    """All that an answer of this person may tell, each kind with its vocabulary."""
    finders: dict[ClaimKind, CandidateFinder | None] = {
        ClaimKind.SKILL: _skill_finder(user_id),
        ClaimKind.INTEREST: _skill_finder(user_id),
        ClaimKind.CONSTRAINT: _phrase_finder(CONSTRAINT_PHRASES, CONSTRAINT_WORDS, user_id),
        ClaimKind.ACCESS_NEED: _phrase_finder(ACCESS_PHRASES, ACCESS_WORDS, user_id),
        ClaimKind.LANGUAGE: named_only(languages_in),
        ClaimKind.AVAILABILITY: named_only(availability_in),
        ClaimKind.LOCATION: named_only(places_in),
    }
    return tuple(
        Kind(
            plan.kind,
            plan.description,
            finders.get(plan.kind),
            negation_cancels=plan.kind not in _NEGATIVE_KINDS,
            reads_whole_sentences=plan.kind == ClaimKind.AVAILABILITY,
        )
        for plan in PLANS.values()
    )


def named_only(words_in: Callable[[str], list[str]]) -> CandidateFinder:
    """A vocabulary that is found by its words alone."""
    return lambda clauses: [[Candidate(label, 1.0, is_named=True) for label in words_in(clause)] for clause in clauses]


def _skill_finder(user_id: uuid.UUID | None) -> CandidateFinder:
    """Finds the skills of the taxonomy that each clause names, and those that lie nearest to it."""

    def find(clauses: Sequence[str]) -> list[list[Candidate]]:
        embeddings = embed(texts=clauses, purpose="profiling.read", user_id=user_id)
        named = _skills_said(clauses)
        return [_candidates(clause, vector, embeddings.model, named) for clause, vector in zip(clauses, embeddings.vectors, strict=True)]

    return find


def _candidates(clause: str, vector: Sequence[float], model: str, named: dict[str, Skill]) -> list[Candidate]:
    said = {phrase: named[phrase] for phrase in _phrases(clause) if phrase in named}
    # "Machine learning" is meant, not also "learning".
    longest = {phrase: skill for phrase, skill in said.items() if not any(phrase != other and phrase in other for other in said)}
    doubtful = [skill.pk for phrase, skill in longest.items() if _is_everyday(phrase)]
    close = dict(Skill.objects.filter(pk__in=doubtful).nearest(vector, model=model, limit=len(doubtful))) if doubtful else {}
    sure = {skill.name for phrase, skill in longest.items() if not _is_everyday(phrase) or close.get(skill.pk, 0) >= _EVERYDAY_NEAR_ENOUGH}
    return [
        *(Candidate(name, 1.0, is_named=True) for name in sorted(sure)),
        *(Candidate(name, similarity) for name, similarity in _nearest_skills(vector, model) if name not in sure),
    ]


def _phrases(clause: str) -> list[str]:
    """Every run of up to four words of a clause, as look-ups compare them, and what may be its singular."""
    words = _WORD.findall(clause.lower())
    spans = ((start, start + length) for length in range(1, _LONGEST_PHRASE + 1) for start in range(len(words) - length + 1))
    runs = [" ".join(words[start:end]) for start, end in spans]
    return [*runs, *(run[:-1] for run in runs if run.endswith("s") and len(run) > _LONGEST_EVERYDAY_WORD)]


def _skills_said(clauses: Sequence[str]) -> dict[str, Skill]:
    """The skills that the clauses name, by the phrase that does it; one query."""
    phrases = {phrase for clause in clauses for phrase in _phrases(clause)}
    found: dict[str, Skill] = {}
    for skill in Skill.objects.active().filter(keys__overlap=list(phrases)).order_by("source", "id").only("id", "name", "keys", "source"):
        for phrase in phrases & set(skill.keys):
            if phrase not in found or title_key(skill.name) == phrase:
                found[phrase] = skill
    return found


def _is_everyday(phrase: str) -> bool:
    """Whether what was said is also a word that everybody uses, such as go, home or test: then it takes more to mean the skill."""
    return " " not in phrase and len(phrase) <= _LONGEST_EVERYDAY_WORD and phrase.isalpha()


def _nearest_skills(vector: Sequence[float], model: str) -> list[tuple[str, float]]:
    """Names and similarities, best first, each name once."""
    found = Skill.objects.active().exclude(source__in=_PROPER_NAMES).nearest(vector, model=model, limit=_NEIGHBOURS)
    names = dict(Skill.objects.filter(pk__in=[key for key, _ in found]).values_list("pk", "name"))
    best: dict[str, float] = {}
    for key, similarity in found:
        best.setdefault(names[key], similarity)
    return list(best.items())


def _phrase_finder(phrases: dict[str, tuple[str, ...]], words: dict[str, str], user_id: uuid.UUID | None) -> CandidateFinder:
    """Finds the label whose words a clause says, or else those whose phrases lie nearest to it."""

    def find(clauses: Sequence[str]) -> list[list[Candidate]]:
        named = [[label for label, pattern in words.items() if re.search(pattern, clause, re.IGNORECASE)] for clause in clauses]
        embeddings = embed(texts=clauses, purpose="profiling.read", user_id=user_id)
        vectors = _phrase_vectors(tuple((label, phrase) for label, group in phrases.items() for phrase in group), embeddings.model)
        return [
            [Candidate(label, 1.0, is_named=True) for label in labels] or _nearest_phrases(vector, vectors)
            for labels, vector in zip(named, embeddings.vectors, strict=True)
        ]

    return find


@lru_cache(maxsize=4)
def _phrase_vectors(phrases: tuple[tuple[str, str], ...], model: str) -> tuple[tuple[str, tuple[float, ...]], ...]:
    vectors = embed(texts=[phrase for _, phrase in phrases], purpose="profiling.vocabulary", model=model).vectors
    return tuple((label, tuple(vector)) for (label, _), vector in zip(phrases, vectors, strict=True))


def _nearest_phrases(vector: Sequence[float], phrases: Sequence[tuple[str, Sequence[float]]]) -> list[Candidate]:
    best: dict[str, float] = {}
    for label, other in phrases:
        best[label] = max(best.get(label, -1.0), sum(a * b for a, b in zip(vector, other, strict=True)))
    ranked = sorted(best.items(), key=lambda pair: -pair[1])[:_NEIGHBOURS]
    return [Candidate(label, similarity) for label, similarity in ranked if similarity >= _PHRASE_NEAR_ENOUGH]


def skills_named(labels: Sequence[str], user_id: uuid.UUID | None) -> dict[str, Skill]:
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
