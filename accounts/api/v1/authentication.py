from __future__ import annotations

from typing import Any

from allauth.headless.contrib.rest_framework.authentication import JWTTokenAuthentication
from django.http import HttpRequest
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.exceptions import AuthenticationFailed

from accounts.providers.tokens import is_for_us, person_behind


class TokenAuthentication(JWTTokenAuthentication):
    """`Authorization: Bearer <access_token>`; the session behind the token is checked on each request."""

    def authenticate_credentials(self, key: str) -> tuple[Any, dict[str, Any]]:
        found = person_behind(key)
        if found is None:
            raise AuthenticationFailed("Invalid or expired access token.")
        user, payload = found
        if not is_for_us(payload):
            raise AuthenticationFailed("This token was made for something else.")
        return user, payload

    def authenticate_header(self, request: HttpRequest) -> str:
        return "Bearer"


class TokenAuthenticationScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = TokenAuthentication
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
