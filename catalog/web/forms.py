from __future__ import annotations

from catalog.enums import OpportunityKind
from core import forms


class OpportunitySearchForm(forms.Form):
    """What somebody looks for."""

    q = forms.CharField(label="What are you looking for?", max_length=500, required=False)
    kind = forms.ChoiceField(
        label="Kind",
        required=False,
        choices=[("", "All kinds"), *((value, label.capitalize()) for value, label in OpportunityKind.choices)],
    )
    is_remote = forms.BooleanField(label="Can be done from anywhere", required=False)
