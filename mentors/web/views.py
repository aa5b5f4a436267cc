from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.views import View

from mentors.services.links import calendar_of, person_behind


class CalendarFile(View):
    """A person's sessions for their own calendar program. The address is the key: nothing of it is said where it is wrong."""

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        person = person_behind(token)
        if person is None:
            raise Http404
        answer = HttpResponse(calendar_of(person), content_type="text/calendar; charset=utf-8")
        answer["Content-Disposition"] = 'attachment; filename="soosh.ics"'
        answer["Cache-Control"] = "private, max-age=300"
        answer["X-Robots-Tag"] = "noindex"
        return answer
