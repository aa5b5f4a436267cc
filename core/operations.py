"""What every operation of the API has in common, taken from its own documentation: which parameters it has, which media types it answers
with, whether it takes a body, and who may keep its answers.

What `extend_schema` says about a method is what holds for it: a parameter that is not documented is refused, a media type that is
documented is accepted.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Mapping
from typing import Any, TypeVar

from django.db.models import Model
from django.utils.cache import patch_vary_headers
from drf_spectacular.plumbing import ComponentRegistry
from rest_framework import generics, views
from rest_framework.exceptions import ParseError
from rest_framework.permissions import SAFE_METHODS, AllowAny
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from core.errors import FieldError, InvalidInput

Row = TypeVar("Row", bound=Model)


@dataclasses.dataclass(frozen=True)
class Operation:
    """One method of a view, as it is documented.

    Args:
        parameters: the schemas of the query parameters.
        media_types: what a successful answer can be.
        takes_body: whether a request body is documented.
    """

    parameters: Mapping[str, Mapping[str, Any]]
    media_types: tuple[str, ...]
    takes_body: bool


_operations: dict[tuple[type, str], Operation | None] = {}
# drf-spectacular loads its extensions when it first needs them, and fails if two threads do so at once.
_reading = threading.Lock()


def operation_of(view: views.APIView, method: str) -> Operation | None:
    """The operation of a view that answers this method; None where none is documented."""
    method = "GET" if method == "HEAD" else method
    key = (type(view), method)
    if key not in _operations:
        with _reading:
            _operations[key] = _read_operation(view, method)
    return _operations[key]


def _read_operation(view: views.APIView, method: str) -> Operation | None:
    schema_class = getattr(getattr(view, method.lower(), None), "kwargs", {}).get("schema")
    if schema_class is None:
        return None
    schema = schema_class()
    # Set by hand: as an attribute of a class, the schema would take its view from the descriptor.
    schema.view, schema.method, schema.path, schema.path_regex, schema.registry = view, method, "", "", ComponentRegistry()
    parameters = {item["name"]: item["schema"] for item in schema._get_parameters() if item["in"] == "query"}
    answers = schema._get_response_bodies()
    media_types = [name for status, answer in answers.items() if status.startswith("2") for name in answer.get("content", {})]
    return Operation(parameters, tuple(dict.fromkeys(media_types)), bool(schema._get_request_body()))


class _PassThrough(BaseRenderer):
    """Renderer for a media type that the view writes itself."""

    charset = None

    def render(self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None) -> Any:
        return JSONRenderer().render(data)


def _renderer_for(media_type: str) -> BaseRenderer:
    if media_type == JSONRenderer.media_type:
        return JSONRenderer()
    renderer = _PassThrough()
    renderer.media_type = media_type
    return renderer


class _Documented(views.APIView):
    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        operation = operation_of(self, request.method or "")
        if force or operation is None or not operation.media_types:
            # Nothing to represent, so every `Accept` is met.
            return JSONRenderer(), JSONRenderer.media_type
        return self.get_content_negotiator().select_renderer(request, [_renderer_for(name) for name in operation.media_types], None)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        operation = operation_of(self, request.method or "")
        if operation is not None:
            _check_query(request, operation)
            _check_body(request, operation)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(response, Response):
            # Views write other types themselves; an error is a problem document whatever `Accept` says.
            request.accepted_renderer, request.accepted_media_type = JSONRenderer(), JSONRenderer.media_type
        answer = super().finalize_response(request, response, *args, **kwargs)
        if not answer.has_header("Cache-Control"):
            answer["Cache-Control"] = self._cache_control(request, answer.status_code)
        patch_vary_headers(answer, ("Accept", "Authorization", "Cookie"))
        return answer

    def _cache_control(self, request: Request, status: int) -> str:
        """Public answers are revalidated before each use; personal ones are never stored."""
        is_readable = request.method in SAFE_METHODS and status < 400
        if not (is_readable and any(_allows_strangers(kind) for kind in self.permission_classes)):
            return "private, no-store"
        return "private, no-cache" if request.headers.get("Authorization") or request.user.is_authenticated else "public, no-cache"


def _allows_strangers(permission: Any) -> bool:
    return permission is AllowAny or getattr(permission, "allows_strangers", False)


class APIView(_Documented):
    """A view of the API. Stands in for that of Django REST framework."""


class GenericAPIView(_Documented, generics.GenericAPIView[Row]):
    """A view of the API over rows. Stands in for that of Django REST framework."""


def _check_query(request: Request, operation: Operation) -> None:
    query, faults = request.query_params, []
    for name in query:
        schema = operation.parameters.get(name)
        values = query.getlist(name)
        if schema is None:
            faults.append(FieldError(name[:100], "unknown_parameter", _names_of(operation)))
        elif len(values) > 1 and schema.get("type") != "array":
            faults.append(FieldError(name, "repeated_parameter", "State this parameter once."))
        elif "" in values and not _is_plain_text(schema):
            faults.append(FieldError(name, "invalid", "Give a value, or leave the parameter out."))
    if faults:
        raise InvalidInput(errors=tuple(faults))


def _names_of(operation: Operation) -> str:
    names = ", ".join(sorted(operation.parameters))
    return f"This operation knows these parameters: {names}." if names else "This operation has no parameters."


def _is_plain_text(schema: Mapping[str, Any]) -> bool:
    return schema.get("type") == "string" and not {"format", "enum", "pattern"} & schema.keys()


def _check_body(request: Request, operation: Operation) -> None:
    has_body = request.META.get("CONTENT_LENGTH") not in (None, "", "0")
    if operation.takes_body:
        if not has_body and request.method in ("PUT", "PATCH"):
            raise ParseError("The body is empty. Send a JSON object.")
    elif has_body and request.method not in SAFE_METHODS and request.data:
        unknown = tuple(FieldError(str(name)[:100], "unknown_field", "This operation takes no fields.") for name in request.data)
        raise InvalidInput(errors=unknown)
