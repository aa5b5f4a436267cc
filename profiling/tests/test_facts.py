from __future__ import annotations

import pytest

from profiling.enums import ClaimKind
from profiling.services.commands import Command, chosen, command_in, says_nothing
from profiling.services.facts import availability_in, languages_in, places_in
from profiling.services.routing import kinds_of

OPTIONS = ("driving vehicles", "driving heavy vehicles", "None of these")


@pytest.mark.parametrize(
    ("clause", "languages"),
    [
        ("I speak English and some Spanish", ["English", "Spanish"]),
        ("deutsch, français", ["German", "French"]),
        ("Yoruba is my mother tongue", ["Yoruba"]),
        ("I use sign language", ["Sign language"]),
        ("I want to learn Greek", []),
        ("I am an English teacher", []),
        ("I polish shoes", ["Polish"]),
        ("", []),
        ("\x00'; --", []),
    ],
)
def test_languages(clause: str, languages: list[str]) -> None:
    assert languages_in(clause) == languages


@pytest.mark.parametrize(
    ("clause", "times"),
    [
        ("after work and at the weekend", ["evenings", "weekends"]),
        ("Saturdays and Sundays", ["weekends"]),
        ("about ten hours a week", ["10 hours a week"]),
        ("20 hours per week, part-time", ["20 hours a week", "part time"]),
        ("mondays and Friday", ["Mondays", "Fridays"]),
        ("any time but not on Mondays", ["flexible"]),
        ("never in the evening", []),
        ("I have a dog", []),
    ],
)
def test_availability(clause: str, times: list[str]) -> None:
    assert availability_in(clause) == times


@pytest.mark.parametrize(
    ("clause", "places"),
    [
        ("I live in Accra", ["Accra"]),
        ("We moved to Dresden last year", ["Dresden"]),
        ("my home is in Addis Ababa with my family", ["Addis Ababa"]),
        ("accra", ["Accra"]),
        ("near Stratford upon Avon", ["Stratford upon Avon"]),
        ("I live in the south of France", ["south of France"]),
        ("with my parents", []),
        ("I look after people", []),
        ("Why do you ask?", []),
        ("Hm", []),
        ("12 Main Street", []),
        ("", []),
    ],
)
def test_places(clause: str, places: list[str]) -> None:
    assert places_in(clause) == places


@pytest.mark.parametrize(
    ("sentence", "asked", "kinds"),
    [
        ("I repair bikes.", ClaimKind.SKILL, {"skill"}),
        ("I want to become a nurse.", ClaimKind.SKILL, {"goal"}),
        ("I want to learn Spanish.", ClaimKind.LANGUAGE, {"goal"}),
        ("I worked as a cook for a year.", ClaimKind.GOAL, {"experience"}),
        ("I worked as a cook for a year.", ClaimKind.SKILL, {"experience", "skill"}),
        ("I love plants.", ClaimKind.SKILL, {"interest"}),
        ("I live in Accra and I speak Twi.", ClaimKind.SKILL, {"location", "language"}),
        ("I am blind.", ClaimKind.INTEREST, {"access_need"}),
        ("I love making web sites for blind people.", ClaimKind.SKILL, {"interest"}),
        ("I can't travel.", ClaimKind.SKILL, {"constraint"}),
        ("I can't sing.", ClaimKind.SKILL, {"skill"}),
        ("The weather is awful.", ClaimKind.GOAL, set()),
        ("Do you like pizza?", ClaimKind.EXPERIENCE, set()),
        ("A nurse.", ClaimKind.GOAL, {"goal"}),
    ],
)
def test_what_a_sentence_is_about(sentence: str, asked: ClaimKind, kinds: set[str]) -> None:
    assert kinds_of(sentence, asked) == kinds


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("Skip!", Command.SKIP),
        ("go back", Command.BACK),
        ("I need a break.", Command.PAUSE),
        ("Say that again?", Command.REPEAT),
        ("I skip rope.", None),
        ("Back pain", None),
        ("", None),
    ],
)
def test_commands_are_whole_answers(text: str, command: Command | None) -> None:
    assert command_in(text) == command


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("driving heavy vehicles", ["driving heavy vehicles"]),
        ("Driving vehicles, please", ["driving vehicles"]),
        ("both", ["driving vehicles", "driving heavy vehicles"]),
        ("the second one", ["driving heavy vehicles"]),
        ("2", ["driving heavy vehicles"]),
        ("Option two", ["driving heavy vehicles"]),
        ("number three", []),
        ("yes", ["driving vehicles"]),
        ("No.", []),
        ("none of these", []),
        ("I fly planes", None),
        ("", None),
    ],
)
def test_options_are_chosen_by_name_number_yes_and_no(text: str, options: list[str] | None) -> None:
    assert chosen(text, OPTIONS) == options


@pytest.mark.parametrize(
    ("text", "nothing"), [("No, nothing.", True), ("none", True), ("No, I don't", True), ("nothing but trouble", False)]
)
def test_nothing_is_said_in_a_few_ways(text: str, nothing: bool) -> None:
    assert says_nothing(text) is nothing


def test_a_yes_to_a_list_of_choices_chooses_none_in_particular() -> None:
    assert chosen("yes", ("captions", "more time")) is None
    assert chosen("number two", ("captions", "more time")) == ["more time"]
