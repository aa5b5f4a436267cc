"""A fake of OpenAI's API for tests and measurements: chat, embeddings, moderation, transcription and speech over HTTP.

It is a fake and says so in `system_fingerprint`. What it speaks is checked against the vendor's schema: every answer is built from the
SDK's own response types. Behind it are no models of OpenAI. Chat plays a model that reads well but not perfectly: it knows what the
simulated people of the review say, misses some of it, is sometimes unsure, and now and then makes something up. Embeddings are those of
the embedded model turned in space, so that they rank as well and cannot be compared. Audio is heard and spoken by the embedded engines.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy
from openai.types import CreateEmbeddingResponse, ModerationCreateResponse
from openai.types.audio import Transcription
from openai.types.chat import ChatCompletionChunk

FINGERPRINT = "fake-of-soosh"
_MISSED, _UNSURE, _INVENTED, _STRANGE = 0.10, 0.15, 0.05, 0.05
_FENCE = re.compile(r"^(={8}[0-9a-f]{8})$", re.MULTILINE)


def rotated(vectors: list[list[float]], seed: str) -> list[list[float]]:
    """Vectors turned by an orthogonal matrix that belongs to `seed`: distances among them stay, those to others lose all meaning."""
    chance = numpy.random.default_rng(int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8]))
    turn, _ = numpy.linalg.qr(chance.normal(size=(384, 384)))
    turned: list[list[float]] = (numpy.asarray(vectors) @ turn).tolist()
    return turned


class Peer:
    """What the fake knows, and a count of what it was asked, by path."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.delay_seconds = 0.0
        self._lock = threading.Lock()

    def answer(self, path: str, body: dict[str, Any]) -> tuple[str, bytes]:
        with self._lock:
            self.requests.append(path)
        time.sleep(self.delay_seconds)
        kind = path.removeprefix("/v1/")
        return {
            "chat/completions": self._chat,
            "embeddings": self._embeddings,
            "moderations": self._moderation,
            "audio/transcriptions": self._transcription,
            "audio/speech": self._speech,
        }[kind](body)

    def _chat(self, body: dict[str, Any]) -> tuple[str, bytes]:
        content = body["messages"][-1]["content"]
        text = json.dumps({"entries": entries_for(content)})
        chunks = [{"content": text[start : start + 40], "role": "assistant"} for start in range(0, len(text), 40)]
        lines = [self._chunk(body["model"], delta, None) for delta in chunks]
        lines += [self._chunk(body["model"], {}, "stop"), self._usage(body["model"], len(content) // 4, len(text) // 4), "[DONE]"]
        return "text/event-stream", "".join(f"data: {line}\n\n" for line in lines).encode()

    def _chunk(self, model: str, delta: dict[str, Any], finish: str | None) -> str:
        row = {"id": "chatcmpl-fake", "object": "chat.completion.chunk", "created": int(time.time()), "model": model}
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return ChatCompletionChunk.model_validate(row | {"choices": [choice], "system_fingerprint": FINGERPRINT}).model_dump_json()

    def _usage(self, model: str, read: int, written: int) -> str:
        row = {"id": "chatcmpl-fake", "object": "chat.completion.chunk", "created": int(time.time()), "model": model, "choices": []}
        usage = {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}
        return ChatCompletionChunk.model_validate(row | {"usage": usage}).model_dump_json()

    def _embeddings(self, body: dict[str, Any]) -> tuple[str, bytes]:
        from ai.providers.embedded import minilm

        texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
        vectors = rotated(minilm().embed(texts).vectors, body["model"])
        encode = body.get("encoding_format") == "base64"
        rows = [
            {"object": "embedding", "index": index, "embedding": _base64(vector) if encode else vector}
            for index, vector in enumerate(vectors)
        ]
        tokens = sum(map(len, texts)) // 4
        answer = {"object": "list", "model": body["model"], "data": rows, "usage": {"prompt_tokens": tokens, "total_tokens": tokens}}
        if not encode:
            CreateEmbeddingResponse.model_validate(answer)
        return "application/json", json.dumps(answer).encode()

    def _moderation(self, body: dict[str, Any]) -> tuple[str, bytes]:
        is_harm = "hurting" in str(body["input"]).lower()
        names = (
            *("harassment", "harassment/threatening", "hate", "hate/threatening", "illicit", "illicit/violent", "self-harm"),
            *("self-harm/intent", "self-harm/instructions", "sexual", "sexual/minors", "violence", "violence/graphic"),
        )
        found = {name: is_harm and name.startswith("self-harm") for name in names}
        result = {
            "flagged": is_harm,
            "categories": found,
            "category_scores": {name: float(value) for name, value in found.items()},
            "category_applied_input_types": {name: ["text"] for name in names},
        }
        answer = ModerationCreateResponse.model_validate({"id": "modr-fake", "model": body["model"], "results": [result]})
        return "application/json", answer.model_dump_json(by_alias=True).encode()

    def _transcription(self, body: dict[str, Any]) -> tuple[str, bytes]:
        from ai.providers.audio import decode
        from ai.providers.embedded_speech import whisper

        heard = whisper().transcribe(decode(body["file"], most_seconds=120))
        return "application/json", Transcription.model_validate({"text": heard.text}).model_dump_json(exclude_none=True).encode()

    def _speech(self, body: dict[str, Any]) -> tuple[str, bytes]:
        from ai.providers.embedded_speech import hibari_voice

        spoken = hibari_voice().speak(body["input"], audio_format=body["response_format"], rate=body.get("speed", 1.0))
        return "audio/mpeg", spoken.audio


def entries_for(content: str) -> list[dict[str, Any]]:
    """What the fake reads in an answer of a simulated person."""
    parts = _FENCE.split(content)
    said = parts[2].strip() if len(parts) >= 4 else content
    entries = []
    for fact in _facts():
        # A word or two mean what was asked for; a whole sentence speaks for itself.
        texts = (fact.sentence, fact.terse) if _is_about(fact.slot, parts[0]) else (fact.sentence,)
        quote = next((text for text in texts if re.search(rf"(?<!\w){re.escape(text)}(?!\w)", said)), None)
        if quote is not None:
            entries += _entries(fact, quote, said)
    return entries


def _is_about(slot: Any, question: str) -> bool:
    from profiling.services.questions import PLANS

    return PLANS[slot].question in question or PLANS[slot].follow_up in question


def _entries(fact: Any, quote: str, said: str) -> Iterator[dict[str, Any]]:
    from profiling.services.questions import PLANS

    chance = int.from_bytes(hashlib.sha256((quote + said).encode()).digest()[:4]) / 2**32
    kind = str(PLANS[fact.slot].kind)
    entry = {
        "kind": kind,
        "label": fact.terse if len(fact.labels) > 1 else fact.labels[0],
        "quote": quote,
        "confidence": 0.9,
        "denied": False,
    }
    if chance < _MISSED:
        return
    yield entry | ({"confidence": 0.5} if chance < _MISSED + _UNSURE else {})
    if fact.denial and fact.denial in said:
        yield entry | {"denied": True, "quote": fact.denial}
    if chance > 1 - _INVENTED:
        yield entry | {"label": "brain surgery", "quote": "I operate on brains"}
    elif chance > 1 - _INVENTED - _STRANGE:
        yield entry | {"label": "brain surgery"}


_known: list[Any] = []


def _facts() -> list[Any]:
    from profiling.services.simulation import read_people

    if not _known:
        _known.extend({(fact.slot, fact.sentence): fact for person in read_people() for fact in person.facts}.values())
    return _known


def _base64(vector: list[float]) -> str:
    return base64.b64encode(numpy.asarray(vector, dtype=numpy.float32).tobytes()).decode()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        kind, content = self.server.peer.answer(self.path, self._body(raw))  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("x-request-id", "req-fake")
        self.end_headers()
        self.wfile.write(content)

    def _body(self, raw: bytes) -> dict[str, Any]:
        kind = self.headers["Content-Type"]
        if kind.startswith("application/json"):
            return dict(json.loads(raw))
        form = BytesParser().parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + raw)
        return {part.get_param("name", header="content-disposition"): part.get_payload(decode=True) for part in form.get_payload()}  # type: ignore[union-attr, misc]

    def log_message(self, *args: Any) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.peer = Peer()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


@contextmanager
def openai_peer() -> Iterator[Server]:
    """The fake on a port of its own, for the time of a test."""
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


if __name__ == "__main__":
    import django

    django.setup()
    Server(int(sys.argv[1])).serve_forever()
