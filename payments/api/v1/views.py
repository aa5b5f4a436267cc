from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.http import HttpResponse, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.generics import get_object_or_404
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.selectors import person_of
from core.idempotency import KEY_PARAMETER, idempotent
from core.operations import APIView, GenericAPIView
from core.spreadsheets import plain_cell
from payments.api.v1.serializers import (
    EarningsMovementSerializer,
    EarningsSerializer,
    IntentRequestSerializer,
    IntentSerializer,
    OnboardingRequestSerializer,
    OnboardingSerializer,
    PaymentSerializer,
)
from payments.errors import NoReceipt
from payments.models import Movement, Payment
from payments.policies import can_see_receipt
from payments.selectors import earnings_of, movements_of_earnings, payments_of, rows_of_history
from payments.services.onboarding import start_onboarding
from payments.services.paying import payment_for, start_payment
from payments.services.receipts import receipt_pdf
from payments.services.splitting import parts_after_returns

_COLUMNS = (
    "date",
    "payment",
    "role",
    "description",
    "state",
    "currency",
    "amount",
    "captured",
    "returned",
    "tax_name",
    "tax",
    "platform_fee",
    "mentor_payout",
)


class CreateIntentView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(
        operation_id="create_payment_intent",
        tags=["payments"],
        parameters=[KEY_PARAMETER],
        request=IntentRequestSerializer,
        responses={201: IntentSerializer},
    )
    def post(self, request: Request) -> Response:
        """Begin to pay for a booking that is held for you, or go on with it. Called again it gives the same agreement to pay; once there
        is nothing to pay any more it is 409, under a used key, too. Takes `Idempotency-Key`."""
        self._payment(request)
        answer: Response = self._start(request)
        return answer

    def _payment(self, request: Request) -> Payment:
        return payment_for(payer=person_of(request), subject_id=IntentRequestSerializer.read(request)["booking_id"])

    @idempotent
    def _start(self, request: Request) -> Response:
        payment = self._payment(request)
        started = start_payment(payment_id=payment.pk)
        parts = parts_after_returns(started.payment)
        is_peer = settings.PAYMENT_ENGINE == "peer"
        answer = {
            "payment_id": payment.pk,
            "client_secret": started.client_secret,
            "publishable_key": settings.STRIPE_PUBLISHABLE_KEY,
            "amount": started.payment.money,
            **{"platform_fee": parts.fee, "tax": parts.tax, "mentor_payout": parts.payee},
            "is_test": not settings.STRIPE_IS_LIVE,
            "pay_page": f"{settings.STRIPE_API_BASE}/pay/{started.client_secret}" if is_peer else "",
        }
        return Response(IntentSerializer(answer).data, status=201)


class PaymentsView(GenericAPIView[Payment]):
    permission_classes = (IsAuthenticated,)
    serializer_class: Any = PaymentSerializer
    queryset = Payment.objects.none()
    filter_backends = ()

    @extend_schema(operation_id="list_payments", tags=["payments"], responses={200: PaymentSerializer(many=True)})
    def get(self, request: Request) -> Response:
        """What you paid and what you were paid, newest first."""
        page = self.paginate_queryset(payments_of(person_of(request)))
        return self.get_paginated_response(PaymentSerializer(page, many=True, context={"user": request.user}).data)


class PaymentView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="read_payment", tags=["payments"], responses={200: PaymentSerializer})
    def get(self, request: Request, payment_id: Any) -> Response:
        """One payment of yours, with its refunds."""
        payment = get_object_or_404(payments_of(person_of(request)), pk=payment_id)
        return Response(PaymentSerializer(payment, context={"user": request.user}).data)


class ReceiptView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(
        operation_id="download_receipt",
        tags=["payments"],
        responses={(200, "application/pdf"): OpenApiResponse(OpenApiTypes.BINARY, "The receipt.")},
    )
    def get(self, request: Request, payment_id: Any) -> HttpResponse:
        """The receipt of something that you paid, as a tagged PDF, with what was paid back since."""
        person = person_of(request)
        payment = get_object_or_404(payments_of(person), pk=payment_id)
        if not can_see_receipt(person, payment):
            raise NoReceipt
        answer = HttpResponse(receipt_pdf(payment), content_type="application/pdf")
        answer["Content-Disposition"] = f'attachment; filename="soosh-receipt-{payment.pk}.pdf"'
        answer["Cache-Control"] = "private, no-store"
        return answer


class HistoryView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(
        operation_id="download_payment_history",
        tags=["payments"],
        responses={(200, "text/csv"): OpenApiResponse(OpenApiTypes.STR, "A line for each payment, amounts in major units.")},
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        """All that you paid and were paid, as a table for a spreadsheet."""
        answer = StreamingHttpResponse(_lines(request), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = 'attachment; filename="soosh-payments.csv"'
        answer["Cache-Control"] = "private, no-store"
        return answer


class EarningsView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="read_earnings", tags=["payouts"], responses={200: EarningsSerializer})
    def get(self, request: Request) -> Response:
        """What you earned as a mentor: pending with its dates, available, paid, and owed; and how your account stands."""
        return Response(EarningsSerializer(earnings_of(person_of(request))).data)


class EarningsMovementsView(GenericAPIView[Movement]):
    permission_classes = (IsAuthenticated,)
    serializer_class: Any = EarningsMovementSerializer
    queryset = Movement.objects.none()
    filter_backends = ()

    @extend_schema(operation_id="list_earnings_movements", tags=["payouts"], responses={200: EarningsMovementSerializer(many=True)})
    def get(self, request: Request) -> Response:
        """What went to your account and to your bank, newest first."""
        page = self.paginate_queryset(movements_of_earnings(person_of(request)))
        return self.get_paginated_response(EarningsMovementSerializer(page, many=True).data)


class OnboardingView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(
        operation_id="start_payout_onboarding", tags=["payouts"], request=OnboardingRequestSerializer, responses={200: OnboardingSerializer}
    )
    def post(self, request: Request) -> Response:
        """Where you tell the payment provider where your earnings go. We do not see what you write there."""
        url = start_onboarding(person=person_of(request), country=OnboardingRequestSerializer.read(request)["country"])
        return Response({"url": url})


def _lines(request: Request) -> Iterator[str]:
    yield _line(_COLUMNS)
    for payment, role in rows_of_history(person_of(request)):
        parts = parts_after_returns(payment)
        yield _line(
            (
                payment.created_at.isoformat(timespec="seconds"),
                str(payment.pk),
                role,
                payment.description,
                payment.state,
                payment.currency,
                *(str(money.major) for money in (payment.money, payment.captured, payment.returned)),
                payment.tax_name,
                *(str(money.major) for money in (parts.tax, parts.fee, parts.payee)),
            )
        )


def _line(cells: tuple[str, ...]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow([plain_cell(cell) for cell in cells])
    return line.getvalue()
