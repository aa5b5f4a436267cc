from __future__ import annotations

from django.core.validators import RegexValidator

from core import forms


class CountryForm(forms.Form):
    country = forms.CharField(
        label="Country of your bank",
        min_length=2,
        max_length=2,
        validators=[RegexValidator(r"^[A-Z]{2}\Z", "Write two capital letters, such as DE.")],
        help_text="Two capital letters, such as DE. It cannot be changed later.",
        widget=forms.TextInput(attrs={"autocomplete": "country"}),
    )
