from __future__ import annotations

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import force_instance
from drf_spectacular.utils import OpenApiResponse
from rest_framework.fields import empty

from core.problems import PROBLEM_CONTENT_TYPE
from core.serializers import ModelSerializer, ProblemSerializer

_ALWAYS = {
    "400": "The input is not valid; `errors` names the fields.",
    "406": "The answer exists in JSON only.",
    "429": "Too many requests; see `Retry-After`.",
    "503": "A part that this needs is not available; see `Retry-After`.",
}
_WITH_SIGN_IN = {"401": "No valid token.", "403": "You may not do this."}
_WITH_BODY = {"409": "Not possible in the present state.", "413": "The body is too large.", "415": "The body must be JSON."}
_NOT_FOUND = {"404": "Not there, or not for you to see."}


class ApiSchema(AutoSchema):
    """Adds to each operation the problem documents that it can answer with."""

    def _get_response_bodies(self, direction: Any = "response") -> Any:
        declared = super()._get_response_bodies(direction)
        problems = {
            code: self._get_response_for_code(OpenApiResponse(ProblemSerializer, meaning), code, [PROBLEM_CONTENT_TYPE], direction)
            for code, meaning in self._meanings().items()
            if code not in declared
        }
        return dict(sorted((declared | problems).items()))

    def _map_basic_serializer(self, serializer: Any, direction: Any) -> Any:
        """Mark fields of rows and fields with a default as required in answers: they are always present, so clients need no check."""
        schema = super()._map_basic_serializer(serializer, direction)
        if direction == "response":
            shown = force_instance(serializer)
            has_all = isinstance(shown, ModelSerializer)
            fields = [field for field in shown.fields.values() if not field.write_only]
            always = {field.field_name for field in fields if has_all or field.default is not empty}
            required = set(schema.get("required", ())) | (always & schema.get("properties", {}).keys())
            if required:
                schema["required"] = sorted(required)
        return schema

    def _get_request_body(self, direction: Any = "request") -> Any:
        """Leave `required` out for a body of several media types: openapi-python-client 0.29 generates code for it that cannot be imported.
        A missing body is answered with 400 all the same."""
        body = super()._get_request_body(direction)
        if body and len(body["content"]) > 1:
            body.pop("required", None)
        return body

    def get_auth(self) -> list[Any]:
        """Name no authentication where no token is read, so that generated clients do not ask for one to sign in."""
        found: list[Any] = super().get_auth()
        return [] if found == [{}] else found

    def get_filter_backends(self) -> list[Any]:
        """Describe the filters of a view for every GET, not only for plain lists."""
        if self.method == "GET" and getattr(self.view, "filterset_class", None):
            return list(self.view.filter_backends)  # type: ignore[attr-defined]  # of a generic view
        found: list[Any] = super().get_filter_backends()
        return found

    def _get_pagination_parameters(self) -> Any:
        paginator = getattr(self.view, "paginator", None)
        return paginator.get_schema_operation_parameters(self.view) if self.method == "GET" and paginator else []

    def _meanings(self) -> dict[str, str]:
        return _ALWAYS | _NOT_FOUND | _WITH_SIGN_IN | (_WITH_BODY if self.method != "GET" else {})
