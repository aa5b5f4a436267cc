"""From the cause to the rows, and from the rows to the providers."""

from __future__ import annotations

import dataclasses
import datetime
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.db import transaction

from accounts.models import Block, User
from core.calendar_entries import CalendarEntry
from core.wall_time import Weekday
from notifications.enums import Cadence, Channel, DeliveryState, Urgency, Why
from notifications.models import Delivery, Notification, Phone, PushDevice
from notifications.notices import BadKind, Kind, UndeclaredData, until, within
from notifications.providers.base import Outcome, Result
from notifications.services import composing, notifying, queue, sending
from notifications.services.notifying import NotifiedOutsideTransaction
from notifications.services.preferences import set_preferences
from notifications.tests.conftest import DATA

pytestmark = pytest.mark.django_db
HOUR = datetime.timedelta(hours=1)
NIGHT: dict[str, Any] = {"quiet_from": datetime.time(22), "quiet_until": datetime.time(7)}


def tell(kind: Kind, *people: User, **options: Any) -> int:
    with transaction.atomic():
        return notifying.notify(kind=kind, user_ids=[person.pk for person in people], data=options.pop("data", DATA), **options)


def send_all() -> None:
    for channel in Channel:
        while sending.send_some(channel):
            pass


def states(person: User) -> dict[str, str]:
    rows = Delivery.objects.filter(user=person).order_by("id").values_list("channel", "state", "why")
    return {channel: f"{state} {why}".strip() for channel, state, why in rows}


class TestNotifying:
    def test_one_row_and_one_delivery_for_each_channel(
        self, user: User, kind: Kind, phone_of: Callable[..., PushDevice], number_of: Callable[[User], Phone], at: Any
    ) -> None:
        at("2026-10-21T12:00")
        phone_of(user)
        number_of(user)
        assert tell(kind, user) == 1
        assert states(user) == {"push": "queued", "email": "queued", "sms": "queued"}
        send_all()
        assert states(user) == {"push": "sent", "email": "sent", "sms": "sent"}
        assert [message.subject for message in mail.outbox] == ["Hello"]
        send_all()
        assert len(mail.outbox) == 1

    def test_who_has_no_phone_gets_mail_alone(self, user: User, kind: Kind) -> None:
        tell(kind, user)
        assert list(states(user)) == ["email"]

    def test_needs_the_transaction_of_its_cause(self, kind: Kind, user: User) -> None:
        with pytest.raises(NotifiedOutsideTransaction):
            _outside(kind, user)

    @pytest.mark.parametrize("data", [{}, {"title": "x"}, DATA | {"more": 1}, {"title": "x", "text": 7}, {"title": "x", "text": True}])
    def test_data_is_what_the_kind_declares(self, kind: Kind, user: User, data: Any) -> None:
        with pytest.raises(UndeclaredData):
            tell(kind, user, data=data)
        assert not Notification.objects.exists()

    def test_text_is_cut_and_cleaned(self, kind: Kind, user: User) -> None:
        tell(kind, user, data={"title": "a\r\nBcc: x@example.org\x00", "text": "b" * 5_000})
        send_all()
        assert mail.outbox[0].subject == "a Bcc: x@example org"
        assert mail.outbox[0].recipients() == [user.email]
        assert len(Notification.objects.get().data["text"]) == 1_000

    def test_a_key_tells_once(self, kind: Kind, user: User, make_user: Callable[..., User]) -> None:
        other = make_user()
        assert tell(kind, user, key="booking 1") == 1
        assert tell(kind, user, other, key="booking 1") == 1
        assert Notification.objects.count() == 2

    def test_the_newest_stands_for_the_unread_before_it(self, kind: Kind, user: User) -> None:
        for _ in range(3):
            tell(kind, user, collapse_key="conversation 1")
        newest = Notification.objects.visible_to(user).get()
        assert newest.count == 3
        send_all()
        assert len(mail.outbox) == 1
        assert sorted(Delivery.objects.values_list("state", "why")) == [("sent", ""), *[("suppressed", Why.REPLACED)] * 2]

    def test_what_was_read_is_not_taken_over(self, kind: Kind, user: User) -> None:
        tell(kind, user, collapse_key="conversation 1")
        Notification.objects.update(read_at=datetime.datetime.now(datetime.UTC))
        tell(kind, user, collapse_key="conversation 1")
        assert list(Notification.objects.visible_to(user).values_list("count", flat=True)) == [1, 1]

    def test_the_number_of_queries_does_not_grow(
        self, kind: Kind, make_user: Callable[..., User], django_assert_max_num_queries: Any
    ) -> None:
        people = [make_user() for _ in range(30)]
        with django_assert_max_num_queries(16):
            tell(kind, *people)


