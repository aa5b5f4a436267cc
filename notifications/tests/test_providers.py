"""The vendors' own SDKs against peers that speak their protocols, and what the vendors report later."""

from __future__ import annotations

import base64
import contextlib
import datetime
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from conftest import Api
from notifications.enums import Channel, Complaint, Why
from notifications.models import Delivery, Phone, PushDevice, PushTicket, Suppression
from notifications.notices import Kind
from notifications.services import pushing, queue, sending
from notifications.services.recipients import suppress
from notifications.tests.test_notifying import send_all, states, tell
from tests import telling_peers as peers

pytestmark = pytest.mark.django_db


class Vendors:
    """A peer in this process, and the faults that a test asks of it."""

    def __init__(self, folder: Path) -> None:
        self.book = peers.Book(folder)
        self.faults: dict[str, int] = {}
        self.server = peers.Server(("127.0.0.1", 0), peers.handler_for(self.book, self.faults))
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()


@pytest.fixture
def vendors(tmp_path: Path, settings: Any) -> Iterator[Vendors]:
    vendors = Vendors(tmp_path)
    settings.EMAIL_BACKEND = "anymail.backends.sendgrid.EmailBackend"
    settings.ANYMAIL = {
        "SENDGRID_API_KEY": peers.SENDGRID_KEY,
        "SENDGRID_API_URL": f"{vendors.url}/v3/",
        "SENDGRID_TRACKING_WEBHOOK_VERIFICATION_KEY": peers.webhook_keys(tmp_path)[1],
    }
    settings.PUSH_ENGINE, settings.EXPO_URL = "expo", vendors.url
    settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN = peers.TWILIO_ACCOUNT, peers.TWILIO_TOKEN
    settings.TWILIO_FROM, settings.TWILIO_URL = peers.TWILIO_FROM, vendors.url
    yield vendors
    vendors.server.shutdown()
    vendors.server.server_close()


@pytest.fixture(autouse=True)
def by_day(at: Callable[[str], datetime.datetime]) -> None:
    at("2026-10-21T12:00")


@pytest.fixture
def reachable(user: User, phone_of: Callable[..., PushDevice], number_of: Callable[[User], Phone]) -> User:
    phone_of(user)
    number_of(user)
    return user


