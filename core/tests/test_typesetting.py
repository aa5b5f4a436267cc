from __future__ import annotations

import io
import sys
import unicodedata
from pathlib import Path

import pypdf
import pytest

from core.typesetting import printable, render_pdf

TEMPLATE = """
#let content = json(bytes(sys.inputs.content))
#set document(title: "Names")
#set text(lang: "en", font: json(bytes(sys.inputs.fonts)))
#for name in content.names [#par(name)]
"""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("typst") / "names.typ"
    file.write_text(TEMPLATE)
    return file


def text_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)


@pytest.mark.parametrize(
    "name",
    [
        *("王小明", "臺灣", "山田太郎", "さくら", "김민준", "Łukasz Żółć", "Ольга", "Ελένη", "Հայկ", "გიორგი"),
        *("🎉", "Zoë 🚀", "#let x = 1", "$a_1$", "*bold*", "\\emph", '"quoted"', "<label>", "@ref", "// comment", "[x]{y}", "`raw`"),
    ],
)
def test_names_are_in_the_text_of_the_file(template: Path, name: str) -> None:
    assert name in text_of(render_pdf(template, {"names": [name]}))


@pytest.mark.parametrize("name", ["محمد إلى", "שרה כהן", "राहुल शर्मा", "রহিম", "ਗੁਰਪ੍ਰੀਤ", "தமிழ்", "สมชาย น้ำ", "ສົມ", "សុខ", "မောင်", "አበበ"])
def test_names_in_scripts_that_shape_their_letters_keep_every_letter(template: Path, name: str) -> None:
    assert printable(name) == unicodedata.normalize("NFC", name)
    found = text_of(render_pdf(template, {"names": [name]}))
    assert set(printable(name).replace(" ", "")) <= set(found)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("", ""),
        ("\u200b\u2060", "□"),
        ("\u202egnp.exe", "gnp.exe"),
        ("two\nlines\t\x00here", "two lines here"),
        ("𝓐𝓭𝓪", "Ada"),
        ("ᚠᚢ rune", "□ rune"),
        ("e\u0301", "é"),
        ("\ue000\U000fffff", "□"),
        ("A\U000e0041B", "AB"),
        ("x" * 90, "x" * 40 + "\u200b" + "x" * 40 + "\u200b" + "x" * 10),
    ],
)
def test_what_cannot_be_printed_is_replaced_where_it_can_be_seen(template: Path, name: str, expected: str) -> None:
    assert printable(name) == expected
    assert render_pdf(template, {"names": [name, name * 3]})[:5] == b"%PDF-"


def test_the_file_is_tagged(template: Path) -> None:
    catalogue = pypdf.PdfReader(io.BytesIO(render_pdf(template, {"names": ["王 Ada"]}))).trailer["/Root"]
    assert bool(catalogue["/MarkInfo"]["/Marked"])
    assert "/StructTreeRoot" in catalogue


@pytest.mark.long
def test_every_character_can_be_in_a_name(template: Path) -> None:
    characters = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]
    names = ["".join(characters[start : start + 64]) for start in range(0, len(characters), 64)]
    # Each mark also behind letters of other scripts, where shaping may want a glyph of its own.
    names += ["aא" + mark + "م" + mark for mark in characters if unicodedata.combining(mark)]
    wanted = [name for name in names if printable(name) != "□"]
    for start in range(0, len(wanted), 300):
        assert render_pdf(template, {"names": wanted[start : start + 300]})[:5] == b"%PDF-"