def _outside(kind: Kind, user: User) -> None:
    from django.db import connection

    in_block, connection.in_atomic_block = connection.in_atomic_block, False
    try:
        notifying.notify(kind=kind, user_ids=[user.pk], data=DATA)
    finally:
        connection.in_atomic_block = in_block


class TestNotSending:
    """Between the notice and its sending anything may happen."""

    def test_the_person_is_suspended(self, kind: Kind, user: User) -> None:
        tell(kind, user)
        User.objects.filter(pk=user.pk).update(is_active=False)
        send_all()
        assert states(user) == {"email": f"suppressed {Why.PERSON_GONE}"}

    def test_it_was_read_first(self, kind: Kind, user: User) -> None:
        tell(kind, user)
        Notification.objects.update(read_at=datetime.datetime.now(datetime.UTC))
        send_all()
        assert states(user) == {"email": f"suppressed {Why.READ}"}

    def test_it_was_turned_off(self, kind: Kind, user: User) -> None:
        tell(kind, user)
        set_preferences(user=user, choices={("test", "email"): False})
        send_all()
        assert states(user) == {"email": f"suppressed {Why.TURNED_OFF}"}
        tell(kind, user)
        assert Delivery.objects.count() == 1

    def test_what_is_fixed_stays_on(self, make_kind: Callable[..., Kind], user: User) -> None:
        kind = make_kind(fixed=frozenset({Channel.EMAIL}), urgency=Urgency.BINDING)
        set_preferences(user=user, choices={("test", "email"): False})
        tell(kind, user)
        send_all()
        assert states(user) == {"email": "sent"}

    def test_it_is_over(self, make_kind: Callable[..., Kind], user: User, at: Any) -> None:
        at("2026-10-21T12:00")
        tell(make_kind(useful=within(datetime.timedelta(minutes=15))), user)
        at("2026-10-21T12:15")
        send_all()
        assert states(user) == {"email": f"suppressed {Why.TOO_LATE}"}

    def test_its_kind_is_gone(self, kind: Kind, user: User, monkeypatch: pytest.MonkeyPatch) -> None:
        tell(kind, user)
        monkeypatch.setattr("notifications.notices._kinds", {})
        send_all()
        assert states(user) == {"email": f"suppressed {Why.UNKNOWN_KIND}"}

    @pytest.mark.parametrize("is_blocker", [True, False])
    def test_whom_it_is_about_is_blocked(self, kind: Kind, user: User, make_user: Callable[..., User], is_blocker: bool) -> None:
        other = make_user()
        tell(kind, user, about_id=other.pk)
        Block.objects.create(blocker=user if is_blocker else other, blocked=other if is_blocker else user)
        send_all()
        assert states(user) == {"email": f"suppressed {Why.OTHER_GONE}"}
        assert not Notification.objects.visible_to(user).exists()
        assert tell(kind, user, about_id=other.pk) == 0


