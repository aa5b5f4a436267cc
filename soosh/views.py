from __future__ import annotations

from typing import Any

from django.http import Http404
from django.views.generic import TemplateView

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
