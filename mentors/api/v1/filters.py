from __future__ import annotations

import uuid

import django_filters
from django.db.models import Exists, OuterRef, QuerySet

from catalog.models import Skill
from catalog.services.documents import title_key
from core import strict
from core.filters import BooleanFilter, IntegerFilter
from mentors.enums import AccessibilityPractice
from mentors.models import MentorProfile, MentorSkill, Offer
from mentors.querysets import MentorProfileQuerySet


class MentorFilter(django_filters.FilterSet):
    """The filters of mentors. Price and length are of one and the same offer."""

    skill = django_filters.CharFilter(method="filter_skill", max_length=300, label="The id of a skill, or what it is called.")
    language = django_filters.CharFilter(method="filter_language", max_length=16)
    practice = django_filters.MultipleChoiceFilter(
        choices=AccessibilityPractice.choices, method="filter_practice", label="All of these, for who needs them."
    )
    price_max = IntegerFilter(method="filter_price", min_value=0, max_value=2_147_483_647, label="In the smallest unit of `currency`.")
    currency = django_filters.CharFilter(method="filter_currency", max_length=3, label="Of the price, ISO 4217; with `price_max`.")
    minors = BooleanFilter(method="filter_minors", label="Checked for work with people under 18.")

    class Meta:
        model = MentorProfile
        fields: tuple[str, ...] = ()

    def filter_skill(self, rows: QuerySet[MentorProfile], name: str, value: str) -> QuerySet[MentorProfile]:
        skills = Skill.objects.filter(pk=_id_in(value)) if _id_in(value) else Skill.objects.filter(keys__contains=[title_key(value)])
        return rows.filter(Exists(MentorSkill.objects.filter(profile=OuterRef("pk"), skill__in=skills.values("pk"))))

    def filter_language(self, rows: QuerySet[MentorProfile], name: str, value: str) -> QuerySet[MentorProfile]:
        return rows.filter(languages__contains=[value])

    def filter_practice(self, rows: QuerySet[MentorProfile], name: str, value: list[str]) -> QuerySet[MentorProfile]:
        return rows.filter(accessibility_practices__contains=value) if value else rows

    def filter_minors(self, rows: MentorProfileQuerySet, name: str, value: bool) -> QuerySet[MentorProfile]:
        return rows.cleared_for_minors() if value else rows

    def filter_price(self, rows: QuerySet[MentorProfile], name: str, value: int) -> QuerySet[MentorProfile]:
        return self._filter_offer(rows, name)

    def filter_currency(self, rows: QuerySet[MentorProfile], name: str, value: str) -> QuerySet[MentorProfile]:
        return self._filter_offer(rows, name)

    def _filter_offer(self, rows: QuerySet[MentorProfile], name: str) -> QuerySet[MentorProfile]:
        """Both parameters narrow one question, asked once."""
        price, currency = self.form.cleaned_data.get("price_max"), self.form.cleaned_data.get("currency")
        if name == "currency" and price is not None:
            return rows
        offers = Offer.objects.filter(profile=OuterRef("pk"), is_active=True)
        offers = offers.filter(price_amount__lte=int(price)) if price is not None else offers
        return rows.filter(Exists(offers.filter(price_currency=currency.upper()) if currency else offers))


def _id_in(text: str) -> uuid.UUID | None:
    try:
        return strict.parse_uuid(text)
    except strict.Malformed:
        return None
