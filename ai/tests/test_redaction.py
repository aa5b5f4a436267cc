from __future__ import annotations

import pytest

from ai.providers.redaction import redact


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Write to ada.l+x@mail.example.org, please.", "Write to [email 1], please."),
        ("Call +44 20 7946 0958 or (030) 901820-11.", "Call [phone 1] or [phone 2]."),
        ("My card is 4111 1111 1111 1111.", "My card is [card 1]."),
        ("IBAN DE89 3704 0044 0532 0130 00 it is", "IBAN [account 1] it is"),
        ("See https://ada.example/cv?x=1 and www.ada.example", "See [link 1] and [link 2]"),
        ("a@b.org, c@d.org, a@b.org", "[email 1], [email 2], [email 1]"),
    ],
)
def test_what_leads_to_a_person_is_taken_out_and_put_back(text: str, left: str) -> None:
    redacted = redact(text)
    assert redacted.text == left
    assert redacted.restore(redacted.text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I worked there from 2015 to 2019.",
        "It costs 1,000.50 or 12.5 %.",
        "I speak C++ and Python 3.11.",
        "Room 12, at 10:30",
        "ISO 9001",
    ],
)
def test_numbers_that_lead_nowhere_stay(text: str) -> None:
    assert redact(text).text == text


def test_many_placeholders_do_not_run_into_each_other() -> None:
    text = " ".join(f"p{number}@example.org" for number in range(12))
    redacted = redact(text)
    assert redacted.restore(redacted.text) == text
