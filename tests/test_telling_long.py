"""Telling many people while everything that can die dies; and telling everybody without keeping the urgent waiting."""

from __future__ import annotations

import collections
import contextlib
import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests import telling_peers as peers
from tests.running import ROOT, RunningSoosh, free_port

pytestmark = pytest.mark.long
SEED = 20_261_123
PEOPLE, ROUNDS, TEXTED = 2_500, 4, 500
EVENTS = 1_000
WORKER_KILLS, REDIS_KILLS, PEER_KILLS = 10, 5, 5
CROWD = 100_000

_SET_UP = """
import datetime, uuid, zoneinfo
from django.db import transaction
from django.utils import timezone
from accounts.models import Device, User
from catalog.notices import SEARCH_MATCHED
from notifications.models import Choice, Phone, PushDevice
from notifications.services.notifying import notify
zone = next(z for z in ("UTC", "Asia/Tokyo", "America/Los_Angeles", "Europe/Berlin", "Pacific/Auckland")
            if 9 <= timezone.now().astimezone(zoneinfo.ZoneInfo(z)).hour < 19)
people = User.objects.bulk_create(
    User(email=f"p{{n}}@example.org", full_name=f"P{{n}}", password="!", time_zone=zone) for n in range({people}))
devices = Device.objects.bulk_create(Device(user=p, kind="web", session_key=uuid.uuid4().hex) for p in people)
PushDevice.objects.bulk_create(PushDevice(user=d.user, device=d, token=f"ExponentPushToken[{{d.pk.hex}}]") for d in devices)
texted = people[:{texted}]
Phone.objects.bulk_create(Phone(user=p, number=f"+4915{{n:09}}", verified_at=timezone.now()) for n, p in enumerate(texted))
Choice.objects.bulk_create(Choice(user=p, topic="opportunities", channel="sms", is_wanted=True) for p in texted)
"""
_TELL = """
for r in range({rounds}):
    for start in range(0, len(people), 50):
        with transaction.atomic():
            for p in people[start:start + 50]:
                data = {{"search_id": uuid.uuid4(), "search": f"{{p.pk.hex}} {{r}}", "number": 1}}
                notify(kind=SEARCH_MATCHED, user_ids=[p.pk], data=data)
"""
_PUBLISH = """
from catalog.events import SavedSearchMatched
from catalog.models import SavedSearch
from core.events import publish
for p in people[:{events}]:
    with transaction.atomic():
        search = SavedSearch.objects.create(user=p, name=f"{{p.pk.hex}} by an event")
        publish(SavedSearchMatched(p.pk, search.pk, 1))
"""


class Peer:
    """The vendors as a process that can be killed."""

    def __init__(self, folder: Path, port: int, site: str) -> None:
        self.folder, self.command = folder, [sys.executable, "-m", "tests.telling_peers", str(port), str(folder), site]
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(self.command, cwd=ROOT)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def taken(self, kind: str) -> list[dict[str, Any]]:
        lines = (self.folder / "taken.jsonl").read_bytes().split(b"\n")[:-1]
        return [line for line in map(json.loads, lines) if line["kind"] == kind]


@pytest.fixture
def soosh(tmp_path: Path) -> Iterator[tuple[RunningSoosh, Peer]]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    running = RunningSoosh(
        tmp_path / "one",
        SENDGRID_API_KEY=peers.SENDGRID_KEY,
        SENDGRID_API_URL=f"{url}/v3/",
        SENDGRID_WEBHOOK_KEY=peers.webhook_keys(tmp_path / "peer")[1],
        PUSH_ENGINE="expo",
        EXPO_URL=url,
        TWILIO_ACCOUNT_SID=peers.TWILIO_ACCOUNT,
        TWILIO_AUTH_TOKEN=peers.TWILIO_TOKEN,
        TWILIO_FROM=peers.TWILIO_FROM,
        TWILIO_URL=url,
        SMS_SEGMENTS_PER_DAY="1000000",
        SMS_SEGMENTS_PER_PERSON_PER_DAY="1000",
    )
    running.start()
    peer = Peer(tmp_path / "peer", port, f"http://127.0.0.1:{running.port}")
    yield running, peer
    peer.kill()
    if running.supervisor and running.supervisor.poll() is None:
        running.stop()
    kill(running, "")


def kill(soosh: RunningSoosh, name: str) -> None:
    for process in soosh.processes(name):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def shell(soosh: RunningSoosh, code: str) -> subprocess.Popen[str]:
    return soosh.manage("shell", "--no-imports", "-c", code)


