from __future__ import annotations

import uuid
from typing import cast

from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache

from accounts.models import User
from payments.models import Payment
from payments.policies import can_see_receipt
from payments.selectors import payments_of
from payments.services.receipts import receipt_of, receipt_pdf


@method_decorator(never_cache, name="dispatch")
class ReceiptPage(LoginRequiredMixin, View):
    """The receipt of something that the signed-in person paid."""

    def get(self, request: HttpRequest, payment_id: uuid.UUID) -> HttpResponse:
        payment = self.paid(request, payment_id)
        return render(request, "payments/receipt.html", {"receipt": receipt_of(payment), "payment_id": payment.pk})

    def paid(self, request: HttpRequest, payment_id: uuid.UUID) -> Payment:
        person = cast(User, request.user)
        payment = payments_of(person).select_related("payer", "payee").filter(pk=payment_id).first()
        if payment is None or not can_see_receipt(person, payment):
            raise Http404
        return payment


class ReceiptFile(ReceiptPage):
    """The same as a file."""

    def get(self, request: HttpRequest, payment_id: uuid.UUID) -> HttpResponse:
        payment = self.paid(request, payment_id)
        answer = HttpResponse(receipt_pdf(payment), content_type="application/pdf")
        answer["Content-Disposition"] = f'inline; filename="soosh-receipt-{payment.pk}.pdf"'
        return answer
