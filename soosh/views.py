from __future__ import annotations

import dataclasses
import functools
import gzip
import hashlib
import json
from typing import Any

import yaml
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.http import require_safe
from django.views.generic import TemplateView

from core.negotiation import preferred
from core.problems import problem_response
from soosh.problem_pages import problem_meanings


class ProblemPage(TemplateView):
    """What an error code means; the `type` of a problem document points here."""

    template_name = "soosh/problem.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        meanings = problem_meanings()
        if kwargs["code"] not in meanings:
            raise Http404
        return super().get_context_data(meaning=meanings[kwargs["code"]], **kwargs)


class InAppPage(TemplateView):
    """What a link in a mail shows where the app is not."""

    template_name = "soosh/in_app.html"


# YAML first: it is what the file of the release has.
_SCHEMA_TYPES = ("application/vnd.oai.openapi", "application/yaml", "application/json", "application/vnd.oai.openapi+json")


@dataclasses.dataclass(frozen=True)
class _Document:
    plain: bytes
    compressed: bytes
    tag: str


@functools.cache
def _document(*, is_json: bool) -> _Document:
    """The description of this release, as `make fix` wrote it and `make check` compared it with the code."""
    plain = (settings.BASE_DIR / "openapi.yaml").read_bytes()
    if is_json:
        plain = json.dumps(yaml.load(plain, Loader=yaml.CSafeLoader)).encode()
    return _Document(plain, gzip.compress(plain, mtime=0), f'"{hashlib.sha256(plain).hexdigest()[:32]}"')


@method_decorator(require_safe, name="dispatch")
class SchemaView(View):
    """The description of the API in OpenAPI, as YAML or JSON."""

    def get(self, request: HttpRequest) -> HttpResponse:
        media_type = preferred(request, _SCHEMA_TYPES)
        if media_type is None:
            return problem_response(406, "not_acceptable", f"Accept one of these types: {', '.join(_SCHEMA_TYPES)}.")
        document = _document(is_json=media_type.endswith("json"))
        is_compressed = "gzip" in request.headers.get("Accept-Encoding", "")
        answer = HttpResponse(document.compressed if is_compressed else document.plain, content_type=media_type)
        if is_compressed:
            answer["Content-Encoding"] = "gzip"
        answer["ETag"] = document.tag if not is_compressed else f"W/{document.tag}"
        answer["Cache-Control"] = "public, max-age=300"
        patch_vary_headers(answer, ("Accept", "Accept-Encoding"))
        return answer
