"""Bodies that come without their length: chunked ones, and those of HTTP/2."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable
from typing import IO, Any

from django.utils.http import parse_header_parameters

from core.problems import PROBLEM_CONTENT_TYPE, problem

_WITH_BODY = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_CHUNK = 65_536
_IN_MEMORY = 1_000_000
# More than any upload may have; the parser of each operation has its own, lower limit.
LARGEST_BODY = 16_000_000


class MeasuredBodies:
    """A WSGI application that is given every body with its `Content-Length`.

    WSGI cannot express a body without a length, and Django takes one for empty. So it is read here first, up to `LARGEST_BODY`.
    """

    def __init__(self, application: Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if not _is_readable(environ.get("CONTENT_TYPE", "")):
            return _refuse(start_response, 415, "unsupported_media_type", "The Content-Type cannot be read.")
        is_chunked = "HTTP_TRANSFER_ENCODING" in environ
        if is_chunked and environ.get("CONTENT_LENGTH"):
            # Two lengths that may differ: a proxy and we could see different requests (RFC 9112, 6.1).
            return _refuse(start_response, 400, "malformed_body", "Send Content-Length or Transfer-Encoding, not both.")
        if environ.get("CONTENT_LENGTH") or environ["REQUEST_METHOD"] not in _WITH_BODY:
            return self._application(environ, start_response)
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as body:
            length = _copy(environ["wsgi.input"], body)
            if length > LARGEST_BODY:
                return _refuse(start_response, 413, "body_too_large", "The body is larger than any operation takes.")
            body.seek(0)
            return self._application(environ | {"wsgi.input": body, "CONTENT_LENGTH": str(length)}, start_response)


def _is_readable(content_type: str) -> bool:
    """Django reads it before any middleware could answer for it, and fails on parameters in an unknown encoding (RFC 2231)."""
    try:
        parse_header_parameters(content_type)
    except (LookupError, ValueError):
        return False
    return True


def _copy(source: IO[bytes], target: IO[bytes]) -> int:
    length = 0
    while length <= LARGEST_BODY and (chunk := source.read(_CHUNK)):
        target.write(chunk)
        length += len(chunk)
    return length


def _refuse(start_response: Callable[..., Any], status: int, code: str, detail: str) -> list[bytes]:
    document = problem(status, code, detail)
    start_response(f"{status} {document['title']}", [("Content-Type", PROBLEM_CONTENT_TYPE), ("Cache-Control", "no-store")])
    return [json.dumps(document).encode()]
