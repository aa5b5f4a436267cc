"""PDFs from Typst templates: tagged (PDF/UA-1), the same on every machine, and never stopped by a character that no font has.

Under PDF/UA a single missing glyph ends the compilation with an error that quotes the text. So every text goes through `printable` first.
"""

from __future__ import annotations

import functools
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import noto_cjk_sans_jp_regular
import typst
from fontTools.ttLib import TTFont

_FOLDER = Path(__file__).with_name("fonts")
_CJK = Path(str(noto_cjk_sans_jp_regular.FONT_PATH))
# Stands for what no font has: visible, so that nobody takes what is left for the whole name.
_MISSING = "□"
# Zero-width joiners shape Indic and Arabic words, variation selectors emoji; every font takes them.
_INVISIBLE = frozenset({0x200C, 0x200D, *range(0xFE00, 0xFE10)})
_LONGEST_WORD = 40
_LONG_WORD = re.compile(rf"\S{{{_LONGEST_WORD}}}(?=\S)")


class TypesettingFailed(Exception):
    """A template could not be compiled. The reason is not given: Typst quotes the text."""


def render_pdf(template: Path, content: Mapping[str, Any]) -> bytes:
    """Compile a template that reads `content` as JSON from `sys.inputs.content`, and the fonts to set from `sys.inputs.fonts`.

    Raises:
        TypesettingFailed
    """
    inputs = {"content": json.dumps(_printable_all(content), ensure_ascii=False), "fonts": json.dumps(_families())}
    try:
        return bytes(typst.compile(str(template), sys_inputs=inputs, pdf_standards=["ua-1"], font_paths=_fonts()))
    except typst.TypstError:
        raise TypesettingFailed(template.name) from None


def printable(text: str) -> str:
    """The text in characters that the fonts have, on one line: others are replaced by their compatibility form or by a box, control
    characters and overrides of the writing direction are left out, and words too long for a line may break."""
    spaced = re.sub(r"\s+", " ", unicodedata.normalize("NFC", text)).strip()
    kept = "".join(map(_printable_character, spaced))
    visible = re.sub(f"{_MISSING}+", _MISSING, kept)
    if not visible.strip("\u200c\u200d "):
        return _MISSING if text else ""
    return _LONG_WORD.sub(lambda word: f"{word.group()}\u200b", visible)


def _printable_character(character: str) -> str:
    if _has_glyph(ord(character)):
        return character
    if unicodedata.category(character) in ("Cc", "Cf", "Cs"):
        return ""
    compatible = unicodedata.normalize("NFKC", character)
    if all(_has_glyph(ord(part)) for part in compatible):
        return compatible
    return "" if unicodedata.category(character) == "Mn" else _MISSING


def _has_glyph(codepoint: int) -> bool:
    if codepoint in _INVISIBLE:
        return True
    if unicodedata.category(chr(codepoint)) in ("Cc", "Cf", "Co", "Cs", "Zl", "Zp"):
        return False
    return any(codepoint in _codepoints(file) for file in _files())


def _printable_all(value: Any) -> Any:
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, Mapping):
        return {key: _printable_all(inner) for key, inner in value.items()}
    if isinstance(value, Sequence):
        return [_printable_all(inner) for inner in value]
    return value


@functools.cache
def _files() -> tuple[Path, ...]:
    """The fonts in the order in which they are asked for a character: the Latin one, other scripts, the large ones."""
    latin = [_FOLDER / "NotoSans-Regular.ttf", _FOLDER / "NotoSans-Bold.ttf"]
    emoji = _FOLDER / "NotoEmoji-Regular.ttf"
    others = sorted(set(_FOLDER.glob("*.ttf")) - {*latin, emoji})
    return (*latin, *others, emoji, _CJK)


@functools.cache
def _codepoints(file: Path) -> frozenset[int]:
    with TTFont(file, lazy=True) as font:
        return frozenset(font.getBestCmap())


@functools.cache
def _families() -> list[str]:
    names = []
    for file in _files():
        with TTFont(file, lazy=True) as font:
            names.append(str(font["name"].getDebugName(1)))
    return list(dict.fromkeys(names))


@functools.cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(_FOLDER), str(_CJK.parent)])
