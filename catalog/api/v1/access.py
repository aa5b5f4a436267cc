from __future__ import annotations

from typing import Any

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from catalog.policies import can_manage_catalogue, can_post


class ReadByEverybody(BasePermission):
    """Everybody reads; who posts for an organisation, and staff, write. Which rows is the view's question."""

    allows_strangers = True

    def has_permission(self, request: Request, view: Any) -> bool:
        return request.method in SAFE_METHODS or can_post(request.user)


class StaffAlone(BasePermission):
    def has_permission(self, request: Request, view: Any) -> bool:
        return can_manage_catalogue(request.user)