def waiting(soosh: RunningSoosh) -> int:
    return int(soosh.query("SELECT count(*) FROM notifications_delivery WHERE state IN ('queued', 'held')"))


def outbox(soosh: RunningSoosh) -> int:
    return int(soosh.query("SELECT count(*) FROM core_eventdelivery WHERE state = 'pending'"))


def test_each_reaches_its_channel_once(soosh: tuple[RunningSoosh, Peer]) -> None:
    running, peer = soosh
    dice = random.Random(SEED)
    code = _SET_UP.format(people=PEOPLE, texted=TEXTED) + _PUBLISH.format(events=EVENTS) + _TELL.format(rounds=ROUNDS)
    teller = shell(running, code)
    victims = ["worker"] * WORKER_KILLS + ["redis"] * REDIS_KILLS + ["peer"] * PEER_KILLS
    dice.shuffle(victims)
    started = time.monotonic()
    while running.query("SELECT count(*) FROM notifications_delivery WHERE state = 'sent'") == 0:
        assert time.monotonic() - started < 300 and teller.poll() in (None, 0), teller.communicate()
        time.sleep(0.5)
    for victim in victims:
        time.sleep(dice.uniform(2, 7))
        if victim == "peer":
            peer.kill()
            time.sleep(dice.uniform(0.5, 3))
            peer.start()
        else:
            kill(running, {"worker": "celery --app soosh --quiet worker", "redis": "redis-server"}[victim])
    outcome = teller.communicate(timeout=600)
    # From here on nobody kills and nobody writes.
    alive = time.monotonic()
    assert teller.returncode == 0, outcome[1][-2000:]
    while outbox(running):
        assert time.monotonic() - alive < 60, outbox(running)
        time.sleep(0.5)
    events_after = time.monotonic() - alive
    while waiting(running):
        assert time.monotonic() - alive < 1_500, waiting(running)
        time.sleep(1)
    sent_after = time.monotonic() - alive
    # What is unconfirmed is settled by the reports, which the vendor sends until somebody listens.
    while running.query("SELECT count(*) FROM notifications_delivery WHERE channel = 'email' AND state = 'sent'"):
        assert time.monotonic() - alive < 1_500
        time.sleep(1)
    states = running.rows("SELECT channel, state, why, count(*) FROM notifications_delivery GROUP BY 1, 2, 3 ORDER BY 1, 2, 3")
    print(f"\nseed {SEED}, kills: {dict(collections.Counter(victims))}")
    told = int(running.query("SELECT count(*) FROM notifications_notification WHERE kind = 'catalog.search-matched'"))
    after = f"outbox empty {events_after:.0f} s, queue empty {sent_after:.0f} s after the last kill and notice"
    print(f"{told} notices, {EVENTS} of them by events: {after}")
    print(*(f"  {channel} {state} {why}: {count}" for channel, state, why, count in states), sep="\n")

    assert told == PEOPLE * ROUNDS + EVENTS
    by_events = "SELECT count(*), count(DISTINCT user_id), max(count) FROM notifications_notification WHERE collapse_key <> ''"
    assert running.rows(by_events) == [(EVENTS, EVENTS, 1)], "each event told once"
    mails = collections.Counter(mail["key"] for mail in peer.taken("mail"))
    texts = collections.Counter((text["to"], text["body"]) for text in peer.taken("text"))
    pushes = collections.Counter((push["to"], push["tag"]) for push in peer.taken("push"))
    repeated = sum(number - 1 for number in pushes.values())
    print(
        f"  taken by the peers: {len(mails)} mails, {len(texts)} texts, {len(pushes)} pushes ({repeated} repeated, replaced by their tag)"
    )
    assert set(mails.values()) == set(texts.values()) == {1}
    keys = {
        str(key)
        for (key,) in running.rows("SELECT id FROM notifications_delivery WHERE channel = 'email' AND state IN ('sent', 'delivered')")
    }
    assert keys <= set(mails) and len(keys) + _dead(states, "email") == told
    assert len(texts) + _dead(states, "sms") == TEXTED * ROUNDS + min(TEXTED, EVENTS)
    assert len(pushes) == told
    # A kill finds at most one mail of each of the two workers in the window.
    assert _dead(states, "email") <= 2 * (WORKER_KILLS + PEER_KILLS)
    assert _dead(states, "sms") == _dead(states, "push") == 0


