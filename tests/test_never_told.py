"""Random histories of people who block, go, come back and are told of each other: at no moment is anybody told who is gone, or anybody named
who is blocked either way, suspended or erased; and everybody else is told."""

from __future__ import annotations

import random
from typing import Any

import pytest
from django.core import mail
from django.db import transaction
from django.template import Context, Template
from django.utils import timezone

from accounts.enums import DeviceKind
from accounts.models import Block, Device, Erasure, User
from accounts.services.blocking import block_person, unblock_person
from accounts.services.erasing import request_erasure, run_erasure
from accounts.services.staff import reinstate_person, suspend_person
from conftest import Api
from notifications import notices
from notifications.enums import Cadence, Channel
from notifications.models import Delivery, Notification, Phone, PushDevice
from notifications.notices import ALWAYS, Kind, Topic
from notifications.providers import folder
from notifications.selectors import card_of, inbox_of
from notifications.services import sending
from notifications.services.inbox import changes_since
from notifications.services.notifying import notify
from notifications.services.preferences import set_preferences

pytestmark = pytest.mark.django_db
STEPS = 60
WORDS = "{{ other }} greets you\n\n{{ other }} says hello for the {{ count }}. time.\n\n> Answer"
KIND = Kind(
    name="notifications.greeted",
    topic=Topic("greetings", {"en": "Greetings"}, {"en": "Who greets you."}),
    data={},
    path="/greetings",
    examples={},
    carries_calendar=False,
    useful=ALWAYS,
    channels=frozenset(Channel),
)


class World:
    """People with telling names, and what reached them since somebody last looked."""

    def __init__(self, seed: int, make_user: Any, staff: User) -> None:
        self.chance, self.staff = random.Random(seed), staff
        self.people = [make_user(full_name=f"Name-{letter}") for letter in "ABCDE"]
        self.gone: set[Any] = set()
        self.erased: set[Any] = set()
        for number, person in enumerate(self.people):
            device = Device.objects.create(user=person, kind=DeviceKind.WEB, session_key=f"{seed}-{number}")
            PushDevice.objects.create(user=person, device=device, token=f"ExponentPushToken[{number}]", shows_text=True)
            Phone.objects.create(user=person, number=f"+49151000000{number}", verified_at=timezone.now())
        set_preferences(user=self.people[0], cadence=Cadence.HOURLY)
        self.told: list[tuple[str, str]] = []

    def apart(self, one: User, other: User) -> bool:
        return Block.objects.filter(blocker=one, blocked=other).exists() or Block.objects.filter(blocker=other, blocked=one).exists()

    def hidden_from(self, person: User) -> set[str]:
        return {f"Name-{'ABCDE'[n]}" for n, other in enumerate(self.people) if other.pk in self.gone or self.apart(person, other)}

    def step(self) -> str:
        one, other = self.chance.sample(self.people, 2)
        verb = self.chance.choice(
            ("tell",) * 8 + ("send",) * 5 + ("reinstate",) + ("block", "unblock", "suspend", "reinstate", "read", "erase")
        )
        getattr(self, f"do_{verb}")(one, other)
        return verb

    def do_tell(self, one: User, other: User) -> None:
        collapse_key = self.chance.choice(("", str(other.pk)))
        with transaction.atomic():
            told = notify(kind=KIND, user_ids=[one.pk], data={}, about_id=other.pk, collapse_key=collapse_key)
        assert told == (one.pk not in self.gone and f"Name-{'ABCDE'[self.people.index(other)]}" not in self.hidden_from(one))

    def do_send(self, one: User, other: User) -> None:
        if self.chance.random() < 0.3:
            Delivery.objects.filter(state="held").update(due_at=timezone.now())
        for channel in Channel:
            while sending.send_some(channel):
                pass

    def do_block(self, one: User, other: User) -> None:
        if not {one.pk, other.pk} & self.gone:
            block_person(user=one, person_id=other.pk)

    def do_unblock(self, one: User, other: User) -> None:
        if Block.objects.filter(blocker=one, blocked=other).exists():
            unblock_person(user=one, person_id=other.pk)

    def do_suspend(self, one: User, other: User) -> None:
        if one.pk not in self.gone:
            suspend_person(actor=self.staff, person=User.objects.get(pk=one.pk), reason="test")
            self.gone.add(one.pk)

    def do_reinstate(self, one: User, other: User) -> None:
        if one.pk in self.gone - self.erased:
            reinstate_person(actor=self.staff, person=User.objects.get(pk=one.pk))
            self.gone.discard(one.pk)

    def do_read(self, one: User, other: User) -> None:
        Notification.objects.filter(user=one).update(read_at=timezone.now())

    def do_erase(self, one: User, other: User) -> None:
        if one.pk in self.gone or len(self.erased) == 2:
            return
        erasure = request_erasure(user=User.objects.get(pk=one.pk))
        Erasure.objects.filter(pk=erasure.pk).update(due_at=timezone.now())
        run_erasure(erasure_id=erasure.pk)
        self.gone.add(one.pk)
        self.erased.add(one.pk)