class TestSending:
    def test_each_takes_what_we_say(self, vendors: Vendors, reachable: User, kind: Kind) -> None:
        tell(kind, reachable)
        send_all()
        assert states(reachable) == {"push": "sent", "email": "sent", "sms": "sent"}
        (mail,), (push,), (text,) = (vendors.book.of(name) for name in ("mail", "push", "text"))
        assert (mail["to"], mail["subject"]) == (reachable.email, "Hello")
        assert mail["headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert (push["title"], push["body"]) == ("Soosh", "Open Soosh to read it."), "nobody reads it on a locked phone"
        assert text["body"] == "Soosh: Hello http://127.0.0.1:8000/test/Hello"

    def test_text_on_the_lock_screen_only_by_choice(
        self, vendors: Vendors, user: User, kind: Kind, phone_of: Callable[..., PushDevice]
    ) -> None:
        phone_of(user, shows_text=True)
        tell(kind, user)
        send_all()
        (push,) = vendors.book.of("push")
        assert (push["title"], push["body"]) == ("Hello", "Some text.")

    @pytest.mark.parametrize(("path", "channel"), [("mail", "email"), ("push", "push"), ("Messages", "sms")])
    @pytest.mark.parametrize(("status", "state"), [(500, "queued"), (429, "queued"), (400, f"failed {Why.REFUSED}")])
    def test_an_error_is_tried_again_and_a_refusal_is_not(
        self, vendors: Vendors, reachable: User, kind: Kind, path: str, channel: str, status: int, state: str
    ) -> None:
        vendors.faults[path] = status
        tell(kind, reachable)
        send_all()
        assert states(reachable)[channel] == state
        assert str(status) in Delivery.objects.get(channel=channel).last_error
        assert reachable.email not in Delivery.objects.get(channel=channel).last_error

    def test_nobody_there_costs_nothing(self, vendors: Vendors, reachable: User, kind: Kind, settings: Any) -> None:
        settings.ANYMAIL = settings.ANYMAIL | {"SENDGRID_API_URL": "http://127.0.0.1:9/v3/"}
        settings.EXPO_URL = settings.TWILIO_URL = "http://127.0.0.1:9"
        tell(kind, reachable)
        send_all()
        assert set(Delivery.objects.values_list("state", "attempts", "claimed_at")) == {("queued", 0, None)}


class TestPush:
    def test_a_dead_phone_goes_and_the_others_are_told(
        self, vendors: Vendors, user: User, kind: Kind, phone_of: Callable[..., PushDevice]
    ) -> None:
        alive, dead = phone_of(user), phone_of(user)
        PushDevice.objects.filter(pk=dead.pk).update(token="ExponentPushToken[dead]")
        tell(kind, user)
        send_all()
        assert list(PushDevice.objects.all()) == [alive]
        assert states(user)["push"] == "sent"

    def test_a_phone_is_not_told_twice(self, vendors: Vendors, user: User, kind: Kind, phone_of: Callable[..., PushDevice]) -> None:
        phone_of(user)
        tell(kind, user)
        send_all()
        phone_of(user)
        Delivery.objects.filter(channel=Channel.PUSH).update(state="failed", why=Why.GAVE_UP)
        queue.replay(Delivery.objects.filter(channel=Channel.PUSH).values_list("pk", flat=True))
        send_all()
        told = [push["to"] for push in vendors.book.of("push")]
        assert len(told) == len(set(told)) == 2

    def test_receipts(
        self, vendors: Vendors, make_user: Callable[..., User], kind: Kind, phone_of: Callable[..., PushDevice], at: Any
    ) -> None:
        well, badly = make_user(), make_user()
        phone_of(well)
        PushDevice.objects.filter(pk=phone_of(badly).pk).update(token="ExponentPushToken[fading]")
        tell(kind, well, badly)
        send_all()
        assert pushing.collect_receipts() == 0, "too early"
        PushTicket.objects.update(created_at=timezone.now() - datetime.timedelta(minutes=20))
        assert pushing.collect_receipts() == 2
        assert (states(well)["push"], states(badly)["push"]) == ("delivered", f"bounced {Why.REFUSED}")
        assert not PushDevice.objects.filter(user=badly).exists()
        assert pushing.collect_receipts() == 0

    def test_more_than_a_request_takes(
        self, vendors: Vendors, user: User, make_user: Callable[..., User], kind: Kind, phone_of: Callable[..., PushDevice]
    ) -> None:
        for person in (user, make_user()):
            for _ in range(60):
                phone_of(person)
        tell(kind, *User.objects.all())
        send_all()
        assert len(vendors.book.of("push")) == 120


class TestTexts:
    def test_the_budget_holds_to_the_last_part(
        self,
        vendors: Vendors,
        make_kind: Callable[..., Kind],
        make_user: Callable[..., User],
        number_of: Callable[[User], Phone],
        settings: Any,
    ) -> None:
        settings.SMS_SEGMENTS_PER_PERSON_PER_DAY, settings.SMS_SEGMENTS_PER_DAY = 2, 3
        kind = make_kind(channels=frozenset({Channel.SMS}))
        one, other = make_user(), make_user()
        number_of(one)
        number_of(other)
        for _ in range(3):
            tell(kind, one)
            send_all()
        for _ in range(2):
            tell(kind, other)
            send_all()
        outcome = [list(Delivery.objects.filter(user=person).order_by("id").values_list("state", flat=True)) for person in (one, other)]
        assert outcome == [["sent", "sent", "suppressed"], ["sent", "suppressed"]]
        assert len(vendors.book.of("text")) == 3

    @pytest.mark.parametrize(("number", "reason"), [(peers.STOPPED_NUMBER, Complaint.STOPPED), (peers.LANDLINE, Complaint.BOUNCED)])
    def test_a_number_that_takes_none_gets_no_more(
        self, vendors: Vendors, make_kind: Callable[..., Kind], user: User, number: str, reason: str
    ) -> None:
        Phone.objects.create(user=user, number=number, verified_at=timezone.now())
        kind = make_kind(channels=frozenset({Channel.SMS}))
        tell(kind, user)
        send_all()
        assert states(user) == {"sms": f"bounced {Why.REFUSED}"}
        assert Suppression.objects.get().reason == reason
        tell(kind, user)
        send_all()
        assert Delivery.objects.first().why == Why.UNWANTED  # type: ignore[union-attr]

    def test_after_a_crash_twilio_is_asked(
        self, vendors: Vendors, make_kind: Callable[..., Kind], make_user: Callable[..., User], number_of: Callable[[User], Phone], at: Any
    ) -> None:
        kind = make_kind(channels=frozenset({Channel.SMS}))
        sent, unsent = make_user(), make_user()
        number_of(sent)
        number_of(unsent)
        tell(kind, sent, unsent)
        send_all()
        # The worker died between the call and its mark for one, and before the call for the other.
        long_ago = timezone.now() - queue.LEASE * 2
        unmarked = {"state": "queued", "claimed_at": long_ago, "asked_at": long_ago, "provider_id": "", "segments": 0, "sent_at": None}
        Delivery.objects.update(**unmarked)
        vendors.book.lines = [line for line in vendors.book.lines if line["to"] == sent.phone.number]
        assert sending.recover(channel=Channel.SMS) == 2
        assert (states(sent), states(unsent)) == ({"sms": "sent"}, {"sms": "queued"})

    def recovered(self, person: User) -> str:
        long_ago = timezone.now() - queue.LEASE * 2
        Delivery.objects.filter(user=person).update(state="queued", claimed_at=long_ago, asked_at=long_ago, attempts=1, sent_at=None)
        sending.recover(channel=Channel.SMS)
        return states(person)["sms"]

    def test_what_a_crash_left_waits_for_twilio_and_not_for_a_number_that_is_gone(
        self, vendors: Vendors, make_kind: Callable[..., Kind], reachable: User, settings: Any
    ) -> None:
        tell(make_kind(channels=frozenset({Channel.SMS})), reachable)
        address, settings.TWILIO_URL = settings.TWILIO_URL, "http://127.0.0.1:9"
        assert self.recovered(reachable) == "queued", "nobody can say yet"
        assert Delivery.objects.get().claimed_at is not None, "so nobody may send it"
        settings.TWILIO_URL = address
        Phone.objects.all().delete()
        assert self.recovered(reachable) == f"failed {Why.REFUSED}"

    def test_one_worker_at_a_time(
        self, vendors: Vendors, make_kind: Callable[..., Kind], reachable: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tell(make_kind(channels=frozenset({Channel.SMS})), reachable)
        monkeypatch.setattr(sending, "only_here", lambda name: contextlib.nullcontext(False))
        assert not sending.send_some(Channel.SMS)
        assert list(Delivery.objects.values_list("state", "claimed_at", "attempts")) == [("queued", None, 0)]

    def test_who_lost_a_claim_does_not_send(
        self, vendors: Vendors, make_kind: Callable[..., Kind], reachable: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tell(make_kind(), reachable)
        monkeypatch.setattr(queue, "note_asking", lambda parcel: False)
        for channel in (Channel.EMAIL, Channel.SMS):
            sending.send_some(channel)
        assert vendors.book.of("mail") == vendors.book.of("text") == []

    def test_several_that_waited_for_the_morning_are_one_text(
        self, vendors: Vendors, make_kind: Callable[..., Kind], reachable: User, at: Any
    ) -> None:
        at("2026-10-21T23:00")
        kind = make_kind(channels=frozenset({Channel.SMS}))
        for number in range(12):
            tell(kind, reachable, data={"title": f"Thing number {number} that is new for you", "text": "x"})
        at("2026-10-22T08:00")
        send_all()
        (text,) = vendors.book.of("text")
        assert text["body"].startswith("Soosh\nThing number 0") and text["body"].endswith("more in the app.")
        assert Delivery.objects.filter(state="sent").count() == 12
        assert sorted(Delivery.objects.values_list("segments", flat=True)) == [0] * 11 + [3]


class TestReports:
    def post(self, vendors: Vendors, folder: Path, *events: Any, key: Any = None) -> int:
        body, headers = peers.signed(key or peers.webhook_keys(folder)[0], list(events))
        names = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items() if name != "Content-Type"}
        status: int = Client().post("/webhooks/sendgrid/", body, content_type="application/json", **names).status_code  # type: ignore[arg-type]
        return status

    def event(self, delivery: Delivery, event: str, **more: Any) -> dict[str, Any]:
        known = {"email": delivery.user.email, "timestamp": 1, "event": event, "key": str(delivery.pk), "sg_event_id": "x"}
        return known | more

    def test_a_mail_arrives_comes_back_or_annoys(
        self, vendors: Vendors, tmp_path: Path, kind: Kind, make_user: Callable[..., User]
    ) -> None:
        people = [make_user() for _ in range(3)]
        tell(kind, *people)
        send_all()
        well, back, annoyed = (Delivery.objects.get(user=person) for person in people)
        status = self.post(
            *(vendors, tmp_path, self.event(well, "delivered"), self.event(well, "processed")),
            *(self.event(back, "bounce", type="bounce", status="5.1.1"), self.event(annoyed, "spamreport")),
        )
        assert status == 200
        assert [states(person)["email"] for person in people] == ["delivered", f"bounced {Why.REFUSED}", "sent"]
        assert sorted(Suppression.objects.values_list("reason", flat=True)) == ["bounced", "complained"]
        tell(kind, *people)
        send_all()
        newest = {person: Delivery.objects.filter(user=person).first() for person in people}
        assert [newest[person].why for person in people] == ["", Why.UNWANTED, Why.UNWANTED]  # type: ignore[union-attr]

    def test_a_report_settles_what_a_crash_left_open(self, vendors: Vendors, tmp_path: Path, kind: Kind, user: User) -> None:
        tell(kind, user)
        queue.claim(channel=Channel.EMAIL)
        long_ago = timezone.now() - queue.LEASE * 2
        Delivery.objects.update(claimed_at=long_ago, asked_at=long_ago)
        sending.recover(channel=Channel.EMAIL)
        assert states(user) == {"email": f"failed {Why.UNCONFIRMED}"}
        self.post(vendors, tmp_path, self.event(Delivery.objects.get(), "delivered"))
        assert states(user) == {"email": "delivered"}

    def test_only_what_sendgrid_signed(self, vendors: Vendors, tmp_path: Path, kind: Kind, user: User) -> None:
        tell(kind, user)
        send_all()
        forged = peers.webhook_keys(tmp_path / "other")[0]
        assert self.post(vendors, tmp_path, self.event(Delivery.objects.get(), "bounce"), key=forged) == 400
        assert (states(user), Suppression.objects.count()) == ({"email": "sent"}, 0)

    @pytest.mark.parametrize("event", [{}, {"key": "x"}, {"event": "bounce"}, {"event": "delivered", "key": "7"}, {"event": "new thing"}])
    def test_strange_events_do_no_harm(self, vendors: Vendors, tmp_path: Path, event: Any) -> None:
        assert self.post(vendors, tmp_path, event | {"timestamp": 1, "email": "x@example.org"}) in (200, 400)

    def call_twilio(self, path: str, fields: dict[str, str], *, token: str = peers.TWILIO_TOKEN) -> int:
        url = f"http://127.0.0.1:8000/webhooks/twilio/{path}/"
        text = url + "".join(f"{name}{value}" for name, value in sorted(fields.items()))
        signature = base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()
        answer = Client().post(f"/webhooks/twilio/{path}/", fields, headers={"X-Twilio-Signature": signature})
        return answer.status_code

    def test_texts_arrive_or_not(self, vendors: Vendors, make_kind: Callable[..., Kind], reachable: User) -> None:
        tell(make_kind(channels=frozenset({Channel.SMS})), reachable)
        send_all()
        sid = Delivery.objects.get().provider_id
        assert self.call_twilio("status", {"MessageSid": sid, "MessageStatus": "delivered"}, token="forged") == 403
        assert states(reachable) == {"sms": "sent"}
        assert self.call_twilio("status", {"MessageSid": sid, "MessageStatus": "delivered"}) == 204
        assert states(reachable) == {"sms": "delivered"}
        assert self.call_twilio("status", {"MessageSid": sid, "MessageStatus": "undelivered"}) == 204
        assert states(reachable) == {"sms": f"bounced {Why.REFUSED}"}

    def test_stop_and_start(self, vendors: Vendors, make_kind: Callable[..., Kind], reachable: User) -> None:
        kind, number = make_kind(channels=frozenset({Channel.SMS})), reachable.phone.number
        said = [
            *((" Stop ", 0), ("stop it please", 0), ("START", 1), ("please stop", 2), ("Arrêt!", 2), ("Empezar", 3), ("STOPP.", 3)),
            *(("Start.", 4), ("HELP", 5)),
        ]
        for text, count in said:
            assert self.call_twilio("inbound", {"From": number, "Body": text}) == 200
            tell(kind, reachable)
            send_all()
            assert len(vendors.book.of("text")) == count

    def test_a_number_that_is_stopped_looks_stopped(self, vendors: Vendors, signed_in: Api, user: User, staff: User, settings: Any) -> None:
        settings.TWILIO_FROM = "+15005550006"
        phone = Phone.objects.create(user=user, number="+4915112345678", verified_at=timezone.now())
        active = signed_in.get("notifications/phone").json()
        assert (active["is_active"], active["problem"]) == (True, None)
        # Twilio's own word for it, in whatever language the person wrote.
        self.call_twilio("inbound", {"From": "+4915112345678", "Body": "لا مزيد", "OptOutType": "STOP"})
        stopped = signed_in.get("notifications/phone").json()
        assert (stopped["is_active"], stopped["problem"]["reason"]) == (False, "stopped")
        assert "text START to +15005550006" in stopped["problem"]["remedy"]
        assert signed_in.get("notifications/preferences").json()["problems"] == [stopped["problem"]]
        User.objects.filter(pk=staff.pk).update(is_superuser=True)
        desk = Client()
        desk.force_login(User.objects.get(pk=staff.pk))
        assert "answered STOP" in desk.get(f"/admin/notifications/phone/{phone.pk}/change/").content.decode()
        self.call_twilio("inbound", {"From": "whatsapp:+4915112345678", "Body": "x", "OptOutType": "HELP"})
        assert signed_in.get("notifications/phone").json()["is_active"] is False
        self.call_twilio("inbound", {"From": "+4915112345678", "Body": "Unstop"})
        assert signed_in.get("notifications/phone").json()["is_active"] is True

    def test_a_report_that_a_number_takes_nothing(self, vendors: Vendors, signed_in: Api, user: User) -> None:
        Phone.objects.create(user=user, number="+4915112345678", verified_at=timezone.now())
        report = {"MessageSid": "SM1", "MessageStatus": "undelivered", "To": "+4915112345678", "ErrorCode": "30006"}
        assert self.call_twilio("status", report) == 204
        assert signed_in.get("notifications/phone").json()["problem"]["reason"] == "bounced"

    def test_a_mailbox_that_gets_nothing_is_told_and_can_be_tried_again(self, vendors: Vendors, signed_in: Api, user: User) -> None:
        for reason in (Complaint.BOUNCED, Complaint.COMPLAINED):
            suppress(channel=Channel.EMAIL, address=user.email, reason=reason)
            (problem,) = signed_in.get("notifications/preferences").json()["problems"]
            assert (problem["channel"], problem["reason"]) == ("email", reason)
            assert signed_in.post("notifications/email/resume").status_code == 204
            assert signed_in.get("notifications/preferences").json()["problems"] == []


class TestAddresses:
    def test_a_number_is_proved_twice(self, vendors: Vendors, signed_in: Api, user: User) -> None:
        answer = signed_in.call("PUT", "notifications/phone", {"number": "+49 (151) 1234-5678"})
        assert answer.json() == {"number": "+4915112345678", "verified_at": None, "is_active": False, "problem": None}
        (text,) = vendors.book.of("text")
        code = text["body"].split("is ")[1][:6]
        wrong = "000000" if code != "000000" else "000001"
        assert signed_in.post("notifications/phone/confirm", {"code": wrong}).json()["code"] == "wrong_code"
        assert signed_in.post("notifications/phone/confirm", {"code": code}).json()["verified_at"]
        assert signed_in.post("notifications/phone/confirm", {"code": code}).status_code == 404
        assert code not in json.dumps(list(Phone.objects.values("code_hash")))

    def test_codes_are_not_guessed(self, vendors: Vendors, signed_in: Api, user: User) -> None:
        signed_in.call("PUT", "notifications/phone", {"number": "+4915112345678"})
        code = vendors.book.of("text")[0]["body"].split("is ")[1][:6]
        for number in range(5):
            signed_in.post("notifications/phone/confirm", {"code": f"{(int(code) + number + 1) % 1_000_000:06}"})
        assert signed_in.post("notifications/phone/confirm", {"code": code}).status_code == 400

    def test_nor_sent_without_end(self, vendors: Vendors, signed_in: Api) -> None:
        answers = [signed_in.call("PUT", "notifications/phone", {"number": "+4915112345678"}) for _ in range(6)]
        assert [answer.status_code for answer in answers] == [200] * 5 + [429]
        assert answers[-1]["Retry-After"]

    def test_strangers_cannot_use_up_the_codes_of_a_number(self, vendors: Vendors, signed_in: Api, make_user: Callable[..., User]) -> None:
        for _ in range(2):
            stranger = Api().sign_in(make_user())
            for _ in range(3):
                stranger.call("PUT", "notifications/phone", {"number": "+4915112345678"})
        assert len(vendors.book.of("text")) == 6, "five by everybody, one of the second stranger's own"
        assert stranger.call("PUT", "notifications/phone", {"number": "+4915112345678"}).status_code == 429
        assert signed_in.call("PUT", "notifications/phone", {"number": "+4915112345678"}).status_code == 200
        code = vendors.book.of("text")[-1]["body"].split("is ")[1][:6]
        assert signed_in.post("notifications/phone/confirm", {"code": code}).json()["verified_at"]

    def test_a_number_is_of_one_person(self, vendors: Vendors, signed_in: Api, make_user: Callable[..., User]) -> None:
        Phone.objects.create(user=make_user(), number="+4915112345678", verified_at=timezone.now())
        signed_in.call("PUT", "notifications/phone", {"number": "+4915112345678"})
        code = vendors.book.of("text")[0]["body"].split("is ")[1][:6]
        answer = signed_in.post("notifications/phone/confirm", {"code": code})
        assert (answer.status_code, answer.json()["code"]) == (409, "number_taken")

    def test_who_said_stop_is_not_asked(self, vendors: Vendors, signed_in: Api) -> None:
        suppress(channel=Channel.SMS, address="+4915112345678", reason=Complaint.STOPPED)
        answer = signed_in.call("PUT", "notifications/phone", {"number": "+4915112345678"})
        assert (answer.status_code, answer.json()["code"], vendors.book.of("text")) == (409, "number_stopped", [])

    @pytest.mark.parametrize("number", ["0151 1234567", "+49", "+49151123456789012", "phone", "", None, 7])
    def test_bad_numbers(self, signed_in: Api, number: Any) -> None:
        assert signed_in.call("PUT", "notifications/phone", {"number": number}).status_code == 400
        assert not Phone.objects.exists()

    def test_a_phone_goes_with_its_sign_in_and_its_person(self, signed_in: Api, user: User, staff_api: Api, staff: User) -> None:
        body = {"expo_push_token": "ExponentPushToken[abc]"}
        assert signed_in.post("notifications/devices", body).status_code == 201
        assert signed_in.post("notifications/devices", body | {"shows_text": True}).status_code == 200
        assert staff_api.post("notifications/devices", body).status_code == 201
        assert PushDevice.objects.get().user == staff, "the phone changed hands"
        signed_in.post("notifications/devices", body)
        user.devices.all().delete()
        assert not PushDevice.objects.exists()

    @pytest.mark.parametrize("token", ["", "abc", "ExponentPushToken[", "ExponentPushToken[a b]", None])
    def test_bad_tokens(self, signed_in: Api, token: Any) -> None:
        assert signed_in.post("notifications/devices", {"expo_push_token": token}).status_code == 400