def _dead(states: list[tuple[Any, ...]], channel: str) -> int:
    return sum(count for name, state, _, count in states if name == channel and state == "failed")


_CROWD = """
import datetime, itertools
from accounts.models import ConsentDecision, User
from accounts.enums import ConsentPurpose
from accounts.services.consents import current_text
text = current_text(ConsentPurpose.MARKETING)
for start in range(0, {crowd}, 5_000):
    people = User.objects.bulk_create(
        User(email=f"c{{n}}@example.org", full_name=f"C{{n}}", password="!") for n in range(start, start + 5_000))
    ConsentDecision.objects.bulk_create(
        ConsentDecision(user=p, purpose="marketing", is_granted=True, text_version=text.version, text_digest=text.digest, source="settings")
        for p in people[::10])
"""
_START = """
from notifications.models import Announcement
from notifications.services.announcing import start
start(announcement_id=Announcement.objects.create(title="News for all", text="Something is new.").pk)
"""
_URGENT = """
import time
from django.db import transaction
from accounts.models import SecurityEvent, User
from core.events import publish
from accounts.events import SafetyChanged
from catalog.notices import CONFIRMATION_ASKED
import dataclasses, uuid
from notifications.enums import Urgency
from notifications.services.notifying import notify
person = User.objects.get(email="ada@soosh.example")
urgent = dataclasses.replace(CONFIRMATION_ASKED, urgency=Urgency.URGENT)
with transaction.atomic():
    notify(kind=urgent, user_ids=[person.pk], data={"opportunity_id": uuid.uuid4(), "opportunity": "Now", "days": 1})
"""


def test_everybody_is_told_and_the_urgent_do_not_wait(tmp_path: Path) -> None:
    running = RunningSoosh(tmp_path / "one")
    running.start()
    try:
        _run(running, _CROWD.format(crowd=CROWD))
        # The workers have their models in memory once the demo's catalogue is embedded.
        while running.query("SELECT count(*) FROM catalog_skill WHERE embedded_hash = ''"):
            time.sleep(1)
        time.sleep(20)
        before = _memory(running)
        _run(running, _START)
        started, grown, waits, shown = time.monotonic(), 0, [], []
        while True:
            (state, done, total) = running.rows("SELECT state, done, total FROM notifications_announcement")[0]
            shown.append(done)
            grown = max([grown, *(now - before[pid] for pid, now in _memory(running).items() if pid in before)])
            if state == "done":
                break
            assert time.monotonic() - started < 900
            if len(shown) % 5 == 0:
                waits.append(_urgent(running))
            time.sleep(1)
        seconds = time.monotonic() - started
        bulk = running.query("SELECT count(*) FROM notifications_delivery WHERE urgency = 0 AND state IN ('queued', 'held')")
        waits += [_urgent(running) for _ in range(3)]
        print(f"\n{done} of {total} people told in {seconds:.0f} s ({done / seconds:.0f} a second); {bulk} mails of it still in the queue")
        print(f"a worker grew by {grown / 2**20:.0f} MiB at most; urgent mails in between waited {min(waits):.1f} to {max(waits):.1f} s")
        assert shown == sorted(shown) and len(set(shown)) > 10, "its progress can be seen"
        assert done == total
        assert (
            running.query("SELECT count(DISTINCT user_id) FROM notifications_notification WHERE kind = 'notifications.announced'") == done
        )
        assert bulk > 0, "there was a queue to overtake"
        assert max(waits) < 10
        assert grown < 100 * 2**20
    finally:
        running.stop()
        kill(running, "")


def _run(running: RunningSoosh, code: str) -> None:
    process = shell(running, code)
    _, error = process.communicate(timeout=600)
    assert process.returncode == 0, error[-2000:]


def _memory(running: RunningSoosh) -> dict[int, int]:
    """What each worker has in memory, by process."""
    found = {}
    for process in running.processes("celery --app soosh --quiet worker"):
        with contextlib.suppress(psutil.Error):
            found[process.pid] = process.memory_info().rss
    return found


def _urgent(running: RunningSoosh) -> float:
    """How long an urgent mail takes from its notice to its sending."""
    _run(running, _URGENT)
    newest = "SELECT extract(epoch FROM sent_at - created_at) FROM notifications_delivery WHERE urgency = 2 ORDER BY id DESC LIMIT 1"
    deadline = time.monotonic() + 60
    while (waited := running.query(newest)) is None:
        assert time.monotonic() < deadline, "the urgent one starves"
        time.sleep(0.2)
    return float(waited)
