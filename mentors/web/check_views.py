"""What a mentor has looked into about themselves: asks for a check, adds evidence, hands it in."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from accounts.selectors import person_of
from core.documents import MOST_BYTES
from mentors.enums import CheckState
from mentors.models import Check, CheckDocument
from mentors.selectors import badge_text, checks_of, own_profile
from mentors.services import documents, verification
from mentors.web.forms import CheckForm, CodeForm, DocumentForm
from mentors.web.own_views import DeskPage


class ChecksPage(DeskPage):
    template = "mentors/checks.html"

    def get(self, request: HttpRequest, form: CheckForm | None = None, **kwargs: Any) -> HttpResponse:
        person = person_of(request)
        checks = [(check, badge_text(check) if check.state == CheckState.PASSED else "") for check in checks_of(person)[:50]]
        return self.show(request, checks=checks, form=form or CheckForm(), zone=person.time_zone)

    def post(self, request: HttpRequest) -> HttpResponse:
        form = CheckForm(request.POST)
        if not form.is_valid():
            return self.again(request, form=form)
        check = verification.request_check(profile=own_profile(person_of(request)), **form.cleaned_data)
        messages.success(request, "The check is begun. Add what shows it, then hand it in.")
        return redirect("check-page", check.pk)


class CheckPage(DeskPage):
    """One check: its evidence, and how it stands."""

    template = "mentors/check.html"

    def get(self, request: HttpRequest, check_id: uuid.UUID, **shown: Any) -> HttpResponse:
        check = self.own(request, check_id)
        stored = [document for document in check.documents.all() if document.is_stored]
        known = {"document_form": DocumentForm(), "code_form": CodeForm()}
        badge = badge_text(check) if check.state == CheckState.PASSED else ""
        return self.show(request, check=check, badge=badge, documents=stored, zone=person_of(request).time_zone, **(known | shown))

    def own(self, request: HttpRequest, check_id: uuid.UUID) -> Check:
        return get_object_or_404(checks_of(person_of(request)), pk=check_id)


class CheckMovePage(CheckPage):
    """Does one thing with a check."""

    done = ""
    form_name = ""
    form: type[forms.Form] = forms.Form
    act: Callable[..., object]

    def post(self, request: HttpRequest, check_id: uuid.UUID) -> HttpResponse:
        check = self.own(request, check_id)
        form = self.form(request.POST, request.FILES)
        if not form.is_valid():
            shown: dict[str, Any] = {self.form_name: form}
            return self.again(request, **shown)
        type(self).act(check, **form.cleaned_data)
        messages.success(request, self.done)
        return redirect("check-page", check.pk)


def _add_document(check: Check, document: Any) -> None:
    # One byte more than allowed is enough to see that it is too much.
    documents.add_document(check=check, content=document.read(MOST_BYTES + 1))


class AddDocumentPage(CheckMovePage):
    done, form_name, form = "The file is kept until the check is decided.", "document_form", DocumentForm
    act = staticmethod(_add_document)


class MailCodePage(CheckMovePage):
    done = "A code is on its way to your mailbox at work."
    act = staticmethod(lambda check: verification.mail_code(check=check))


class ConfirmCodePage(CheckMovePage):
    done, form_name, form = "That mailbox is yours.", "code_form", CodeForm
    act = staticmethod(lambda check, code: verification.confirm_code(check=check, code=code))


class SubmitCheckPage(CheckMovePage):
    done = "Thank you. Our staff look at it, and we tell you."
    act = staticmethod(lambda check: verification.submit_check(check=check))


class WithdrawCheckPage(CheckMovePage):
    done = "The check is taken back, and its files are deleted."
    act = staticmethod(lambda check: verification.withdraw_check(check=check))


class RemoveDocumentPage(CheckPage):
    def get(self, request: HttpRequest, check_id: uuid.UUID, **shown: Any) -> HttpResponse:
        shown.pop("document_id", None)
        return super().get(request, check_id, **shown)

    def post(self, request: HttpRequest, check_id: uuid.UUID, document_id: uuid.UUID) -> HttpResponse:
        rows = CheckDocument.objects.filter(check_of=self.own(request, check_id), is_stored=True)
        documents.remove_document(document=get_object_or_404(rows, pk=document_id))
        messages.success(request, "The file is deleted.")
        return redirect("check-page", check_id)
