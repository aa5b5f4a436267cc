"""`Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): the same request under the same key is carried out once, and answered the
same.

The effect and the answer are stored in one transaction, so there is never one without the other: whoever dies in between has done nothing,
and the key is free again at once. What was refused is not kept; a client mends it and sends it under the same key.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable
from typing import Any, TypeVar

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from core.errors import Busy, Conflict, FieldError, InvalidInput
from core.models import KeptAnswer

_LONGEST_KEY = 255
_RETRY_SECONDS = 1

KEY_PARAMETER = OpenApiParameter(
    "Idempotency-Key", str, OpenApiParameter.HEADER, description="The same request under the same key is carried out once."
)
View = TypeVar("View", bound=Callable[..., Response])


class KeyReused(Conflict):
    code = "idempotency_key_reused"
    message = _("This Idempotency-Key was used for another request. Take a new one.")


class KeyInUse(Busy):
    code = "idempotency_key_in_use"
    message = _("The first request with this Idempotency-Key is still running.")


def idempotent(view: View) -> View:
    """Let a method of a view be called with an `Idempotency-Key`. Needs a signed-in person; keys are theirs alone."""

    @functools.wraps(view)
    def wrapped(self: Any, request: Request, *arguments: Any, **options: Any) -> Response:
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return view(self, request, *arguments, **options)
        if not key or len(key) > _LONGEST_KEY or not key.isprintable():
            raise InvalidInput(errors=(FieldError("Idempotency-Key", "invalid_key", "Use 1 to 255 letters, digits and signs."),))
        with transaction.atomic():
            return _once(request, key, lambda: view(self, request, *arguments, **options))

    return wrapped  # type: ignore[return-value]  # it takes and gives what the view does


def _once(request: Request, key: str, run: Callable[[], Response]) -> Response:
    owner = request.user.pk
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", (f"core.idempotency {owner} {key}",))
        if not cursor.fetchone()[0]:
            raise KeyInUse(retry_after_seconds=_RETRY_SECONDS)
    fingerprint = _fingerprint(request)
    kept = KeptAnswer.objects.filter(owner=owner, key=key).first()
    if kept is not None:
        if kept.fingerprint != fingerprint:
            raise KeyReused
        return Response(kept.body, status=kept.status, headers={"Idempotent-Replayed": "true"})
    response = run()
    body = None if response.data is None else json.loads(JSONRenderer().render(response.data))
    KeptAnswer.objects.create(owner=owner, key=key, fingerprint=fingerprint, status=response.status_code, body=body)
    return response


def _fingerprint(request: Request) -> str:
    content = json.dumps([request.method, request.path, request.data], sort_keys=True, default=str)
    return hashlib.sha256(content.encode()).hexdigest()
