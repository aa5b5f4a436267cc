"""Mentors as everybody sees them."""

from __future__ import annotations

import datetime
import uuid
from itertools import groupby
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone

from accounts.services.avatars import avatar_addresses
from core.pages import Keyset, Page
from core.time_zones import canonical_zone
from mentors.enums import AccessibilityPractice, MentorState
from mentors.models import MentorProfile, Offer, Schedule
from mentors.selectors import badge_text, first_name, reviews_of_mentor, shortest_offer
from mentors.services.calendars import is_confirmed
from mentors.services.searching import search_mentors
from mentors.services.slots import Question, next_slots, slots_between
from mentors.services.standing import answering_of, rating_of
from mentors.web.forms import MentorSearchForm, zone_choices

ZONE_COOKIE = "zone"
_FOUND = 20
_SLOT_DAYS = datetime.timedelta(days=7)
_FURTHEST_WEEK = 12


class MentorsPage(Page):
    """Mentors who take bookings: the newest, or those who fit what somebody looks for."""

    template = "mentors/mentors.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        form = MentorSearchForm(request.GET)
        asked = form.cleaned_data if form.is_valid() else {}
        rows = MentorProfile.objects.bookable_for(request.user)
        if asked.get("language"):
            rows = rows.filter(languages__contains=[asked["language"]])
        if asked.get("practice"):
            rows = rows.filter(accessibility_practices__contains=asked["practice"])
        page = None
        if asked.get("q", "").strip():
            found = search_mentors(rows=rows, q=asked["q"], windows=None, limit=_FOUND, user_id=request.user.pk).mentors
        else:
            page = Keyset(request, rows.for_cards())
            found = page.rows
        query = request.GET.copy()
        query.pop("before", None)
        cards = _cards(found, request)
        return self.show(
            request,
            status=200 if form.is_valid() else 400,
            form=form,
            cards=cards,
            page=page,
            query=query.urlencode(),
            zone=zone_of(request),
        )


class MentorPage(Page):
    """One mentor: who they are, what they offer, what others say, and when they are free on the visitor's clock."""

    template = "mentors/mentor.html"

    def get(self, request: HttpRequest, mentor_id: uuid.UUID) -> HttpResponse:
        profile = get_object_or_404(MentorProfile.objects.visible_to(request.user).for_cards(), pk=mentor_id)
        return self.show(request, **mentor_context(request, profile))


def mentor_context(request: HttpRequest, profile: MentorProfile) -> dict[str, Any]:
    """What the page of a mentor shows."""
    zone = zone_of(request) or _zone_of_mentor(profile)
    reviews = Keyset(request, reviews_of_mentor(profile, request.user), size=10)
    week = request.GET.get("week", "")
    number = min(int(week), _FURTHEST_WEEK) if week.isascii() and week.isdigit() and len(week) < 4 else 0
    return {
        **_card(profile),
        "checks": [badge_text(check) for check in profile.checks_in_force],  # type: ignore[attr-defined]  # prefetched by `for_cards`
        "days": _free_days(request, profile, zone, number),
        "is_confirmed": is_confirmed(profile.user_id),
        "week": number,
        "is_last_week": number == _FURTHEST_WEEK,
        "reviews": [{"review": review, "author": first_name(review.author)} for review in reviews.rows],
        "older_reviews": reviews.last,
        "zone": zone,
        "zones": zone_choices(),
    }


def zone_of(request: HttpRequest) -> str:
    """The zone of who looks: as they chose it here, as their browser told it, or as they set it; "" if nobody knows."""
    for name in (request.GET.get("zone", ""), getattr(request.user, "time_zone", ""), unquote(request.COOKIES.get(ZONE_COOKIE, ""))):
        zone = canonical_zone(name)
        if zone is not None:
            return zone
    return ""


def _zone_of_mentor(profile: MentorProfile) -> str:
    return Schedule.objects.filter(profile=profile).values_list("time_zone", flat=True).first() or profile.user.time_zone


def _free_days(request: HttpRequest, profile: MentorProfile, zone: str, week: int) -> list[tuple[datetime.date, list[datetime.datetime]]]:
    minutes = shortest_offer(profile)
    if minutes is None or not MentorProfile.objects.bookable_for(request.user).filter(pk=profile.pk).exists():
        return []
    start = timezone.now() + week * _SLOT_DAYS
    found = slots_between(Question(profile.pk, minutes, request.user.pk), start, start + _SLOT_DAYS)
    return [(date, list(slots)) for date, slots in groupby(found, key=lambda slot: slot.astimezone(ZoneInfo(zone)).date())]


def _cards(profiles: list[MentorProfile], request: HttpRequest) -> list[dict[str, Any]]:
    slots = next_slots([profile.pk for profile in profiles if profile.state == MentorState.LIVE], learner_id=request.user.pk)
    return [_card(profile) | {"next_slot": slots.get(profile.pk)} for profile in profiles]


def _cheapest(offers: list[Offer]) -> list[Offer]:
    """The cheapest offer in each currency, because amounts of two currencies cannot be compared; a free offer alone if there is one."""
    lowest: dict[str, Offer] = {}
    for offer in sorted(offers, key=lambda offer: (offer.price_amount, offer.price_currency)):
        lowest.setdefault(offer.price_currency, offer)
    free = [offer for offer in lowest.values() if not offer.price_amount]
    return free[:1] or list(lowest.values())


def _card(profile: MentorProfile) -> dict[str, Any]:
    offers = profile.active_offers  # type: ignore[attr-defined]  # prefetched by `for_cards`
    return {
        "profile": profile,
        "offers": offers,
        "cheapest": _cheapest(offers),
        "skills": [link.skill.name for link in profile.skill_links.all()],
        "practices": [AccessibilityPractice(value).label for value in profile.accessibility_practices],
        "rating": rating_of(profile),
        "answering": answering_of(profile),
        "picture": (avatar_addresses(profile.user) or {}).get("128"),
        "is_bookable": profile.state == MentorState.LIVE,
    }
