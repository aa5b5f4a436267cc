"""The pages in a real Chromium: as each kind of person sees them, in three themes, small and large, by keyboard, and without scripts."""

from __future__ import annotations

import datetime
import gzip
import hashlib
import re
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.test import Client
from playwright.sync_api import Browser, Response, WebSocketRoute

from accounts.models import User
from accounts.tests.authenticator import Passkey
from bookings.enums import BookingState
from bookings.models import Booking
from bookings.services import cancelling
from bookings.tests.conftest import clock, world
from bookings.tests.world import BookingWorld
from catalog.models import Opportunity
from conftest import PASSWORD, Api
from mentors.enums import CheckKind
from mentors.models import Check, MentorProfile, Review
from mentors.services.occupying import block_time
from mentors.services.reviews import grant_reviews, write_review
from mentors.services.verification import request_check
from mentors.tests.conftest import make_mentor
from tests.browser import THEMES, VENDOR, Visitor, open_browser, serve_pages
from tests.looking import by_axe, by_forced_colours, by_keyboard, by_sniffer, by_width, look_at, look_at_the_desk, read_aloud

__all__ = ["clock", "make_mentor", "world"]  # fixtures
pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def browser(django_db_setup: None) -> Iterator[Browser]:
    with open_browser() as found:
        yield found


@pytest.fixture
def site(db: None, browser: Browser) -> Iterator[str]:
    with serve_pages() as address:
        yield address


@pytest.fixture
def visit(browser: Browser, site: str) -> Iterator[Callable[..., Visitor]]:
    """Opens the site for somebody, and afterwards holds that nothing failed, spoke up, or went elsewhere in their browser."""
    visitors: list[Visitor] = []

    def begin(*args: Any, **options: Any) -> Visitor:
        visitors.append(Visitor(browser, site, *args, **options))
        return visitors[-1]

    yield begin
    for visitor in visitors:
        visitor.close()
    problems = [problem for visitor in visitors for problem in visitor.problems if "/ws/dashboard/" not in problem]
    assert problems == []


@pytest.fixture
def lived_in(world: BookingWorld) -> BookingWorld:
    """A mentor in Berlin with a request, a session ahead, one that was held and reviewed, a blocked day, and an opportunity to look at."""
    profile, mentor = world.profile, world.mentor
    mentor.time_zone = "Europe/Berlin"
    mentor.save()
    profile.headline, profile.bio, profile.languages = (
        "Data work, from the first day on",
        "I have built data teams for ten years.",
        ["en", "de"],
    )
    profile.accessibility_practices = ["captions", "slow_pace"]
    profile.save()
    past = world.confirmed("2027-06-01 09:00")
    world.clock.set("2027-06-01 09:01")
    world.attended(past, mentor, world.learner)
    world.clock.set("2027-06-02 11:00")
    world.turn()
    grant_reviews(reference=past.pk, profile=profile, learner_id=world.learner.pk, ended_at=past.session.ends_at)
    for review in Review.objects.filter(reference=past.pk):
        write_review(review=review, rating=5, text="Clear and kind.")
    world.confirmed("2027-06-04 09:00")
    world.requested("2027-06-05 10:00", topic="How do I get into data work?")
    block_time(
        person=mentor,
        starts_at=world.clock.now() + datetime.timedelta(days=2),
        ends_at=world.clock.now() + datetime.timedelta(days=3),
        title="Away",
    )
    request_check(profile=profile, kind=CheckKind.IDENTITY)
    Opportunity.objects.create(
        source="test",
        source_id="1",
        kind="job",
        title="Data analyst",
        organisation="Acme",
        location="Berlin",
        description="Look into numbers.",
        confirmed_at=world.clock.now(),
    )
    return world


def booking_in(state: BookingState) -> Booking:
    return Booking.objects.filter(state=state).get()


