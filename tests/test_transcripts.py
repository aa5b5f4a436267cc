"""What a screen reader says on the twelve main ways through the pages, held word by word. After a change that is meant, write them anew with
`WRITE_TRANSCRIPTS=1`, and read what differs: they are for ears."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from bookings.enums import BookingState
from bookings.tests.conftest import clock, world
from bookings.tests.world import BookingWorld
from conftest import PASSWORD
from mentors.models import Check, Review
from mentors.tests.conftest import make_mentor
from tests.browser import Visitor
from tests.looking import read_aloud
from tests.test_pages import booking_in, browser, lived_in, site, visit

__all__ = ["browser", "clock", "lived_in", "make_mentor", "site", "visit", "world"]  # fixtures
pytestmark = pytest.mark.django_db
GOLD = Path(__file__).parent / "transcripts"
# Nobody listens to the names of six hundred zones: of a long list, what is chosen.
_SHORTEN = "() => document.querySelectorAll('select:has(option:nth-child(20)) option').forEach(each => each.selected || each.remove())"
JOURNEYS: dict[str, Callable[[Callable[..., Visitor], BookingWorld], Iterator[Page]]] = {}


def journey(walk: Callable[[Callable[..., Visitor], BookingWorld], Iterator[Page]]) -> None:
    """One way through the pages; it yields the page wherever somebody would listen."""
    JOURNEYS[walk.__name__] = walk


@journey
def find_a_mentor(visit: Callable[..., Visitor], world: BookingWorld) -> Iterator[Page]:
    page = visit().go("/")
    yield page
    page.get_by_role("link", name="Mentors").first.click()
    yield page
    page.goto(f"/mentors/{world.profile.pk}?zone=Europe/Berlin")
    yield page


@journey
def find_an_opportunity(visit: Callable[..., Visitor], world: BookingWorld) -> Iterator[Page]:
    page = visit().go("/opportunities/")
    yield page
    page.get_by_role("link", name="Data analyst").click()
    yield page


@journey
def sign_up(visit: Callable[..., Visitor], world: BookingWorld) -> Iterator[Page]:
    visitor = visit()
    page = visitor.go("/sign-up/")
    page.get_by_label("E-mail address").fill("new@example.org")
    page.get_by_label("Name").fill("New Person")
    page.get_by_label("Password").fill("short")
    page.locator("main").get_by_role("button").first.click()
    yield page
    visitor.problems.clear()  # the browser's word that the answer was 400


@journey
def sign_in(visit: Callable[..., Visitor], world: BookingWorld) -> Iterator[Page]:
    visitor = visit()
    page = visitor.go("/sign-in/")
    page.get_by_label("E-mail address").fill("mara@example.org")
    page.get_by_label("Password").fill("not this one")
    page.get_by_role("button", name="Sign in", exact=True).click()
    yield page
    visitor.problems.clear()
    page.get_by_label("E-mail address").fill(world.learner.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    yield page


@journey
def begin_the_day(visit: Callable[..., Visitor], world: BookingWorld) -> Iterator[Page]:
    visitor = visit(world.mentor)
    yield visitor.go("/dashboard/")
    yield visitor.go("/dashboard/calendar?view=week")


@journey
def accept_a_request(visit: Callable[..., Visitor], world: BookingWorld) -> Iterator[Page]:
    page = visit(world.mentor).go("/dashboard/requests")
    yield page
    page.get_by_role("button", name="Accept").click()
    page.get_by_text("You said yes.").wait_for()
    yield page


@journey
def propose_another_time(visit: Callable[..., Visitor], world: BookingWorld) -> Iterator[Page]:
    page = visit(world.mentor).go(f"/bookings/{booking_in(BookingState.REQUESTED).pk}/new-time")
    page.get_by_role("radio").nth(3).check()
    page.get_by_role("button", name="Take this time").click()
    page.get_by_text("You proposed another time.").wait_for()
    yield page


@journey
def decline_a_request(visit: Callable[..., Visitor], world: BookingWorld) -> Iterator[Page]:
    page = visit(world.mentor).go(f"/bookings/{booking_in(BookingState.REQUESTED).pk}/decline")
    yield page
    page.get_by_label("A few words").fill("I am sorry, I am away.")
    page.get_by_role("button", name="Decline").click()
    page.get_by_text("I am sorry, I am away.").wait_for()
    yield page


@journey
def say_when_one_is_free(visit: Callable[..., Visitor], world: BookingWorld) -> Iterator[Page]:
    visitor = visit(world.mentor)
    page = visitor.go("/dashboard/availability")
    page.get_by_label("Monday").fill("9 to 5")
    page.get_by_role("button", name="Save the hours").click()
    page.get_by_role("alert").first.wait_for()
    yield page
    visitor.problems.clear()


@journey
def cancel_a_session(visit: Callable[..., Visitor], world: BookingWorld) -> Iterator[Page]:
    page = visit(world.learner).go("/bookings/")
    yield page
    page.goto(f"/bookings/{booking_in(BookingState.CONFIRMED).pk}/cancel")
    yield page
    page.get_by_role("button", name="Cancel the session").click()
    page.get_by_role("status").first.wait_for()
    yield page


@journey
def look_at_earnings(visit: Callable[..., Visitor], world: BookingWorld) -> Iterator[Page]:
    yield visit(world.mentor).go("/dashboard/earnings")


@journey
def answer_a_review(visit: Callable[..., Visitor], world: BookingWorld) -> Iterator[Page]:
    visitor = visit(world.mentor)
    yield visitor.go("/dashboard/reviews")
    page = visitor.go(f"/dashboard/reviews/{Review.objects.get(is_of_mentor=True).pk}/reply")
    yield page


@journey
def be_checked(visit: Callable[..., Visitor], world: BookingWorld) -> Iterator[Page]:
    visitor = visit(world.mentor)
    yield visitor.go("/dashboard/checks")
    yield visitor.go(f"/dashboard/checks/{Check.objects.get().pk}")


@pytest.mark.parametrize("name", JOURNEYS)
def test_reads_well_aloud(name: str, lived_in: BookingWorld, visit: Callable[..., Visitor]) -> None:
    heard = []
    for page in JOURNEYS[name](visit, lived_in):
        page.wait_for_load_state("networkidle")
        page.evaluate(_SHORTEN)
        said = read_aloud(page, "main")
        heard.append("\n".join([f"# {page.title()}", *said[1:-1]]))
    # Addresses of people are made anew in each run.
    text = re.sub(r"[0-9a-f]{12}@", "someone@", "\n\n".join(heard)) + "\n"
    file = GOLD / f"{name}.txt"
    if os.environ.get("WRITE_TRANSCRIPTS"):
        file.write_text(text)
    assert text == file.read_text()


def test_no_transcript_is_left_behind() -> None:
    assert {file.stem for file in GOLD.iterdir()} == set(JOURNEYS)
    assert len(JOURNEYS) >= 12
