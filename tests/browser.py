"""A real Chromium on the pages of this process: a server in a thread shares the connection of the test, so that its rows are seen and
nothing is committed. It answers one request at a time, while the test waits for the browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.conf import settings
from django.core.servers.basehttp import WSGIServer
from django.db import DEFAULT_DB_ALIAS, connections
from django.test import Client
from django.test.testcases import LiveServerThread, _StaticFilesHandler
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from accounts.models import User

VENDOR = Path(__file__).parent / "vendor"
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
# A small phone, and what WCAG 1.4.10 asks for: 320 CSS pixels.
NARROW = {"width": 320, "height": 640}
WIDE = {"width": 1280, "height": 900}
THEMES = ("light", "dark", "contrast")


class _OneByOne(WSGIServer):
    def __init__(self, *args: Any, connections_override: Any, **kwargs: Any) -> None:
        # Requests are answered in the thread that has the connection already.
        super().__init__(*args, **kwargs)


class _ServerThread(LiveServerThread):
    server_class = _OneByOne


def chromium() -> str:
    """Where Chromium is, or the one command that brings it."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if not found:
        pytest.fail("There is no Chromium, which the tests of pages need. Install it: sudo apt-get install --yes chromium", pytrace=False)
    return found


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Chromium without a window. While it is open, this thread counts as asynchronous for Django, which it is not: it may go on with the
    connection that it had."""
    own = connections[DEFAULT_DB_ALIAS]
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    try:
        with sync_playwright() as playwright:
            connections[DEFAULT_DB_ALIAS] = own
            browser = playwright.chromium.launch(
                executable_path=chromium(), args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
            )
            yield browser
            browser.close()
    finally:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@contextmanager
def serve_pages() -> Iterator[str]:
    """The address under which this process answers."""
    shared = connections[DEFAULT_DB_ALIAS]
    shared.inc_thread_sharing()
    # A connection in the middle of a transaction would count as one that was left behind.
    kept = mock.patch.object(shared, "close_if_unusable_or_obsolete", lambda: None)
    kept.start()
    server = _ServerThread("127.0.0.1", _StaticFilesHandler, connections_override={DEFAULT_DB_ALIAS: shared})
    server.daemon = True
    server.start()
    server.is_ready.wait()
    try:
        if server.error:
            raise server.error
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.terminate()
        kept.stop()
        shared.dec_thread_sharing()


class Visitor:
    """Somebody in front of the browser: signed in or not, with scripts or without, in a theme, on a screen of some size."""

    def __init__(
        self,
        browser: Browser,
        address: str,
        user: User | None = None,
        *,
        theme: str = "",
        viewport: dict[str, int] | None = None,
        scripts: bool = True,
        **options: Any,
    ) -> None:
        self.address, self.has_scripts = address, scripts
        # The tools that look at a page are put into it, which its policy would forbid; a test of its own holds the policy.
        self.context: BrowserContext = browser.new_context(
            base_url=address,
            viewport=viewport or WIDE,  # type: ignore[arg-type]  # a size
            java_script_enabled=scripts,
            **{"locale": "en-GB", "timezone_id": "Europe/Berlin", "reduced_motion": "reduce"} | options,
        )
        self.context.set_default_timeout(15_000)
        cookies = {"theme": theme} if theme else {}
        if user is not None:
            client = Client()
            client.force_login(user)
            cookies[settings.SESSION_COOKIE_NAME] = client.cookies[settings.SESSION_COOKIE_NAME].value
        self.context.add_cookies([{"name": name, "value": value, "url": address} for name, value in cookies.items()])
        self.page: Page = self.context.new_page()
        self.problems: list[str] = []
        self.page.on("console", lambda message: self.problems.append(message.text) if message.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("dialog", self._refuse)
        self.page.on("request", lambda request: self._watch(request.url))

    def go(self, path: str, *, status: int = 200) -> Page:
        """Open a page, and wait until its parts have come."""
        answer = self.page.goto(path, wait_until="load")
        assert answer is not None
        assert answer.status == status, (path, answer.status)
        if self.has_scripts:
            self.page.wait_for_function("() => !document.querySelector('.htmx-request, [hx-trigger^=load]:not([data-seen])')")
        return self.page

    def close(self) -> None:
        self.context.close()

    def _refuse(self, dialog: Any) -> None:
        self.problems.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _watch(self, url: str) -> None:
        if not url.startswith((self.address, "data:", "blob:", "ws:")):
            self.problems.append(f"went outside: {url}")