def pages_of(who: str) -> dict[str, int]:
    """The addresses that this kind of person walks, with the status of each."""
    profile, opportunity = MentorProfile.objects.get(), Opportunity.objects.get()
    if who == "stranger":
        paths = [
            "/",
            "/mentors/",
            f"/mentors/{profile.pk}",
            "/mentors/?q=data&practice=captions",
            "/help/",
            "/opportunities/",
            f"/opportunities/{opportunity.pk}",
        ]
        paths += ["/sign-in/", "/sign-in/mail", "/sign-up/", "/reset-password/", "/payments", "/api/problems/not_found"]
        return dict.fromkeys(paths, 200) | {"/nowhere": 404, "/mentors/?language=" + "x" * 20: 400}
    ahead, asked, past = (f"/bookings/{booking_in(state).pk}" for state in ("confirmed", "requested", "completed"))  # type: ignore[arg-type]  # a state
    shared = [ahead, f"{ahead}/cancel", f"{ahead}/new-time", asked, past, "/bookings/", "/bookings/?when=past", "/dashboard/settings"]
    if who == "learner":
        return dict.fromkeys([*shared, f"/mentors/{profile.pk}", "/dashboard/", "/dashboard/profile"], 200)
    review = Review.objects.get(is_of_mentor=True)
    own = [
        "",
        "requests",
        "next",
        "calendar",
        "calendar?view=week",
        "calendar?view=month",
        "availability",
        "earnings",
        "earnings/summary",
        "reviews",
        "figures",
    ]
    own += ["checks", f"checks/{Check.objects.get().pk}", f"reviews/{review.pk}/reply", "profile", "profile/preview", "calendars"]
    return dict.fromkeys([*shared, f"{asked}/decline", f"{asked}/new-time", *(f"/dashboard/{name}" for name in own)], 200)


@pytest.mark.parametrize("who", ["stranger", "learner", "mentor"])
def test_every_page_can_be_used_by_everybody(lived_in: BookingWorld, visit: Callable[..., Visitor], who: str) -> None:
    user = {"stranger": None, "learner": lived_in.learner, "mentor": lived_in.mentor}[who]
    visitor = visit(user)
    faults = []
    for path, status in pages_of(who).items():
        page = visitor.go(path, status=status)
        found = look_at(page)
        for theme in THEMES[1:]:
            page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
            found += [f"{theme}: {fault}" for fault in by_axe(page, "color-contrast")]
        faults += [f"{path}: {fault}" for fault in found]
    expected = [problem for problem in visitor.problems if "the server responded with a status of 40" in problem]
    visitor.problems = [problem for problem in visitor.problems if problem not in expected]
    assert not faults, "\n".join(faults)


def staff_pages() -> list[str]:
    """One of each kind: the first page, lists with and without rows, filters and actions, rows to look at and to change, with inner tables, with
    two lists to choose from, with a search inside a field, a history, an import, and forms of our own."""
    profile, booking, person = (
        MentorProfile.objects.get(),
        booking_in(BookingState.CONFIRMED),
        User.objects.exclude(is_superuser=True).first(),
    )
    assert person is not None
    rows = {
        "mentors/mentorprofile": profile,
        "bookings/booking": booking,
        "payments/payment": booking.payment,
        "accounts/user": person,
        "catalog/opportunity": Opportunity.objects.get(),
    }
    lists = [f"/admin/{name}/" for name in (*rows, "bookings/appeal")]
    return [
        *("/admin/", *lists, *(f"/admin/{name}/{row.pk}/change/" for name, row in rows.items() if row is not None)),
        *(
            f"/admin/mentors/mentorprofile/{profile.pk}/history/",
            "/admin/catalog/skill/import/",
            f"/admin/accounts/user/{person.pk}/impersonate/",
        ),
        *("/admin/accounts/user/add/", "/admin/notifications/notification/preview/"),
    ]


def test_staff_pages_can_be_used_by_everybody(lived_in: BookingWorld, visit: Callable[..., Visitor]) -> None:
    visitor = visit(lived_in.make_user(role="staff", is_superuser=True))
    faults = [f"{path}: {fault}" for path in staff_pages() for fault in look_at_the_desk(visitor, path)]
    assert not faults, "\n".join(faults)


