"""Where Daily tells who came into a room and left it."""

from __future__ import annotations

import json

from django.http import HttpRequest, JsonResponse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from bookings.providers.daily import is_signed
from bookings.services.hearing import hear_of_stay
from core.problems import problem_response

_LARGEST_BODY = 64_000
_LARGEST_TRIAL = 100


@method_decorator(csrf_exempt, name="dispatch")
class DailyWebhook(View):
    """Signed events of stays are taken into account at once: they may come twice and in any order. What Daily did not sign lately leaves
    nothing behind; kinds that nobody needs are answered and forgotten. Before a webhook is created Daily sends one request that cannot be
    signed yet, and wants 200 for it (docs.daily.co/reference/rest-api/webhooks, "Configuring Webhooks"): exactly that one does nothing."""

    http_method_names = ("post",)

    def post(self, request: HttpRequest) -> JsonResponse:
        if len(request.body) <= _LARGEST_TRIAL and _is_trial(request.body):
            return JsonResponse({"received": True})
        signed = {"timestamp": request.headers.get("X-Webhook-Timestamp", ""), "signature": request.headers.get("X-Webhook-Signature", "")}
        if len(request.body) > _LARGEST_BODY or not is_signed(request.body, **signed):
            return problem_response(400, "invalid_signature", "Daily has not signed this, or not lately.")
        try:
            event = json.loads(request.body)
        except (ValueError, RecursionError):
            return problem_response(400, "invalid_json", "The body is no JSON.")
        if isinstance(event, dict):
            hear_of_stay(event=event)
        return JsonResponse({"received": True})


def _is_trial(body: bytes) -> bool:
    """Whether this is how Daily checks an address."""
    try:
        return bool(json.loads(body) == {"test": "test"})
    except (ValueError, RecursionError):
        return False
