from __future__ import annotations

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiResponse

from core.problems import PROBLEM_CONTENT_TYPE
from core.serializers import ProblemSerializer

_MEANINGS = {
    "400": "The input is not valid; `errors` names the fields.",
    "401": "No valid token.",
    "403": "You may not do this.",
    "404": "Not there, or not for you to see.",
    "405": "This path does not know the method.",
    "406": "The answer exists in JSON only.",
    "409": "Not possible in the present state.",
    "413": "The body is too large.",
    "415": "The body must be JSON.",
    "429": "Too many requests; see `Retry-After`.",
    "503": "A part that this needs is not available; see `Retry-After`.",
}


class ApiSchema(AutoSchema):
    """Adds to each operation the problem documents that it can answer with."""

    def get_response_serializers(self) -> Any:
        found: Any = super().get_response_serializers()
        declared = found if isinstance(found, dict) else {self._success_status(): found}
        declared = {str(key[0] if isinstance(key, tuple) else key): value for key, value in declared.items()}
        answers: dict[Any, Any] = {(code, "application/json"): value for code, value in declared.items()}
        problems = {(code, PROBLEM_CONTENT_TYPE): OpenApiResponse(ProblemSerializer, meaning) for code, meaning in _MEANINGS.items()}
        return answers | problems

    def _success_status(self) -> str:
        if self.method == "DELETE":
            return "204"
        return "201" if self.method == "POST" and getattr(self.view, "action", "") == "create" else "200"
