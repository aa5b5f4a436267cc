"""Many uploads at once against a running Soosh: bounded memory, and an answer for each."""

from __future__ import annotations

import http.client
import io
import json
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
from PIL import Image

from tests.running import RunningSoosh

pytestmark = pytest.mark.long
UPLOADS = 50
MOST_GROWTH_BYTES = 300_000_000
_BOUNDARY = "upload-boundary"


@pytest.fixture(scope="module")
def soosh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSoosh]:
    running = RunningSoosh(tmp_path_factory.mktemp("uploads"))
    running.start()
    running.sign_in("mara@soosh.example")
    yield running
    running.stop()


def _saved(image: Image.Image, kind: str) -> bytes:
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()


def most_pixels() -> bytes:
    return _saved(Image.new("RGBA", (6320, 6320), (10, 90, 160, 200)), "PNG")


def largest_file() -> bytes:
    """Just under 5 MB of a PNG that cannot be compressed."""
    return _saved(Image.frombytes("RGB", (1289, 1289), os.urandom(1289 * 1289 * 3)), "PNG")


def largest_web_picture() -> bytes:
    return _saved(Image.new("RGB", (4080, 3060), (10, 90, 160)), "WEBP")


class MemoryWatch(threading.Thread):
    """The most memory that the web server and its children held together, with shared pages counted once."""

    def __init__(self, soosh: RunningSoosh) -> None:
        super().__init__(daemon=True)
        self._roots = list(soosh.processes("granian"))
        assert self._roots
        self._going = True
        self.before = self.peak = self._now()

    def _now(self) -> int:
        family = {process for root in self._roots for process in (root, *root.children(recursive=True))}
        total = 0
        for process in family:
            try:
                total += process.memory_full_info().pss
            except psutil.Error:
                continue
        return total

    def run(self) -> None:
        while self._going:
            self.peak = max(self.peak, self._now())
            time.sleep(0.02)

    def growth(self) -> int:
        self._going = False
        self.join()
        return self.peak - self.before


def upload(soosh: RunningSoosh, method: str, path: str, field: str, content: bytes) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", soosh.port, timeout=120)
    head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"; filename="f"\r\nContent-Type: image/png\r\n\r\n'
    headers = {"Authorization": f"Bearer {soosh.token}", "Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
    connection.request(method, f"/api/v1/{path}", head.encode() + content + f"\r\n--{_BOUNDARY}--\r\n".encode(), headers)
    answer = connection.getresponse()
    found = answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    connection.close()
    return found


@pytest.mark.parametrize("picture", [most_pixels, largest_file, largest_web_picture])
def test_fifty_pictures_at_once_are_answered_within_bounded_memory(soosh: RunningSoosh, picture: Callable[[], bytes]) -> None:
    content = picture()
    assert len(content) <= 5_000_000
    assert upload(soosh, "PUT", "users/me/avatar", "image", content)[0] == 200
    watch = MemoryWatch(soosh)
    watch.start()
    started = time.monotonic()
    with ThreadPoolExecutor(UPLOADS) as pool:
        answers = list(pool.map(lambda _: upload(soosh, "PUT", "users/me/avatar", "image", content), range(UPLOADS)))
    growth = watch.growth()
    counted = Counter(status for status, _, _ in answers)
    print(f"{picture.__name__}: +{growth / 1e6:.0f} MB, {dict(counted)} in {time.monotonic() - started:.1f} s")
    assert counted.keys() <= {200, 429, 503}
    assert counted[200] >= 1
    for status, headers, body in answers:
        if status != 200:
            assert int(headers["retry-after"]) > 0
            assert (headers["content-type"], json.loads(body)["status"]) == ("application/problem+json", status)
    assert growth <= MOST_GROWTH_BYTES
    assert upload(soosh, "PUT", "users/me/avatar", "image", content)[0] == 200


def test_no_decoder_is_left_behind(soosh: RunningSoosh) -> None:
    children = [child for web in soosh.processes("granian") for child in web.children(recursive=True)]
    assert not [child for child in children if "limited_child.py" in " ".join(child.cmdline())]
