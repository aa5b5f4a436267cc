from __future__ import annotations

from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination

from core.errors import FieldError, InvalidInput


class CursorPages(CursorPagination):
    """Cursor pages by UUIDv7, which is the order of creation; `?page_size=` up to 100."""

    ordering = "-id"
    page_size = 20
    page_size_query_param = "page_size"
    max_page_size = 100

    def paginate_queryset(self, queryset, request, view=None):  # type: ignore[no-untyped-def]
        try:
            return super().paginate_queryset(queryset, request, view)
        except NotFound as error:
            raise InvalidInput(errors=(FieldError("cursor", "invalid_cursor", "This cursor is not one of ours."),)) from error
