"""Coded errors. Every error a client can meet is a `DomainError` or is turned into the same problem document by `core.problems`."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclasses.dataclass(frozen=True)
class FieldError:
    """What is wrong with one field of the input."""

    field: str
    code: str
    detail: str | Promise


class DomainError(Exception):
    """A rule of the product was broken. Subclasses state `code` (part of the API contract), HTTP `status` and a translated message.

    Args:
        detail: says more than the class's own message.
        errors: the fields at fault.
        data: extra members of the problem document.
    """

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 400
    message: ClassVar[str | Promise] = _("The request could not be carried out.")

    def __init__(self, detail: str | Promise = "", *, errors: tuple[FieldError, ...] = (), **data: Any) -> None:
        self.detail = detail or self.message
        self.errors = errors
        self._data = data
        super().__init__(self.detail)

    @property
    def data(self) -> dict[str, Any]:
        return self._data


class InvalidInput(DomainError):
    code = "invalid_input"
    status = 400
    message = _("Some of the input is not valid.")


class NotFound(DomainError):
    code = "not_found"
    status = 404
    message = _("There is nothing here, or you may not see it.")


class Forbidden(DomainError):
    code = "forbidden"
    status = 403
    message = _("You may not do this.")


class Conflict(DomainError):
    code = "conflict"
    status = 409
    message = _("This is not possible in the present state.")


class Busy(Conflict):
    """A conflict that passes by itself."""

    def __init__(self, *, retry_after_seconds: int) -> None:
        super().__init__(retry_after=retry_after_seconds)
        self.retry_after_seconds = retry_after_seconds


class TooManyRequests(DomainError):
    code = "too_many_requests"
    status = 429
    message = _("Too many requests. Please wait a little and try again.")

    def __init__(self, *, retry_after_seconds: int) -> None:
        super().__init__(retry_after=retry_after_seconds)
        self.retry_after_seconds = retry_after_seconds


class BodyTooLarge(DomainError):
    code = "body_too_large"
    status = 413
    message = _("The body is larger than this endpoint takes.")


class Unavailable(DomainError):
    code = "unavailable"
    status = 503
    message = _("A part of Soosh that this needs is not available right now. Please try again in a minute.")


class Overloaded(Unavailable):
    """As many as can be served are being served. It passes within seconds."""

    message = _("Many people are doing this right now. Please try again in a few seconds.")
    retry_after_seconds = 3
