"""Opportunities as everybody sees them, and as search engines read them."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.html import json_script
from django.utils.safestring import SafeString, mark_safe

from catalog.enums import OpportunityKind
from catalog.models import Opportunity
from catalog.selectors import search_opportunities
from catalog.web.forms import OpportunitySearchForm
from core.pages import Keyset, Page
from core.wall_time import as_text

_FOUND = 20


class OpportunitiesPage(Page):
    """What is open: the newest, or what fits the words best."""

    template = "catalog/opportunities.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        form = OpportunitySearchForm(request.GET)
        asked = form.cleaned_data if form.is_valid() else {}
        rows = Opportunity.objects.listed_for(request.user)
        if asked.get("kind"):
            rows = rows.filter(kind=asked["kind"])
        if asked.get("is_remote"):
            rows = rows.filter(is_remote=True)
        page, corrections = None, {}
        if asked.get("q", "").strip():
            result = search_opportunities(rows, text=asked["q"], limit=_FOUND, user_id=request.user.pk)
            found, corrections = result.hits, result.corrections
        else:
            page = Keyset(request, rows.for_cards())
            found = page.rows
        query = request.GET.copy()
        query.pop("before", None)
        return self.show(
            request,
            status=200 if form.is_valid() else 400,
            form=form,
            found=found,
            page=page,
            corrections=corrections,
            query=query.urlencode(),
        )


class OpportunityPage(Page):
    """One opportunity. It carries its facts as schema.org has them, so that others can show it rightly."""

    template = "catalog/opportunity.html"

    def get(self, request: HttpRequest, opportunity_id: uuid.UUID) -> HttpResponse:
        row = get_object_or_404(Opportunity.objects.visible_to(request.user).for_cards(), pk=opportunity_id)
        return self.show(request, opportunity=row, facts=_data_block(schema_of(row)), address=_address_of(row))


def _data_block(facts: dict[str, Any]) -> SafeString:
    """Facts for machines, escaped so that no text of theirs ends the block."""
    return mark_safe(json_script(facts).replace("application/json", "application/ld+json", 1))  # noqa: S308  (escaped by Django)


def _address_of(row: Opportunity) -> str:
    return f"{settings.SITE_URL}/opportunities/{row.pk}"


_TYPES = {
    OpportunityKind.JOB: "JobPosting",
    OpportunityKind.INTERNSHIP: "JobPosting",
    OpportunityKind.COURSE: "Course",
    OpportunityKind.CERTIFICATION: "Course",
    OpportunityKind.EVENT: "Event",
    OpportunityKind.HACKATHON: "Event",
}


def schema_of(row: Opportunity) -> dict[str, Any]:
    """An opportunity in the words of schema.org: JobPosting, Course, Event, or Thing."""
    kind = _TYPES.get(OpportunityKind(row.kind), "Thing")
    name = "title" if kind == "JobPosting" else "name"
    facts: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": kind,
        name: row.title,
        "description": row.description,
        "url": _address_of(row),
    }
    more = {"JobPosting": _facts_of_job, "Course": _facts_of_course, "Event": _facts_of_event}.get(kind)
    return {key: value for key, value in (facts | (more(row) if more else {})).items() if value}


def _facts_of_job(row: Opportunity) -> dict[str, Any]:
    return {
        "datePosted": as_text(row.published_at) if row.published_at else None,
        "validThrough": as_text(row.open_until) if row.open_until else None,
        "hiringOrganization": {"@type": "Organization", "name": row.organisation} if row.organisation else None,
        "jobLocation": {"@type": "Place", "address": row.location} if row.location else None,
        "jobLocationType": "TELECOMMUTE" if row.is_remote else None,
        "employmentType": "INTERN" if row.kind == OpportunityKind.INTERNSHIP else None,
    }


def _facts_of_course(row: Opportunity) -> dict[str, Any]:
    return {"provider": {"@type": "Organization", "name": row.organisation} if row.organisation else None, "inLanguage": row.language}


def _facts_of_event(row: Opportunity) -> dict[str, Any]:
    return {
        "startDate": row.starts_on.isoformat() if row.starts_on else None,
        "endDate": row.ends_on.isoformat() if row.ends_on else None,
        "location": {"@type": "Place", "address": row.location} if row.location else None,
        "organizer": {"@type": "Organization", "name": row.organisation} if row.organisation else None,
    }
