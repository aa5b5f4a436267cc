"""How a mentor's sessions went: figures with their sample and what they mean."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse

from accounts.selectors import person_of
from bookings.selectors import FEWEST_FOR_A_SHARE, FIGURE_DAYS, Step, figures_of_mentor
from core.pages import SignedInPage

# In units of the drawing.
_WIDTH, _HEIGHT, _STEP, _NAMES = 400, 18, 26, 80


class FiguresPage(SignedInPage):
    """From being asked to people who come back."""

    template = "bookings/figures.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        figures = figures_of_mentor(person_of(request))
        most = max(1, *(step.number for step in figures.steps))
        rows = [_row(step) | _bar(position, step.number, most) for position, step in enumerate(figures.steps)]
        drawing = {"width": _WIDTH, "names": _NAMES, "height": _STEP * len(rows)}
        return self.show(request, rows=rows, drawing=drawing, figures=figures, days=FIGURE_DAYS, fewest=FEWEST_FOR_A_SHARE)


def _row(step: Step) -> dict[str, Any]:
    share = f"{step.number / step.sample:.0%}" if step.sample and step.sample >= FEWEST_FOR_A_SHARE else ""
    return {"step": step, "share": share}


def _bar(position: int, number: int, most: int) -> dict[str, int]:
    return {"y": position * _STEP, "below": position * _STEP + 13, "length": number * (_WIDTH - _NAMES) // most, "bar_height": _HEIGHT}
