from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import BOUNDARY, MULTIPART_CONTENT, Client, encode_multipart
from PIL import Image

from accounts.providers.images import UnusableImage, squares
from conftest import Api, at_once, new_user


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def with_chunk(png: bytes, kind: bytes, data: bytes, times: int = 1) -> bytes:
    """A PNG with a chunk put behind its header."""
    return png[:33] + chunk(kind, data) * times + png[33:]


def colour(content: bytes, at: tuple[int, int] = (48, 48)) -> tuple[int, ...]:
    with Image.open(io.BytesIO(content)) as image:
        return image.convert("RGBA").getpixel(at)  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("image", "kind", "options"),
    [
        (Image.new("RGBA", (6320, 6320), (0, 0, 250, 255)), "PNG", {"compress_level": 1}),
        (Image.new("RGB", (4080, 3060), (0, 0, 250)), "WEBP", {"method": 0}),
        (Image.new("RGB", (4080, 3060), (0, 0, 250)), "JPEG", {"progressive": True, "subsampling": 0}),
        (Image.new("RGB", (6320, 6320), (0, 0, 250)), "JPEG", {}),
    ],
    ids=["PNG with transparency", "WebP", "progressive JPEG", "JPEG"],
)
def test_the_largest_picture_of_each_kind_fits_into_the_memory_of_its_decoder(image: Image.Image, kind: str, options: Any) -> None:
    found = squares(saved(image, kind, **options), (512, 96))
    for width, content in found.items():
        with Image.open(io.BytesIO(content)) as square:
            assert (square.format, square.size) == ("WEBP", (width, width))
        red, green, blue, alpha = colour(content)
        assert (red < 12, green < 12, blue > 235, alpha) == (True, True, True, 255)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (saved(Image.new("1", (6330, 6330)), "PNG"), "image_too_large"),
        (saved(Image.new("L", (4000, 3200)), "WEBP", method=0), "image_too_large"),
        (saved(Image.new("L", (4000, 3200)), "JPEG", progressive=True), "image_too_large"),
        (
            b"GIF89a" + struct.pack("<HH", 65_535, 65_535) + b"\x00\x00\x00,\x00\x00\x00\x00\xff\xff\xff\xff\x00\x02\x01\x00\x00;",
            "image_too_large",
        ),
        (with_chunk(saved(Image.new("L", (9, 9)), "PNG"), b"zTXt", b"k\x00\x00" + zlib.compress(b"x" * 5_000_000)), "broken_image"),
        (with_chunk(saved(Image.new("L", (9, 9)), "PNG"), b"iCCP", b"k\x00\x00" + zlib.compress(b"x" * 50_000_000)), "broken_image"),
        (saved(Image.new("RGB", (300, 300)), "JPEG")[:-300], "broken_image"),
        (saved(Image.new("RGB", (9, 9)), "TIFF"), "not_an_image"),
        (b"8BPS\x00\x01" + b"\x00" * 40, "not_an_image"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", "not_an_image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not_an_image"),
    ],
    ids=["pixels", "WebP", "progressive", "GIF", "text bomb", "profile bomb", "cut off", "TIFF", "PSD", "sound", "SVG"],
)
def test_what_is_too_large_or_hostile_is_refused_with_its_reason(content: bytes, code: str) -> None:
    with pytest.raises(UnusableImage) as refusal:
        squares(content, (96,))
    assert refusal.value.code == code


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_frame_is_kept(kind: str) -> None:
    frames = [Image.new("RGB", (200, 100), (0, 0, 250) if number == 0 else (250, number, 0)) for number in range(40)]
    content = saved(frames[0], kind, save_all=True, append_images=frames[1:], duration=50)
    red, _, blue, _ = colour(squares(content, (96,))[96])
    assert (blue > 200, red < 50) == (True, True)


def test_sixteen_bits_of_grey_stay_grey() -> None:
    content = saved(Image.new("I;16", (50, 50), 128 * 256), "PNG")
    assert abs(colour(squares(content, (96,))[96])[0] - 128) < 4


@pytest.mark.django_db(transaction=True)
def test_pictures_sent_at_once_are_all_answered() -> None:
    token = Api().sign_in(new_user()).token
    content = saved(Image.new("P", (4000, 4000)), "PNG")

    def upload() -> Any:
        return Client(raise_request_exception=False).put(
            "/api/v1/users/me/avatar",
            encode_multipart(BOUNDARY, {"image": SimpleUploadedFile("me.png", content, "image/png")}),
            content_type=MULTIPART_CONTENT,
            HTTP_AUTHORIZATION=f"Bearer {token}",
        )

    answers = at_once(6, upload)
    refused = [answer for answer in answers if answer.status_code != 200]
    assert 0 < len(refused) < 6
    for answer in refused:
        assert (answer.status_code, answer["Content-Type"]) == (503, "application/problem+json")
        assert (answer.json()["code"], answer["Retry-After"]) == ("unavailable", "3")
