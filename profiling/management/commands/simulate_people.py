from __future__ import annotations

import gzip
import json
import random
import re
from argparse import ArgumentParser
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from profiling.services.simulation import PEOPLE

_TOPICS = PEOPLE.with_name("topics.tsv")
_STYLES = ("plain", "terse", "chatty", "contradictory", "off_topic")
_FILLERS = (
    "Well, that is a long story.",
    "Let me think for a second.",
    "My neighbour always laughs about this.",
    "Honestly, nobody ever asked me that.",
    "It is raining here, by the way.",
    "I had a coffee before this, so here we go.",
)
_OFF_TOPICS = (
    "Why do you ask?",
    "The bus was late again today.",
    "My cat sits on the keyboard.",
    "Do you like pizza?",
    "It is so hot outside.",
    "Hm, I would have to think about that.",
)
# Label: how people say it at length, and in a word or two.
_CONSTRAINTS = {
    "remote only": (("I can only do things online", "It must be something that I do from my flat"), "remote"),
    "has to be paid": (("It has to bring in some money", "I can't work for nothing"), "paid"),
    "has to be free": (("I have no money for fees", "It must not cost me a thing"), "free of charge"),
    "no travel": (("I can't travel for it", "It has to be in my own town, no trips"), "no travel"),
    "no degree": (("I have no degree, so they must not ask for one", "It must be open to people without a diploma"), "no degree"),
}
_ACCESS_NEEDS = {
    "wheelchair access": (("I get around in a wheelchair", "I can't climb stairs"), "wheelchair"),
    "screen reader": (("I'm blind and listen to my computer", "I read with a screen reader"), "screen reader"),
    "captions": (("I'm hard of hearing", "I'm deaf"), "subtitles"),
    "large text": (("I have low vision", "Small print is hard for me, so I need large letters"), "large print"),
    "quiet place": (("I'm autistic and noise is hard for me", "I need a quiet room to work in"), "quiet room"),
    "more time": (("I'm dyslexic, so reading takes me longer", "I need extra time with long texts"), "extra time"),
}
_AVAILABILITY = {
    "evenings": (("I'm free after work", "I have time in the evening"), "evenings"),
    "weekends": (("I have time on Saturdays and Sundays", "I'm available at the weekend"), "weekends"),
    "mornings": (("I'm free before noon", "My mornings are free"), "mornings"),
    "full time": (("I'm available full-time", "I have time all day"), "full time"),
    "part time": (("I can work part-time", "I have time for half days"), "part time"),
    "10 hours a week": (("I have time for about ten hours a week", "I'm free 10 hours each week"), "10 hours a week"),
}
_LANGUAGES = (
    *("English", "Spanish", "French", "Arabic", "Portuguese", "Swahili", "Hindi", "German", "Turkish", "Polish", "Yoruba", "Somali"),
    *("Ukrainian", "Vietnamese", "Mandarin", "Tagalog", "Amharic", "Urdu", "Dutch", "Greek"),
)


