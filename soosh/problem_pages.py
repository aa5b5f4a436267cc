from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from core.errors import DomainError

_FRAMEWORK_CODES = {
    "malformed_body": "The body is not JSON as RFC 8259 has it: UTF-8, an object, without NaN and without NUL characters.",
    "not_authenticated": "There is no valid token. Sign in, or refresh the token.",
    "malformed_request": "The front server could not read the request: its headers, its address or its encoding are not valid HTTP.",
    "request_timeout": "The request arrived too slowly. Send it again over a better connection.",
    "method_not_allowed": "The path exists, but does not know this method.",
    "not_acceptable": "Answers exist in JSON only.",
    "unsupported_media_type": "The body must be sent as application/json.",
    "internal_error": "Something broke on our side. It has been recorded.",
}


def _subclasses(error: type[DomainError]) -> Iterator[type[DomainError]]:
    for subclass in error.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)


@cache
def problem_meanings() -> dict[str, str]:
    """Every error code of the API with what it means."""
    return {error.code: str(error.message) for error in _subclasses(DomainError)} | _FRAMEWORK_CODES
