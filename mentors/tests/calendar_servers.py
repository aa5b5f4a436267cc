"""HTTPS servers on this machine: one that serves a calendar file and misbehaves on demand, and Radicale, a real CalDAV server."""

from __future__ import annotations

import datetime
import gzip
import ipaddress
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for `localhost`, which is its own authority, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "cert.pem", folder / "key.pem"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return public, private


class CalendarServer:
    """Serves `content` at every path, and what a path's name asks for: see `_misbehave`. Remembers the requests."""

    def __init__(self, folder: Path) -> None:
        self.content, self.etag, self.requests = b"", "", []  # type: ignore[var-annotated]
        self.certificate, key = certificate(folder)
        peer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                peer.requests.append((self.path, dict(self.headers)))
                if not _misbehave(self):
                    peer._serve(self)

            def log_message(self, *_: Any) -> None:
                pass

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: Any) -> None:
                """The reader hangs up where it should."""

        self.server = Quiet(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def port(self) -> int:
        return self.server.server_address[1]

    def address(self, path: str = "/mine.ics") -> str:
        return f"https://localhost:{self.port}{path}"

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        if self.etag and handler.headers.get("If-None-Match") == self.etag:
            handler.send_response(304)
            handler.end_headers()
            return
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(self.content)))
        if self.etag:
            handler.send_header("ETag", self.etag)
        handler.end_headers()
        handler.wfile.write(self.content)


def _misbehave(handler: BaseHTTPRequestHandler) -> bool:
    """A number answers so, with a way to elsewhere; other names send something without an end."""
    name = handler.path.strip("/").partition("?")[0]
    if name.isdigit():
        _head(handler, int(name), Location="https://169.254.169.254/latest/meta-data/", Content_Length="0")
    elif name == "endless":
        _head(handler, 200)
        _for_ever(handler, b"X" * 65_536, 0)
    elif name == "bomb":
        body = gzip.compress(bytes(200_000_000))
        _head(handler, 200, Content_Encoding="gzip", Content_Length=str(len(body)))
        handler.wfile.write(body)
    elif name == "drip":
        _head(handler, 200, Content_Length="1000000")
        _for_ever(handler, b"X", 0.2)
    elif name == "drip-headers":
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        _for_ever(handler, b"X-A: b\r\n", 0.2)
    else:
        return False
    return True


def _head(handler: BaseHTTPRequestHandler, status: int, **headers: str) -> None:
    handler.send_response(status)
    for header, value in headers.items():
        handler.send_header(header.replace("_", "-"), value)
    handler.end_headers()


def _for_ever(handler: BaseHTTPRequestHandler, content: bytes, seconds: float) -> None:
    while True:
        handler.wfile.write(content)
        handler.wfile.flush()
        time.sleep(seconds)


@contextmanager
def radicale(folder: Path) -> Iterator[tuple[str, Path]]:
    """A CalDAV server with the user `ada` and her password; yields its address and its certificate."""
    public, private = certificate(folder)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (folder / "users").write_text("ada:s3cret\n")
    (folder / "config").write_text(
        f"[server]\nhosts = 127.0.0.1:{port}\nssl = True\ncertificate = {public}\nkey = {private}\n"
        f"[auth]\ntype = htpasswd\nhtpasswd_filename = {folder / 'users'}\nhtpasswd_encryption = plain\ndelay = 0\n"
        f"[storage]\nfilesystem_folder = {folder / 'store'}\n[logging]\nlevel = error\n"
    )
    server = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "radicale", "--config", str(folder / "config")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"https://localhost:{port}/", public
    finally:
        server.terminate()
        server.wait(10)
