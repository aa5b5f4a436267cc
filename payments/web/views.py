from __future__ import annotations

import dataclasses
import datetime
import uuid
from typing import Any, cast
from zoneinfo import ZoneInfo

from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache

from accounts.models import User
from accounts.selectors import person_of
from core.money import Money
from core.pages import Keyset, SignedInPage
from payments.models import Payment
from payments.policies import can_see_receipt
from payments.selectors import earnings_of, movements_of_earnings, payments_of, sent_by_month
from payments.services.onboarding import start_onboarding
from payments.services.receipts import receipt_of, receipt_pdf
from payments.web.forms import CountryForm

_PLOTTED = datetime.timedelta(days=335)
# Of a plot, in units of its own: the width of a month, of the bar in it, and the height of the tallest bar.
_STEP, _BAR, _HEIGHT = 48, 32, 140


@dataclasses.dataclass(frozen=True)
class Bar:
    """A month of a plot: `x`, `y` and `height` place it, with y going down."""

    month: datetime.date
    amount: Money
    x: int
    y: int
    height: int


@dataclasses.dataclass(frozen=True)
class Plot:
    """The bars of one currency. A month in which more was taken back than sent has none."""

    currency: str
    bars: list[Bar]
    width: int


def plots_of(months: list[tuple[datetime.date, Money]]) -> list[Plot]:
    """A plot for each currency."""
    found = []
    for currency in sorted({amount.currency for _, amount in months}):
        rows = [(month, amount) for month, amount in months if amount.currency == currency]
        most = max(1, *(amount.amount for _, amount in rows), 1)
        bars = [_bar(month, amount, number, most) for number, (month, amount) in enumerate(rows)]
        found.append(Plot(currency, bars, _STEP * len(bars)))
    return found


def _bar(month: datetime.date, amount: Money, number: int, most: int) -> Bar:
    height = max(0, amount.amount) * _HEIGHT // most
    return Bar(month, amount, number * _STEP + (_STEP - _BAR) // 2, _HEIGHT - height, height)


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


class EarningsPage(SignedInPage):
    """What a mentor earned, what is coming when, and what went out."""

    template = "payments/earnings.html"

    def get(self, request: HttpRequest, form: CountryForm | None = None, **kwargs: Any) -> HttpResponse:
        person = person_of(request)
        zone = ZoneInfo(person.time_zone)
        page = Keyset(request, movements_of_earnings(person))
        since = (timezone.now() - _PLOTTED).replace(day=1)
        return self.show(
            request,
            earnings=earnings_of(person),
            plots=plots_of(sent_by_month(person, since, zone)),
            page=page,
            form=form or CountryForm(),
            zone=person.time_zone,
        )

    def post(self, request: HttpRequest) -> HttpResponse:
        """Where the provider is told where the earnings go: a link, good once."""
        form = CountryForm(request.POST)
        if not form.is_valid():
            return self.again(request, form=form)
        url = start_onboarding(person=person_of(request), country=form.cleaned_data["country"])
        return render(request, "payments/onboarding.html", {"url": url})


class EarningsSummaryPage(SignedInPage):
    """The balances alone."""

    template, part = "payments/summary.html", "payments/summary_part.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show(request, earnings=earnings_of(person_of(request)))
