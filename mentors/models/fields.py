from __future__ import annotations

from typing import Any

from django.db import models
from psycopg.types.multirange import TimestamptzMultirange


class InstantRangesField(models.Field):
    """A set of instants: PostgreSQL's tstzmultirange, as psycopg's `TimestamptzMultirange` of `[)` ranges."""

    description = "A set of instants"

    def db_type(self, connection: Any) -> str:
        return "tstzmultirange"

    def get_prep_value(self, value: Any) -> Any:
        return TimestamptzMultirange(value) if isinstance(value, list | tuple) else super().get_prep_value(value)
