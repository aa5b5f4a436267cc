from __future__ import annotations

import re
from typing import Any

from drf_spectacular.utils import extend_schema_field

from core import serializers
from core.serializers import MoneySerializer, RequestSerializer
from payments.models import Movement, Payment, PayoutAccount
from payments.selectors import Earnings
from payments.services.splitting import parts_after_returns

_COUNTRY = re.compile(r"[A-Z]{2}")


class IntentRequestSerializer(RequestSerializer):
    booking_id = serializers.UUIDField(
        help_text="What is paid for. Sessions that are paid for together can be named by their series or by any of them."
    )


class IntentSerializer(serializers.Serializer[Any]):
    """What the app hands to Stripe's SDK, so that the payer can agree to pay."""

    payment_id = serializers.UUIDField()
    client_secret = serializers.CharField()
    publishable_key = serializers.CharField()
    amount = MoneySerializer()
    platform_fee = MoneySerializer()
    mentor_payout = MoneySerializer()
    tax = MoneySerializer(help_text="Contained in the amount.")
    is_test = serializers.BooleanField(help_text="No money moves.")
    pay_page = serializers.CharField(help_text="A page to pay on, where the provider is the peer for development; otherwise empty.")


class RefundSerializer(serializers.ModelSerializer[Movement]):
    """Money on its way back to the payer, or there."""

    amount = MoneySerializer(source="money")

    class Meta:
        model = Movement
        fields = ("id", "amount", "reason", "state", "created_at", "done_at")
        read_only_fields = fields


class TaxSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    basis_points = serializers.IntegerField(help_text="1900 is 19 %.")
    amount = MoneySerializer(help_text="The tax contained in what was captured and not refunded.")


class PaymentSerializer(serializers.ModelSerializer[Payment]):
    """A payment as its payer and its payee see it. Once it is captured, `captured` is exactly the sum of `refunded`, `platform_fee`,
    `mentor_payout` and the amount of the tax."""

    role = serializers.SerializerMethodField(help_text="payer or payee.")
    amount = MoneySerializer(source="money")
    captured = MoneySerializer(help_text="What was taken.")
    refunded = MoneySerializer(source="returned", help_text="Refunded or lost in a dispute. `refunds` says which refunds are on their way.")
    platform_fee = serializers.SerializerMethodField(help_text="The platform's part, less its share of what was refunded.")
    mentor_payout = serializers.SerializerMethodField(help_text="The mentor's part, less its share of what was refunded.")
    tax = serializers.SerializerMethodField()
    refunds = RefundSerializer(many=True)
    has_receipt = serializers.SerializerMethodField()

    class Meta:
        model = Payment
        fields = (
            *("id", "subject_id", "role", "description", "state", "failure_code", "amount", "captured", "refunded", "platform_fee"),
            *("mentor_payout", "tax", "refunds", "has_receipt", "created_at", "captured_at", "cancelled_at", "earned_at", "release_at"),
        )
        read_only_fields = fields

    def get_role(self, payment: Payment) -> str:
        return "payer" if payment.payer_id == self.context["user"].pk else "payee"

    @extend_schema_field(MoneySerializer)
    def get_platform_fee(self, payment: Payment) -> dict[str, Any]:
        return parts_after_returns(payment).fee.as_json()

    @extend_schema_field(MoneySerializer)
    def get_mentor_payout(self, payment: Payment) -> dict[str, Any]:
        return parts_after_returns(payment).payee.as_json()

    @extend_schema_field(TaxSerializer(allow_null=True))
    def get_tax(self, payment: Payment) -> dict[str, Any] | None:
        if not payment.tax_name:
            return None
        amount = parts_after_returns(payment).tax.as_json()
        return {"name": payment.tax_name, "basis_points": payment.tax_basis_points, "amount": amount}

    def get_has_receipt(self, payment: Payment) -> bool:
        return self.get_role(payment) == "payer" and payment.captured_amount > 0


class OnboardingRequestSerializer(RequestSerializer):
    country = serializers.RegexField(_COUNTRY, max_length=2, help_text="Where your bank is: ISO 3166-1, two capitals.")


class OnboardingSerializer(serializers.Serializer[Any]):
    url = serializers.URLField(help_text="Where the provider asks for what it needs; good once, for some minutes.")


class PayoutAccountSerializer(serializers.ModelSerializer[PayoutAccount]):
    """Your account at the provider."""

    class Meta:
        model = PayoutAccount
        fields = ("country", "is_submitted", "can_receive", "can_pay_out", "missing", "disabled_reason")
        read_only_fields = fields


class BalanceSerializer(serializers.Serializer[Any]):
    """Earnings in one currency. What is owed is taken off what you earn next."""

    pending = MoneySerializer(help_text="Waits for sessions, and for the time after them in which payers may complain.")
    available = MoneySerializer(help_text="Goes to your account as soon as that can receive it.")
    frozen = MoneySerializer(help_text="A payer's bank is looking into it.")
    paid = MoneySerializer(help_text="Went to your account.")
    owed = MoneySerializer(help_text="Was paid back to payers after you got it.")


class UpcomingSerializer(serializers.Serializer[Any]):
    payment_id = serializers.UUIDField()
    description = serializers.CharField()
    amount = MoneySerializer()
    release_at = serializers.DateTimeField(allow_null=True, help_text="Null before the session has taken place.")


class EarningsSerializer(serializers.Serializer[Earnings]):
    """What a mentor earned. Amounts of different currencies are never added up."""

    account = PayoutAccountSerializer(allow_null=True)
    balances = BalanceSerializer(many=True)
    upcoming = UpcomingSerializer(many=True)


class EarningsMovementSerializer(serializers.ModelSerializer[Movement]):
    """A transfer to your account, something taken back from it, or a payout to your bank."""

    amount = MoneySerializer(source="money")

    class Meta:
        model = Movement
        fields = ("id", "kind", "amount", "state", "failure_code", "payment_id", "created_at", "done_at")
        read_only_fields = fields
