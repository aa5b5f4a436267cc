"""Money on a running Soosh, whose worker, Redis and peer are killed meanwhile: in the end nothing is double, nothing is lost, and both sides say
the same."""

from __future__ import annotations

import itertools
import json
import random
import signal
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from payments.peer.engine import signature_of
from tests.running import ROOT, RunningSoosh

pytestmark = pytest.mark.long
SEED = 20261125
_PAYMENTS = 120
_KILLS = 12

_BEGIN = """
import json, random, urllib.parse, urllib.request, uuid
from datetime import timedelta
from django.conf import settings
from django.utils import timezone
from accounts.models import User
from core.money import Money
from payments.enums import CaptureMode
from payments.services import onboarding, paying
payer, mentor = (User.objects.create(email=f"{name}@example.org", full_name=name) for name in ("payer", "mentor"))
def post(path, **form):
    data = urllib.parse.urlencode(form).encode()
    request = urllib.request.Request(f"{settings.STRIPE_API_BASE}{path}", data, {"Authorization": f"Bearer {settings.STRIPE_SECRET_KEY}"})
    return urllib.request.urlopen(request).read()
url = onboarding.start_onboarding(person=mentor, country="DE")
urllib.request.urlopen(urllib.request.Request(url, b"form=onboard"))
for number in range(%d):
    mode = CaptureMode.MANUAL if number %% 2 else CaptureMode.AUTOMATIC
    payment = paying.open_payment(
        subject_id=uuid.uuid4(), payer=payer, payee=mentor, money=Money(5_000 + number, "EUR"),
        policy=paying.PaymentPolicy(capture_mode=mode), description="x",
    )
    started = paying.start_payment(payment_id=payment.pk)
    post(f"/v1/payment_intents/{started.payment.provider_id}/confirm", payment_method="pm_card_visa")
"""
_GO_ON = """
from datetime import timedelta
from django.utils import timezone
from core.errors import DomainError
from core.money import Money
from payments.enums import RefundReason
from payments.models import Payment
from payments.services import earning, paying, refunding
for number, payment in enumerate(Payment.objects.order_by("id")):
    try:
        if payment.state == "authorised":
            paying.capture_payment(payment_id=payment.pk)
        elif payment.state == "captured" and number % 3 == 0 and not payment.returned_amount:
            refunding.refund_payment(payment_id=payment.pk, money=Money(1_000, "EUR"), reason=RefundReason.GOODWILL)
        elif payment.state == "captured" and payment.earned_at is None:
            earning.mark_earned(payment_id=payment.pk, earned_at=timezone.now() - timedelta(days=8))
    except DomainError as error:
        print(error.code)
"""
_END = """
import json
from pathlib import Path
from django.conf import settings
from payments.models import Movement, Payment
from payments.peer.engine import Peer
from payments.tests.invariants import check_always, check_settled
from collections import Counter
from django.db import transaction
with transaction.atomic():
    check_always()
check_settled(Peer(settings.EMBEDDED_HOME.root / "stripe-peer.sqlite"))
print(json.dumps({
    "payments": Counter(Payment.objects.values_list("state", flat=True)),
    "movements": Counter(f"{kind} {state}" for kind, state in Movement.objects.values_list("kind", "state")),
}))
"""


def shell(soosh: RunningSoosh, code: str) -> str:
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", code]
    result = subprocess.run(command, cwd=ROOT, env=soosh.environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr[-3000:]
    return result.stdout


def answer_sixteen_at_once(soosh: RunningSoosh) -> None:
    """128 signed events from sixteen senders: each is answered within a second (T8)."""
    now = int(time.time())

    def send(numbers: range) -> list[float]:
        taken = []
        for number in numbers:
            thing = {"id": f"cus_{number}", "object": "customer"}
            event = {"id": f"evt_{number}", "object": "event", "type": "customer.created", "created": now, "livemode": False}
            body = json.dumps(event | {"data": {"object": thing}}).encode()
            headers = {"Content-Type": "application/json", "Stripe-Signature": signature_of(body, int(time.time()))}
            address = f"http://127.0.0.1:{soosh.port}/api/v1/payments/webhooks/stripe/"
            begun = time.monotonic()
            with urllib.request.urlopen(urllib.request.Request(address, body, headers)) as answer:
                assert answer.status == 200
            taken.append(time.monotonic() - begun)
        return taken

    send(range(1_000, 1_001))
    with ThreadPoolExecutor(16) as pool:
        taken = list(itertools.chain(*pool.map(send, [range(start, 128, 16) for start in range(16)])))
    print(f"\n128 events by 16 at once: answered within {max(taken):.2f} s")
    assert max(taken) < 1


def test_kills_while_money_moves(tmp_path: Path) -> None:
    soosh = RunningSoosh(tmp_path / "soosh")
    soosh.start()
    chance = random.Random(SEED)
    try:
        answer_sixteen_at_once(soosh)
        shell(soosh, _BEGIN % _PAYMENTS)
        killed = {"celery": 0, "redis-server": 0, "payments.peer": 0}
        for number in range(_KILLS):
            if number % 3 == 0:
                shell(soosh, _GO_ON)
            name = ("celery", "redis-server", "celery", "payments.peer")[number % 4]
            victims = soosh.processes(name)
            if victims:
                killed[name] += 1
                chance.choice(victims).send_signal(signal.SIGKILL)
            time.sleep(chance.uniform(0.3, 2))
        began = time.monotonic()
        while True:
            soosh.wait_until_ready()
            shell(soosh, _GO_ON)
            states = "SELECT (SELECT count(*) FROM payments_movement WHERE state = 'planned')"
            waiting = soosh.query(
                f"{states} + (SELECT count(*) FROM payments_payment WHERE state <> 'captured' OR earned_at IS NULL OR released_at IS NULL)"
                " + (SELECT count(*) FROM payments_payment WHERE transferred_amount = 0)"
            )
            print(f"{waiting} left", flush=True)
            if waiting == 0:
                break
            assert time.monotonic() - began < 600, waiting
            time.sleep(2)
        found = json.loads(shell(soosh, _END))
    finally:
        soosh.stop()
    print(f"\n{_PAYMENTS} payments, killed {killed}: {found}, {time.monotonic() - began:.0f} s after the last kill")
    assert min(killed.values()) > 0
    assert found["payments"] == {"captured": _PAYMENTS}
    assert found["movements"]["refund done"] == _PAYMENTS // 3
    assert found["movements"]["capture done"] == _PAYMENTS // 2
    assert found["movements"]["transfer done"] >= _PAYMENTS
