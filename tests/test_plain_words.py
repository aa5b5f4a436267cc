"""What is said to people is easy to read, and every time of day says its zone. Reading grade: Flesch and Kincaid (Kincaid and others, 1975,
"Derivation of new readability formulas for Navy enlisted personnel"), with syllables counted by the groups of vowels."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils.html import strip_tags

from bookings.tests.conftest import clock, world
from bookings.tests.world import BookingWorld
from core.errors import DomainError
from mentors.tests.conftest import make_mentor
from tests.house import APPS, production_files
from tests.test_pages import lived_in, pages_of

__all__ = ["clock", "lived_in", "make_mentor", "world"]  # fixtures
ROOT = Path(__file__).parent.parent
HARDEST = 8
_SILENT_END = re.compile(r"(?:[^laeiouy]es|[^td]ed|[^laeiouy]e)$")


def syllables(word: str) -> int:
    return max(1, len(re.findall(r"[aeiouy]+", _SILENT_END.sub("", word.lower()))))


def reading_grade(text: str) -> float:
    """School years, in the United States, that a reader needs."""
    words = re.findall(r"[A-Za-z']+", text)
    sentences = max(1, len(re.findall(r"[.!?:;](?:\s|$)", text)))
    return 0.39 * len(words) / sentences + 11.8 * sum(map(syllables, words)) / len(words) - 15.59


def kinds_of(kind: type[DomainError]) -> Iterator[type[DomainError]]:
    yield kind
    for each in kind.__subclasses__():
        yield from kinds_of(each)


def words_of_fields() -> Iterator[tuple[str, str]]:
    """What errors say of single fields: (file, words), as they stand in the code."""
    for file in production_files(ROOT):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in ("FieldError", "ValidationError"):
                for value in (*node.args, *(keyword.value for keyword in node.keywords)):
                    yield from ((file.relative_to(ROOT).as_posix(), text) for text in map(_text, _parts(value)) if " " in text)


def _parts(value: ast.expr) -> list[ast.expr]:
    """Words alone, or by the names of fields."""
    if isinstance(value, ast.Dict):
        return [part for each in value.values for part in _parts(each)]
    return value.elts if isinstance(value, ast.List) else [value]


def _text(value: ast.expr) -> str:
    """A string of the code; what is put into it counts as "this"."""
    if isinstance(value, ast.Call) and value.args:
        value = value.args[0]
    if isinstance(value, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "this" for part in value.values)
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else ""


def test_errors_are_easy_to_read() -> None:
    own = [kind for kind in kinds_of(DomainError) if kind.__module__.split(".")[0] in (*APPS, "core")]
    said = [(kind.__name__, str(kind.message)) for kind in own if kind.message]
    fields = list(words_of_fields())
    assert len(said) > 100 and len(fields) > 70, "the test is blind"
    hard = [(round(reading_grade(text), 1), name, text) for name, text in (*said, *fields) if reading_grade(text) > HARDEST]
    assert not hard, "\n".join(map(str, hard))
    unfinished = [(name, text) for name, text in (*said, *fields) if not text.endswith((".", "?"))]
    assert not unfinished, "\n".join(map(str, unfinished))


def test_the_grade_is_that_of_the_formula() -> None:
    assert reading_grade("The cat sat on the mat.") < 1
    assert reading_grade("Notwithstanding contractual obligations, reimbursement is discretionary.") > 15


@pytest.mark.django_db
@pytest.mark.parametrize("who", ["stranger", "learner", "mentor"])
def test_pages_are_easy_to_read_and_every_time_says_its_zone(lived_in: BookingWorld, client: Client, who: str) -> None:
    if who != "stranger":
        client.force_login(getattr(lived_in, who))
    seen = 0
    for path, status in pages_of(who).items():
        if status != 200:
            continue
        page = client.get(path).content.decode()
        for text in re.findall(r"<(?:p|li)(?: class=\"\w+\")?>([^<]{40,})</", page):
            assert reading_grade(text) <= HARDEST, (path, text)
        times = re.findall(r'<time datetime="([^"]+)">([^<]+)</time>', page)
        seen += len(times)
        assert all(instant.endswith("Z") for instant, _ in times), path
        said = strip_tags(page)
        # Beside it, or once above all the times of the page.
        alone = [words for _, words in times if not re.search(r" time$|UTC$", words)]
        assert not alone or re.search(r"All times are (\w+ time|UTC)", said), (path, alone)
    assert seen > 3


@pytest.mark.django_db
def test_help_stands_at_the_same_place_of_every_page(lived_in: BookingWorld, client: Client) -> None:
    for path, status in pages_of("stranger").items():
        if status == 200:
            foot = client.get(path).content.decode().split('<footer class="foot">')[1]
            assert re.match(r'<div>\s*<p><a href="/help/">', foot), path


@pytest.mark.django_db
def test_signing_in_asks_for_no_puzzle_and_fills_in_by_itself(client: Client) -> None:
    for path, names in {"/sign-in/": ("username", "current-password"), "/sign-up/": ("email", "name", "new-password")}.items():
        page = client.get(path).content.decode()
        assert "captcha" not in page.lower()
        for name in names:
            assert re.search(rf'autocomplete="{name}( webauthn)?"', page), (path, name)


@pytest.mark.django_db
def test_times_of_the_api_say_their_zone(lived_in: BookingWorld, api: Any) -> None:
    found: list[str] = []

    def walk(value: Any) -> None:
        if isinstance(value, dict | list):
            for each in value.values() if isinstance(value, dict) else value:
                walk(each)
        elif isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\dT", value):
            found.append(value)

    api.sign_in(lived_in.learner)
    for path in ("bookings", "notifications", "auth/security-log", "payments", f"mentors/{lived_in.profile.pk}/reviews"):
        answer = api.get(path)
        assert answer.status_code == 200, path
        walk(answer.json())
    assert len(found) > 10
    assert all(value.endswith("Z") for value in found)
