from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from unfold.forms import AuthenticationForm
from unfold.widgets import BASE_INPUT_CLASSES

from accounts.errors import InvalidCredentials
from accounts.models import validate_birth_date
from accounts.services.sign_in import check_staff_sign_in
from core import forms
from core.email_addresses import AddressFormField, normalize_email
from core.errors import DomainError
from core.passwords import NewPasswordFormField, PasswordFormField
from core.person_names import NameFormField


class SignInForm(forms.Form):
    email = AddressFormField(autocomplete="username")
    password = PasswordFormField()


class SignUpForm(forms.Form):
    full_name = NameFormField(label="Your name", widget=forms.TextInput(attrs={"autocomplete": "name"}))
    email = AddressFormField(autocomplete="email")
    password = NewPasswordFormField(help_text="8 characters or more.")
    birth_date = forms.DateField(
        label="Date of birth (you may leave this empty)",
        required=False,
        validators=[validate_birth_date],
        help_text="Who is under 18 has a guardian who agrees to sessions. Mentors must be 18.",
        widget=forms.DateInput(attrs={"type": "date", "autocomplete": "bday"}),
    )


class CodeForm(forms.Form):
    code = forms.CharField(
        label="Code of your second step, or a recovery code",
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )


class MailedCodeForm(forms.Form):
    key = forms.CharField(label="The code of the mail", max_length=200, widget=forms.TextInput(attrs={"autocomplete": "one-time-code"}))


class AddressForm(forms.Form):
    email = AddressFormField(autocomplete="email")


class NewPasswordForm(forms.Form):
    password = NewPasswordFormField(label="New password, 8 characters or more")


class ConfirmAddressForm(forms.Form):
    """For whoever opens the link of a verification mail elsewhere than where the account was registered."""

    password = NewPasswordFormField(
        label="Password, 8 characters or more",
        help_text="The one that you chose when you registered, or a new one. You sign in with it from now on.",
        required=False,
    )


class StaffSignInForm(AuthenticationForm):
    """The admin's sign-in, with the limits and the second step of every other one."""

    mfa_code = forms.CharField(
        label="Code of your second step, if you have one",
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "class": " ".join(BASE_INPUT_CLASSES)}),
    )

    def clean(self) -> dict[str, Any]:
        typed, password = self.cleaned_data.get("username") or "", self.cleaned_data.get("password")
        if typed and password and self.request is not None:
            try:
                email = normalize_email(typed)
                user = check_staff_sign_in(
                    request=self.request, email=email, password=password, mfa_code=self.cleaned_data.get("mfa_code", "")
                )
            except (ValidationError, InvalidCredentials) as error:
                raise self.get_invalid_login_error() from error
            except DomainError as error:
                raise ValidationError(str(error.detail), code=error.code) from error
            self.confirm_login_allowed(user)
            self.user_cache = user
        return self.cleaned_data
