from __future__ import annotations

import json
import re
import time
import urllib.error
import urllib.request
import uuid
from argparse import ArgumentParser
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from soosh.demo_session import meet

_ANSWERS = {
    "good at": "I build small web sites with Python and JavaScript. I explain things patiently and I help friends with their computers.",
    "spend time": "Open source software, data visualization and teaching children to code.",
    "done so far": "I worked in a repair shop for two years. I finished an online course in web development.",
    "year or two": "I want to work as a software developer. I would like a mentor in open source.",
    "respect": "I can only work from home.",
    "take part well": "I use a wheelchair.",
    "languages": "English and some Spanish.",
    "have time": "In the evening and at the weekend.",
    "do you live": "In Accra.",
    "Which of these fits": "yes",
}
_VERIFICATION_LINK = re.compile(r"https?://\S+/verify-email/\S+")


class Command(BaseCommand):
    help = "Walk one person through the whole journey over HTTP, showing each step. Needs `make run` in another terminal."
    requires_system_checks: list[str] = []  # noqa: RUF012  (Django's own declaration style)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--url", default=f"http://127.0.0.1:{settings.PORT}")

    def handle(self, *args: Any, url: str, **options: Any) -> None:
        self._api = f"{url}/api/v1"
        self.token = ""
        self.url = url
        email = f"demo-{uuid.uuid4().hex[:8]}@soosh.example"
        self._register(url, email)
        session = self._interview()
        profile = self.call("POST", "ai-profiling/complete", {"session_id": session})["profile"]
        self.show("What Soosh understood", profile["summary"])
        self._recommend()
        meet(self)

    def _register(self, url: str, email: str) -> None:
        password = uuid.uuid4().hex
        self.show("Register", email)
        self.call("POST", "auth/register", {"email": email, "password": password, "full_name": "Demo Person"})
        link = self._verification_link(email)
        self.show("Click the link in the mail", link[:70] + "…")
        self._confirm(url, link, password)
        tokens = self.call("POST", "auth/login", {"email": email, "password": password})
        self.token = tokens["access_token"]
        self.show("Sign in", f"an access token for {tokens['expires_in']} s")

    def _interview(self) -> str:
        started = self.call("POST", "ai-profiling/start", {})
        question, step = started["first_question"], started["step"]
        while question:
            answer = next((text for part, text in _ANSWERS.items() if part in question), "skip")
            self.show(question, answer)
            reply = self.call(
                "POST", "ai-profiling/submit-answer", {"session_id": started["session_id"], "step": step, "answer_text": answer}
            )
            question, step = reply["next_question"], reply["step"]
        return str(started["session_id"])

    def _recommend(self) -> None:
        found = self.call("GET", "opportunities/recommended?page_size=10")
        self.show("Ten opportunities", f"ranked by: {found['basis']}")
        for number, row in enumerate(found["recommendations"], start=1):
            self.stdout.write(f"{number:>3}. {row['title'][:90]} ({row['kind']}, {row['source']}; {row['score']:.2f})")
            for reason in row["reasons"]:
                self.stdout.write(f"       – {reason['text'][:150]}")

    def show(self, step: str, text: str) -> None:
        self.stdout.write(f"\n▸ {step}\n  {text}")

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {self.token}"} if self.token else {})
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self._api}/{path}", data, headers, method=method)  # noqa: S310  (our own address)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
                return json.load(response)
        except urllib.error.HTTPError as error:
            raise CommandError(f"{method} {path} answered {error.code}: {error.read().decode()}") from error
        except urllib.error.URLError as error:
            raise CommandError(f"Nothing answers at {self._api}. Start Soosh with `make run` first. ({error.reason})") from error

    def _verification_link(self, email: str) -> str:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            for file in sorted(Path(settings.EMBEDDED_HOME.mail).glob("*.eml"), reverse=True):
                link = _link_in(file, email)
                if link:
                    return link
            time.sleep(0.2)
        raise CommandError(f"No mail to {email} arrived in {settings.EMBEDDED_HOME.mail}.")

    def _confirm(self, url: str, link: str, password: str) -> None:
        """Open the page behind the link in another browser, type the password of the registration and press the button."""
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        page = opener.open(link, timeout=20).read().decode()
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        if token is None:
            raise CommandError("The page behind the link has no form.")
        form = f"csrfmiddlewaretoken={token[1]}&password={password}".encode()
        opener.open(urllib.request.Request(link, form, {"Referer": url}), timeout=20)  # noqa: S310  (our own address)


def _link_in(file: Path, email: str) -> str:
    message = message_from_bytes(file.read_bytes(), policy=policy.default)
    found = _VERIFICATION_LINK.search(message.get_content()) if email in str(message["To"]) else None
    return found[0] if found else ""