class Command(BaseCommand):
    help = (
        "Make the simulated people of the review anew: occupations, places and skills from the data, sentences from this file. The same "
        "data give the same people."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("data", type=Path, help="the folder with taxonomy/ and opportunities/")
        parser.add_argument("--count", type=int, default=150)
        parser.add_argument("--out", type=Path, default=PEOPLE)

    def handle(self, *args: Any, data: Path, count: int, out: Path, **options: Any) -> None:
        if not (data / "taxonomy" / "onet" / "occupations.jsonl").is_file():
            raise CommandError(f"{data} has no taxonomy/onet/occupations.jsonl.")
        chance = random.Random(4)
        occupations, places = _occupations(data), _places(data)
        people = [_person(number, chance, occupations, places) for number in range(count)]
        out.write_text("".join(json.dumps(person, ensure_ascii=False) + "\n" for person in people), encoding="utf-8")
        self.stdout.write(f"{count} people, {sum(len(person['facts']) for person in people)} facts: {out}")


def _occupations(data: Path) -> list[str]:
    """Titles of one occupation each, in the singular and in lower case."""
    lines = (data / "taxonomy" / "onet" / "occupations.jsonl").read_text(encoding="utf-8").splitlines()
    titles = [json.loads(line)["title"] for line in lines]
    plain = [title for title in titles if re.fullmatch(r"[A-Z][a-z]+(?: [A-Z][a-z]+)?s", title) and not title.endswith("ss")]
    return sorted(title[:-1].lower() for title in plain)


def _places(data: Path) -> list[str]:
    """Towns that real opportunities name."""
    with gzip.open(data / "opportunities" / "opportunities.jsonl.gz", "rt", encoding="utf-8") as lines:
        named = {str(json.loads(line).get("location") or "").split(",")[0].strip() for line in lines}
    return sorted(place for place in named if re.fullmatch(r"[A-Z][a-z]{3,}(?: [A-Z][a-z]{3,})?", place))


def _person(number: int, chance: random.Random, occupations: list[str], places: list[str]) -> dict[str, Any]:
    style = _STYLES[number % len(_STYLES)]
    topics = chance.sample(_topics(), 6)
    past, wanted = chance.sample(occupations, 2)
    place = chance.choice(places)
    facts = [
        *(_skill(topic, chance) for topic in topics[:3]),
        *(_interest(topic, chance) for topic in topics[3:5]),
        _fact(
            "experience", f"I worked as a {past} for {chance.choice(('a year', 'two years', 'five years'))}", f"worked as a {past}", [past]
        ),
        _fact(
            "goals", chance.choice(("I want to become a {}", "I would like to work as a {}")).format(wanted), f"become a {wanted}", [wanted]
        ),
        *_some(_CONSTRAINTS, "constraints", chance, 0, 2),
        *_some(_ACCESS_NEEDS, "access_needs", chance, 0, 1),
        *_languages(chance),
        *_some(_AVAILABILITY, "availability", chance, 1, 2),
        _fact("location", chance.choice(("I live in {}", "My home is in {}", "We moved to {} last year")).format(place), place, [place]),
    ]
    if style == "contradictory":
        gerund, sentence, terse, labels = topics[5]
        facts.insert(1, _fact("skills", sentence, terse, labels, denial=f"No, that was my brother, I am not good at {gerund}"))
    return {"id": f"person-{number:03}", "style": style, "facts": facts, "fillers": list(_FILLERS), "off_topics": list(_OFF_TOPICS)}


def _topics() -> list[tuple[str, str, str, list[str]]]:
    """(gerund, sentence, tersely, labels of the taxonomy that show it understood)"""
    rows = [line.split("\t") for line in _TOPICS.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    return [(gerund, sentence, terse, labels.split("|")) for gerund, sentence, terse, labels in rows]


def _fact(slot: str, sentence: str, terse: str, labels: Sequence[str], denial: str = "") -> dict[str, Any]:
    fact = {"slot": slot, "sentence": sentence, "terse": terse, "labels": list(labels)}
    return fact | ({"denial": denial} if denial else {})


def _skill(topic: tuple[str, str, str, list[str]], chance: random.Random) -> dict[str, Any]:
    gerund, sentence, terse, labels = topic
    return _fact("skills", chance.choice((sentence, f"I am good at {gerund}", f"People ask me for help with {gerund}")), terse, labels)


def _interest(topic: tuple[str, str, str, list[str]], chance: random.Random) -> dict[str, Any]:
    gerund, _, terse, labels = topic
    openings: tuple[Callable[[str], str], ...] = ("I love {}".format, "I enjoy {}".format, "I am interested in {}".format)
    return _fact("interests", chance.choice(openings)(gerund), terse, labels)


def _some(
    phrases: Mapping[str, tuple[tuple[str, ...], str]], slot: str, chance: random.Random, least: int, most: int
) -> list[dict[str, Any]]:
    chosen = chance.sample(sorted(phrases), chance.randint(least, most))
    return [_fact(slot, chance.choice(phrases[label][0]), phrases[label][1], [label]) for label in chosen]


def _languages(chance: random.Random) -> list[dict[str, Any]]:
    names = chance.sample(_LANGUAGES, chance.randint(1, 2))
    sentences = ("I speak {}", "{} is my mother tongue", "I am fluent in {}")
    return [_fact("languages", chance.choice(sentences).format(name), name, [name]) for name in names]
