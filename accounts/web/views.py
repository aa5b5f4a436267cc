from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, unquote

from django.conf import settings
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters

from accounts.enums import Provider
from accounts.errors import InvalidPasskey
from accounts.models import User
from accounts.providers import tokens
from accounts.providers.headless import waits_for_second_factor
from accounts.providers.social import is_configured
from accounts.selectors import person_of
from accounts.services import erasing, guardianship, passwords, registration, sign_in, social
from accounts.services.address_proof import REGISTRATION_COOKIE, forget_registrant, remember_registrant
from accounts.web.forms import AddressForm, CodeForm, ConfirmAddressForm, MailedCodeForm, NewPasswordForm, SignInForm, SignUpForm
from core.errors import DomainError
from core.pages import Page, words_of
from core.time_zones import detected_zone

_MEMORY = "sign_in_with_provider"


def _next_of(request: HttpRequest) -> str:
    """Where to go after signing in: an address of this site, or home."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    return wanted if is_ours else "/"


@method_decorator([never_cache, sensitive_post_parameters()], name="dispatch")
class AccountPage(Page):
    """A page of this app: errors are shown in it, with their status."""

    def show_error(self, request: HttpRequest, error: DomainError) -> HttpResponse:
        return self.show(request, status=error.status, reason=words_of(error), state="failed")

    def show(self, request: HttpRequest, *, status: int = 200, **context: Any) -> HttpResponse:
        response = super().show(request, status=status, **context)
        # The key in the address must not travel on in a Referer. Without any, browsers would send forms without their origin, too, and
        # those are refused.
        response["Referrer-Policy"] = "strict-origin"
        return response


class SignInPage(AccountPage):
    template = "accounts/sign_in.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            return redirect(_next_of(request))
        return self._page(request, SignInForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = SignInForm(request.POST)
        if not form.is_valid():
            return self._page(request, form, status=400)
        if sign_in.log_in_to_browser(request=request, **form.cleaned_data):
            return redirect(_next_of(request))
        return redirect(f"/sign-in/second-step?next={quote(_next_of(request))}")

    def show_error(self, request: HttpRequest, error: DomainError) -> HttpResponse:
        return self._page(
            request, SignInForm(initial={"email": request.POST.get("email", "")}), status=error.status, reason=words_of(error)
        )

    def _page(self, request: HttpRequest, form: SignInForm, **context: Any) -> HttpResponse:
        providers = [provider for provider in Provider if is_configured(provider)]
        return self.show(request, form=form, providers=providers, next=_next_of(request), **context)


class MailedCodePage(AccountPage):
    """Sign in without a password: an address is asked for, then the code of the mail that came. Its link does the same."""

    template = "accounts/mailed_code.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show(request, form=AddressForm(), next=_next_of(request))

    def post(self, request: HttpRequest) -> HttpResponse:
        if "key" in request.POST:
            form = MailedCodeForm(request.POST)
            if not form.is_valid():
                return self.show(request, form=form, state="mailed", next=_next_of(request), status=400)
            is_in = sign_in.log_in_to_browser_with_code(request=request, key=form.cleaned_data["key"])
            return redirect(_next_of(request) if is_in else f"/sign-in/second-step?next={quote(_next_of(request))}")
        address = AddressForm(request.POST)
        if not address.is_valid():
            return self.show(request, form=address, next=_next_of(request), status=400)
        sign_in.request_login_code(request=request, email=address.cleaned_data["email"])
        return self.show(request, form=MailedCodeForm(), state="mailed", next=_next_of(request))

    def show_error(self, request: HttpRequest, error: DomainError) -> HttpResponse:
        state, form = ("mailed", MailedCodeForm()) if "key" in request.POST else ("", AddressForm(request.POST))
        return self.show(request, form=form, state=state, next=_next_of(request), status=error.status, reason=words_of(error))


@method_decorator(never_cache, name="dispatch")
class PasskeyView(View):
    """What the script of the sign-in page asks for a passkey, and hands in."""

    def get(self, request: HttpRequest) -> JsonResponse:
        return self._answer(lambda: sign_in.begin_passkey_in_browser(request=request))

    def post(self, request: HttpRequest) -> JsonResponse:
        try:
            credential = json.loads(request.body)
        except ValueError:
            credential = None
        if not isinstance(credential, dict):
            return JsonResponse({"detail": str(InvalidPasskey.message)}, status=InvalidPasskey.status)

        def finish() -> dict[str, Any]:
            sign_in.log_in_to_browser_with_passkey(request=request, credential=credential)
            return {"next": _next_of(request)}

        return self._answer(finish)

    def _answer(self, call: Callable[[], dict[str, Any]]) -> JsonResponse:
        try:
            return JsonResponse(call())
        except DomainError as error:
            return JsonResponse({"detail": words_of(error)}, status=error.status)


class SecondStepPage(AccountPage):
    template = "accounts/second_step.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        if not waits_for_second_factor(request):
            return redirect(f"/sign-in/?next={quote(_next_of(request))}")
        return self.show(request, form=CodeForm(), next=_next_of(request))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = CodeForm(request.POST)
        if not form.is_valid():
            return self.show(request, form=form, next=_next_of(request), status=400)
        sign_in.answer_second_factor_in_browser(request=request, code=form.cleaned_data["code"])
        return redirect(_next_of(request))

    def show_error(self, request: HttpRequest, error: DomainError) -> HttpResponse:
        return self.show(request, form=CodeForm(), next=_next_of(request), status=error.status, reason=words_of(error))


class SocketTokenView(LoginRequiredMixin, View):
    """With what a page of ours opens its socket. Other sites cannot read the answer."""

    def get(self, request: HttpRequest) -> JsonResponse:
        token = tokens.socket_token(request.session.session_key or "", person_of(request))
        return JsonResponse({"token": token}, headers={"Cache-Control": "no-store"})


class SignUpPage(AccountPage):
    """A new account. What comes next is in the mail, for known and unknown addresses alike."""

    template = "accounts/sign_up.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        return redirect("/") if request.user.is_authenticated else self.show(request, form=SignUpForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = SignUpForm(request.POST)
        if not form.is_valid():
            return self.show(request, form=form, status=400)
        zone = detected_zone(unquote(request.COOKIES.get("zone", "")))
        secret = registration.register_person(request=request, time_zone=zone, **form.cleaned_data)
        response = self.show(request, state="done", email=form.cleaned_data["email"])
        remember_registrant(response, secret)
        return response

    def show_error(self, request: HttpRequest, error: DomainError) -> HttpResponse:
        form = SignUpForm(request.POST)
        for item in error.errors:
            form.add_error(item.field if item.field in form.fields else None, str(item.detail))
        return self.show(request, form=form, status=error.status, reason="" if error.errors else words_of(error))


class SignOutPage(AccountPage):
    def post(self, request: HttpRequest) -> HttpResponse:
        sign_in.log_out_of_browser(request=request)
        return redirect("/")


class ProviderPage(AccountPage):
    """Sends the browser to a provider."""

    template = "accounts/provider_failed.html"

    def post(self, request: HttpRequest, provider: str) -> HttpResponse:
        address, memory = social.begin_redirect(provider=provider, redirect_uri=_callback(provider))
        request.session[_MEMORY] = memory | {"provider": provider, "next": _next_of(request)}
        return redirect(address)


@method_decorator(csrf_exempt, name="dispatch")
class ProviderCallbackPage(AccountPage):
    """Where the provider sends the browser back to. Guarded by `state`, which is good for one return."""

    template = "accounts/provider_failed.html"

    def post(self, request: HttpRequest, provider: str) -> HttpResponse:
        # Apple answers by a form from its own site, which carries no session. A visit to the same address does.
        name = _apple_name(request.POST.get("user", ""))
        query = {"code": request.POST.get("code", ""), "state": request.POST.get("state", ""), "name": name}
        return redirect(_callback(provider) + "?" + "&".join(f"{key}={quote(value)}" for key, value in query.items() if value))

    def get(self, request: HttpRequest, provider: str) -> HttpResponse:
        memory = request.session.pop(_MEMORY, None)
        code, state = request.GET.get("code", ""), request.GET.get("state", "")
        if not memory or memory["provider"] != provider or memory["state"] != state or not 0 < len(code) <= 4000:
            return self.show(request, status=400, reason=request.GET.get("error", "")[:100])
        is_in = social.log_in_to_browser_with_provider(
            request=request,
            provider=provider,
            full_name=request.GET.get("name", "")[:150],
            code=code,
            redirect_uri=_callback(provider),
            code_verifier=memory["code_verifier"],
            nonce=memory["nonce"],
        )
        return redirect(memory["next"] if is_in else f"/sign-in/second-step?next={quote(memory['next'])}")


def _callback(provider: str) -> str:
    return f"{settings.SITE_URL}/sign-in/{provider}/callback"


def _apple_name(user: str) -> str:
    try:
        name = json.loads(user)["name"]
        return f"{name.get('firstName', '')} {name.get('lastName', '')}".strip()[:150]
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""


class KeyPage(AccountPage):
    """The page behind a link in a mail. Opening it changes nothing, because mail scanners open links; its button does."""

    template = "accounts/key.html"
    title = ""
    question = ""
    button = ""
    done_title = ""
    done = ""

    def get(self, request: HttpRequest, key: str) -> HttpResponse:
        return self.show(request, state="ask")

    def post(self, request: HttpRequest, key: str) -> HttpResponse:
        return self.use(request, unquote(key)) or self.show(request, state="done")

    def use(self, request: HttpRequest, key: str) -> HttpResponse | None:
        """Spend the key. None shows that it is done."""
        raise NotImplementedError

    def show(self, request: HttpRequest, *, status: int = 200, **context: Any) -> HttpResponse:
        return super().show(request, status=status, page=self, **context)


class VerifyEmailPage(KeyPage):
    title = "Confirm your address"
    question = "Press the button to confirm that this e-mail address is yours."
    button = "Confirm my address"
    done_title = "Your address is confirmed"
    done = "Thank you. You can sign in to Soosh now."

    def get(self, request: HttpRequest, key: str) -> HttpResponse:
        return self.show(request, state="ask", form=self._form(request))

    def post(self, request: HttpRequest, key: str) -> HttpResponse:
        form = self._form(request)
        if form is not None and not form.is_valid():
            return self.show(request, state="ask", form=form, status=400)
        password = form.cleaned_data["password"] if form else ""
        proven = registration.verify_email(request=request, key=unquote(key), password=password)
        response: HttpResponse = (
            redirect("reset-password-page", key=proven.password_key) if proven.password_key else self.show(request, state="done")
        )
        forget_registrant(response)
        return response

    def show_error(self, request: HttpRequest, error: DomainError) -> HttpResponse:
        if any(item.field == "password" for item in error.errors):
            return self.show(request, state="ask", form=self._form(request), status=error.status, reason=words_of(error))
        return super().show_error(request, error)

    def _form(self, request: HttpRequest) -> ConfirmAddressForm | None:
        """Whoever registered in this browser, or is signed in, has nothing to fill in."""
        if REGISTRATION_COOKIE in request.COOKIES or request.user.is_authenticated:
            return None
        return ConfirmAddressForm(request.POST if request.method == "POST" else None)


class LoginCodePage(KeyPage):
    title = "Sign in to Soosh"
    question = "Press the button to sign in on this device."
    button = "Sign in"

    def use(self, request: HttpRequest, key: str) -> HttpResponse:
        is_in = sign_in.log_in_to_browser_with_code(request=request, key=key)
        return redirect("/" if is_in else "/sign-in/second-step")


class KeepAccountPage(KeyPage):
    title = "Keep your account"
    question = "Press the button to stop the erasure. Everything stays as it was."
    button = "Keep my account"
    done_title = "Your account stays"
    done = "Nothing was erased. You can sign in again."

    def use(self, request: HttpRequest, key: str) -> None:
        erasing.undo_erasure(request=request, key=key)


class GuardianPage(LoginRequiredMixin, KeyPage):
    title = "Become a guardian"
    question = "Press the button to agree that you are the parent or guardian of the person who asked you, and answer for them on Soosh."
    button = "I am their guardian"
    done_title = "You are their guardian now"
    done = "You can give or refuse consents for them, and end this at any time, in the settings of the app."

    def use(self, request: HttpRequest, key: str) -> None:
        if not isinstance(request.user, User):
            raise Http404
        guardianship.accept_guardianship(request=request, user=request.user, key=key)


class RequestResetPage(AccountPage):
    template = "accounts/request_reset.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show(request, form=AddressForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = AddressForm(request.POST)
        if not form.is_valid():
            return self.show(request, form=form, status=400)
        passwords.request_password_reset(request=request, email=form.cleaned_data["email"])
        return self.show(request, state="done")


class ResetPasswordPage(AccountPage):
    template = "accounts/reset_password.html"

    def get(self, request: HttpRequest, key: str) -> HttpResponse:
        return self.show(request, form=NewPasswordForm())

    def post(self, request: HttpRequest, key: str) -> HttpResponse:
        form = NewPasswordForm(request.POST)
        if not form.is_valid():
            return self.show(request, form=form, status=400)
        passwords.reset_password(request=request, key=unquote(key), password=form.cleaned_data["password"])
        return self.show(request, state="done")

    def show_error(self, request: HttpRequest, error: DomainError) -> HttpResponse:
        return self.show(request, form=NewPasswordForm(), status=error.status, reason=words_of(error))
