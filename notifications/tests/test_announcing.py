"""Telling everybody; bells; unsubscribing; and what the worker does with all of it."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from kombu.exceptions import OperationalError

from accounts.enums import ConsentPurpose, ConsentSource
from accounts.events import SafetyChanged
from accounts.models import ConsentDecision, SecurityEvent, User
from accounts.services.consents import current_text, decide
from core import bell
from core.events import publish, run_delivery
from core.models import EventDelivery
from notifications import tasks
from notifications.enums import AnnouncementState, Channel, DeliveryState
from notifications.models import Announcement, Choice, Delivery, Notification, Phone, PushDevice
from notifications.notices import Kind
from notifications.services import announcing, queue
from notifications.services.letters import unsubscribe_url
from notifications.services.preferences import set_preferences
from notifications.tests.test_notifying import send_all, tell

pytestmark = pytest.mark.django_db


@pytest.fixture
def bells(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """What was rung for."""
    rung: list[tuple[str, ...]] = []
    monkeypatch.setattr("core.bell.current_app.send_task", lambda task, args: rung.append((task.rpartition(".")[2], *args)))
    return rung


@pytest.fixture
def crowd(make_user: Callable[..., User], monkeypatch: pytest.MonkeyPatch) -> list[User]:
    monkeypatch.setattr("notifications.services.announcing._BATCH", 3)
    people = [make_user(locale=locale) for locale in ("en", "de", "de-AT", "en", "fr")]
    for person in people[:2]:
        version = current_text(ConsentPurpose.MARKETING).version
        decide(user=person, purpose=ConsentPurpose.MARKETING, is_granted=True, text_version=version, source=ConsentSource.SETTINGS)
    return people


def make_announcement(**fields: Any) -> Announcement:
    return Announcement.objects.create(**{"title": "News", "text": "Something is new."} | fields)


class TestAnnouncing:
    def test_everybody_once_and_by_mail_who_agreed(self, crowd: list[User], bells: Any) -> None:
        announcement = make_announcement()
        assert announcing.start(announcement_id=announcement.pk)
        assert not announcing.start(announcement_id=announcement.pk), "it runs"
        assert announcing.running() == [announcement.pk]
        assert [announcing.tell_some(announcement_id=announcement.pk) for _ in range(3)] == [True, False, False]
        announcement.refresh_from_db()
        assert (announcement.state, announcement.done, announcement.total) == (AnnouncementState.DONE, 5, 5)
        assert Notification.objects.values("user").distinct().count() == Notification.objects.count() == 5
        assert set(Delivery.objects.values_list("user_id", "channel")) == {(person.pk, "email") for person in crowd[:2]}
        send_all()
        assert [(letter.subject, letter.extra_headers["Precedence"]) for letter in mail.outbox] == [("News", "bulk")] * 2

    def test_who_changed_their_mind_gets_none(self, crowd: list[User], bells: Any) -> None:
        ConsentDecision.objects.filter(user=crowd[0]).update(text_version=0)
        version = current_text(ConsentPurpose.MARKETING).version
        decide(user=crowd[1], purpose=ConsentPurpose.MARKETING, is_granted=False, text_version=version, source=ConsentSource.SETTINGS)
        announcement = make_announcement()
        announcing.start(announcement_id=announcement.pk)
        while announcing.tell_some(announcement_id=announcement.pk):
            pass
        assert not Delivery.objects.exists()

    def test_only_some_languages(self, crowd: list[User], bells: Any) -> None:
        announcement = make_announcement(languages="de, fr")
        announcing.start(announcement_id=announcement.pk)
        while announcing.tell_some(announcement_id=announcement.pk):
            pass
        assert set(Notification.objects.values_list("user__locale", flat=True)) == {"de", "de-AT", "fr"}

    def test_stopped_and_gone_on_with(self, crowd: list[User], bells: Any, client: Client, staff: User) -> None:
        client.force_login(staff)
        announcement = make_announcement()
        page = reverse("admin:notifications_announcement_changelist")
        client.post(page, {"action": "start", "_selected_action": [str(announcement.pk)]})
        announcing.tell_some(announcement_id=announcement.pk)
        client.post(page, {"action": "stop", "_selected_action": [str(announcement.pk)]})
        assert not announcing.tell_some(announcement_id=announcement.pk)
        assert b"3 of 6" in client.get(page).content
        client.post(page, {"action": "start", "_selected_action": [str(announcement.pk)]})
        tasks.announce(str(announcement.pk))
        assert Notification.objects.count() == 6
        assert (
            client.post(reverse("admin:notifications_announcement_add"), {"title": "More", "text": "x", "languages": ""}).status_code == 302
        )
        assert Announcement.objects.get(title="More").created_by == staff


class TestBells:
    def test_one_for_many_causes(self, kind: Kind, user: User, bells: Any, django_capture_on_commit_callbacks: Any) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            for _ in range(5):
                tell(kind, user)
        assert bells == [("send_due", "email")]
        tasks.send_due("email")
        assert len(mail.outbox) == 5
        with django_capture_on_commit_callbacks(execute=True):
            tell(kind, user)
        assert bells == [("send_due", "email")] * 2

    def test_without_a_broker_the_sweep_rings_later(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*_: Any, **__: Any) -> None:
            raise OperationalError

        monkeypatch.setattr("core.bell.current_app.send_task", refuse)
        assert not bell.ring_for("some.task")

    def test_the_sweep_rings_for_what_is_due(self, kind: Kind, user: User, bells: Any, crowd: Any) -> None:
        announcement = make_announcement()
        announcing.start(announcement_id=announcement.pk)
        tell(kind, user)
        cache.clear()
        tasks.sweep_notifications()
        assert set(bells) == {("send_due", "email"), ("announce", str(announcement.pk))}

    def test_the_sweep_takes_up_what_a_worker_left(self, kind: Kind, user: User, bells: Any) -> None:
        tell(kind, user)
        queue.claim(channel=Channel.EMAIL)
        long_ago = timezone.now() - queue.LEASE * 2
        Delivery.objects.update(claimed_at=long_ago)
        tasks.sweep_notifications()
        assert list(Delivery.objects.values_list("state", "claimed_at", "attempts")) == [("queued", None, 0)], "nobody was asked to send it"
        queue.claim(channel=Channel.EMAIL)
        Delivery.objects.update(claimed_at=long_ago, asked_at=long_ago)
        tasks.sweep_notifications()
        assert Delivery.objects.get().state == DeliveryState.FAILED

    def test_files_are_written_again_after_a_crash(self, kind: Kind, user: User, bells: Any, settings: Any, tmp_path: Any) -> None:
        settings.EMAIL_BACKEND, settings.EMAIL_FILE_PATH = "notifications.providers.folder.EmailBackend", tmp_path / "mail"
        long_ago = timezone.now() - queue.LEASE * 2
        tell(kind, user)
        for _ in range(2):
            send_all()
            Delivery.objects.update(state="queued", sent_at=None, claimed_at=long_ago, asked_at=long_ago)
            tasks.sweep_notifications()
            Delivery.objects.update(due_at=timezone.now())
        (file,) = (tmp_path / "mail").iterdir()
        assert b"Subject: Hello" in file.read_bytes()

    def test_other_tasks(self, kind: Kind, user: User, phone_of: Callable[..., PushDevice]) -> None:
        phone_of(user)
        tell(kind, user)
        send_all()
        tasks.collect_receipts()
        assert Delivery.objects.get(channel="push").state == DeliveryState.DELIVERED
        Notification.objects.update(created_at=timezone.now() - datetime.timedelta(days=400))
        assert tasks.prune_notifications() == 1


class TestUnsubscribing:
    def address(self, user: User) -> str:
        return unsubscribe_url(user, ["test"]).partition("8000")[2]

    def test_one_click_stops_it(self, kind: Kind, user: User) -> None:
        client = Client(enforce_csrf_checks=True)
        tell(kind, user)
        send_all()
        (header,) = [letter.extra_headers["List-Unsubscribe"] for letter in mail.outbox]
        path = header.strip("<>").partition("8000")[2]
        assert client.get(path).status_code == 200
        assert not Choice.objects.exists(), "a scanner opens every link"
        answer = client.post(path, {"List-Unsubscribe": "One-Click"})
        assert (answer.status_code, answer["Referrer-Policy"]) == (200, "no-referrer")
        tell(kind, user)
        send_all()
        assert len(mail.outbox) == 1

    def test_forged_or_broken_links(self, user: User, kind: Kind) -> None:
        client = Client()
        for path in (self.address(user)[:-3] + "x/", "/unsubscribe/x/"):
            assert client.post(path).status_code == 404
        assert not Choice.objects.exists()

    def test_nothing_is_noted_of_who_is_gone(self, user: User, kind: Kind) -> None:
        User.objects.filter(pk=user.pk).update(is_active=False)
        assert Client().post(self.address(user)).status_code == 200
        assert not Choice.objects.exists()


class TestSafety:
    def test_phones_ring_and_the_mail_goes_by_itself(self, user: User, phone_of: Callable[..., PushDevice]) -> None:
        phone_of(user)
        event = SecurityEvent.objects.create(user=user, kind="password_changed", device_name="Firefox")
        with transaction.atomic():
            publish(SafetyChanged(user_id=user.pk, security_event_id=event.pk))
        for delivery in EventDelivery.objects.all():
            run_delivery(delivery.pk)
            run_delivery(delivery.pk)
        assert Notification.objects.get().data == {"device": "Firefox"}
        assert list(Delivery.objects.values_list("channel", flat=True)) == ["push"]
        assert len(mail.outbox) == 1

    def test_it_cannot_be_turned_off(self, user: User, signed_in: Any) -> None:
        body = {"topics": [{"topic": "account", "channels": {"push": False}}]}
        answer = signed_in.call("PUT", "notifications/preferences", body)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "cannot_be_turned_off")


class TestMatrix:
    def test_topics_by_channel(self, signed_in: Any, user: User, kind: Kind, number_of: Callable[[User], Phone]) -> None:
        body = {"topics": [{"topic": "test", "channels": {"email": False, "push": True}}]}
        answer = signed_in.call("PUT", "notifications/preferences", body).json()
        (row,) = [row for row in answer["topics"] if row["topic"] == "test"]
        assert (row["channels"], row["fixed"]) == ({"push": True, "email": False, "sms": True}, [])
        number_of(user)
        tell(kind, user)
        assert list(Delivery.objects.values_list("channel", flat=True)) == ["sms"]
        assert signed_in.call("PUT", "notifications/preferences", {}).status_code == 200
        assert not Choice.objects.exists()

    @pytest.mark.parametrize(
        ("topics", "code"),
        [
            ([{"topic": "nonsense", "channels": {}}], "unknown_topic"),
            ([{"topic": "news", "channels": {"fax": True}}], "unknown_field"),
            ([{"topic": "news", "channels": {}}] * 2, "topic_twice"),
        ],
    )
    def test_bad_choices(self, signed_in: Any, topics: Any, code: str) -> None:
        answer = signed_in.call("PUT", "notifications/preferences", {"topics": topics})
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, code)
        assert not Choice.objects.exists()


def test_staff_replay_dead_letters(kind: Kind, user: User, staff: User, client: Client, bells: Any) -> None:
    tell(kind, user)
    Delivery.objects.update(state="failed", why="gave_up", attempts=8)
    client.force_login(staff)
    address = reverse("admin:notifications_delivery_changelist")
    client.post(address, {"action": "replay", "_selected_action": [str(Delivery.objects.get().pk)]})
    assert (Delivery.objects.get().state, Delivery.objects.get().attempts, bells) == ("queued", 0, [("send_due", "email")])


def test_preferences_of_what_waits_hold_each_channel(kind: Kind, user: User, at: Any, phone_of: Callable[..., PushDevice]) -> None:
    at("2026-10-21T12:00")
    phone_of(user)
    tell(kind, user)
    set_preferences(user=user, cadence="daily")
    assert set(Delivery.objects.values_list("state", flat=True)) == {"held"}
