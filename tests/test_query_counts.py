"""Every list costs the same number of queries at 1 and at 50 rows."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Block, Device, Guardianship, SecurityEvent, User
from ai.services.text import embed
from bookings.models import Booking, BookingMove, Session, WaitlistEntry
from catalog.models import Category, Opportunity, Organisation, OrganisationMember, PostingReview, Reaction, SavedSearch, Skill
from catalog.services.indexing import index_opportunities, refresh_statistics
from conftest import Api
from mentors.models import Check, MentorProfile, MentorSkill, Offer, OutsideCalendar, Review
from mentors.services.expanding import Hours
from mentors.services.occupying import block_time
from mentors.services.reviews import grant_reviews, write_review
from mentors.services.schedules import Availability, WeeklyRule, set_availability
from notifications.models import Notification, PushDevice
from payments.models import Movement, Payment
from profiling.enums import ClaimKind
from profiling.models import Interview, Recording
from profiling.services.profile import edit_profile
from profiling.services.ranking import LONGEST

pytestmark = pytest.mark.django_db
RANKED = "opportunities/recommended?page_size=100"
MATCHES = "mentors/matches?limit=50"
REVIEWED = uuid.UUID(int=7)
PAGES = (
    "/mentors/",
    "/mentors/?q=nurse",
    f"/mentors/{REVIEWED}",
    "/opportunities/",
    "/opportunities/?q=nurse",
    "/bookings/",
    "/dashboard/requests",
    "/dashboard/next",
    "/dashboard/calendar?view=month",
    "/dashboard/reviews",
    "/dashboard/earnings",
    "/dashboard/earnings/summary",
    "/dashboard/profile",
    "/dashboard/profile/preview",
    "/dashboard/availability",
    "/dashboard/calendars",
    "/dashboard/settings",
)
LISTS = (
    "categories",
    "categories/category-0",
    "opportunities?page_size=100",
    "opportunities?page_size=100&category=category-0&q=nurse",
    "opportunities/search?q=nurse&page_size=100",
    RANKED,
    "opportunities/mine?page_size=100",
    "opportunities/saved?page_size=100",
    "opportunities/dismissed?page_size=100",
    "opportunities/applied?page_size=100",
    "skills?page_size=100",
    "opportunities/facets?q=nurse",
    "opportunities/search?q=nruse&near=Oslo&radius_km=20000&page_size=100",
    "saved-searches?page_size=100",
    "organisations?page_size=100",
    "organisations/of-mine/members?page_size=100",
    "ai-profiling/profile",
    "ai-profiling/recordings?page_size=100",
    "auth/devices?page_size=100",
    "auth/security-log?page_size=100",
    "blocks?page_size=100",
    "notifications?page_size=100",
    "notifications?page_size=100&unread=true&topic=news",
    "notifications/devices?page_size=100",
    "mentors?page_size=100",
    "payments?page_size=100",
    "payouts/movements?page_size=100",
    "bookings?page_size=100",
    "bookings/sessions?page_size=100",
    "bookings/waitlist?page_size=100",
    "bookings?page_size=100&side=mentor&when=ahead&state=confirmed",
    "mentors?page_size=100&q=nurse&daily_from=08:00&daily_to=20:00",
    "mentors/me/blocks?page_size=100",
    "mentors/me/calendars?page_size=100",
    "mentors/me/checks?page_size=100",
    MATCHES,
    "reviews/to-write?page_size=100",
    "reviews/received?page_size=100",
    f"mentors/{REVIEWED}/reviews?page_size=100",
    "users/me/wards",
    "users/me/guardians",
)
STAFF_LISTS = (*("users?page_size=100", "users?page_size=100&q=person&role=member&is_active=true", "opportunities/reviews?page_size=100"),)


def fill(start: int, end: int, user: User) -> None:
    vectors = embed(texts=[f"nurse number {number}" for number in range(start, end)], purpose="test")
    for number, vector in zip(range(start, end), vectors.vectors, strict=True):
        category = Category.objects.create(
            source_id=str(number), slug=f"category-{number}", name=str(number), parent=Category.objects.filter(slug="category-0").first()
        )
        skill = Skill.objects.create(source="t", source_id=str(number), name=f"skill {number}", keys=[f"skill {number}"])
        row = Opportunity.objects.create(
            source="t",
            source_id=str(number),
            kind="job",
            title=f"Nurse {number}",
            location="Oslo, Norway",
            category=category,
            embedding=vector,
            embedding_model=vectors.model,
        )
        row.skills.add(skill)
        other = User.objects.create_user(f"person-{number}@example.org", None, full_name="Person")
        own = Opportunity.objects.create(
            source="o", source_id=str(number), kind="job", title=f"{number} posted", state="review", posted_by=user, category=category
        )
        own.skills.add(skill)
        PostingReview.objects.create(opportunity=own, signals=["new_poster"])
        now = timezone.now()
        for kind in ({"saved_at": now, "applied_at": now}, {"dismissed_at": now}):
            opportunity = Opportunity.objects.create(source="r", source_id=f"{number} {len(kind)}", kind="job", title="R", state="closed")
            opportunity.skills.add(skill)
            Reaction.objects.create(user=user, opportunity=opportunity, **kind)
        search = SavedSearch.objects.create(user=user, name=f"search {number}")
        search.found.set([own, row])
        organisation = Organisation.objects.create(slug=f"o-{number}", name=f"O {number}")
        OrganisationMember.objects.create(organisation=organisation, user=user)
        of_mine, _ = Organisation.objects.get_or_create(slug="of-mine", defaults={"name": "Mine"})
        OrganisationMember.objects.get_or_create(organisation=of_mine, user=user, defaults={"role": "owner"})
        OrganisationMember.objects.create(organisation=of_mine, user=other)
        device = Device.objects.create(user=user, kind="web", session_key=str(number))
        PushDevice.objects.create(user=user, device=device, token=str(number))
        named = User.objects.create_user(f"named-{number}@example.org", None, full_name="Named")
        data = {"title": "t", "text": "t"}
        Notification.objects.create(user=user, kind="notifications.announced", topic="news", data=data, about=named)
        add_mentor(number, skill, vector, vectors.model)
        SecurityEvent.objects.create(user=user, kind="signed_in")
        add_payment(user, named)
        add_bookings(user, named)
        block_time(person=user, starts_at=now, ends_at=now + timedelta(hours=1))
        check = Check.objects.create(profile=own_mentor(user), kind="credential", statement="x")
        check.documents.create(file=str(number), content_type="application/pdf", size=1, is_stored=True)
        add_reviews(user, named)
        OutsideCalendar.objects.create(person=user, kind="ics", name=str(number), host="h", sealed_address="x")
        Block.objects.create(blocker=user, blocked=other)
        Guardianship.objects.create(ward=other, guardian=user, state="active", accepted_at=other.created_at)
        Guardianship.objects.create(ward=user, guardian=other, state="active", accepted_at=other.created_at)
    interview = Interview.objects.filter(user=user).first() or Interview.objects.create(user=user)
    for number in range(start, end):
        answer = interview.answers.create(step=number + 1, slot="goals", question="?", text="x")
        expires_at = timezone.now() + timedelta(days=1)
        Recording.objects.create(user=user, answer=answer, file=f"recordings/{number}", expires_at=expires_at)
    index_opportunities(list(Opportunity.objects.values_list("id", flat=True)))
    refresh_statistics()
    edit_profile(user=user, labels={ClaimKind.SKILL: [f"skill {number}" for number in range(end)], ClaimKind.GOAL: ["a nurse"]})


def own_mentor(user: User) -> MentorProfile:
    columns = {"pk": REVIEWED, "state": "live", "live_since": timezone.now()}
    return MentorProfile.objects.get_or_create(user=user, defaults=columns)[0]


def add_reviews(user: User, other: User) -> None:
    """Something to write, and something received, as the mentor of others."""
    mentor = own_mentor(user)
    for is_written in (False, True):
        reference = uuid.uuid4()
        grant_reviews(reference=reference, profile=mentor, learner_id=other.pk, ended_at=timezone.now())
        for review in Review.objects.filter(reference=reference) if is_written else ():
            write_review(review=review, rating=4, text="Well.")


def add_payment(payer: User, payee: User) -> None:
    """Something paid, a part of it paid back, and something that went to the payer as a mentor."""
    sale = {"currency": "EUR", "amount": 5_000, "fee_amount": 750, "window_days": 7, "description": "Session"}
    payment = Payment.objects.create(subject_id=uuid.uuid4(), payer=payer, payee=payee, **sale)
    common = {"payment": payment, "amount": 5, "currency": "EUR", "state": "done"}
    for kind, more in (("refund", {"reason": "goodwill"}), ("transfer", {"person": payer})):
        key = uuid.uuid4().hex
        Movement.objects.create(kind=kind, key=key, provider_id=key, **common, **more)


def add_bookings(user: User, other: User) -> None:
    """A session ahead on either side."""
    ends_at = timezone.now() + timedelta(days=2)
    for mentor, learner in ((user, other), (other, user)):
        times = {"starts_at": ends_at - timedelta(minutes=60), "ends_at": ends_at, "duration_minutes": 60, "mentor_zone": "UTC"}
        session = Session.objects.create(mentor=mentor, kind="session", title="Talk", **times)
        terms = {"price_amount": 0, "price_currency": "EUR", "policy": "standard", "counted_from": session.starts_at}
        booking = Booking.objects.create(session=session, learner=learner, state="confirmed", learner_zone="UTC", **terms)
        at = {"moved_at": ends_at, "starts_at": session.starts_at, "side": "learner", "cause": "booked"}
        BookingMove.objects.create(booking=booking, version=1, from_state="", to_state="confirmed", **at)
    terms = {"seats": 5, "price_amount": 0, "price_currency": "EUR", "policy": "standard"}
    together = Session.objects.create(mentor=user, kind="group", title="Together", **times, **terms)
    opens_at, closes_at = together.starts_at, together.ends_at
    WaitlistEntry.objects.create(learner=user, mentor=other, session=together, opens_at=opens_at, closes_at=closes_at)


def add_mentor(number: int, skill: Skill, vector: list[float], model: str) -> None:
    """A live mentor with a skill, an offer and hours."""
    person = User.objects.create_user(f"mentor-{number}@example.org", None, full_name="Mentor")
    profile = MentorProfile.objects.create(
        user=person, state="live", live_since=timezone.now(), headline="Nurse", embedding=vector, embedding_model=model
    )
    MentorSkill.objects.create(profile=profile, skill=skill)
    Offer.objects.create(profile=profile, kind="session", title="Talk", duration_minutes=60, price_amount=0, price_currency="EUR")
    passed = {"evidence": "passport", "decided_at": timezone.now(), "expires_at": timezone.now() + timedelta(days=9)}
    Check.objects.create(profile=profile, kind="identity", state="passed", checked_name="Mentor", **passed)
    set_availability(profile=profile, availability=Availability("UTC", tuple(WeeklyRule(day, Hours(0, 1440)) for day in range(7))))


def cost(api: Api, path: str) -> tuple[int, int]:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        body: Any = api.get(path).json()
    rows = (
        body.get("wards")
        or body.get("kinds")
        or body.get("guardians")
        or body.get("results")
        or body.get("recommendations")
        or body.get("claims")
        or body.get("children")
    )
    return len(queries), len(rows)


def page_cost(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200
    return len(queries)


def test_the_number_of_queries_does_not_grow(signed_in: Api, user: User, client: Client) -> None:
    client.force_login(user)
    fill(0, 1, user)
    few = {path: cost(signed_in, path) for path in LISTS}
    few_pages = {path: page_cost(client, path) for path in PAGES}
    fill(1, 50, user)
    many_pages = {path: page_cost(client, path) for path in PAGES}
    assert few_pages == many_pages
    assert max(many_pages.values()) <= 16, many_pages
    # A ranking that is kept but of another state costs one statement more.
    cache.delete_many([f"recommend:{user.pk}:{depth}" for depth in (30, LONGEST)])
    many = {path: cost(signed_in, path) for path in LISTS}
    assert {path: count for path, (count, _) in few.items()} == {path: count for path, (count, _) in many.items()}
    assert many["opportunities?page_size=100"][1] == 50
    assert many[RANKED][1] == 50
    assert many["blocks?page_size=100"][1] == many["users/me/wards"][1] == many["auth/devices?page_size=100"][1] - 1 == 50
    # A ranking that has to be computed asks more, and is then kept.
    assert many.pop(RANKED)[0] <= 26
    assert many.pop(MATCHES)[0] <= 18
    assert cost(signed_in, RANKED)[0] <= 13
    assert max(count for count, _ in many.values()) <= 13, many


def test_the_lists_of_staff_do_not_grow_either(staff_api: Api, make_user: Any) -> None:
    counts = []
    for more in (1, 49):
        for _ in range(more):
            organisation = Organisation.objects.create(slug=uuid.uuid4().hex, name="O")
            row = Opportunity.objects.create(
                source="t", source_id=uuid.uuid4().hex, kind="job", title="Nurse", state="review", posting_organisation=organisation
            )
            PostingReview.objects.create(opportunity=row)
        User.objects.bulk_create([User(email=f"{uuid.uuid4().hex}@example.org", full_name="Person") for _ in range(more)])
        counts.append({path: cost(staff_api, path) for path in STAFF_LISTS})
    assert {path: count for path, (count, _) in counts[0].items()} == {path: count for path, (count, _) in counts[1].items()}
    assert all(rows >= 50 for _, rows in counts[1].values())
