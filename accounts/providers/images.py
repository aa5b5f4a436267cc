"""Pictures that come from outside, made safe: recognised by their content, bounded before they are decoded, encoded anew."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

from core.limited_process import Lane, Limits, ProcessFailed

_DECODER = Path(__file__).with_name("image_decoder.py")
# The pixels of the largest PNG take 160 MB.
_LANE = Lane("pictures", Limits(memory_bytes=230_000_000, cpu_seconds=10, seconds=20), waiting=2, wait_seconds=10)
_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"RIFF")
_NOT_AN_IMAGE = ("not_an_image", "Send a JPEG, PNG, WebP or GIF.")
_TOO_LARGE = (
    "image_too_large",
    "The image has too many pixels: up to 40 megapixels are read, and up to 12 of a WebP or a progressive JPEG.",
)
_BROKEN = ("broken_image", "The image is broken or cut off.")
_REFUSALS = {3: _NOT_AN_IMAGE, 4: _TOO_LARGE}


class UnusableImage(Exception):
    """Not a picture that can be used; `code` and `detail` say why."""

    def __init__(self, code: str, detail: str) -> None:
        self.code, self.detail = code, detail
        super().__init__(code)


def squares(content: bytes, widths: Sequence[int]) -> dict[int, bytes]:
    """The middle of a picture as WebP squares, by width. Of the file nothing is kept but its first frame's pixels.

    Raises:
        UnusableImage: no JPEG, PNG, WebP or GIF, broken, or too many pixels.
        Overloaded: too many pictures are being read.
    """
    if not content.startswith(_SIGNATURES):
        raise UnusableImage(*_NOT_AN_IMAGE)
    try:
        written = _LANE.run(_DECODER, *map(str, widths), content=content)
    except ProcessFailed as error:
        raise UnusableImage(*_REFUSALS.get(error.status, _BROKEN)) from error
    encoded = {}
    for width in widths:
        (length,) = struct.unpack_from(">I", written)
        encoded[width], written = written[4 : 4 + length], written[4 + length :]
    return encoded
