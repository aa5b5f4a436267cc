from __future__ import annotations

import unicodedata

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from core.person_names import LONGEST_NAME, first_valid_name, normalize_name
from core.plain_text import has_link, one_line


@pytest.mark.parametrize(
    "name",
    [
        *("Ana María", "Jean-Luc O'Neill", "Dr. Smith", "J.R.R. Tolkien", "山田太郎", "\U00031350田", "Nguyễn Văn A", "İpek", "נועה"),
        *("محمد علی\u200cزاده", "क्षत्रिय", "ന്\u200dന", "ประยุทธ์", "Kim 👩\u200d💻", "Ada ❤️", "R2D2", "Elizabeth II (they/them)"),
    ],
)
def test_names_of_the_world(name: str) -> None:
    assert normalize_name(name) == unicodedata.normalize("NFC", name)


def test_one_form() -> None:
    assert normalize_name(" Ame\u0301lie\u00a0 \u3000 B ") == "Amélie B"
    with pytest.raises(ValidationError):
        normalize_name("a" * (LONGEST_NAME + 1))


@pytest.mark.parametrize(
    "name",
    [
        *("", " ", "\u200b", "\u200b\u200b", "\u2060Ana", "\ufeffAna", "Ana\u00ad", "\u3164", "\u2800", "\u115f", "🎉", "- -", "123"),
        *(
            "\u202egnp.exe",
            "Ana\u2066b",
            "Ana\u200f",
            "Ana\u061c",
            "a\nb",
            "a\r\nBcc: x",
            "a\u2028b",
            "a\x00b",
            "a\x85b",
            "\ue000",
            "Ana\U000e0041",
        ),
        *(
            "You won 5000 EUR: http://evil.example/claim",
            "evil.example",
            "EVIL.COM",
            "www.evil",
            "evil\u3002com",
            "evil\uff0ecom",
            "t.co/x",
            "x.com",
        ),
        *("a//b", "ana@evil", "ana\uff20evil", "Call +49 151 12345678", "Call ٠١٢٣٤٥", "Ana\u200dBob", "Z\u0335\u0356\u0305\u0308\u0301a"),
    ],
)
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(ValidationError):
        normalize_name(name)


def test_a_name_from_another_service() -> None:
    assert first_valid_name(["", "http://evil.example", "Ana  B"], otherwise="New member") == "Ana B"
    assert first_valid_name(["\u200b"], otherwise="New member") == "New member"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("You won: http://evil.example/claim now", "You won: … now"),
        ("javascript://evil and //evil.example/x", "… and …"),
        ("www.evil.example", "…"),
        ("Claim at evil.example or t.co/x", "Claim at evil example or t co/x"),
        ("\u202eAna\u200b\r\nBcc: x@evil.example", "Ana Bcc: x@evil example"),
        ("Node.js, z.B. um 10.30 Uhr in St. Gallen", "Node js, z.B. um 10.30 Uhr in St. Gallen"),
        ("a" * 200, "a" * 149 + "…"),
        ("\u200b\u202e", ""),
    ],
)
def test_one_line(text: str, line: str) -> None:
    assert one_line(text) == line


@given(st.text(max_size=300))
def test_every_line_is_safe(text: str) -> None:
    line = one_line(text)
    assert len(line) <= 150 and not has_link(line)
    assert not any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for character in line)
    assert not {"\u202e", "\u200b", "\u2066"} & set(line)


@given(st.text(max_size=60))
def test_a_name_keeps_its_form(text: str) -> None:
    try:
        name = normalize_name(text)
    except ValidationError:
        return
    assert normalize_name(name) == name
    assert one_line(name) == name
