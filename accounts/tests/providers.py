"""OpenID Connect servers on loopback: nanoidp, which nobody here wrote, and a forger of our own that signs whatever an attack needs."""

from __future__ import annotations

import http.server
import json
import re
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jwt
import requests
import yaml
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.running import free_port
from tests.servers import wait_for

CLIENT, SECRET = "soosh-web", "a-secret-of-the-client"


class NanoIdp:
    """The real peer: discovery, keys, PKCE, codes that work once, a login form."""

    def __init__(self, port: int) -> None:
        self.issuer = f"http://127.0.0.1:{port}"

    def sign_in(self, address: str, *, username: str = "grace", password: str = "wonderland") -> str:
        """Follow an authorisation address as a browser would, and return where the provider sends the browser back to."""
        session = requests.Session()
        page = session.get(address, timeout=5)
        fields = dict(re.findall(r'name="([^"]+)"[^>]*value="([^"]*)"', page.text))
        answer = session.post(page.url, data=fields | {"username": username, "password": password}, allow_redirects=False, timeout=5)
        for _ in range(5):
            location = answer.headers.get("Location", "")
            if answer.status_code not in (302, 303) or "code=" in location or "error=" in location:
                break
            answer = session.get(requests.compat.urljoin(page.url, location), allow_redirects=False, timeout=5)
        assert answer.status_code in (302, 303), answer.text[:500]
        return answer.headers["Location"]

    def redeem(self, code: str, redirect_uri: str, **more: str) -> dict[str, Any]:
        data = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "client_id": CLIENT,
            "client_secret": SECRET,
        }
        found: dict[str, Any] = requests.post(f"{self.issuer}/token", data=data | more, timeout=5).json()
        return found


@contextmanager
def nano_idp(folder: Path, *, redirect_uris: list[str]) -> Iterator[NanoIdp]:
    port = free_port()
    settings = {
        "config_version": 1,
        "server": {"host": "127.0.0.1", "port": port},
        "oauth": {
            "issuer": f"http://127.0.0.1:{port}",
            "audience": CLIENT,
            "clients": [
                {
                    "client_id": CLIENT,
                    "client_secret": SECRET,
                    "redirect_uris": redirect_uris,
                    "token_endpoint_auth_method": "client_secret_post",
                },
                {
                    "client_id": "another-app",
                    "client_secret": SECRET,
                    "redirect_uris": redirect_uris,
                    "token_endpoint_auth_method": "client_secret_post",
                },
            ],
        },
    }
    users = {
        "config_version": 1,
        "users": {
            "grace": {"password": "wonderland", "email": "grace@example.org", "attributes": {"name": "Grace Hopper"}},
        },
    }
    (folder / "settings.yaml").write_text(yaml.safe_dump(settings))
    (folder / "users.yaml").write_text(yaml.safe_dump(users))
    command = str(Path(sys.executable).with_name("nanoidp"))
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([command, "--config", str(folder)], stdout=log, stderr=log, cwd=folder)
    try:
        wait_for(f"http://127.0.0.1:{port}/.well-known/openid-configuration")
        yield NanoIdp(port)
    finally:
        server.terminate()
        server.wait(20)


class Forger:
    """A fake provider: it publishes one key and signs any claims. Its switches make it fail as real ones do."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.kid = secrets.token_hex(4)
        self.answers: dict[str, tuple[int, Any]] = {}
        self.port = free_port()
        self.issuer = f"http://127.0.0.1:{self.port}"
        forger = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                self.rfile.read(length)
                status, body = forger.answer(self.path)
                content = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_POST = do_GET

            def log_message(self, *_: Any) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def answer(self, path: str) -> tuple[int, Any]:
        if path in self.answers:
            return self.answers[path]
        if path == "/keys":
            public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
            return 200, {"keys": [public | {"kid": self.kid, "alg": "RS256", "use": "sig"}]}
        if path == "/.well-known/openid-configuration":
            endpoints = ("authorization", "token", "userinfo", "introspection")
            return 200, {"issuer": self.issuer, "jwks_uri": f"{self.issuer}/keys"} | {
                f"{name}_endpoint": f"{self.issuer}/{name}" for name in endpoints
            }
        return 404, {"error": "not_found"}

    def claims(self, **changes: Any) -> dict[str, Any]:
        now = int(time.time())
        usual = {
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": "subject-1",
            "iat": now,
            "exp": now + 300,
            "email": "grace@example.org",
            "email_verified": True,
            "name": "Grace Hopper",
        }
        return {name: value for name, value in (usual | changes).items() if value is not None}

    def sign(self, *, headers: dict[str, Any] | None = None, key: Any = None, algorithm: str = "RS256", **changes: Any) -> str:
        chosen = {"kid": self.kid} if headers is None else headers
        return jwt.encode(self.claims(**changes), None if algorithm == "none" else key or self.key, algorithm=algorithm, headers=chosen)

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
