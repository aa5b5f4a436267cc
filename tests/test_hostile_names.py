"""Names as people have them, and as people misuse them, in every document that Soosh makes."""

from __future__ import annotations

import csv
import io
import json
import uuid
import zipfile
from typing import Any

import icalendar
import pypdf
import pytest
from django.test import Client

from accounts.models import DataExport, User
from accounts.services import exporting
from bookings.tests.conftest import clock, world
from bookings.tests.world import BookingWorld
from conftest import Api
from core.plain_text import one_line
from core.typesetting import printable
from mentors.tests.conftest import make_mentor
from notifications.notices import kinds
from notifications.services.letters import letter_for
from notifications.services.previewing import example

assert all((clock, make_mentor, world))  # fixtures
pytestmark = pytest.mark.django_db

NAMES = {
    "Chinese": "王小明",
    "Japanese": "山田 さくら",
    "Korean": "김민준",
    "Arabic": "محمد عبد الله",
    "Hebrew": "שרה כהן",
    "Hindi": "राहुल शर्मा",
    "Thai": "สมชาย น้ำ",
    "emoji": "Zoë 🎉👩‍👩‍👧",
    "combining marks": "Z\u0351\u036b\u0343a\u0301lgo",
    "no glyph anywhere": "ᚠᚢᚦ",
    "mathematical letters": "𝓐𝓭𝓪",
    "joiners": "\u0644\u200c\u0645 \u0915\u094d\u200d\u0937",
    "Typst": '#let x = "1" $a$ *b* @c <d> \\e',
    "HTML": "<script>alert(1)</script>&amp;",
    "template": "{{ secret }} {% url %} {name} %s",
    "iCalendar": "A;B,C:D\\nE",
    "formula": '=HYPERLINK("http://evil.example")',
    "wide formula": "＝1+1",
    "one word": "x" * 150,
}


def calendar_entry(api: Api, booking: Any, name: str) -> list[str]:
    answer = api.get(f"bookings/{booking.pk}/calendar.ics")
    assert answer.status_code == 200
    (event,) = icalendar.Calendar.from_ical(answer.content).walk("VEVENT")
    assert str(event["summary"]) == one_line(f"Session with {name}: Talk")
    return sorted(event)


def history(api: Api, name: str) -> None:
    answer = api.get("payments/history.csv")
    (row,) = csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode()))
    assert row["description"].lstrip("'") == name
    assert not row["description"].startswith(("=", "+", "-", "@", "＝"))


def receipt(api: Api, booking: Any, name: str) -> None:
    answer = api.get(f"payments/{booking.payment_id}/receipt.pdf")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf"), answer.content
    document = pypdf.PdfReader(io.BytesIO(answer.content))
    assert "/StructTreeRoot" in document.trailer["/Root"]
    text = "".join(page.extract_text() for page in document.pages)
    assert set(printable(name)) - set(" \u200b\u200c\u200d") <= set(text)


def letters(name: str) -> None:
    mentions = 0
    for kind in kinds():
        row = example(kind, "en")
        row.user.full_name = row.about.full_name = name
        row.data |= {field: name for field in ("name", "what", "title") if field in row.data}
        made = letter_for(uuid.uuid4(), [row])
        assert made.subject.splitlines() == [made.subject]
        greeting, _, rest = made.text.partition("\n\n")
        assert greeting == f"Hello {name},"
        assert "<script" not in made.html
        mentions += " ".join(name.split()) in made.subject + rest
    assert mentions > 5, name


def archive(person: User, name: str) -> None:
    export = DataExport.objects.create(user=person)
    exporting.make_export(export=export)
    export.refresh_from_db()
    with exporting.open_archive(export) as file, zipfile.ZipFile(file) as parts:
        tables = [json.loads(parts.read(part)) for part in parts.namelist() if part.startswith("data/")]
    assert name in [row.get("full_name") for table in tables for row in table]


def receipt_page(client: Client, booking: Any) -> None:
    content = client.get(f"/payments/{booking.payment_id}/receipt").content.decode()
    assert "<script>alert" not in content


def test_every_document_takes_every_name(world: BookingWorld, client: Client) -> None:
    booking = world.confirmed()
    learner, mentor = Api().sign_in(world.learner), Api().sign_in(world.mentor)
    client.force_login(world.learner)
    properties = calendar_entry(learner, booking, world.mentor.full_name)
    for name in NAMES.values():
        User.objects.filter(pk__in=[world.learner.pk, world.mentor.pk]).update(full_name=name)
        type(booking.payment).objects.filter(pk=booking.payment_id).update(description=name)
        for person in (world.learner, world.mentor):
            person.refresh_from_db()
        for api in (learner, mentor):
            assert calendar_entry(api, booking, name) == properties, "a name adds no property"
            history(api, name)
        receipt(learner, booking, name)
        receipt_page(client, booking)
        letters(name)
        archive(world.mentor, name)
