from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponseBase, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django.views.static import serve

from core.health import OK, readiness

# Of names that we give; a file system has an error of its own for names that are too long.
_LONGEST_PATH = 250


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Answers while the process lives."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Answers 200 when everything that Soosh stands on is in order, and 503 naming what is not. Anybody may ask: addresses and messages of
    servers are told by `manage.py doctor` alone."""
    checks = {name: state.summary for name, state in readiness().items()}
    ready = all(summary == OK for summary in checks.values())
    return JsonResponse({"status": "ok" if ready else "unavailable", "checks": checks}, status=200 if ready else 503)


@require_safe
def media(request: HttpRequest, path: str) -> HttpResponseBase:
    """Public files while they lie in a folder of this machine. Their names are random and never used again, so they may be kept.

    Whatever they hold, a browser shows them as nothing but pictures.
    """
    if settings.S3_BUCKET or not path.endswith(".webp") or len(path.encode()) > _LONGEST_PATH:
        raise Http404
    response = serve(request, path, document_root=str(settings.MEDIA_ROOT / "public"))
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    response["Content-Type"] = "image/webp"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["X-Content-Type-Options"] = "nosniff"
    return response
