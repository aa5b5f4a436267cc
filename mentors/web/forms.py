from __future__ import annotations

import datetime
import re
import uuid
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator

from accounts.models.people import LANGUAGE_PATTERN
from catalog.enums import TermState
from catalog.models import Skill
from catalog.services.documents import title_key
from core import forms, strict
from core.money import Money, currencies, exponent_of
from core.time_zones import canonical_zone, place_names
from core.wall_time import Weekday
from mentors.enums import AccessibilityPractice, CalendarKind, CheckKind, CheckScope, OfferKind
from mentors.models import MentorProfile, Offer, Schedule
from mentors.models.availability import (
    FURTHEST_HORIZON,
    LONGEST_BUFFER,
    LONGEST_INCREMENT,
    LONGEST_NOTICE,
    MINUTES_OF_A_DAY,
    SHORTEST_INCREMENT,
)
from mentors.models.profiles import LARGEST_GROUP, LONGEST_SESSION, MOST_LANGUAGES, SHORTEST_SESSION
from mentors.models.reviews import BEST, HIGHEST_PRIVATE, WORST
from mentors.services.expanding import Hours, Stay
from mentors.services.profiles import MOST_SKILLS, StatedOffer
from mentors.services.schedules import Availability, Override, WeeklyRule
from payments.services.prices import price_error

_SPAN = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])\s*(?:-|–|to)\s*([01][0-9]|2[0-4]):([0-5][0-9])")
_LARGEST_PRICE = 100_000_000


def zone_choices() -> list[tuple[str, str]]:
    """Every zone that can be chosen, with its name for people."""
    return [(name, name.replace("_", " ")) for name in place_names()]


def hours_in(text: str) -> tuple[Hours, ...]:
    """The hours of a day as people write them: "09:00-12:00, 14:00-17:30". Raises ValidationError for anything else."""
    found = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        match = _SPAN.fullmatch(part)
        hours = Hours(*_minutes(match)) if match else None
        if hours is None or hours.end > MINUTES_OF_A_DAY or hours.start >= hours.end:
            raise ValidationError(
                f"“{part}” is no stretch of time. Write 09:00-12:00, and 24:00 for the end of the day.", code="invalid_hours"
            )
        found.append(hours)
    return tuple(found)


def _minutes(match: re.Match[str]) -> tuple[int, int]:
    hour, minute, last_hour, last_minute = map(int, match.groups())
    return hour * 60 + minute, last_hour * 60 + last_minute


def hours_as_text(hours: tuple[Hours, ...]) -> str:
    return ", ".join(f"{each.start // 60:02}:{each.start % 60:02}-{each.end // 60:02}:{each.end % 60:02}" for each in hours)