def test_the_tools_see_what_is_wrong(visit: Callable[..., Visitor]) -> None:
    """Seeded faults, each found: a check that cannot fail is none."""
    page = visit().go("/sign-in/")
    page.evaluate("""() => {
      const main = document.querySelector('main');
      main.insertAdjacentHTML('beforeend', '<img src="data:,"><p id="pale">pale</p><button id="lost" tabindex="-1">lost</button><p id="wide">wide</p>');
      document.getElementById('pale').style.color = '#ccc';
      document.getElementById('wide').style.width = '3000px';
    }""")
    assert any("image-alt" in fault for fault in by_axe(page))
    assert any("color-contrast" in fault for fault in by_axe(page, "color-contrast"))
    assert any("H37" in fault for fault in by_sniffer(page))
    assert any('id="lost"' in fault for fault in by_keyboard(page))
    assert len(by_width(page)) == 2
    page.evaluate("() => { document.querySelector('main button').style.cssText = 'border: 0; outline: none'; }")
    assert len(by_forced_colours(page)) == 2


def test_vendored_tools_are_what_they_say() -> None:
    for name, digest in re.findall(r"^\| `(\S+)` .* `(\w{64})` \|$", (VENDOR / "README.md").read_text(), re.MULTILINE):
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == digest


def test_a_mentor_accepts_by_keyboard_alone(lived_in: BookingWorld, visit: Callable[..., Visitor]) -> None:
    page = visit(lived_in.mentor).go("/dashboard/requests")
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.textContent") == "Accept the request of Lea Learner"
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.get_by_role("status").first.text_content() == "You said yes. Both of you were told."
    assert not Booking.objects.filter(state=BookingState.REQUESTED).exists()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_request_is_answered_with_and_without_scripts(lived_in: BookingWorld, visit: Callable[..., Visitor], scripts: bool) -> None:
    page = visit(lived_in.mentor, scripts=scripts).go("/dashboard/requests")
    page.get_by_role("link", name="Propose another time").click()
    page.get_by_role("radio").nth(3).check()
    page.get_by_role("button", name="Take this time").click()
    assert "You proposed another time." in page.locator("main").inner_text()
    booking = booking_in(BookingState.REQUESTED)
    assert booking.proposed_at is not None
    page.get_by_role("link", name="Decline").click()
    page.get_by_label("A few words").fill("I am sorry, I am away.")
    page.get_by_role("button", name="Decline").click()
    booking.refresh_from_db()
    assert booking.state == BookingState.DECLINED
    assert "I am sorry, I am away." in page.locator("main").inner_text()


def test_a_session_is_cancelled_for_what_the_page_said(lived_in: BookingWorld, visit: Callable[..., Visitor]) -> None:
    booking = booking_in(BookingState.CONFIRMED)
    page = visit(lived_in.learner, scripts=False).go(f"/bookings/{booking.pk}")
    page.get_by_role("link", name="Cancel the session").click()
    quote = cancelling.cancellation_quote(booking=booking, user=lived_in.learner)
    assert quote.refund.in_locale("en-GB") in page.locator("main").inner_text()
    page.get_by_role("button", name="Cancel the session").click()
    booking.refresh_from_db()
    assert (booking.state, booking.refund_amount) == (BookingState.CANCELLED_BY_LEARNER, quote.refund.amount)


def test_availability_and_profile_are_stated_by_typing(lived_in: BookingWorld, visit: Callable[..., Visitor]) -> None:
    visitor = visit(lived_in.mentor, scripts=False)
    page = visitor.go("/dashboard/availability")
    page.get_by_label("Monday").fill("9 to 5")
    page.get_by_role("button", name="Save the hours").click()
    field = page.get_by_label("Monday")
    assert field.get_attribute("aria-invalid") == "true"
    assert "“9 to 5” is no stretch of time" in page.locator("#" + str(field.get_attribute("aria-describedby")).split()[-1]).inner_text()
    visitor.problems.clear()  # the browser's word that the answer was 400
    field.fill("09:00-12:00, 14:00-17:30")
    page.get_by_label("Single dates").fill("2027-12-24 closed")
    page.get_by_role("button", name="Save the hours").click()
    assert "Saved." in page.locator("main").inner_text()
    assert page.get_by_label("Monday").input_value() == "09:00-12:00, 14:00-17:30"
    page = visitor.go("/dashboard/profile")
    page.get_by_label("What you help with").fill("Data work")
    page.get_by_role("group", name="A new session").get_by_label("Title").fill("A short talk")
    page.get_by_role("group", name="A new session").get_by_label("Minutes").fill("20")
    page.get_by_role("group", name="A new session").get_by_label("Price").fill("12.50")
    page.get_by_role("button", name="Save the profile").click()
    offers = lived_in.profile.offers.filter(is_active=True).values_list("title", "duration_minutes", "price_amount")
    assert sorted(offers) == [("A short talk", 20, 1250), ("Talk", 60, 4500)]