@pytest.fixture
def greeting(monkeypatch: pytest.MonkeyPatch) -> None:
    class Words:
        template = Template(WORDS)

    assert Words.template.render(Context({"other": "x"}))
    monkeypatch.setitem(notices._kinds, KIND.name, KIND)
    monkeypatch.setattr("notifications.services.composing.select_template", lambda names: Words)


@pytest.mark.parametrize("seed", range(3))
def test_nobody_is_told_or_named_who_must_not_be(
    seed: int, make_user: Any, staff: User, greeting: None, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.SMS_SEGMENTS_PER_PERSON_PER_DAY = 1_000
    world = World(seed, make_user, staff)
    sent: list[tuple[str, str]] = []
    monkeypatch.setattr(folder, "write", lambda place, name, content: sent.append((place.name, content.decode())))
    monkeypatch.setattr("notifications.services.preferences._SMS_NIGHT", None)
    monkeypatch.setattr("notifications.services.preferences._quiet_hours", lambda preferences, channel: [])
    addresses = {person.email: person for person in world.people}
    numbers = {f"+49151000000{number}": person for number, person in enumerate(world.people)}
    tokens = {f"ExponentPushToken[{number}]": person for number, person in enumerate(world.people)}
    reached = 0
    for _ in range(STEPS):
        mail.outbox.clear()
        sent.clear()
        verb = world.step()
        messages = [(addresses[letter.to[0]], f"{letter.subject} {letter.body}") for letter in mail.outbox if letter.to[0] in addresses]
        for place, text in sent:
            known = numbers if place == "sms" else tokens
            messages += [(person, text) for address, person in known.items() if address in text]
        if verb == "send":
            reached += len(messages)
            for person, text in messages:
                assert person.pk not in world.gone, f"{person} is gone and was told: {text}"
                assert not [name for name in world.hidden_from(person) if name in text.replace(person.full_name, "")], text
        for person in world.people:
            shown = [card_of(row) for row in inbox_of(person)] + [
                card_of(row) for row in changes_since(user=person, version=0).notifications
            ]
            named = {card["about"]["full_name"] for card in shown if card["about"]}
            assert not named & world.hidden_from(person)
    assert reached, "nothing was told: the test is blind"


def test_the_inbox_over_the_api_after_a_block(signed_in: Api, user: User, make_user: Any, greeting: None) -> None:
    other = make_user(full_name="Name-A")
    with transaction.atomic():
        notify(kind=KIND, user_ids=[user.pk], data={}, about_id=other.pk)
    (row,) = signed_in.get("notifications").json()["results"]
    assert row["title"] == "Name-A greets you"
    signed_in.post("blocks", {"user_id": str(other.pk)})
    assert signed_in.get("notifications").json()["results"] == []
    assert signed_in.get("notifications/unread").json()["unread"] == 0
    assert signed_in.get(f"notifications/{row['id']}").status_code == 404