class AvailabilityForm(forms.Form):
    """When a mentor can be booked, in lines that can be typed."""

    time_zone = forms.ChoiceField(label="Time zone of these hours", choices=zone_choices)
    overrides = forms.CharField(
        label="Single dates",
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="A line for each: 2026-12-24 closed, or 2026-12-27 10:00-12:00.",
    )
    travels = forms.CharField(
        label="Travels, on which your hours count in another zone",
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="A line for each: 2026-12-01 to 2026-12-10 America/New_York.",
    )
    increment_minutes = forms.IntegerField(
        label="A session can start every … minutes", min_value=SHORTEST_INCREMENT, max_value=LONGEST_INCREMENT
    )
    buffer_before_minutes = forms.IntegerField(label="Free minutes before a session", min_value=0, max_value=LONGEST_BUFFER)
    buffer_after_minutes = forms.IntegerField(label="Free minutes after a session", min_value=0, max_value=LONGEST_BUFFER)
    notice_minutes = forms.IntegerField(label="Not to be booked later than … minutes before", min_value=0, max_value=LONGEST_NOTICE)
    horizon_days = forms.IntegerField(label="To be booked up to … days ahead", min_value=1, max_value=FURTHEST_HORIZON)
    most_per_day = forms.IntegerField(label="Most sessions on a day (empty: any number)", min_value=1, max_value=100, required=False)
    most_per_week = forms.IntegerField(label="Most sessions in a week (empty: any number)", min_value=1, max_value=500, required=False)
    most_per_month = forms.IntegerField(label="Most sessions in a month (empty: any number)", min_value=1, max_value=2_000, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        days = {
            f"day_{day.value}": forms.CharField(
                label=str(day.label),
                required=False,
                max_length=300,
                help_text=_HINT if not day else "",
                # The plan of the week is drawn from these lines, and into them.
                widget=forms.TextInput(attrs={"data-day": day.value}),
            )
            for day in Weekday
        }
        # The week stands first.
        rest = dict(self.fields)
        self.fields = {"time_zone": rest.pop("time_zone"), **days, **rest}

    @classmethod
    def of(cls, availability: Availability, schedule: Schedule) -> AvailabilityForm:
        """What a mentor stated, to be changed."""
        rest = [name for name in cls.base_fields if name not in ("time_zone", "overrides", "travels")]
        initial: dict[str, Any] = {name: getattr(schedule, name) for name in rest} | {"time_zone": availability.time_zone}
        for day in Weekday:
            initial[f"day_{day.value}"] = hours_as_text(tuple(rule.hours for rule in availability.weekly if rule.weekday == day))
        initial["overrides"] = "\n".join(f"{each.date} {hours_as_text(each.hours) or 'closed'}" for each in availability.overrides)
        initial["travels"] = "\n".join(f"{stay.first} to {stay.last} {stay.zone.key}" for stay in availability.travels)
        return cls(initial=initial)

    def clean_overrides(self) -> tuple[Override, ...]:
        return tuple(_override_in(line) for line in _lines(self.cleaned_data["overrides"]))

    def clean_travels(self) -> tuple[Stay, ...]:
        return tuple(_stay_in(line) for line in _lines(self.cleaned_data["travels"]))

    def clean(self) -> dict[str, Any]:
        for day in Weekday:
            name = f"day_{day.value}"
            try:
                self.cleaned_data[name] = hours_in(self.cleaned_data.get(name, ""))
            except ValidationError as error:
                self.add_error(name, error)
        return self.cleaned_data

    def to_availability(self) -> Availability:
        """The checked input as the service takes it."""
        given = dict(self.cleaned_data)
        weekly = tuple(WeeklyRule(day.value, hours) for day in Weekday for hours in given.pop(f"day_{day.value}"))
        return Availability(given.pop("time_zone"), weekly, given.pop("overrides"), given.pop("travels"), given)


_HINT = "Stretches of time with commas between them: 09:00-12:00, 14:00-17:30. Empty means closed."


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _override_in(line: str) -> Override:
    date, _, rest = line.partition(" ")
    return Override(_date_in(date, line), () if rest.strip().lower() == "closed" else hours_in(rest))


def _stay_in(line: str) -> Stay:
    match = re.fullmatch(r"(\S+) to (\S+) (\S.*)", line)
    zone = canonical_zone(match[3]) if match else None
    if match is None or zone is None:
        raise ValidationError(f"“{line}” is no travel. Write 2026-12-01 to 2026-12-10 America/New_York.", code="invalid_travel")
    return Stay(_date_in(match[1], line), _date_in(match[2], line), ZoneInfo(zone))


def _date_in(text: str, line: str) -> datetime.date:
    try:
        return strict.parse_date(text)
    except strict.Malformed as error:
        raise ValidationError(f"“{line}” does not begin with a date such as 2026-12-24.", code="invalid_date") from error


class BlockForm(forms.Form):
    """A stretch of time in the person's own zone in which nothing is to be booked."""

    start = forms.LocalTimeField(label="From")
    end = forms.LocalTimeField(label="To")
    title = forms.CharField(label="What for (only you see it)", max_length=300, required=False)


class CalendarForm(forms.Form):
    """A calendar elsewhere that keeps a mentor busy."""

    kind = forms.ChoiceField(label="Kind", choices=[(value, label[0].upper() + label[1:]) for value, label in CalendarKind.choices])
    name = forms.CharField(label="Name", max_length=100)
    address = forms.CharField(label="Address (https:// or webcal://)", max_length=2_000)
    username = forms.CharField(label="User name (for CalDAV)", max_length=200, required=False)
    password = forms.CharField(
        label="Password (for CalDAV)",
        max_length=500,
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )


class ProfileForm(forms.Form):
    """What a mentor tells about themselves."""

    headline = forms.CharField(label="What you help with, in a line", max_length=150, required=False)
    bio = forms.CharField(label="Who you are", max_length=5_000, required=False, widget=forms.Textarea(attrs={"rows": 8}))
    languages = forms.CharField(
        label="Languages you mentor in", required=False, help_text="Codes with commas between them: en, de, pt-BR.", max_length=400
    )
    accessibility_practices = forms.MultipleChoiceField(
        label="What you do so that everybody can take part",
        choices=AccessibilityPractice.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    capacity = forms.IntegerField(label="How many people you take at one time", min_value=1, max_value=1_000)
    is_open_to_minors = forms.BooleanField(label="I want to work with people under 18 (this needs checks)", required=False)
    skills = forms.CharField(
        label="Skills you pass on",
        required=False,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text="A line for each, with the years for which you have used it: Python, 8.",
    )

    @classmethod
    def of(cls, profile: MentorProfile) -> ProfileForm:
        """A profile, to be changed."""
        names = ("headline", "bio", "accessibility_practices", "capacity", "is_open_to_minors")
        initial: dict[str, Any] = {name: getattr(profile, name) for name in names}
        initial["languages"] = ", ".join(profile.languages)
        initial["skills"] = "\n".join(
            link.skill.name if link.years is None else f"{link.skill.name}, {link.years}" for link in profile.skill_links.all()
        )
        return cls(initial=initial)

    def clean_languages(self) -> list[str]:
        found = [part.strip() for part in self.cleaned_data["languages"].split(",") if part.strip()]
        if len(found) > MOST_LANGUAGES:
            raise ValidationError(f"At most {MOST_LANGUAGES} languages.", code="max_length")
        check = RegexValidator(LANGUAGE_PATTERN, message="Write codes such as en, de or pt-BR.")
        for code in found:
            check(code)
        return found

    def clean_skills(self) -> list[tuple[uuid.UUID, int | None]]:
        lines = [_skill_line(line) for line in _lines(self.cleaned_data["skills"])]
        if len(lines) > MOST_SKILLS:
            raise ValidationError(f"At most {MOST_SKILLS} skills.", code="max_length")
        known = _skills_called([name for name, _ in lines])
        unknown = [name for name, _ in lines if title_key(name) not in known]
        if unknown:
            raise ValidationError(f"We do not know: {', '.join(unknown)}. Try other words for it.", code="unknown_skill")
        return list({known[title_key(name)]: years for name, years in lines}.items())


def _skill_line(line: str) -> tuple[str, int | None]:
    match = re.fullmatch(r"(.*\S)\s*,\s*(\d{1,2})", line)
    return (match[1], int(match[2])) if match else (line, None)


def _skills_called(names: list[str]) -> dict[str, uuid.UUID]:
    """The ids of skills by the keys of what they are called."""
    keys = [title_key(name) for name in names]
    found: dict[str, uuid.UUID] = {}
    for skill in Skill.objects.filter(keys__overlap=keys, state=TermState.ACTIVE).only("pk", "keys").order_by("pk"):
        for key in skill.keys:
            found.setdefault(key, skill.pk)
    return found


class OfferForm(forms.Form):
    """A kind of session. One without a title is left out."""

    id = forms.UUIDField(required=False, widget=forms.HiddenInput)
    title = forms.CharField(label="Title", max_length=100, required=False)
    kind = forms.ChoiceField(
        label="Kind", choices=[(value, label.capitalize()) for value, label in OfferKind.choices], initial=OfferKind.SESSION
    )
    duration_minutes = forms.IntegerField(label="Minutes", min_value=SHORTEST_SESSION, max_value=LONGEST_SESSION, required=False)
    price = forms.DecimalField(label="Price (0 is free of charge)", min_value=0, max_digits=12, required=False)
    currency = forms.ChoiceField(label="Currency", choices=[(code, code) for code in currencies()], initial="EUR")
    group_size = forms.IntegerField(label="People (for groups)", min_value=1, max_value=LARGEST_GROUP, required=False)

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        if not given.get("title"):
            return given
        for name in ("duration_minutes", "price"):
            if given.get(name) is None and name not in self.errors:
                self.add_error(name, ValidationError("An offer needs this.", code="required"))
        if given.get("price") is not None and "currency" in given:
            amount = given["price"].scaleb(exponent_of(given["currency"]))
            given["amount"] = int(amount)
            if amount != given["amount"] or amount > _LARGEST_PRICE:
                self.add_error("price", ValidationError("This amount cannot be paid in this currency.", code="invalid_amount"))
            elif error := price_error(Money(given["amount"], given["currency"]), field="price"):
                self.add_error("price", ValidationError(str(error.detail), code=error.code))
        return given

    def to_offer(self) -> StatedOffer | None:
        """The checked input as the service takes it; None where it is left out."""
        given = self.cleaned_data
        if not given.get("title"):
            return None
        return StatedOffer(
            kind=OfferKind(given["kind"]),
            title=given["title"],
            duration_minutes=given["duration_minutes"],
            price_amount=given["amount"],
            price_currency=given["currency"],
            group_size=given["group_size"] or 1,
            id=given["id"],
        )

    @staticmethod
    def initial_of(offer: Offer) -> dict[str, Any]:
        """An offer, to be changed."""
        names = ("id", "title", "kind", "duration_minutes", "group_size")
        price = Money(offer.price_amount, offer.price_currency).major
        return {name: getattr(offer, name) for name in names} | {"price": price, "currency": offer.price_currency}


OfferFormSet = forms.formset_factory(OfferForm, extra=1, max_num=20, absolute_max=21)


class ReplyForm(forms.Form):
    text = forms.CharField(
        label="Your reply, which everybody sees", max_length=2_000, required=False, widget=forms.Textarea, help_text="Empty takes it back."
    )


class ReviewForm(forms.Form):
    """What somebody says after a session."""

    rating = forms.TypedChoiceField(
        label="Stars, which everybody sees",
        choices=[(number, f"{number} of {BEST}") for number in range(BEST, WORST - 1, -1)],
        coerce=int,
        widget=forms.RadioSelect,
    )
    text = forms.CharField(label="In your words (you may leave this empty)", max_length=3_000, required=False, widget=forms.Textarea)
    private_score = forms.IntegerField(
        label=f"Would you recommend them? 0 to {HIGHEST_PRIVATE}; nobody sees this", min_value=0, max_value=HIGHEST_PRIVATE, required=False
    )


class CheckForm(forms.Form):
    """What somebody wants to have looked into."""

    kind = forms.ChoiceField(label="What we should look into", choices=[(value, label.capitalize()) for value, label in CheckKind.choices])
    scope = forms.ChoiceField(label="For what", choices=[(value, label.capitalize()) for value, label in CheckScope.choices])
    statement = forms.CharField(
        label="The employer, the degree, or who recommends you",
        max_length=200,
        required=False,
        help_text="It stands on your page once it is checked.",
    )
    contact = forms.CharField(
        label="Your mailbox at work, or how to reach who recommends you", max_length=254, required=False, help_text="Never shown."
    )


class CodeForm(forms.Form):
    code = forms.CharField(label="The code of the mail", max_length=20, widget=forms.TextInput(attrs={"autocomplete": "one-time-code"}))


class DocumentForm(forms.Form):
    document = forms.FileField(label="A PDF, JPEG, PNG or WebP of up to 10 MB")


class MentorSearchForm(forms.Form):
    """What somebody looks for in a mentor."""

    q = forms.CharField(label="What do you want help with?", max_length=500, required=False)
    language = forms.CharField(label="Language (a code, such as en)", max_length=16, required=False)
    practice = forms.MultipleChoiceField(
        label="What you need to take part", choices=AccessibilityPractice.choices, required=False, widget=forms.CheckboxSelectMultiple
    )