def test_hours_are_drawn_into_the_week(lived_in: BookingWorld, visit: Callable[..., Visitor]) -> None:
    """By mouse, over one day and several; what was drawn stands in the lines, finer times than the plan shows are kept, and Escape gives up."""
    page = visit(lived_in.mentor).go("/dashboard/availability")
    lines = {day: page.get_by_label(day, exact=True) for day in ("Monday", "Tuesday", "Wednesday", "Thursday")}
    for line in lines.values():
        line.fill("")
    lines["Wednesday"].fill("07:15-08:00, 13:00-14:00")

    def draw(start: tuple[int, float], end: tuple[int, float], *, release: bool = True) -> None:
        """From (day, hour) to (day, hour)."""
        for number, (day, hour) in enumerate((start, end)):
            box = page.locator(".track").nth(day).bounding_box()
            assert box is not None
            page.mouse.move(box["x"] + box["width"] * hour / 24, box["y"] + box["height"] / 2, steps=4)
            if not number:
                page.mouse.down()
        if release:
            page.mouse.up()

    page.locator(".plan").scroll_into_view_if_needed()
    draw((0, 9.2), (0, 11.8))
    assert lines["Monday"].input_value() == "09:00-12:00"
    draw((0, 10.2), (0, 10.3))  # a click
    assert lines["Monday"].input_value() == "09:00-10:00, 10:30-12:00"
    draw((1, 9.2), (2, 12.9))
    assert [lines[day].input_value() for day in ("Tuesday", "Wednesday")] == ["09:00-13:00", "07:15-08:00, 09:00-14:00"]
    lines["Thursday"].fill("9 to 5")
    draw((3, 9.2), (3, 12.9))
    assert lines["Thursday"].input_value() == "9 to 5"
    draw((0, 14.2), (0, 15.8), release=False)
    page.keyboard.press("Escape")
    page.mouse.up()
    assert lines["Monday"].input_value() == "09:00-10:00, 10:30-12:00"
    lines["Thursday"].fill("")
    page.get_by_role("button", name="Save the hours").click()
    page.get_by_text("Saved.").wait_for()
    assert page.get_by_label("Wednesday").input_value() == "07:15-08:00, 09:00-14:00"


def test_a_check_is_handed_in_with_its_document(
    lived_in: BookingWorld, visit: Callable[..., Visitor], tmp_path: Path, settings: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    page = visit(lived_in.mentor, scripts=False).go("/dashboard/checks")
    page.get_by_role("link", name="Identity").click()
    files = {"name": "passport.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7 x"}
    page.get_by_label("A PDF, JPEG, PNG or WebP").set_input_files(files)  # type: ignore[arg-type]  # a file
    page.get_by_role("button", name="Add the file").click()
    page.get_by_role("button", name="Hand it in").click()
    assert "Our staff look at it" in page.locator("main").inner_text()
    assert Check.objects.get().state == "submitted"


@pytest.mark.parametrize("scripts", [True, False])
def test_signing_in_and_out_by_the_form(visit: Callable[..., Visitor], user: User, scripts: bool) -> None:
    page = visit(scripts=scripts).go("/sign-in/?next=/dashboard/settings")
    page.get_by_label("E-mail address").fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("heading", name="Settings").wait_for()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("link", name="Sign in").wait_for()


def test_a_passkey_signs_in(visit: Callable[..., Visitor], user: User, settings: Any) -> None:
    """The browser's own authenticator, in software, holds a passkey that was made before."""
    visitor = visit()
    address = visitor.address.replace("127.0.0.1", "localhost")
    settings.SITE_URL, settings.ALLOWED_HOSTS = address, ["*"]
    passkey, api = Passkey(host="localhost", origin=address), Api().sign_in(user)
    made = passkey.create(api.get("auth/factors/passkeys").json()["options"])
    assert api.post("auth/factors/passkeys", {"name": "Key", "credential": made}).status_code == 201
    key = passkey.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    devtools = visitor.context.new_cdp_session(visitor.page)
    devtools.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True, "isUserVerified": True}
    found = devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    credential = {
        "credentialId": b64encode(passkey.id).decode(),
        "isResidentCredential": True,
        "rpId": "localhost",
        "privateKey": b64encode(key).decode(),
        "userHandle": b64encode(passkey.user_handle).decode(),
        "signCount": 1,
    }
    devtools.send("WebAuthn.addCredential", {"authenticatorId": found["authenticatorId"], "credential": credential})
    visitor.address = address
    page = visitor.page
    page.goto(f"{address}/sign-in/?next=/dashboard/settings")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.get_by_role("heading", name="Settings").wait_for()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("link", name="Sign in").wait_for()


