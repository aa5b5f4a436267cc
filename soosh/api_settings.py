"""Settings of the API and of its description."""

from __future__ import annotations

from typing import Any

from soosh.api_names import ENUM_NAMES


def rest_framework(*, throttles: bool, proxies: int) -> dict[str, Any]:
    """The settings of Django REST framework. `proxies` is the number of trusted proxies in front."""
    return {
        "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.api.v1.authentication.TokenAuthentication"],
        "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "DEFAULT_PARSER_CLASSES": ["core.parsers.StrictJSONParser"],
        "DEFAULT_PAGINATION_CLASS": "core.pagination.CursorPages",
        "DEFAULT_CONTENT_NEGOTIATION_CLASS": "core.negotiation.Negotiation",
        "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
        "DEFAULT_SCHEMA_CLASS": "core.schema.ApiSchema",
        "EXCEPTION_HANDLER": "core.problems.handle_exception",
        "DEFAULT_THROTTLE_CLASSES": ["core.throttling.PersonThrottle", "core.throttling.StrangerThrottle"] if throttles else [],
        "DEFAULT_THROTTLE_RATES": {
            "user": "600/min",
            "anon": "120/min",
            "page_user": "300/min",
            "page_anon": "120/min",
            "upload": "20/min" if throttles else None,
        },
        "NUM_PROXIES": proxies,
        "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
        "DATETIME_FORMAT": "%Y-%m-%dT%H:%M:%SZ",
        "URL_FORMAT_OVERRIDE": None,
    }


def spectacular(*, version: str) -> dict[str, Any]:
    """The settings of drf-spectacular, which writes the description of the API."""
    return {
        "TITLE": "Soosh API",
        "DESCRIPTION": "Find your way: an interview that learns what you can do, opportunities that fit, and honest reasons why.",
        "VERSION": version,
        "OAS_VERSION": "3.1.0",
        "SERVE_INCLUDE_SCHEMA": False,
        "SCHEMA_PATH_PREFIX": "/api/v1",
        "COMPONENT_SPLIT_REQUEST": True,
        "SWAGGER_UI_DIST": "SIDECAR",
        "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
        "REDOC_DIST": "SIDECAR",
        "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
        "SERVE_AUTHENTICATION": [],
        "ENUM_NAME_OVERRIDES": ENUM_NAMES,
    }