class TestHolding:
    def test_what_comes_at_night_is_sent_together_in_the_morning(self, kind: Kind, user: User, at: Any) -> None:
        set_preferences(user=user, **NIGHT)
        at("2026-10-21T23:00")
        for number in range(3):
            tell(kind, user, data={"title": f"Thing {number}", "text": "Text."})
        at("2026-10-22T06:59")
        send_all()
        assert mail.outbox == []
        at("2026-10-22T07:00")
        send_all()
        send_all()
        (message,) = mail.outbox
        assert message.subject == "3 new things on Soosh"
        assert [message.body.index(f"Thing {number}") for number in range(3)] == sorted(message.body.index(f"Thing {n}") for n in range(3))
        assert set(Delivery.objects.values_list("state", flat=True)) == {"sent"}

    def test_a_queue_that_stood_still_wakes_nobody(self, kind: Kind, user: User, at: Any) -> None:
        at("2026-10-21T21:59")
        set_preferences(user=user, **NIGHT)
        tell(kind, user)
        at("2026-10-21T23:00")
        send_all()
        delivery = Delivery.objects.get()
        assert (delivery.state, delivery.due_at.isoformat()) == ("held", "2026-10-22T07:00:00+00:00")

    def test_a_new_choice_holds_anew(self, kind: Kind, user: User, at: Any) -> None:
        at("2026-10-21T23:00")
        set_preferences(user=user, **NIGHT)
        tell(kind, user)
        assert states(user) == {"email": "held"}
        set_preferences(user=user)
        assert states(user) == {"email": "queued"}

    def test_a_digest_is_as_it_was_when_tried_again(self, kind: Kind, user: User, at: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        at("2026-10-21T23:00")
        set_preferences(user=user, **NIGHT)
        tell(kind, user)
        tell(kind, user)
        keys = []

        def busy(letter: Any) -> Outcome:
            keys.append((letter.key, letter.subject))
            return Outcome(Result.BUSY, error="later")

        monkeypatch.setattr("notifications.providers.email.send", busy)
        for day in range(3):
            at(f"2026-10-2{day + 2}T12:00")
            tell(kind, user)
            send_all()
        digests = [key for key, subject in keys if subject.startswith("2 ")]
        assert len(digests) == 3
        assert len(set(digests)) == 1

    def test_text_messages_come_by_day(
        self, make_kind: Callable[..., Kind], user: User, number_of: Callable[[User], Phone], at: Any
    ) -> None:
        number_of(user)
        at("2026-10-21T21:30")
        tell(make_kind(urgency=Urgency.URGENT, channels=frozenset({Channel.SMS})), user)
        assert Delivery.objects.get().due_at.isoformat() == "2026-10-22T08:00:00+00:00"
        set_preferences(user=user, urgent_breaks_through=True)
        assert states(user) == {"sms": "queued"}


class TestUsefulness:
    """What has a deadline comes in time to act on it, or not at all."""

    DEADLINE = "2026-12-01T12:00:00+00:00"

    def ask(self, make_kind: Callable[..., Kind], user: User, until_text: str, **changes: Any) -> Kind:
        data = {"title": str, "text": str, "until": datetime.datetime}
        kind = make_kind(data=data, useful=until("until", is_outcome=changes.pop("is_outcome", False)), **changes)
        tell(kind, user, data=DATA | {"until": datetime.datetime.fromisoformat(until_text)})
        return kind

    @pytest.mark.parametrize(
        ("now", "deadline", "due"),
        [
            pytest.param("2026-11-30T12:00", "2026-12-01T12:00", "2026-11-30T12:00", id="before the weekly digest"),
            pytest.param("2026-11-30T12:00", "2026-12-10T12:00", "2026-11-30T12:00", id="the digest leaves less than half of the time"),
            pytest.param("2026-11-30T12:00", "2026-12-20T12:00", "2026-12-06T08:00", id="the digest leaves enough time"),
            pytest.param("2026-11-30T23:00", "2026-12-01T12:00", "2026-11-30T23:00", id="the night leaves less than half of the time"),
            pytest.param("2026-11-30T23:00", "2026-12-01T23:00", "2026-12-01T07:00", id="the night leaves enough time"),
        ],
    )
    def test_a_digest_leaves_time_to_act(
        self, make_kind: Callable[..., Kind], user: User, at: Any, now: str, deadline: str, due: str
    ) -> None:
        set_preferences(user=user, cadence=Cadence.WEEKLY, digest_on=Weekday.SUNDAY, **NIGHT)
        at(now)
        self.ask(make_kind, user, f"{deadline}+00:00")
        assert Delivery.objects.get().due_at == datetime.datetime.fromisoformat(f"{due}+00:00")

    def test_phones_stay_silent_at_night_and_ask_as_soon_as_they_may(
        self, make_kind: Callable[..., Kind], user: User, phone_of: Callable[..., PushDevice], number_of: Callable[[User], Phone], at: Any
    ) -> None:
        phone_of(user)
        number_of(user)
        set_preferences(user=user, cadence=Cadence.WEEKLY, digest_on=Weekday.SUNDAY, **NIGHT)
        at("2026-11-30T23:00")
        self.ask(make_kind, user, self.DEADLINE)
        due = dict(Delivery.objects.values_list("channel", "due_at"))
        assert {channel: instant.strftime("%d %H:%M") for channel, instant in due.items()} == {
            "email": "30 23:00",
            "push": "01 07:00",
            "sms": "01 08:00",
        }

    def test_a_new_choice_does_not_hold_it_beyond_its_time(self, make_kind: Callable[..., Kind], user: User, at: Any) -> None:
        at("2026-11-30T12:00")
        self.ask(make_kind, user, self.DEADLINE)
        set_preferences(user=user, cadence=Cadence.WEEKLY, digest_on=Weekday.SUNDAY)
        assert states(user) == {"email": "queued"}

    def test_no_attempt_comes_after_its_time(
        self, make_kind: Callable[..., Kind], user: User, at: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        at("2026-11-30T12:00")
        self.ask(make_kind, user, self.DEADLINE)
        monkeypatch.setattr("notifications.providers.email.send", lambda letter: Outcome(Result.AWAY, error="away"))
        send_all()
        monkeypatch.undo()
        at("2026-12-01T12:00")
        send_all()
        assert (mail.outbox, states(user)) == ([], {"email": f"suppressed {Why.TOO_LATE}"})

    def test_an_outcome_is_told_whenever_it_can_be(self, make_kind: Callable[..., Kind], user: User, at: Any) -> None:
        set_preferences(user=user, cadence=Cadence.WEEKLY, digest_on=Weekday.SUNDAY)
        at("2026-12-01T13:00")
        self.ask(make_kind, user, self.DEADLINE, is_outcome=True)
        send_all()
        assert states(user) == {"email": "sent"}


class TestCalendarParts:
    """An e-mail that changes a calendar goes out alone and at once, whatever else holds e-mails back."""

    def entry(self, sequence: int = 0, **changes: Any) -> CalendarEntry:
        start = datetime.datetime(2026, 12, 5, 9, tzinfo=datetime.UTC)
        return CalendarEntry(
            uid="b1@soosh.example", summary="Session with Ana: Talk", sequence=sequence, starts_at=start, ends_at=start + HOUR, **changes
        )

    @pytest.mark.parametrize("cadence", list(Cadence))
    def test_under_quiet_hours_and_every_digest(
        self, calendar_kind: Kind, user: User, at: Any, phone_of: Callable[..., PushDevice], cadence: Cadence
    ) -> None:
        phone_of(user)
        set_preferences(user=user, cadence=cadence, **NIGHT)
        at("2026-11-30T23:00")
        for number in range(2):
            tell(calendar_kind, user, calendar=dataclasses.replace(self.entry(), uid=f"b{number}@soosh.example"))
        tell(calendar_kind, user)
        send_all()
        assert methods() == ["REQUEST", "REQUEST"]
        assert set(Delivery.objects.filter(channel="push").values_list("state", flat=True)) == {"held"}, "phones stay silent"

    def test_a_topic_whose_mail_is_off_and_a_notice_that_was_read(self, calendar_kind: Kind, user: User) -> None:
        set_preferences(user=user, choices={("test", "email"): False})
        tell(calendar_kind, user, calendar=self.entry())
        Notification.objects.update(read_at=datetime.datetime.now(datetime.UTC))
        send_all()
        assert methods() == ["REQUEST"]

    def test_a_cancellation_is_never_overtaken(self, calendar_kind: Kind, user: User, at: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        at("2026-11-30T12:00")
        monkeypatch.setattr("notifications.providers.email.send", lambda letter: Outcome(Result.BUSY, error="later"))
        tell(calendar_kind, user, calendar=self.entry())
        send_all()
        monkeypatch.undo()
        tell(calendar_kind, user, calendar=self.entry(1, is_cancelled=True))
        send_all()
        at("2026-11-30T13:00")
        send_all()
        assert methods() == ["CANCEL"]
        assert list(Delivery.objects.order_by("id").values_list("state", "why")) == [("suppressed", Why.REPLACED), ("sent", "")]

    @pytest.mark.parametrize("is_cancelled", [True, False])
    def test_only_a_cancellation_is_sent_about_somebody_who_left(
        self, calendar_kind: Kind, user: User, make_user: Callable[..., User], is_cancelled: bool
    ) -> None:
        other = make_user()
        tell(calendar_kind, user, about_id=other.pk, calendar=self.entry(is_cancelled=is_cancelled))
        User.objects.filter(pk=other.pk).update(is_active=False)
        send_all()
        assert methods() == (["CANCEL"] if is_cancelled else [])

    def test_a_kind_that_carries_none_refuses_one(self, kind: Kind, calendar_kind: Kind, user: User) -> None:
        with pytest.raises(UndeclaredData):
            tell(dataclasses.replace(calendar_kind, carries_calendar=False), user, calendar=self.entry())
        with pytest.raises(UndeclaredData):
            tell(calendar_kind, user, calendar=self.entry(), collapse_key="x")

    def test_a_kind_declares_what_fits_together(self, calendar_kind: Kind) -> None:
        for changes in ({"fixed": frozenset()}, {"useful": until("title")}, {"useful": until("nothing")}):
            with pytest.raises(BadKind):
                dataclasses.replace(calendar_kind, **changes)

    def test_a_child_without_a_mailbox_gets_no_mail(self, calendar_kind: Kind) -> None:
        child = User.objects.create_user("child@ward.invalid", full_name="Child")
        tell(calendar_kind, child, calendar=self.entry())
        assert not Delivery.objects.exists()


def methods() -> list[str]:
    """The methods of the calendar parts that were sent, one per e-mail."""
    parts = [[mimetype for _, mimetype in message.alternatives if mimetype.startswith("text/calendar")] for message in mail.outbox]
    return [part[0].split("method=")[1].split(";")[0] for part in parts]


class TestQueue:
    def test_the_urgent_overtakes(self, make_kind: Callable[..., Kind], user: User, make_user: Callable[..., User]) -> None:
        crowd = [make_user() for _ in range(25)]
        tell(make_kind(urgency=Urgency.BULK), *crowd)
        tell(make_kind(urgency=Urgency.URGENT), user)
        sending.send_some(Channel.EMAIL)
        assert mail.outbox[0].to == [user.email]

    def test_it_is_given_up_after_some_attempts_and_can_be_replayed(
        self, kind: Kind, user: User, at: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("notifications.providers.email.send", lambda letter: Outcome(Result.BUSY, error="later"))
        at("2026-10-01T12:00")
        tell(kind, user)
        for day in range(1, 12):
            at(f"2026-10-{day + 1:02}T12:00")
            send_all()
        delivery = Delivery.objects.get()
        assert (delivery.state, delivery.why, delivery.attempts, delivery.last_error) == (
            "failed",
            Why.GAVE_UP,
            queue.MAX_ATTEMPTS,
            "later",
        )
        monkeypatch.undo()
        assert queue.replay([delivery.pk]) == 1
        send_all()
        assert states(user) == {"email": "sent"}

    def test_a_provider_that_is_away_costs_no_attempt(
        self, kind: Kind, make_user: Callable[..., User], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked = []
        monkeypatch.setattr("notifications.providers.email.send", lambda letter: asked.append(1) or Outcome(Result.AWAY, error="away"))
        tell(kind, *(make_user() for _ in range(5)))
        assert not sending.send_some(Channel.EMAIL)
        assert len(asked) == 1, "the others are not tried"
        assert set(Delivery.objects.values_list("state", "attempts", "claimed_at")) == {("queued", 0, None)}

    def test_broken_words_hold_up_nobody_else(
        self,
        kind: Kind,
        user: User,
        make_user: Callable[..., User],
        phone_of: Callable[..., PushDevice],
        number_of: Callable[[User], Phone],
        at: Any,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        at("2026-10-21T12:00")
        other = make_user()
        for person in (user, other):
            phone_of(person, shows_text=True)
            number_of(person)
        tell(kind, user)
        real = composing.words_of

        def broken(kind: Kind, data: Any, *, person: User, **options: Any) -> Any:
            return real(kind, data, person=person, **options) if person != user else 1 / 0

        monkeypatch.setattr(composing, "words_of", broken)
        tell(kind, other)
        send_all()
        assert states(other) == {"push": "sent", "email": "sent", "sms": "sent"}
        assert set(Delivery.objects.filter(user=user).values_list("state", "attempts", "last_error")) == {
            ("queued", 1, "words could not be made: ZeroDivisionError")
        }

    def test_who_is_slow_gives_the_rest_back(
        self, kind: Kind, make_user: Callable[..., User], at: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        at("2026-10-21T12:00")
        tell(kind, *(make_user() for _ in range(3)))

        def slow(letter: Any) -> Outcome:
            at("2026-10-21T12:01")
            return Outcome(Result.ACCEPTED)

        monkeypatch.setattr("notifications.providers.email.send", slow)
        assert sending.send_some(Channel.EMAIL)
        assert sorted(Delivery.objects.values_list("state", "attempts")) == [("queued", 0), ("queued", 0), ("sent", 1)]
        assert not Delivery.objects.filter(claimed_at__isnull=False).exists()

    def test_a_lost_answer_is_seen(self, kind: Kind, user: User, at: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        at("2026-10-21T12:00")
        monkeypatch.setattr("notifications.providers.email.send", lambda letter: Outcome(Result.UNKNOWN, error="lost"))
        tell(kind, user)
        send_all()
        assert sending.recover(channel=Channel.EMAIL) == 0, "the answer may still come"
        at("2026-10-21T12:02")
        assert sending.recover(channel=Channel.EMAIL) == 1
        assert states(user) == {"email": f"failed {Why.UNCONFIRMED}"}

    def test_two_workers_send_once(self, kind: Kind, user: User) -> None:
        tell(kind, user)
        (parcel,) = queue.claim(channel=Channel.EMAIL)
        assert queue.claim(channel=Channel.EMAIL) == []
        Delivery.objects.update(claimed_at=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC))
        queue.settle(parcel, Outcome(Result.ACCEPTED), repeats_safely=False)
        assert Delivery.objects.get().state == DeliveryState.QUEUED, "somebody else has taken it over"


def test_an_invitation_has_its_uid_and_sequence(calendar_kind: Kind, user: User) -> None:
    start = datetime.datetime(2026, 10, 26, 9, tzinfo=datetime.UTC)
    entry = {
        "uid": "b1@soosh.example",
        "summary": "Session with Ana: Talk",
        "starts_at": start,
        "ends_at": start + datetime.timedelta(hours=1),
    }
    tell(calendar_kind, user, calendar=CalendarEntry(sequence=0, **entry))
    send_all()
    tell(calendar_kind, user, calendar=CalendarEntry(sequence=1, is_cancelled=True, **entry))
    send_all()
    texts = [next(part for part in message.alternatives if part[1].startswith("text/calendar")) for message in mail.outbox]
    assert [mimetype for _, mimetype in texts] == [f"text/calendar; method={method}; charset=utf-8" for method in ("REQUEST", "CANCEL")]
    for (text, _), sequence, status in zip(texts, (0, 1), ("CONFIRMED", "CANCELLED"), strict=True):
        lines = text.splitlines()
        assert {
            "UID:b1@soosh.example",
            f"SEQUENCE:{sequence}",
            f"STATUS:{status}",
            "DTSTART:20261026T090000Z",
            "SUMMARY:Session with Ana: Talk",
        } <= set(lines)
    assert uuid.UUID(mail.outbox[0].extra_headers["X-Soosh-Key"])