def test_a_theme_is_kept(visit: Callable[..., Visitor]) -> None:
    page = visit(scripts=False).go("/mentors/")
    page.get_by_label("Colours").select_option("High contrast")
    page.get_by_role("button", name="Use them").click()
    assert page.url.endswith("/mentors/")
    assert page.locator("html").get_attribute("data-theme") == "contrast"


def test_times_are_on_the_clock_of_the_visitor(lived_in: BookingWorld, visit: Callable[..., Visitor]) -> None:
    visitor = visit(timezone_id="America/New_York")
    page = visitor.go(f"/mentors/{lived_in.profile.pk}")
    page.wait_for_function("() => document.body.innerText.includes('All times are New York time.')")
    page.get_by_label("Times as the clock shows them in").select_option("Asia/Tokyo")
    page.get_by_role("button", name="Show").click()
    assert "All times are Tokyo time." in page.locator("main").inner_text()


def test_a_page_reads_well_aloud(lived_in: BookingWorld, visit: Callable[..., Visitor]) -> None:
    said = read_aloud(visit(lived_in.mentor).go("/dashboard/requests"))
    heading = said.index("heading, Requests, level 1")
    assert said[1:4] == ["link, Skip to the content", "banner", "link, Soosh"]
    assert "navigation, Your mentoring" in said[:heading]
    assert "button, Accept the request of Lea Learner" in said[heading:]


def test_parts_are_renewed_when_the_socket_says_so(lived_in: BookingWorld, visit: Callable[..., Visitor]) -> None:
    """News over the socket, told to screen readers; after it is cut, by asking. The socket itself is tested with its consumer."""
    visitor = visit(lived_in.mentor)
    sockets: list[WebSocketRoute] = []

    def greet(socket: WebSocketRoute) -> None:
        """Only the first socket says anything: what comes after it was cut comes by asking."""
        sockets.append(socket)
        if len(sockets) == 1:
            socket.send('{"version": "0.0"}')

    visitor.page.route_web_socket(re.compile("/ws/dashboard/"), greet)
    visitor.page.clock.install()
    page = visitor.go("/dashboard/requests")
    page.wait_for_function("() => document.documentElement.dataset.live === 'socket'")
    page.wait_for_load_state("networkidle")
    booking = booking_in(BookingState.REQUESTED)
    cancelling.cancel_booking(booking_id=booking.pk, user=lived_in.learner)
    sockets[-1].send('{"version": "0.1"}')
    page.get_by_text("No request waits for you.").wait_for()
    page.clock.run_for(1_000)
    assert page.locator("#announcements").inner_text() == "Something on this page has changed."
    sockets[-1].close()
    page.wait_for_function("() => document.documentElement.dataset.live === 'poll'")
    lived_in.requested("2027-06-06 10:00")
    page.clock.run_for(31_000)
    page.get_by_text("Talk with Lea Learner").wait_for()


def test_whoever_has_the_focus_in_a_part_keeps_it(lived_in: BookingWorld, visit: Callable[..., Visitor]) -> None:
    visitor = visit(lived_in.mentor)
    page = visitor.go("/dashboard/requests")
    page.get_by_role("button", name="Accept").focus()
    cancelling.cancel_booking(booking_id=booking_in(BookingState.REQUESTED).pk, user=lived_in.learner)
    with page.expect_response("**/dashboard/requests"):
        page.evaluate("() => document.body.dispatchEvent(new Event('soosh:changed'))")
    assert page.evaluate("() => document.activeElement.textContent") == "Accept the request of Lea Learner"
    page.get_by_role("link", name="Today").focus()
    page.get_by_text("No request waits for you.").wait_for()


