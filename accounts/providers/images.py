"""Pictures that come from outside, made safe by Pillow: told by their content, bounded before they are unpacked, encoded anew."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable

from PIL import Image, ImageOps, UnidentifiedImageError

MOST_PIXELS = 40_000_000
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
_QUALITY = 82
# What Pillow raises on files that are cut off or damaged.
_BROKEN = (OSError, ValueError, SyntaxError, EOFError, IndexError, TypeError, OverflowError, MemoryError)


class UnusableImage(Exception):
    """Not a picture that can be used; `code` and `detail` say why."""

    def __init__(self, code: str, detail: str) -> None:
        self.code, self.detail = code, detail
        super().__init__(code)


def squares(content: bytes, widths: Iterable[int]) -> dict[int, bytes]:
    """The middle of a picture as WebP squares, by width. Of the file nothing is kept but its first frame's pixels.

    Raises:
        UnusableImage: no JPEG, PNG, WebP or GIF, broken, or more than 40 megapixels.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
                if image.width * image.height > MOST_PIXELS:
                    raise UnusableImage("image_too_large", "The image has more than 40 megapixels.")
                has_holes = "transparency" in image.info or "A" in image.mode
                upright = ImageOps.exif_transpose(image).convert("RGBA" if has_holes else "RGB")
        return {width: _square(upright, width) for width in widths}
    except (UnidentifiedImageError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UnusableImage("not_an_image", "Send a JPEG, PNG, WebP or GIF.") from error
    except _BROKEN as error:
        raise UnusableImage("broken_image", "The image cannot be read to its end.") from error


def _square(image: Image.Image, width: int) -> bytes:
    out = io.BytesIO()
    ImageOps.fit(image, (width, width)).save(out, format="WEBP", quality=_QUALITY)
    return out.getvalue()
