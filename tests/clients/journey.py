"""One person's way through Soosh with the generated client: register, verify, interview, book, pay, cancel, download. Run with the address of
the server and the folder of its mails; the package `soosh_client` is generated from openapi.yaml."""

from __future__ import annotations

import datetime
import re
import sys
import time
import urllib.parse
import urllib.request
import uuid
from email import message_from_bytes, policy
from pathlib import Path
from typing import TypeVar

from soosh_client import AuthenticatedClient, Client
from soosh_client.api.bookings import book, cancel_booking, download_booking_calendar, quote_cancellation, read_booking
from soosh_client.api.mentors import list_mentors, list_slots
from soosh_client.api.payments import create_payment_intent, download_payment_history, download_receipt
from soosh_client.api.people import export_me
from soosh_client.api.profiling import complete_interview, start_interview, submit_answer
from soosh_client.api.sign_in import log_in, register, verify_email
from soosh_client.models import (
    AnsweredStep,
    AnswerRequestRequest,
    BookingDetail,
    BookingRequestRequest,
    CancelRequestRequest,
    CompletedInterview,
    ExportProgress,
    Intent,
    IntentRequestRequest,
    KeyRequestRequest,
    LoginRequestRequest,
    MentorList,
    MoneyRequest,
    Quote,
    Registration,
    RegistrationRequestRequest,
    SessionRequestRequest,
    SlotList,
    StartedInterview,
    StartRequestRequest,
    Tokens,
    VerifiedEmail,
)
from soosh_client.types import File

T = TypeVar("T")
MINUTES = 30
PASSWORD = "a long pass phrase 7"
CARD = "4242424242424242"


def expect(kind: type[T], answer: object) -> T:
    """The answer, which must be of this kind."""
    assert isinstance(answer, kind), answer
    return answer


def until(kind: type[T], ask: object, is_enough: object, seconds: float = 90) -> T:
    """Ask until the answer will do."""
    deadline = time.monotonic() + seconds
    while True:
        answer = ask()  # type: ignore[operator]
        if isinstance(answer, kind) and is_enough(answer):  # type: ignore[operator]
            return answer
        assert time.monotonic() < deadline, answer
        time.sleep(0.5)


def mailed_key(folder: Path, address: str) -> str:
    for file in sorted(folder.glob("*.eml"), reverse=True):
        message = message_from_bytes(file.read_bytes(), policy=policy.default)
        found = re.search(r"/verify-email/([\w:~.-]+)", message.get_body(("plain",)).get_content())  # type: ignore[union-attr]
        if found and address in str(message["To"]):
            return found[1]
    return ""


def sign_up(address: str, mails: Path) -> AuthenticatedClient:
    stranger = Client(base_url=address)
    email = f"{uuid.uuid4().hex[:12]}@journey.example.org"
    answer = register.sync(client=stranger, body=RegistrationRequestRequest(email=email, password=PASSWORD, full_name="Ada Journey"))
    assert expect(Registration, answer).user.email == email
    key = until(str, lambda: mailed_key(mails, email), bool)
    assert expect(VerifiedEmail, verify_email.sync(client=stranger, body=KeyRequestRequest(key=key))).is_email_verified
    tokens = expect(Tokens, log_in.sync(client=stranger, body=LoginRequestRequest(email=email, password=PASSWORD)))
    return AuthenticatedClient(base_url=address, token=tokens.access_token)


def interview(client: AuthenticatedClient) -> None:
    started = expect(StartedInterview, start_interview.sync(client=client, body=StartRequestRequest()))
    question, step, count = started.first_question, started.step, 0
    while question is not None and count < 30:
        body = AnswerRequestRequest(
            session_id=started.session_id,
            step=step,
            answer_text="I build small web sites with Python and JavaScript, and I explain things patiently." if not count else "skip",
        )
        answered = expect(AnsweredStep, submit_answer.sync(client=client, body=body))
        question, step, count = answered.next_question, answered.step, count + 1
    done = complete_interview.sync(client=client, body=SessionRequestRequest(session_id=started.session_id))
    assert expect(CompletedInterview, done).profile.claims


def book_paid_session(client: AuthenticatedClient) -> BookingDetail:
    for mentor in expect(MentorList, list_mentors.sync(client=client, page_size=50)).results:
        prices = [offer.price.amount for offer in mentor.offers if offer.duration_minutes == MINUTES]
        if not prices or min(prices) == 0:
            continue
        start = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=5)
        slots = expect(
            SlotList,
            list_slots.sync(
                mentor_id=mentor.id, client=client, from_=start, to=start + datetime.timedelta(days=20), duration_minutes=MINUTES
            ),
        ).slots
        if slots:
            body = BookingRequestRequest(mentor_id=mentor.id, scheduled_at=slots[-1].start, duration_minutes=MINUTES, topic="My first job")
            return expect(BookingDetail, book.sync(client=client, body=body))
    raise AssertionError("no mentor takes paid sessions")


def pay(client: AuthenticatedClient, booking: BookingDetail) -> Intent:
    intent = expect(Intent, create_payment_intent.sync(client=client, body=IntentRequestRequest(booking_id=booking.id)))
    form = urllib.parse.urlencode({"card": CARD}).encode()
    urllib.request.urlopen(urllib.request.Request(intent.pay_page, form), timeout=20).close()
    until(BookingDetail, lambda: read_booking.sync(booking_id=booking.id, client=client), lambda found: found.state not in ("held",))
    return intent


def cancel(client: AuthenticatedClient, booking: BookingDetail) -> None:
    quote = expect(Quote, quote_cancellation.sync(booking_id=booking.id, client=client))
    refund = MoneyRequest(amount=quote.refund.amount, currency=quote.refund.currency)
    cancelled = expect(
        BookingDetail, cancel_booking.sync(booking_id=booking.id, client=client, body=CancelRequestRequest(expected_refund=refund))
    )
    assert cancelled.refund is not None
    assert cancelled.refund.amount == quote.refund.amount


def download(client: AuthenticatedClient, booking: BookingDetail, intent: Intent) -> None:
    history = expect(str, download_payment_history.sync(client=client))
    assert str(intent.payment_id) in history
    calendar = expect(str, download_booking_calendar.sync(booking_id=booking.id, client=client))
    assert calendar.startswith("BEGIN:VCALENDAR")
    receipt = until(object, lambda: download_receipt.sync(payment_id=intent.payment_id, client=client), lambda found: found is not None)
    # Nothing was captured of what was cancelled in time, so there may be no receipt: then a problem says so.
    assert not isinstance(receipt, File) or receipt.payload.read(4) == b"%PDF"
    archive = until(File, lambda: export_me.sync(client=client), lambda found: not isinstance(found, ExportProgress))
    assert archive.payload.read(2) == b"PK"


def main(address: str, mails: Path) -> None:
    client = sign_up(address, mails)
    interview(client)
    booking = book_paid_session(client)
    intent = pay(client, booking)
    download_before = expect(str, download_booking_calendar.sync(booking_id=booking.id, client=client))
    assert "METHOD" not in download_before or booking.title
    cancel(client, booking)
    download(client, booking, intent)
    print("the whole journey")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
