from __future__ import annotations

from typing import Any

from django.core import signing
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

from core import strict
from core.errors import FieldError, InvalidInput


class CursorPages(CursorPagination):
    """Cursor pages by UUIDv7, which is the order of creation; `?page_size=` up to 100.

    A cursor is signed for its list, so that nothing that we did not write reaches the database.
    """

    ordering = "-id"
    page_size = 20
    page_size_query_param = "page_size"
    max_page_size = 100

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> Any:
        self._signer = signing.Signer(sep=".", salt=f"core.pagination {request.path.rstrip('/')}")
        return super().paginate_queryset(queryset, request, view)

    def get_page_size(self, request: Request) -> int:
        text = request.query_params.get(self.page_size_query_param)
        if text is None:
            return self.page_size
        try:
            number = strict.parse_integer(text)
        except strict.Malformed as error:
            raise InvalidInput(errors=(FieldError("page_size", error.code, error.detail),)) from error
        if not 1 <= number <= self.max_page_size:
            raise InvalidInput(errors=(FieldError("page_size", "out_of_range", f"Ask for 1 to {self.max_page_size}."),))
        return number

    def decode_cursor(self, request: Request) -> Cursor | None:
        text = request.query_params.get(self.cursor_query_param)
        if text is None:
            return None
        try:
            return Cursor(*self._signer.unsign_object(text))
        except signing.BadSignature as error:
            raise InvalidInput(errors=(FieldError("cursor", "invalid_cursor", "This cursor is not one of this list."),)) from error

    def encode_cursor(self, cursor: Cursor) -> str:
        return replace_query_param(self.base_url or "", self.cursor_query_param, self._signer.sign_object(list(cursor)))

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        page: dict[str, Any] = super().get_paginated_response_schema(schema)
        return page | {"required": ["next", "previous", "results"]}

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        parameters: list[dict[str, Any]] = super().get_schema_operation_parameters(view)
        for parameter in parameters:
            if parameter["name"] == self.page_size_query_param:
                parameter["schema"] |= {"minimum": 1, "maximum": self.max_page_size, "default": self.page_size}
        return parameters
