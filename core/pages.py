"""What pages for people share: errors are shown where they happened, and one view has two renderings, the page and the part of it that
changes."""

from __future__ import annotations

import uuid
from typing import Any, Generic, TypeVar, cast

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.core.exceptions import BadRequest
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.gzip import gzip_page

from core import strict
from core.errors import DomainError, NotFound

Row = TypeVar("Row", bound=Model)


# Pages are made of words, a third of the size when compressed; Django's compression hides the length of what is secret in them (BREACH).
@method_decorator(gzip_page, name="dispatch")
class Page(View):
    """A page. `part` is the template of what changes on it: asked for by htmx, it comes alone."""

    template = ""
    part = ""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return super().dispatch(request, *args, **kwargs)
        except NotFound as error:
            raise Http404 from error
        except DomainError as error:
            return self.show_error(request, error)

    def show(self, request: HttpRequest, *, status: int = 200, **context: Any) -> HttpResponse:
        is_part = bool(self.part) and request.headers.get("HX-Request") == "true"
        response = render(request, self.part if is_part else self.template, context, status=status)
        patch_vary_headers(response, ("HX-Request",))
        return response

    def show_error(self, request: HttpRequest, error: DomainError) -> HttpResponse:
        """The same page as it is now, with what went wrong above it, and the status of the error."""
        messages.error(request, words_of(error))
        request.method = "GET"
        response = self.again(request, status=error.status)
        seconds = getattr(error, "retry_after_seconds", None)
        if seconds is not None:
            response["Retry-After"] = str(seconds)
        return response

    def again(self, request: HttpRequest, *, status: int = 400, **shown: Any) -> HttpResponse:
        """The page as it is, but for what is `shown`, such as a form that says what is wrong with it. Where it only leads on, it does."""
        read = self.get  # type: ignore[attr-defined]  # every page can be read
        response = cast(HttpResponse, read(request, **self.kwargs, **shown))
        if response.status_code == 200:
            response.status_code = status
        return response


class Keyset(Generic[Row]):
    """A stretch of rows, newest first: those before the one whose key is `before` in the address. `last` is the key to go on with, None at
    the end."""

    def __init__(self, request: HttpRequest, rows: QuerySet[Row], *, size: int = 20) -> None:
        before = request.GET.get("before", "")
        self.is_first = not before
        if before:
            rows = rows.filter(pk__lt=_key_in(before))
        found = list(rows.order_by("-pk")[: size + 1])
        self.rows = found[:size]
        self.last = self.rows[-1].pk if len(found) > size else None


def _key_in(before: str) -> uuid.UUID:
    try:
        return strict.parse_uuid(before)
    except strict.Malformed as error:
        raise BadRequest("before") from error


@method_decorator(never_cache, name="dispatch")
class SignedInPage(LoginRequiredMixin, Page):
    """A page that everybody sees differently. Who is not signed in is asked to be."""


def words_of(error: DomainError) -> str:
    """What went wrong, in the words of the fields at fault, or of the error."""
    return " ".join(str(item.detail) for item in error.errors) or str(error.detail)
