from __future__ import annotations

import datetime
from typing import Any

from bookings.enums import CancellationPolicy
from bookings.models import BookingTerms
from bookings.models.terms import EARLIEST_REMINDER, MOST_PACKAGE_PERCENT, MOST_REMINDERS, SOONEST_REMINDER
from core import forms, strict


class NoteForm(forms.Form):
    """What goes with a no."""

    note = forms.CharField(
        label="A few words to the other side (you may leave this empty)", max_length=500, required=False, widget=forms.Textarea
    )


class NoShowForm(NoteForm):
    """Who did not come, and a few words."""

    absent = forms.ChoiceField(
        label="Who did not come", choices=(("other", "The other side"), ("me", "I did not come")), initial="other", widget=forms.RadioSelect
    )
    field_order = ("absent", "note")


class AppealForm(forms.Form):
    text = forms.CharField(
        label="What happened",
        max_length=2000,
        widget=forms.Textarea,
        help_text="When you came and left, and what you saw. The other side and our staff read it.",
    )


class EvidenceForm(forms.Form):
    document = forms.FileField(label="A PDF, JPEG, PNG or WebP of up to 10 MB", help_text="The other side and our staff can see it.")


class CancelForm(NoteForm):
    expected_refund = forms.IntegerField(widget=forms.HiddenInput, required=False)


class NewTimeForm(forms.Form):
    """One of the times that are free."""

    scheduled_at = forms.ChoiceField(label="A new time", widget=forms.RadioSelect, error_messages={"required": "Choose a time."})

    def __init__(self, *args: Any, slots: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["scheduled_at"].choices = slots  # type: ignore[attr-defined]  # of a choice field

    def clean_scheduled_at(self) -> datetime.datetime:
        return strict.parse_instant(self.cleaned_data["scheduled_at"])


class TermsForm(forms.Form):
    """How a mentor takes bookings."""

    is_instant = forms.BooleanField(label="People book me at once, without asking first", required=False)
    policy = forms.ChoiceField(label="What people get back who cancel", choices=CancellationPolicy.choices)
    package_percent = forms.IntegerField(
        label="Sessions that are paid for together cost so much less (percent)", min_value=0, max_value=MOST_PACKAGE_PERCENT, required=False
    )

    @classmethod
    def of(cls, terms: BookingTerms) -> TermsForm:
        return cls(initial={"is_instant": terms.is_instant, "policy": terms.policy, "package_percent": terms.package_percent})


class RemindersForm(forms.Form):
    """When somebody is reminded of a session."""

    minutes_before = forms.CharField(
        label="Minutes before each session",
        required=False,
        help_text="Whole numbers with commas between them, such as 1440, 60, 10. Empty means never.",
    )

    def clean_minutes_before(self) -> list[int]:
        parts = [part.strip() for part in self.cleaned_data["minutes_before"].split(",") if part.strip()]
        if len(parts) > MOST_REMINDERS:
            raise forms.ValidationError(f"At most {MOST_REMINDERS} reminders.")
        if not all(part.isascii() and part.isdigit() and SOONEST_REMINDER <= int(part[:9]) <= EARLIEST_REMINDER for part in parts):
            raise forms.ValidationError(f"Write whole numbers from {SOONEST_REMINDER} to {EARLIEST_REMINDER}, with commas between them.")
        return [int(part) for part in parts]
