"""Every webhook under events that are signed and not whole: wrong types, missing parts, nesting, NUL, and years beyond the calendar."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from notifications.models import Suppression
from payments.models import ProviderEvent
from payments.peer.engine import signature_of
from tests import telling_peers

pytestmark = pytest.mark.django_db

# What may stand where something else is expected.
STRANGE: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    1.5,
    10**20,
    253_402_300_800,
    "",
    "x" * 10_000,
    "a\x00b",
    [],
    [[]],
    {},
    {"a": None},
    "é\u202e",
)
DAILY_SECRET = base64.b64encode(b"a secret of daily").decode()
STRIPE_EVENT = {
    "id": "evt_1",
    "object": "event",
    "type": "payment_intent.succeeded",
    "created": 1_790_000_000,
    "livemode": False,
    "account": "acct_1",
    "data": {"object": {"id": "pi_1", "object": "payment_intent", "payment_intent": "pi_1"}},
}
DAILY_EVENT = {
    "type": "participant.joined",
    "payload": {
        "room": "r",
        "user_id": "0197f0a4-3c7e-7b1d-9a55-2f6f3f1f8a10",
        "joined_at": 1_790_000_000,
        "duration": 5,
        "session_id": "s",
    },
}
MAIL_EVENT = {"event": "bounce", "email": "x@example.org", "timestamp": 1_790_000_000, "key": "k", "type": "bounce", "reason": "r"}
BODIES = (
    b"",
    b"null",
    b"[]",
    b"{}",
    b'"text"',
    b"5",
    b"[" * 60_000,
    b'{"a":' * 2_000 + b"1" + b"}" * 2_000,
    b"\xff",
    b"\xef\xbb\xbf{}",
    b'{"a": 1, "a": 2}',
)


def variants(event: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The event with each of its parts left out, and with each replaced by everything strange."""
    for name, part in event.items():
        yield {other: value for other, value in event.items() if other != name}
        for strange in STRANGE:
            yield event | {name: strange}
        if isinstance(part, dict):
            yield from (event | {name: inner} for inner in variants(part))


def bodies(event: dict[str, Any], *, is_list: bool = False) -> Iterator[bytes]:
    yield from BODIES
    for variant in variants(event):
        yield json.dumps([variant] if is_list else variant).encode()


@pytest.fixture
def caller() -> Client:
    return Client(raise_request_exception=False)


def test_stripe(caller: Client) -> None:
    for body in bodies(STRIPE_EVENT):
        answer = caller.post(
            "/api/v1/payments/webhooks/stripe",
            body,
            content_type="application/json",
            HTTP_STRIPE_SIGNATURE=signature_of(body, int(time.time())),
        )
        assert answer.status_code in (200, 400), (answer.status_code, body[:300])
    # Whatever was stored can be shown and processed.
    assert all(len(row.provider_id) <= 80 and row.happened_at.year < 2100 for row in ProviderEvent.objects.all())


@pytest.mark.parametrize("signature", ["\u00e9", "t=1,v1=\u00e9", "t=" + "9" * 5_000 + ",v1=a", "t=\u00b2,v1=a", ",,,", "t=,v1="])
def test_stripe_signatures_of_any_shape(caller: Client, signature: str) -> None:
    answer = caller.post("/api/v1/payments/webhooks/stripe", b"{}", content_type="application/json", HTTP_STRIPE_SIGNATURE=signature)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_signature")


def daily_headers(body: bytes) -> dict[str, str]:
    sent = str(int(time.time()))
    signature = hmac.digest(base64.b64decode(DAILY_SECRET), sent.encode() + b"." + body, hashlib.sha256)
    return {"HTTP_X_WEBHOOK_TIMESTAMP": sent, "HTTP_X_WEBHOOK_SIGNATURE": base64.b64encode(signature).decode()}


def test_daily(caller: Client, settings: Any) -> None:
    settings.DAILY_WEBHOOK_SECRET = DAILY_SECRET
    for body in bodies(DAILY_EVENT):
        answer = caller.post("/api/v1/bookings/webhooks/daily", body, content_type="application/json", **daily_headers(body))  # type: ignore[arg-type]
        assert answer.status_code in (200, 400), (answer.status_code, body[:300])


@pytest.mark.parametrize("sent", ["9" * 400, "9" * 5_000, "\u00b2", "1e9", " 1", "-1", "", "\u0661"])
@pytest.mark.parametrize("secret", ["", DAILY_SECRET])
def test_daily_timestamps_of_any_shape(caller: Client, settings: Any, sent: str, secret: str) -> None:
    settings.DAILY_WEBHOOK_SECRET = secret
    headers = {"HTTP_X_WEBHOOK_TIMESTAMP": sent, "HTTP_X_WEBHOOK_SIGNATURE": "\u00e9"}
    answer = caller.post("/api/v1/bookings/webhooks/daily", b'{"a": 1}', content_type="application/json", **headers)  # type: ignore[arg-type]
    assert answer.status_code == 400


def test_sendgrid(caller: Client, settings: Any, tmp_path: Path) -> None:
    private, public = telling_peers.webhook_keys(tmp_path)
    settings.ANYMAIL = settings.ANYMAIL | {"SENDGRID_TRACKING_WEBHOOK_VERIFICATION_KEY": public}
    good = {"event": "bounce", "type": "bounce", "email": "bounced@example.net", "timestamp": 1_790_000_000}
    chunks = itertools.batched(variants(MAIL_EVENT), 25) if hasattr(itertools, "batched") else ([each] for each in variants(MAIL_EVENT))
    for chunk in chunks:
        body, headers = telling_peers.signed(private, [*chunk, good])
        named = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items() if name != "Content-Type"}
        answer = caller.post("/webhooks/sendgrid/", body, content_type="application/json", **named)  # type: ignore[arg-type]
        assert answer.status_code in (200, 400), (answer.status_code, body[:300])
    # What was well formed counted, beside what was not.
    assert Suppression.objects.count() >= 1


def test_twilio(caller: Client, settings: Any) -> None:
    settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN = "AC1", telling_peers.TWILIO_TOKEN
    for path, name in (("status", "MessageSid"), ("inbound", "From"), ("inbound", "Body")):
        for value in ("a\x00b", "", "x" * 10_000, "é\u202e", "\ufffd"):
            fields = {"MessageStatus": "delivered", "From": "+49151", "Body": "STOP"} | {name: value}
            text = f"{settings.SITE_URL}/webhooks/twilio/{path}/" + "".join(f"{key}{fields[key]}" for key in sorted(fields))
            signature = base64.b64encode(hmac.new(telling_peers.TWILIO_TOKEN.encode(), text.encode(), hashlib.sha1).digest()).decode()
            answer = caller.post(f"/webhooks/twilio/{path}/", fields, HTTP_X_TWILIO_SIGNATURE=signature)
            assert answer.status_code in (200, 204, 400), (answer.status_code, path, name, value[:20])
