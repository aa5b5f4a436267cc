"""A peer of Daily's REST API for tests: rooms, tokens, recordings, and what can go wrong on the way. Written after docs.daily.co/reference/rest-api; it is
our reading of it, and proves nothing about Daily itself."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt

KEY, WEBHOOK_SECRET = "daily-test-key", base64.b64encode(b"a-secret-of-thirty-two-bytes....").decode()
_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")
_ROOM = {
    *("nbf", "exp", "eject_at_room_exp", "enable_knocking", "max_participants", "enable_chat", "enable_live_captions_ui"),
    "enable_recording",
}
_TOKEN = {"room_name", "user_id", "user_name", "is_owner", "nbf", "exp", "eject_at_token_exp", "start_video_off", "enable_live_captions_ui"}
FAULTS = ("timeout", "unauthorised", "conflict", "too_many", "broken", "slow", "malformed", "lost_reply", "wrong_name")


class DailyPeer:
    """`fault` is what goes wrong with the next calls, `faults_left` how many of them."""

    def __init__(self) -> None:
        self.rooms: dict[str, dict[str, Any]] = {}
        self.recordings: dict[str, dict[str, Any]] = {}
        self.banned: set[tuple[str, str]] = set()
        self.calls: list[tuple[str, str, dict[str, Any]]] = []
        self.fault, self.faults_left = "", 0
        handler = type("Handler", (_Handler,), {"peer": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.base = f"http://127.0.0.1:{self.server.server_address[1]}/v1"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def fail(self, fault: str, times: int = 1) -> None:
        self.fault, self.faults_left = fault, times

    def take_fault(self) -> str:
        if self.faults_left <= 0:
            return ""
        self.faults_left -= 1
        return self.fault

    def answer(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:  # noqa: PLR0911  (one for each path)
        self.calls.append((method, path, body))
        if "/recordings" in path:
            return self._record(method, path)
        found = re.fullmatch(r"/v1/rooms/([^/]+)(/eject)?", path)
        if (method, path) == ("POST", "/v1/rooms"):
            return self._make(body)
        if found and method == "POST":
            return (self._eject if found[2] else self._change)(found[1], body)
        if found and found[1] not in self.rooms:
            return 404, {"error": "not-found", "info": f"room {found[1]} not found"}
        if found and method == "GET":
            return 200, self.rooms[found[1]]
        if found and method == "DELETE":
            del self.rooms[found[1]]
            return 200, {"deleted": True, "name": found[1]}
        if (method, path) == ("POST", "/v1/meeting-tokens"):
            return self._token(body)
        return 404, {"error": "not-found"}

    def _make(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        name = body.get("name", "")
        if not _NAME.fullmatch(name) or set(body.get("properties", {})) - _ROOM:
            return 400, {"error": "invalid-request-error", "info": "unknown property"}
        if name in self.rooms:
            return 400, {"error": "invalid-request-error", "info": f"a room named {name} already exists"}
        room = {"id": str(uuid.uuid4()), "name": name, "api_created": True, "url": f"https://soosh.daily.co/{name}"}
        self.rooms[name] = room | {"privacy": body.get("privacy", "public"), "config": body["properties"]}
        return 200, self.rooms[name]

    def _change(self, name: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if name not in self.rooms:
            return 404, {"error": "not-found"}
        room = self.rooms[name]
        room |= {"privacy": body.get("privacy", room["privacy"]), "config": room["config"] | body["properties"]}
        return 200, room

    def _eject(self, name: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if name not in self.rooms:
            return 404, {"error": "not-found"}
        if set(body) - {"ids", "user_ids", "ban"} or not body.get("user_ids"):
            return 400, {"error": "invalid-request-error", "info": "nobody is named"}
        if body.get("ban"):
            self.banned |= {(name, user_id) for user_id in body["user_ids"]}
        return 200, {"ejectedIds": []}

    def _record(self, method: str, path: str) -> tuple[int, dict[str, Any]]:
        """Recordings in the cloud: started and stopped by room, stored once stopped, listed by room."""
        if acted := re.fullmatch(r"/v1/rooms/([^/]+)/recordings/(start|stop)", path):
            return self._switch(*acted.groups())
        if listed := re.fullmatch(r"/v1/recordings\?room_name=(.+)", path):
            rows = [row for row in self.recordings.values() if row["room_name"] == listed[1]]
            return 200, {"total_count": len(rows), "data": rows}
        found = re.fullmatch(r"/v1/recordings/([^/?]+)(/access-link\?valid_for_secs=\d+)?", path)
        if not found or found[1] not in self.recordings:
            return 404, {"error": "not-found"}
        if method == "DELETE":
            del self.recordings[found[1]]
            return 200, {"deleted": True, "id": found[1]}
        return 200, {"download_link": f"https://recordings.daily.co/{found[1]}?signed", "expires": int(time.time()) + 900}

    def _switch(self, name: str, verb: str) -> tuple[int, dict[str, Any]]:
        if name not in self.rooms:
            return 404, {"error": "not-found"}
        running = [row for row in self.recordings.values() if row["room_name"] == name and row["status"] == "in-progress"]
        may_start = not running and self.rooms[name]["config"].get("enable_recording") == "cloud"
        if not (may_start if verb == "start" else running):
            return 400, {"error": "invalid-request-error", "info": f"cannot {verb}"}
        if verb == "start":
            key = str(uuid.uuid4())
            self.recordings[key] = {"id": key, "room_name": name, "status": "in-progress", "start_ts": int(time.time())}
        for row in running:
            row["status"] = "finished"
        return 200, {}

    def _token(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        properties = body.get("properties", {})
        if set(properties) - _TOKEN or len(properties.get("user_id", "")) > 36:
            return 400, {"error": "invalid-request-error", "info": "unknown property"}
        return 200, {"token": jwt.encode(properties, "a-key-of-daily-that-nobody-else-has", algorithm="HS256")}


class _Handler(BaseHTTPRequestHandler):
    peer: DailyPeer

    def _go(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(size) or b"{}")
        fault = self.peer.take_fault()
        refusals: dict[str, int] = {"unauthorised": 401, "conflict": 409, "too_many": 429, "broken": 500}
        if self.headers["Authorization"] != f"Bearer {KEY}" or fault in refusals:
            self._send(refusals.get(fault, 401), {"error": fault or "authentication-error"})
        elif fault in ("timeout", "slow"):
            time.sleep(1.5)
            self._send(200, {})
        elif fault == "malformed":
            self._send(200, None)
        else:
            status, answer = self.peer.answer(self.command, self.path, body)
            if fault == "lost_reply":
                self.close_connection = True
                self.connection.close()
            else:
                self._send(status, answer | {"name": "another"} if fault == "wrong_name" else answer)

    do_GET = do_POST = do_DELETE = _go

    def _send(self, status: int, answer: dict[str, Any] | None) -> None:
        content = b"<html>not JSON" if answer is None else json.dumps(answer).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        except OSError:
            pass

    def log_message(self, *_: Any) -> None:
        pass


def signed(event: dict[str, Any], *, at: float | None = None, secret: str = WEBHOOK_SECRET) -> tuple[bytes, dict[str, str]]:
    """Body and headers of an event as Daily sends it."""
    body = json.dumps(event).encode()
    return body, signed_body(body, at=at, secret=secret)


def signed_body(body: bytes, *, at: float | None = None, secret: str = WEBHOOK_SECRET) -> dict[str, str]:
    """The headers of any body."""
    stamp = str(int((time.time() if at is None else at) * 1000))
    digest = hmac.digest(base64.b64decode(secret), stamp.encode() + b"." + body, hashlib.sha256)
    return {"HTTP_X_WEBHOOK_TIMESTAMP": stamp, "HTTP_X_WEBHOOK_SIGNATURE": base64.b64encode(digest).decode()}


def stay(
    room: str, user_id: Any, *, joined: float, seconds: float | None = None, session: str = "s1", owner: bool = False
) -> dict[str, Any]:
    """An event of somebody who came, or, with the seconds that they stayed, left."""
    payload: dict[str, Any] = {"session_id": session, "joined_at": joined, "room": room, "user_id": str(user_id), "owner": owner}
    if seconds is not None:
        payload["duration"] = seconds
    kind = "participant.joined" if seconds is None else "participant.left"
    return {"version": "1.0.0", "type": kind, "id": f"evt-{uuid.uuid4()}", "payload": payload, "event_ts": joined}
