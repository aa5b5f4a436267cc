"""The second half of the demo: from a match to what the mentor earned, over HTTP, as the two apps would do it."""

from __future__ import annotations

import datetime
import time
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING, Any

import icalendar
from django.core.management.base import CommandError

from accounts.demo import DEMO_MENTOR, DEMO_PASSWORD
from core.money import Money

if TYPE_CHECKING:
    from soosh.management.commands.demo import Command

_CARD = "4242424242424242"
_MINUTES = 30


def meet(command: Command) -> None:
    """Match, slot, hold, pay, confirm, calendar file, room, complete, review, earnings."""
    learner = command.token
    mentor = _sign_in(command)
    command.token = learner
    match = _match(command)
    booking = _book(command, match)
    _pay(command, booking["id"])
    _wait_for(command, booking["id"], "requested")
    command.token = mentor
    command.show("The mentor says yes", command.call("POST", f"bookings/{booking['id']}/confirm", {})["state"])
    command.token = learner
    _calendar(command, booking["id"])
    for token, name in ((learner, "learner"), (mentor, "mentor")):
        command.token = token
        entrance = command.call("GET", f"bookings/{booking['id']}/join")
        command.show(f"The {name} goes into the room", entrance["meeting_url"])
    _wait_for_start(command, booking["scheduled_at"])
    # Nobody waits for the end of the session here: they agree that it took place.
    command.token = learner
    said = command.call("POST", f"bookings/{booking['id']}/complete", {})
    command.show(
        "The learner says that it took place", f"{said['state']}; nothing is paid until the mentor says the same, or a day is over"
    )
    command.token = mentor
    done = command.call("POST", f"bookings/{booking['id']}/complete", {})
    command.show("The mentor says so, too", f"{done['state']}; {len(done['history'])} lines of history")
    command.token = learner
    review = {"booking_id": booking["id"], "rating": 5, "text": "I know what to do next."}
    command.call("POST", f"mentors/{match['id']}/reviews", review)
    command.show("The learner reviews it", "5 of 5, hidden until both have written")
    command.token = mentor
    for balance in command.call("GET", "payouts")["balances"]:
        pending = balance["pending"]
        command.show(
            "The mentor has earned", f"{pending['amount'] / 100:.2f} {pending['currency']}, pending until the window for disputes is over"
        )


def _sign_in(command: Command) -> str:
    command.token = ""
    return str(command.call("POST", "auth/login", {"email": DEMO_MENTOR, "password": DEMO_PASSWORD})["access_token"])


def _match(command: Command) -> dict[str, Any]:
    command.show("Mentors who fit", "")
    matches: list[dict[str, Any]] = command.call("GET", "mentors/matches")["results"]
    for row in matches[:3]:
        reasons = "; ".join(reason["text"] for reason in row["reasons"][:2])
        command.stdout.write(f"  – {row['full_name']}, {row['headline']} ({row['score']:.2f}): {reasons}")
    if not matches:
        raise CommandError("No mentor is there yet. Start Soosh with `make run`, and wait until the demo data is loaded.")
    return matches[0]


def _book(command: Command, match: dict[str, Any]) -> dict[str, Any]:
    slots = command.call("GET", f"mentors/{match['id']}/slots?duration_minutes={_MINUTES}")["slots"]
    wanted = {"mentor_id": match["id"], "scheduled_at": slots[0]["start"], "duration_minutes": _MINUTES, "topic": "My first job"}
    booking: dict[str, Any] = command.call("POST", "bookings", wanted)
    price = booking["price"]
    command.show(
        "Hold a time", f"{booking['scheduled_at']}, {price['amount'] / 100:.2f} {price['currency']}, held until {booking['expires_at']}"
    )
    return booking


def _pay(command: Command, booking_id: str) -> None:
    intent = command.call("POST", "payments/create-intent", {"booking_id": booking_id})
    command.show("Pay with a test card", f"{_CARD} at {intent['pay_page']}")
    form = urllib.parse.urlencode({"card": _CARD}).encode()
    urllib.request.urlopen(urllib.request.Request(intent["pay_page"], form), timeout=20).close()  # noqa: S310  (the peer on this machine)


def _wait_for(command: Command, booking_id: str, state: str) -> None:
    deadline = time.monotonic() + 60
    while (found := command.call("GET", f"bookings/{booking_id}")["state"]) != state:
        if time.monotonic() > deadline:
            raise CommandError(f"The booking is still {found}.")
        time.sleep(0.5)
    command.show("The price is reserved", f"the booking is {state}")


def _calendar(command: Command, booking_id: str) -> None:
    headers = {"Authorization": f"Bearer {command.token}"}
    address = urllib.request.Request(f"{command.url}/api/v1/bookings/{booking_id}/calendar.ics", headers=headers)  # noqa: S310
    with urllib.request.urlopen(address, timeout=20) as answer:  # noqa: S310
        (event,) = icalendar.Calendar.from_ical(answer.read()).walk("VEVENT")
    command.show("The entry for the calendar", f"{event['summary']}, {event.decoded('dtstart'):%A %H:%M} UTC, {event['status']}")


def _price(given: dict[str, Any]) -> str:
    return Money(given["amount"], given["currency"]).in_locale("en")


def _wait_for_start(command: Command, scheduled_at: str) -> None:
    start = datetime.datetime.fromisoformat(scheduled_at)
    while (left := (start - datetime.datetime.now(datetime.UTC)).total_seconds()) > -1:
        command.stdout.write(f"\r  The session starts in {max(left, 0):.0f} s. ", ending="")
        command.stdout.flush()
        time.sleep(min(max(left + 1, 0.1), 5))
    command.stdout.write("")
