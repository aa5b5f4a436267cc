"""The inbox over the API and over its socket."""

from __future__ import annotations

import datetime
import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import transaction
from django.utils import timezone

from accounts.models import Device, User
from conftest import Api
from core.tests.sockets import Socket
from notifications.consumers import InboxConsumer
from notifications.models import Delivery, Notification
from notifications.notices import Kind
from notifications.services.inbox import prune, read_notifications
from notifications.services.notifying import notify
from notifications.tests.conftest import DATA

pytestmark = pytest.mark.django_db


def tell(kind: Kind, *people: User, **options: Any) -> None:
    with transaction.atomic():
        notify(kind=kind, user_ids=[person.pk for person in people], data=options.pop("data", DATA), **options)


class TestApi:
    def test_the_newest_first_with_words(self, signed_in: Api, user: User, kind: Kind, make_user: Callable[..., User]) -> None:
        other = make_user(full_name="Grace")
        tell(kind, user, data={"title": "First", "text": "One."})
        tell(kind, user, data={"title": "A/B", "text": "Two."}, about_id=other.pk)
        newest, oldest = signed_in.get("notifications").json()["results"]
        assert (oldest["title"], oldest["text"], oldest["about"], oldest["read_at"]) == ("First", "One.", None, None)
        assert (newest["path"], newest["link"], newest["urgency"]) == ("/test/A%2FB", "Read more", "normal")
        assert newest["about"] == {"id": str(other.pk), "full_name": "Grace"}

    def test_in_the_language_and_plainness_of_the_person(self, signed_in: Api, user: User, kind: Kind) -> None:
        tell(kind, user)
        User.objects.filter(pk=user.pk).update(locale="de-AT")
        assert signed_in.get("notifications").json()["results"][0]["link"] == "Mehr lesen"

    def test_filters(self, signed_in: Api, user: User, kind: Kind) -> None:
        tell(kind, user)
        tell(kind, user)
        read_notifications(user=user, ids=[Notification.objects.first().pk])  # type: ignore[union-attr]
        assert [len(signed_in.get(f"notifications?unread={value}").json()["results"]) for value in ("true", "false")] == [1, 1]
        assert signed_in.get("notifications?topic=nonsense").status_code == 400

    def test_read_on_one_device_is_read_on_all_and_not_sent_any_more(self, signed_in: Api, user: User, kind: Kind) -> None:
        for _ in range(3):
            tell(kind, user)
        first, second, _third = Notification.objects.order_by("id")
        answer = signed_in.post("notifications/read", {"up_to": str(second.pk)}).json()
        assert answer["unread"] == 1
        again = signed_in.post("notifications/read", {"ids": [str(first.pk), str(uuid.uuid4())]}).json()
        assert (again["unread"], again["version"] > answer["version"]) == (1, True)
        assert signed_in.post("notifications/read", {"all": True}).json()["unread"] == 0
        assert signed_in.get("notifications/unread").json()["unread"] == 0

    @pytest.mark.parametrize("body", [{}, {"all": False}, {"all": True, "up_to": str(uuid.uuid4())}, {"ids": ["x"]}, {"id": []}])
    def test_bad_input_reads_nothing(self, signed_in: Api, user: User, kind: Kind, body: Any) -> None:
        tell(kind, user)
        assert signed_in.post("notifications/read", body).status_code == 400
        assert Notification.objects.unread().count() == 1

    def test_nobody_reads_for_others(self, signed_in: Api, make_user: Callable[..., User], kind: Kind) -> None:
        other = make_user()
        tell(kind, other)
        signed_in.post("notifications/read", {"ids": [str(Notification.objects.get().pk)]})
        assert Notification.objects.unread().count() == 1

    def test_one_tells_how_it_went_out(self, signed_in: Api, user: User, kind: Kind) -> None:
        tell(kind, user)
        (delivery,) = signed_in.get(f"notifications/{Notification.objects.get().pk}").json()["deliveries"]
        assert (delivery["channel"], delivery["state"], delivery["why"], delivery["sent_at"]) == ("email", "queued", "", None)


def test_what_is_old_goes(user: User, kind: Kind) -> None:
    tell(kind, user)
    tell(kind, user)
    Notification.objects.filter(pk=Notification.objects.first().pk).update(  # type: ignore[union-attr]
        created_at=timezone.now() - datetime.timedelta(days=366)
    )
    assert (prune(), prune()) == (1, 0)
    assert (Notification.objects.count(), Delivery.objects.count()) == (1, 1)


@pytest.mark.django_db(transaction=True)
class TestSocket:
    def run(self, scenario: Callable[[], Any]) -> None:
        async_to_sync(scenario)()

    def test_no_token_no_inbox(self) -> None:
        async def scenario() -> None:
            for protocols in (["bearer", "nonsense"], ["bearer", ""]):
                socket = Socket(InboxConsumer, *protocols)
                await socket.connect()
                assert await socket.closed_with() == 4401
            socket = Socket(InboxConsumer)
            await socket.connect()
            await socket.say("[1")
            assert await socket.closed_with() == 4401

        self.run(scenario)

    def test_live_and_exact(self, signed_in: Api, user: User, kind: Kind) -> None:
        async def scenario() -> None:
            socket = Socket(InboxConsumer, "bearer", signed_in.token)
            assert await socket.connect() == "bearer"
            first = await socket.hear()
            assert (first["unread"], first["notifications"]) == (0, [])
            await sync_to_async(tell)(kind, user)
            told = await socket.hear()
            assert (told["unread"], [row["title"] for row in told["notifications"]], told["version"]) == (
                1,
                ["Hello"],
                first["version"] + 1,
            )
            await sync_to_async(read_notifications)(user=user)
            read = await socket.hear()
            assert (read["unread"], read["notifications"][0]["read_at"] is not None) == (0, True)
            await socket.say('{"type": "since", "version": 0}')
            whole = await socket.hear()
            assert (whole["version"], len(whole["notifications"]), whole["is_whole"]) == (read["version"], 1, True)
            await socket.leave()

        self.run(scenario)

    def test_it_closes_with_the_session(self, signed_in: Api, user: User, kind: Kind) -> None:
        async def scenario() -> None:
            socket = Socket(InboxConsumer)
            await socket.connect()
            await socket.say(json.dumps({"type": "auth", "token": signed_in.token}))
            assert (await socket.hear())["type"] == "inbox"
            await sync_to_async(lambda: Device.objects.filter(user=user).delete())()
            await sync_to_async(tell)(kind, user)
            assert await socket.closed_with() == 4401

        self.run(scenario)

    @pytest.mark.parametrize("frame", ['{"type": "since"}', '{"type": "since", "version": -1}', '{"type": "since", "version": true}'])
    def test_strange_frames_change_nothing(self, signed_in: Api, user: User, kind: Kind, frame: str) -> None:
        async def scenario() -> None:
            socket = Socket(InboxConsumer, "bearer", signed_in.token)
            await socket.connect()
            await socket.hear()
            await socket.say(frame)
            await sync_to_async(tell)(kind, user)
            assert (await socket.hear())["unread"] == 1
            await socket.leave()

        self.run(scenario)

    @pytest.mark.parametrize("frame", ["7", "null", "{", "[" * 9_000])
    def test_what_is_no_object_closes_it(self, signed_in: Api, frame: str) -> None:
        async def scenario() -> None:
            socket = Socket(InboxConsumer, "bearer", signed_in.token)
            await socket.connect()
            await socket.hear()
            await socket.say(frame)
            assert await socket.closed_with() == 1007

        self.run(scenario)
