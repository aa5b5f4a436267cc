from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts import policies
from accounts.enums import ConsentPurpose, ConsentSource
from accounts.errors import ConsentRequired, GuardianRequired
from accounts.models import Block, ConsentDecision, Guardianship, User
from accounts.services import blocking, consents
from accounts.tests.test_safety import last_code, last_link
from conftest import Api
from core.models import OutboxEvent

pytestmark = pytest.mark.django_db

# What each text that was ever published said. A wording that changes is a new version: add a line, never change one.
PUBLISHED = {
    ("ai_profiling", 1): "fe0860ecb61c6593",
    ("voice_processing", 1): "14b9cf5032f76156",
    ("voice_keeping", 1): "54c8bdceee8225be",
    ("recording", 1): "0d5ccd47e2592caa",
    ("marketing", 1): "26c2b9ce1fc9dca2",
    ("agent_acting", 1): "6fd3af98d33af073",
}


def years_ago(years: int) -> Any:
    today = timezone.now().date()
    return today - timedelta(days=years * 365 + years // 4 + 2)


@pytest.fixture
def teenager(make_user: Any) -> User:
    person: User = make_user(birth_date=years_ago(15))
    return person


@pytest.fixture
def adult(make_user: Any) -> User:
    person: User = make_user(birth_date=years_ago(40))
    return person


class TestConsent:
    def test_every_purpose_has_a_text_and_no_decision_at_first(self, signed_in: Api) -> None:
        rows = signed_in.get("users/me/consents").json()["consents"]
        assert [row["purpose"] for row in rows] == list(ConsentPurpose)
        assert not any(row["is_granted"] or row["is_decided"] or row["decided_at"] for row in rows)
        assert all(row["text"]["title"] and len(row["text"]["text"]) > 100 and row["text"]["version"] >= 1 for row in rows)

    def test_each_decision_is_a_row_with_its_text_time_and_source(self, signed_in: Api, user: User) -> None:
        for is_granted in (True, False, False, True):
            body = {"purpose": "marketing", "is_granted": is_granted, "text_version": 1}
            answer = signed_in.post("users/me/consents", body)
            assert (answer.status_code, answer.json()["is_granted"]) == (200, is_granted)
        rows = list(ConsentDecision.objects.filter(user=user).order_by("id"))
        assert [row.is_granted for row in rows] == [True, False, True], "the same again is no decision"
        text = consents.current_text(ConsentPurpose.MARKETING).text
        assert rows[0].text_digest == hashlib.sha256(text.encode()).hexdigest()
        assert {(row.source, row.decided_by_id, row.text_version) for row in rows} == {("settings", user.pk, 1)}
        names = list(OutboxEvent.objects.filter(name__contains="consent").order_by("id").values_list("name", flat=True))
        assert names == ["accounts.consent-granted", "accounts.consent-withdrawn", "accounts.consent-granted"]

    def test_what_needs_it_refuses_without_it(self, user: User) -> None:
        with pytest.raises(ConsentRequired) as refusal:
            consents.require_consent(user.pk, ConsentPurpose.RECORDING)
        assert refusal.value.data == {"purpose": "recording", "text_version": 1}
        consents.decide(user=user, purpose=ConsentPurpose.RECORDING, is_granted=True, text_version=1, source=ConsentSource.SETTINGS)
        consents.require_consent(user.pk, ConsentPurpose.RECORDING)
        consents.decide(user=user, purpose=ConsentPurpose.RECORDING, is_granted=False, text_version=1, source=ConsentSource.SETTINGS)
        with pytest.raises(ConsentRequired):
            consents.require_consent(user.pk, ConsentPurpose.RECORDING)

    def test_a_new_text_asks_again(self, signed_in: Api, user: User, monkeypatch: pytest.MonkeyPatch) -> None:
        signed_in.post("users/me/consents", {"purpose": "marketing", "is_granted": True, "text_version": 1})
        new = consents.ConsentText(ConsentPurpose.MARKETING, 2, "New", "A new wording.")
        monkeypatch.setattr(consents, "current_text", lambda purpose: new)
        with pytest.raises(ConsentRequired):
            consents.require_consent(user.pk, ConsentPurpose.MARKETING)
        stale = signed_in.post("users/me/consents", {"purpose": "marketing", "is_granted": True, "text_version": 1})
        assert (stale.status_code, stale.json()["code"], stale.json()["text_version"]) == (409, "consent_text_outdated", 2)

    @pytest.mark.parametrize(
        "change", [{"purpose": "everything"}, {"is_granted": "perhaps"}, {"text_version": 0}, {"text_version": 10**9}, {"is_granted": None}]
    )
    def test_bad_input(self, signed_in: Api, change: dict[str, Any]) -> None:
        body = {"purpose": "marketing", "is_granted": True, "text_version": 1} | change
        assert signed_in.post("users/me/consents", body).json()["errors"][0]["field"] == next(iter(change))
        assert not ConsentDecision.objects.exists()

    def test_texts_that_were_published_stay_as_they_were(self) -> None:
        for purpose in ConsentPurpose:
            text = consents.current_text(purpose)
            assert PUBLISHED[(str(purpose), text.version)] == text.digest[:16], (purpose, text.version, text.digest[:16])


class TestBlocks:
    def test_hold_both_ways(self, make_user: Any) -> None:
        one, other, third = make_user(), make_user(), make_user()
        api, their_api = Api().sign_in(one), Api().sign_in(other)
        answer = api.post("blocks", {"user_id": str(other.pk)})
        assert (answer.status_code, answer.json()["person"]["id"]) == (201, str(other.pk))
        assert api.post("blocks", {"user_id": str(other.pk)}).status_code == 201
        assert (api.get(f"users/{other.pk}").status_code, their_api.get(f"users/{one.pk}").status_code) == (404, 404)
        assert api.get(f"users/{third.pk}").status_code == 200
        assert [row["person"]["id"] for row in api.get("blocks").json()["results"]] == [str(other.pk)]
        assert their_api.get("blocks").json()["results"] == [], "nobody learns who blocked them"
        assert their_api.post("blocks", {"user_id": str(one.pk)}).status_code == 201, "and may block back"
        assert api.delete(f"blocks/{other.pk}").status_code == 204
        assert api.delete(f"blocks/{other.pk}").status_code == 404
        assert api.get(f"users/{other.pk}").status_code == 404, "the other one's block still holds"
        assert their_api.delete(f"blocks/{one.pk}").status_code == 204
        assert api.get(f"users/{other.pk}").status_code == 200

    def test_nobody_blocks_themselves_or_nobody(self, signed_in: Api, user: User) -> None:
        assert signed_in.post("blocks", {"user_id": str(user.pk)}).status_code == 409
        assert signed_in.post("blocks", {"user_id": "018f0000-0000-7000-8000-000000000000"}).status_code == 404
        assert signed_in.post("blocks", {"user_id": "x"}).json()["errors"][0]["field"] == "user_id"

    def test_hold_in_every_place_that_joined(self, make_user: Any) -> None:
        """Walks the registry: a place that shows one of the two to the other fails, whichever of them blocked."""
        one, other, third = make_user(), make_user(), make_user()
        places = blocking.places()
        assert "accounts.people" in places
        for viewer in (one, other):
            for name, people_shown in places.items():
                assert {one.pk, other.pk, third.pk} - {viewer.pk} <= set(people_shown(viewer)), f"{name} shows nobody: the test is blind"
        Block.objects.create(blocker=one, blocked=other)
        assert blocking.is_apart(one, other) and blocking.is_apart(other, one) and not blocking.is_apart(one, third)
        for viewer, hidden in ((one, other), (other, one)):
            for name, people_shown in places.items():
                shown = set(people_shown(viewer))
                assert hidden.pk not in shown and third.pk in shown, name

    def test_every_table_about_two_people_is_known(self) -> None:
        """A table with a person in it is either its owner's alone, or has a place in the registry. A new one must be put here."""
        alone = {
            *("accounts.Device", "accounts.LinkedProvider", "accounts.MailedKey", "accounts.SecurityEvent", "accounts.ConsentDecision"),
            *("accounts.Block", "accounts.Guardianship", "accounts.DataExport", "accounts.User_groups", "accounts.User_user_permissions"),
            "accounts.Impersonation",  # for staff, and in the person's own copy
            *("account.EmailAddress", "mfa.Authenticator", "admin.LogEntry", "ai.Usage", "ai.DailyBudget", "catalog.Opportunity"),
            *("notifications.Preferences", "notifications.Choice", "notifications.Inbox", "notifications.Notification"),
            *("notifications.Delivery", "notifications.PushDevice", "notifications.Phone", "notifications.Announcement"),
            *("catalog.OrganisationMember", "catalog.PostingReview", "catalog.Reaction", "catalog.SavedSearch"),
            *(
                "profiling.Interview",
                "profiling.Claim",
                "profiling.Profile",
                "profiling.DistressFlag",
                "profiling.Suggestion",
                "profiling.Recording",
                "profiling.Serving",
            ),
            *("mentors.OccupiedTime", "mentors.OutsideCalendar", "mentors.CalendarLink", "mentors.Check", "mentors.MatchServing"),
            # Read by others but for those apart, or by staff alone: mentors.tests.test_reviews.
            *("mentors.Review", "mentors.ReviewReport"),
            # Payer and payee see the same payment, and of each other no more than its amounts; the rest is for staff alone.
            *("payments.Payment", "payments.Movement", "payments.PayoutAccount", "payments.LedgerAccount", "payments.Finding"),
            # Learner, mentor and guardians see one booking, and each their own reminders; the rest is for staff alone.
            *("bookings.Session", "bookings.Booking", "bookings.BookingMove", "bookings.BookingTerms", "bookings.Reminder"),
            *("bookings.Series", "bookings.ReminderChoice", "bookings.Strike", "bookings.Appeal", "bookings.Attendance"),
            "bookings.Statement",
            *("bookings.WaitlistEntry", "bookings.RecordingConsent", "bookings.SessionRecording", "bookings.Removal"),
            # dj-stripe's, which nobody fills.
            "djstripe.Customer",
            # Shown to others, but for those apart: mentors.tests.test_profiles.
            "mentors.MentorProfile",
        }
        about_people = {
            model._meta.label
            for model in apps.get_models(include_auto_created=True)
            for field in model._meta.concrete_fields
            if field.related_model is User
        }
        assert about_people == alone


class TestAge:
    def test_a_child_cannot_register_and_nothing_is_kept(self, api: Api) -> None:
        body = {"email": "kid@example.org", "password": "a-long-pass-phrase", "full_name": "Kid", "birth_date": str(years_ago(10))}
        answer = api.post("auth/register", body)
        assert (answer.status_code, answer.json()["code"]) == (400, "guardian_profile_required")
        assert answer.json()["errors"][0]["field"] == "birth_date"
        assert not User.objects.exists() and not mail.outbox

    def test_a_teenager_needs_a_guardian_for_what_needs_one(self, teenager: User, adult: User) -> None:
        rules = (policies.can_use_ai, policies.can_book)
        never = (policies.can_pay, policies.can_have_public_profile, policies.can_be_recorded, policies.can_share_contact_details)
        assert not any(rule(teenager) for rule in (*rules, *never, policies.can_be_named_on_leaderboards, policies.can_be_guardian))
        Guardianship.objects.create(ward=teenager, guardian=adult, state="active", accepted_at=timezone.now())
        assert all(rule(teenager) for rule in rules)
        assert not any(rule(teenager) for rule in never)
        assert all(rule(adult) for rule in (*rules, *never, policies.can_be_guardian))

    def test_who_never_told_is_taken_for_an_adult_but_is_no_guardian(self, user: User) -> None:
        assert policies.can_use_ai(user) and policies.can_have_public_profile(user) and not policies.can_be_guardian(user)

    def test_roles(self, user: User, staff: User, make_user: Any) -> None:
        moderator = make_user(role="moderator")
        assert [policies.can_moderate(person) for person in (user, moderator, staff)] == [False, True, True]
        assert [policies.can_manage_people(person) for person in (user, moderator, staff)] == [False, False, True]

    def test_a_guardian_is_invited_and_accepts(self, teenager: User, adult: User) -> None:
        young, old = Api().sign_in(teenager), Api().sign_in(adult)
        asked = young.post("users/me/guardians", {"email": adult.email})
        assert (asked.status_code, asked.json()["state"]) == (201, "invited")
        key = last_code()
        assert young.post("users/me/wards/accept", {"key": key}).json()["code"] == "adults_only"
        accepted = old.post("users/me/wards/accept", {"key": key})
        assert (accepted.status_code, accepted.json()["state"]) == (200, "active")
        assert old.post("users/me/wards/accept", {"key": key}).status_code == 400
        assert policies.is_guardian_of(adult, teenager)
        assert [row["person"]["id"] for row in old.get("users/me/wards").json()["wards"]] == [str(teenager.pk)]
        guardianship = young.get("users/me/guardians").json()["guardians"][0]
        assert guardianship["guardian_name"] == adult.full_name
        assert Api().sign_in(adult).post(f"users/me/wards/{teenager.pk}/session").status_code == 404, "only for profiles of children"
        assert young.delete(f"users/me/guardians/{guardianship['id']}").status_code == 204
        assert young.delete(f"users/me/guardians/{guardianship['id']}").status_code == 404
        assert not policies.has_guardian(teenager)

    def test_an_invitation_is_for_the_address_that_it_went_to(self, teenager: User, adult: User) -> None:
        Api().sign_in(teenager).post("users/me/guardians", {"email": "parent@example.org"})
        assert Api().sign_in(adult).post("users/me/wards/accept", {"key": last_code()}).status_code == 403
        assert not policies.has_guardian(teenager)

    def test_inviting_has_its_rules(self, teenager: User, adult: User) -> None:
        young = Api().sign_in(teenager)
        assert Api().sign_in(adult).post("users/me/guardians", {"email": "x@example.org"}).status_code == 409
        assert young.post("users/me/guardians", {"email": teenager.email}).json()["errors"][0]["code"] == "own_address"
        codes = [young.post("users/me/guardians", {"email": f"g{number}@example.org"}).status_code for number in range(5)]
        assert codes[-1] in (409, 429) and codes[:3] == [201] * 3

    def test_consents_of_a_minor_are_their_guardians_to_give(self, teenager: User, adult: User, make_user: Any) -> None:
        Guardianship.objects.create(ward=teenager, guardian=adult, state="active", accepted_at=timezone.now())
        yes = {"purpose": "ai_profiling", "is_granted": True, "text_version": 1}
        own = Api().sign_in(teenager).post("users/me/consents", yes)
        assert (own.status_code, own.json()["code"]) == (403, "guardian_required")
        api = Api().sign_in(adult)
        assert api.post(f"users/me/wards/{teenager.pk}/consents", yes).json()["source"] == "guardian"
        assert api.get(f"users/me/wards/{teenager.pk}/consents").json()["consents"][0]["is_granted"] is True
        assert Api().sign_in(make_user()).get(f"users/me/wards/{teenager.pk}/consents").status_code == 404
        no = Api().sign_in(teenager).post("users/me/consents", yes | {"is_granted": False})
        assert no.status_code == 200, "a no is everybody's own"
        with pytest.raises(GuardianRequired):
            consents.decide(
                user=teenager,
                purpose=ConsentPurpose.MARKETING,
                is_granted=True,
                text_version=1,
                source=ConsentSource.GUARDIAN,
                decided_by=make_user(),
            )

    def test_a_profile_for_a_child(self, adult: User, user: User) -> None:
        api = Api().sign_in(adult)
        child = {"full_name": "Kid", "birth_date": str(years_ago(8))}
        assert Api().sign_in(user).post("users/me/wards", child).json()["code"] == "adults_only"
        old = api.post("users/me/wards", child | {"birth_date": str(years_ago(14))})
        assert old.json()["errors"][0]["code"] == "not_a_child"
        made = api.post("users/me/wards", child)
        assert (made.status_code, made.json()["wards"][0]["person"]["age_band"]) == (201, "child")
        ward = made.json()["wards"][0]
        session = api.post(f"users/me/wards/{ward['person']['id']}/session").json()
        as_child = Api()
        as_child.token = session["access_token"]
        assert as_child.get("users/me").json()["full_name"] == "Kid"
        assert as_child.post("auth/refresh", {"refresh_token": session["refresh_token"]}).status_code == 200
        assert api.delete(f"users/me/guardians/{ward['id']}").status_code == 409, "a child's profile keeps its guardian"
        child_email = User.objects.get(pk=ward["person"]["id"]).email
        assert Api().post("auth/login", {"email": child_email, "password": ""}).status_code == 400

    def test_the_page_of_an_invitation(self, client: Client, teenager: User, adult: User) -> None:
        Api().sign_in(teenager).post("users/me/guardians", {"email": adult.email})
        address = f"/guardian/{last_link('guardian')}"
        assert client.get(address)["Location"].startswith("/sign-in/?next=/guardian/")
        client.force_login(adult)
        assert b"I am their guardian" in client.get(address).content
        assert b"You are their guardian now" in client.post(address).content
        assert client.post(address).status_code == 400
