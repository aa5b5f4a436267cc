"""How a session went, as pages: what each side says, and contesting it."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from accounts.models import User
from accounts.selectors import person_of
from bookings.models import AppealEvidence, Booking
from bookings.selectors import bookings_of
from bookings.services import appeal_evidence, appealing, ending
from bookings.web.forms import AppealForm, EvidenceForm, NoShowForm
from bookings.web.views import AskedMovePage, MovePage
from core.documents import MOST_BYTES
from core.pages import SignedInPage


class CompletePage(MovePage):
    done = "Thank you. We recorded that the session took place."
    act = staticmethod(lambda key, person: ending.complete_booking(booking_id=key, user=person))


class NoShowPage(AskedMovePage):
    move, form = "no-show", NoShowForm
    title, button, done = "Say that somebody did not come", "Send", "Thank you. We recorded it. The other side can contest it."
    act = staticmethod(
        lambda key, person, absent, note: ending.report_no_show(booking_id=key, user=person, note=note, is_own=absent == "me")
    )


class AppealPage(AskedMovePage):
    move, form = "appeal", AppealForm
    title, button, done = "Say what happened", "Send", "Our staff will look at it. You can add files until they decide."
    act = staticmethod(lambda key, person, text: appealing.appeal(booking_id=key, user=person, text=text))


def _add_evidence(booking_id: uuid.UUID, person: User, document: object) -> None:
    booking = Booking.objects.select_related("session").get(pk=booking_id)
    # One byte more than allowed is enough to see that it is too much.
    content = document.read(MOST_BYTES + 1)  # type: ignore[attr-defined]  # an uploaded file
    appeal_evidence.add_evidence(booking=booking, user=person, content=content)


class EvidencePage(AskedMovePage):
    move, form = "appeal/evidence", EvidenceForm
    title, button, done = "Add a file for our staff", "Add the file", "The file is with your account of the session."
    act = staticmethod(_add_evidence)


class EvidenceFile(SignedInPage):
    """A file of one of the accounts."""

    def get(self, request: HttpRequest, booking_id: uuid.UUID, evidence_id: uuid.UUID) -> HttpResponse:
        booking = get_object_or_404(bookings_of(person_of(request)), pk=booking_id)
        return evidence_response(get_object_or_404(AppealEvidence, pk=evidence_id, appeal__booking=booking, is_stored=True))


def evidence_response(evidence: AppealEvidence) -> HttpResponse:
    """A file for saving, never shown by the browser on this site."""
    extension = evidence.content_type.partition("/")[2]
    headers = {
        "Content-Disposition": f'attachment; filename="{evidence.pk}.{extension}"',
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
    }
    return HttpResponse(appeal_evidence.read_evidence(evidence.file), content_type="application/octet-stream", headers=headers)
