"""The script that turns an untrusted picture into small WebP squares. Run by `accounts.providers.images` in a limited child process.

Called as `image_decoder.py WIDTH...` with the file on standard input. Writes, for each width, the length of the square as four bytes and
the square. Exit status: 0 done, 3 no picture of a known format, 4 too many pixels, 5 broken.
"""

from __future__ import annotations

import io
import struct
import sys
from collections.abc import Sequence

from PIL import Image, UnidentifiedImageError

MOST_PIXELS = 40_000_000
# Decoders that need several times the memory of the pixels: WebP's, and that of JPEGs which come in passes.
MOST_PIXELS_OF_HEAVY = 12_500_000
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
_QUALITY = 82
_STRIP_ROWS = 16
# What Pillow raises on files that are cut off or damaged.
_BROKEN = (OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError, OverflowError, ArithmeticError, AttributeError)
_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class TooLarge(Exception):
    """More pixels than are decoded of its format."""


def main(widths: Sequence[int]) -> int:
    # The bound is our own, by format.
    Image.MAX_IMAGE_PIXELS = None
    try:
        with Image.open(io.BytesIO(sys.stdin.buffer.read()), formats=_FORMATS) as image:
            middle = _middle(image, max(widths))
    except UnidentifiedImageError:
        return 3
    except (TooLarge, MemoryError):
        return 4
    except _BROKEN:
        return 5
    for width in widths:
        square = _encoded(middle, width)
        sys.stdout.buffer.write(struct.pack(">I", len(square)) + square)
    return 0


def _middle(image: Image.Image, width: int) -> Image.Image:
    """The upright middle square, at least `width` pixels wide where the picture is, in RGB or RGBA. It carries nothing but pixels."""
    is_heavy = image.format == "WEBP" or bool(image.info.get("progressive"))
    if image.width * image.height > (MOST_PIXELS_OF_HEAVY if is_heavy else MOST_PIXELS):
        raise TooLarge
    turn = _UPRIGHT.get(image.getexif().get(_ORIENTATION, 1))
    # JPEG alone can be decoded at an eighth of its size.
    image.draft(None, (width, width))
    mode = "RGBA" if "transparency" in image.info or "A" in image.mode else "RGB"
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    factor = max(1, side // width)
    small = Image.new(mode, (-(-side // factor), -(-side // factor)))
    # In strips: a conversion of the whole picture would take as much memory again as the pixels.
    rows = _STRIP_ROWS * factor
    for start in range(0, side, rows):
        strip = image.crop((left, top + start, left + side, top + min(start + rows, side)))
        small.paste(_in_mode(strip, mode).reduce(factor), (0, start // factor))
    return small.transpose(turn) if turn is not None else small


def _in_mode(strip: Image.Image, mode: str) -> Image.Image:
    if strip.mode.startswith("I"):
        # Sixteen bits of grey: conversion alone would cut off all but the darkest.
        strip = strip.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    return strip.convert(mode)


def _encoded(square: Image.Image, width: int) -> bytes:
    out = io.BytesIO()
    square.resize((width, width), Image.Resampling.BICUBIC).save(out, format="WEBP", quality=_QUALITY)
    return out.getvalue()


if __name__ == "__main__":
    sys.exit(main([int(argument) for argument in sys.argv[1:]]))
