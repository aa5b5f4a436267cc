"""The words of every kind that any app declares, in each language and in plain words, on each channel."""

from __future__ import annotations

import datetime
import re
from typing import Any

import pytest
from django.template.loader import get_template
from django.urls import resolve, reverse

from accounts.models import User
from notifications.enums import Channel
from notifications.notices import ALWAYS, LANGUAGES, kinds, topics, until
from notifications.services.letters import letter_for
from notifications.services.previewing import VARIANTS, all_previews, example, letter_html
from notifications.services.texts import MOST_SEGMENTS, segments_of

KINDS = [kind.name for kind in kinds()]
CASES = [(kind, variant) for kind in kinds() for variant in VARIANTS]
IDS = [f"{kind.name} {variant}" for kind, variant in CASES]


def test_there_are_kinds_of_several_apps() -> None:
    assert {kind.app for kind in kinds()} >= {"notifications", "catalog"}
    assert len({kind.name for kind in kinds()}) == len(kinds())
    assert len(topics()) == len({topic.label for topic in topics()})
    assert all(set(topic.labels) == set(topic.descriptions) == set(LANGUAGES) for topic in topics())


@pytest.mark.parametrize("kind", kinds(), ids=KINDS)
def test_each_has_all_its_templates(kind: Any) -> None:
    for language in LANGUAGES:
        for template in kind.templates(language, is_plain=True):
            get_template(template)
    assert set(kind.examples) == set(kind.data)
    path = kind.path.format(**kind.examples)
    assert resolve(path), "a link in a mail leads somewhere without the app, too"
    assert len(kind.topic.name) <= 40 and len(kind.name) <= 80


@pytest.mark.parametrize(("kind", "variant"), CASES, ids=IDS)
def test_its_words_are_whole(kind: Any, variant: str) -> None:
    notification = example(kind, variant)
    letter = letter_for(notification.pk, [notification])
    assert letter.subject.strip() and len(letter.subject) <= 150
    assert "\n" not in letter.subject
    for text in (letter.subject, letter.text, letter.html):
        assert not re.search(r"\{\{|\{%|None|\bundefined\b", text), text
    # Both parts of the mail say the same.
    for line in filter(None, letter.text.split("\n\n")):
        words = re.sub(r"\W+", " ", line.partition(": http")[0]).split()[:6]
        assert all(word in letter.html for word in words if word != "--"), line
    assert "<script" not in letter.html
    assert f'lang="{variant[:2]}"' in letter.html


def test_what_each_kind_declares_about_time_and_calendars() -> None:
    """Every kind of every app: the facts are written out here, so that a new kind needs a decision."""
    now = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    calendar = {kind.name for kind in kinds() if kind.carries_calendar}
    assert calendar == {
        *("bookings.booking-confirmed", "bookings.booking-moved", "bookings.booking-cancelled"),
        *("bookings.ward-session", "bookings.ward-session-cancelled"),
    }
    always = {kind.name for kind in kinds() if kind.useful == ALWAYS}
    assert not {name for name in always if name.startswith("bookings.")} - {
        *("bookings.appeal-answer", "bookings.appeal-decided", "bookings.appeal-open", "bookings.strikes-warned"),
    }
    for kind in kinds():
        stored = kind.checked(kind.examples)
        deadline = kind.useful.deadline(stored, now)
        assert (deadline is None) == (kind.useful == ALWAYS), kind.name
        assert deadline == kind.useful.deadline(kind.examples, now), kind.name
        # A kind whose words name an answer-by time is useful until then.
        assert "until" not in kind.data or kind.useful == until("until"), kind.name
        assert not kind.carries_calendar or Channel.EMAIL in kind.fixed, kind.name


def test_plain_words_are_shorter_sentences() -> None:
    """Plain language is short sentences: no more than 12 words each on average, where the ordinary ones have any length."""
    for kind, previews in all_previews():
        for preview in previews:
            if "plain" in preview.variant and kind.name != "notifications.announced":
                sentences = [part for part in re.split(r"[.!?:]\s", " ".join(preview.words.paragraphs)) if part]
                words = [len(sentence.split()) for sentence in sentences]
                assert sum(words) / len(words) <= 12, (kind.name, preview.variant, preview.words.text)


def test_text_messages_stay_small() -> None:
    for kind, previews in all_previews():
        for preview in previews:
            assert segments_of(preview.text_message) == preview.segments <= MOST_SEGMENTS, kind.name


@pytest.mark.parametrize(("text", "segments"), [("a" * 160, 1), ("a" * 161, 2), ("a" * 306, 2), ("€" * 80, 1), ("€" * 81, 2), ("„" * 70, 1), ("„" * 71, 2), ("😀" * 36, 2), ("", 1)])  # fmt: skip
def test_parts_are_counted_as_carriers_do(text: str, segments: int) -> None:
    assert segments_of(text) == segments


def test_a_mail_escapes_what_people_wrote() -> None:
    (kind,) = [kind for kind in kinds() if kind.name == "catalog.search-matched"]
    notification = example(kind, "en")
    notification.data = notification.data | {"search": '<img src=x onerror="alert(1)"> & "q"'}
    notification.user.full_name = "<b>Ada</b>"
    letter = letter_for(notification.pk, [notification])
    assert "<img" not in letter.html and "<b>" not in letter.html
    assert '<img src=x onerror="alert(1)"> & "q"' in letter.text


@pytest.mark.django_db
class TestPreview:
    def test_staff_see_all_of_them(self, client: Any, staff: User) -> None:
        client.force_login(staff)
        door = reverse("admin:notifications_notification_open_preview")
        assert door in client.get(reverse("admin:notifications_notification_changelist")).content.decode()
        assert client.get(door)["Location"] == reverse("admin:notifications_preview")
        page = client.get(reverse("admin:notifications_preview"))
        assert page.status_code == 200
        for name in KINDS:
            assert name in page.content.decode()
        kind, variant = CASES[0]
        assert client.get(reverse("admin:notifications_preview_letter", args=[kind.name, variant])).status_code == 200
        assert client.get(reverse("admin:notifications_preview_letter", args=[kind.name, "xx"])).status_code == 404
        assert letter_html("no.kind", "en") is None

    def test_others_do_not(self, client: Any, user: User) -> None:
        client.force_login(user)
        assert client.get(reverse("admin:notifications_preview")).status_code == 302
