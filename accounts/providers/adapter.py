"""What allauth asks of its host."""

from __future__ import annotations

import datetime
from typing import Any
from urllib.parse import quote

from allauth.account.adapter import DefaultAccountAdapter
from django import forms
from django.conf import settings
from django.http import HttpRequest

from accounts.models import User


class SignupForm(forms.Form):
    """The fields of a registration beyond e-mail and password; the API's serializer has validated them."""

    full_name = forms.CharField(max_length=150)
    birth_date = forms.DateField(required=False)
    time_zone = forms.CharField(required=False, max_length=64)

    def signup(self, request: HttpRequest, user: User) -> None:
        """allauth's hook after the user was saved; `AccountAdapter.save_user` did the work before."""


class AccountAdapter(DefaultAccountAdapter):
    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        user.full_name = form.cleaned_data["full_name"]
        user.birth_date = form.cleaned_data.get("birth_date")
        user.time_zone = form.cleaned_data.get("time_zone") or "UTC"
        saved: User = super().save_user(request, user, form, commit)
        return saved

    def get_email_confirmation_url(self, request: HttpRequest, emailconfirmation: Any) -> str:
        return f"{settings.SITE_URL}/verify-email/{quote(emailconfirmation.key, safe='')}"

    def format_email_subject(self, subject: str) -> str:
        return " ".join(subject.split())


def serializable(fields: dict[str, Any]) -> dict[str, Any]:
    """Input fields as JSON has them."""
    return {name: value.isoformat() if isinstance(value, datetime.date) else value for name, value in fields.items() if value is not None}
