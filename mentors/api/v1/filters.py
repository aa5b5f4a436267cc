from __future__ import annotations

import uuid

import django_filters
from django.db.models import Exists, OuterRef, QuerySet

from catalog.models import Skill
from catalog.services.documents import title_key
from core import strict
from core.filters import BooleanFilter
from mentors.enums import AccessibilityPractice
from mentors.models import MentorProfile, MentorSkill
from mentors.querysets import MentorProfileQuerySet


class MentorFilter(django_filters.FilterSet):
    """Filters of mentors themselves. Price, length and times of their offers are in `MentorSearchSerializer`."""

    skill = django_filters.CharFilter(method="filter_skill", max_length=300, label="The id of a skill, or what it is called.")
    language = django_filters.CharFilter(method="filter_language", max_length=16)
    practice = django_filters.MultipleChoiceFilter(
        choices=AccessibilityPractice.choices, method="filter_practice", label="All of these, for who needs them."
    )
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


def _id_in(text: str) -> uuid.UUID | None:
    try:
        return strict.parse_uuid(text)
    except strict.Malformed:
        return None
