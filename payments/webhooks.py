"""Where Stripe tells that something happened."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from core.problems import problem_response
from core.signed_events import UnreadableEvent
from payments.providers.stripe import read_notice
from payments.services.inbox import receive_notice

_LARGEST_BODY = 512_000


@method_decorator(csrf_exempt, name="dispatch")
class StripeWebhook(View):
    """An event is stored and answered at once, and looked into after. What Stripe did not sign lately leaves nothing behind."""

    http_method_names = ("post",)

    def post(self, request: HttpRequest) -> JsonResponse:
        is_small = len(request.body) <= _LARGEST_BODY
        try:
            notice = read_notice(request.body, request.headers.get("Stripe-Signature", "")) if is_small else None
        except UnreadableEvent as error:
            return problem_response(400, "invalid_event", f"This is no event of Stripe: {error}.")
        if notice is None:
            return problem_response(400, "invalid_signature", "Stripe has not signed this, or not lately, or not for this account.")
        receive_notice(notice=notice)
        return JsonResponse({"received": True})