def test_what_people_write_does_nothing(lived_in: BookingWorld, visit: Callable[..., Visitor]) -> None:
    """Hostile text on every page that shows what people write: nothing speaks up, and nothing is fetched from elsewhere."""
    hostile = '"><script>alert(1)</script><img src=x onerror=alert(2)><svg/onload=alert(3)>{{7*7}}<a href="javascript:alert(4)">x</a>//evil.example/x.png'
    profile, opportunity = lived_in.profile, Opportunity.objects.get()
    for person in (lived_in.mentor, lived_in.learner):
        person.full_name = f"{hostile[:140]}"
        person.save()
    MentorProfile.objects.filter(pk=profile.pk).update(headline=hostile[:150], bio=hostile)
    profile.offers.update(title=hostile[:100])
    Review.objects.update(text=hostile, reply=hostile)
    Booking.objects.update(topic=hostile)
    Opportunity.objects.filter(pk=opportunity.pk).update(
        title=hostile, description=f"{hostile}</script>", organisation=hostile, location=hostile
    )
    for who, user in (("stranger", None), ("learner", lived_in.learner), ("mentor", lived_in.mentor)):
        visitor = visit(user)
        for path, status in pages_of(who).items():
            if status == 200:
                visitor.go(path)


def test_the_policy_stands_on_every_page(client: Any) -> None:
    policy = client.get("/").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    scripts = {
        path: re.search(r"script-src ([^;]*)", client.get(path).headers["Content-Security-Policy"])[1]  # type: ignore[index]
        for path in ("/admin/login/", "/api/docs", "/api/redoc")
    }
    assert scripts == {"/admin/login/": "'self' 'unsafe-eval'", "/api/docs": "'self'", "/api/redoc": "'self'"}
    assert "unsafe" not in client.get("/api/v1/mentors").headers["Content-Security-Policy"]


def test_the_documentation_of_the_api_runs_under_its_policy(visit: Callable[..., Visitor]) -> None:
    visit().go("/api/docs").wait_for_selector(".swagger-ui .info .title", timeout=60_000)


@pytest.mark.parametrize(("description", "told"), [("Nights and weekends.", "Nights and weekends."), ("", "A title")])
def test_an_opportunity_has_a_preview_with_and_without_a_description(
    lived_in: BookingWorld, client: Any, description: str, told: str
) -> None:
    opportunity = Opportunity.objects.get()
    Opportunity.objects.filter(pk=opportunity.pk).update(title="A title", description=description)
    page = client.get(f"/opportunities/{opportunity.pk}").content.decode()
    assert f'<meta name="description" content="{told}">' in page
    assert f'<meta property="og:description" content="{told}">' in page


def test_public_pages_are_small(lived_in: BookingWorld, visit: Callable[..., Visitor]) -> None:
    """No more than 60 kB of script and style, compressed."""
    sizes: list[int] = []

    def weigh(answer: Response) -> None:
        if answer.url.endswith((".js", ".css")):
            sizes.append(len(gzip.compress(answer.body())))

    visitor = visit()
    visitor.page.on("response", weigh)
    for path, status in pages_of("stranger").items():
        if status == 200:
            sizes.clear()
            visitor.go(path)
            assert 0 < sum(sizes) <= 60_000


def test_pages_are_compressed_and_the_api_is_not(client: Any) -> None:
    """What is read by many is sent small; what a program asks for may hold secrets beside what others choose (BREACH)."""
    for path, encoding in {"/": "gzip", "/sign-in/": "gzip", "/api/v1/mentors": None}.items():
        assert client.get(path, headers={"accept-encoding": "gzip"}).headers.get("Content-Encoding") == encoding


def test_what_fails_is_a_page_for_people(client: Any) -> None:
    strict = Client(enforce_csrf_checks=True, raise_request_exception=False)
    refused = strict.post("/sign-in/", {"email": "a@example.org", "password": "x"})
    assert (refused.status_code, b"<h1>This did not work</h1>" in refused.content) == (403, True)
    with mock.patch("soosh.web.views.HomePage.get", side_effect=RuntimeError("broken")):
        broken = strict.get("/")
    assert (broken.status_code, b"<h1>Something broke</h1>" in broken.content) == (500, True)
    assert "default-src 'none'" in broken.headers["Content-Security-Policy"]
    assert strict.get("/", headers={"host": "evil.example"}).status_code == 400
