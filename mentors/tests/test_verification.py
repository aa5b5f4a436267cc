"""What staff checked about a mentor: evidence, two people where it matters, and nothing that outlives its day."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from conftest import Api
from core.documents import MOST_BYTES
from core.errors import Forbidden, InvalidInput
from core.events import run_delivery
from core.models import AuditEntry, EventDelivery
from mentors.enums import CheckKind, CheckScope, CheckState, Evidence
from mentors.errors import IllegalCheckMove, SecondReviewerNeeded
from mentors.models import Check, CheckDocument, MentorProfile
from mentors.selectors import badge_text
from mentors.services import documents, verification
from mentors.tests.conftest import utc
from notifications.models import Notification

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.4\nA paper."
NOW = utc("2026-06-01 06:00")


@pytest.fixture(autouse=True)
def clock(monkeypatch: Any) -> Callable[[datetime.datetime], None]:
    def set_to(instant: datetime.datetime) -> None:
        monkeypatch.setattr(timezone, "now", lambda: instant)

    set_to(NOW)
    return set_to


@pytest.fixture
def profile(make_mentor: Any, user: User) -> MentorProfile:
    return make_mentor(user=user, is_open_to_minors=True)  # type: ignore[no-any-return]


@pytest.fixture
def other_staff(make_user: Any) -> User:
    return make_user(role="staff")  # type: ignore[no-any-return]


def submitted(profile: MentorProfile, kind: CheckKind = CheckKind.IDENTITY, scope: CheckScope = CheckScope.GENERAL, **fields: Any) -> Check:
    check = verification.request_check(profile=profile, kind=kind, scope=scope, **fields)
    documents.add_document(check=check, content=PDF)
    verification.submit_check(check=check)
    return check


def upload(api: Api, check_id: str, content: bytes = PDF) -> Any:
    paper = SimpleUploadedFile("paper.pdf", content)
    headers = {"HTTP_AUTHORIZATION": f"Bearer {api.token}"}
    return Client(raise_request_exception=False).post(f"/api/v1/mentors/me/checks/{check_id}/documents", {"document": paper}, **headers)  # type: ignore[arg-type]


def deliver() -> None:
    for delivery in EventDelivery.objects.filter(handler__startswith="mentors."):
        run_delivery(delivery.pk)


class TestAsking:
    def test_from_the_first_paper_to_the_badge(
        self, signed_in: Api, user: User, staff: User, profile: MentorProfile, django_capture_on_commit_callbacks: Any
    ) -> None:
        check = signed_in.post("mentors/me/checks", {"kind": "identity"}).json()
        assert (check["state"], check["documents"]) == ("open", [])
        assert signed_in.post(f"mentors/me/checks/{check['id']}/submit").json()["errors"][0]["field"] == "documents"
        assert upload(signed_in, check["id"]).status_code == 201
        shown = signed_in.get(f"mentors/me/checks/{check['id']}").json()
        assert (shown["documents"][0]["content_type"], shown["documents"][0]["size"]) == ("application/pdf", len(PDF))
        assert signed_in.post(f"mentors/me/checks/{check['id']}/submit").json()["state"] == "submitted"
        assert upload(signed_in, check["id"]).json()["code"] == "illegal_check_move"
        assert Api().get(f"mentors/{profile.pk}").json()["checks"] == []
        row = Check.objects.get()
        assert len(documents.document_files(user.pk)) == 1
        with django_capture_on_commit_callbacks(execute=True):
            verification.pass_check(staff=staff, check=row, evidence=Evidence.PASSPORT)
        assert (documents.document_files(user.pk), CheckDocument.objects.count()) == ([], 0), "papers go with the decision"
        badge = Api().get(f"mentors/{profile.pk}").json()["checks"][0]
        assert badge["text"] == (
            "Identity. A passport in this name, looked at by one of our staff on 1 June 2026; counts until 31 May 2029."
        )
        deliver()
        assert Notification.objects.get(user=user).kind == "mentors.check-passed"

    def test_a_mailbox_at_work(self, signed_in: Api, profile: MentorProfile, staff: User, make_user: Any) -> None:
        given = {"kind": "employer", "statement": "Acme", "contact": "me@acme.example"}
        check_id = signed_in.post("mentors/me/checks", given).json()["id"]
        assert signed_in.post(f"mentors/me/checks/{check_id}/code").status_code == 202
        letter = mail.outbox[-1]
        assert letter.to == ["me@acme.example"]
        code = re.search(r"[A-Z0-9]{4}-[A-Z0-9]{4}", letter.body)
        assert code is not None
        assert signed_in.put(f"mentors/me/checks/{check_id}/code", {"code": "AAAA-AAAA"}).json()["code"] == "invalid_key"
        row = Check.objects.get()
        verification_error = pytest.raises(InvalidInput)
        assert signed_in.put(f"mentors/me/checks/{check_id}/code", {"code": code[0]}).json()["is_mailbox_proven"] is True
        assert signed_in.post(f"mentors/me/checks/{check_id}/submit").status_code == 200
        with verification_error:
            verification.pass_check(staff=staff, check=row, evidence=Evidence.PASSPORT)
        verification.pass_check(staff=staff, check=row, evidence=Evidence.WORK_MAIL)
        row.refresh_from_db()
        assert (row.contact, row.proven_domain) == ("", "acme.example")
        assert badge_text(row).startswith("Employer: Acme. A mailbox of the employer at acme.example, looked at")

    def test_the_code_of_another_check_proves_nothing(self, profile: MentorProfile) -> None:
        first, second = (
            verification.request_check(profile=profile, kind=CheckKind.EMPLOYER, statement=name, contact=f"me@{name}.example")
            for name in ("one", "two")
        )
        verification.mail_code(check=first)
        code = re.search(r"[A-Z0-9]{4}-[A-Z0-9]{4}", mail.outbox[-1].body)
        assert code is not None
        with pytest.raises(IllegalCheckMove):
            verification.confirm_code(check=second, code=code[0])
        for _ in range(4):
            verification.mail_code(check=first)
        with pytest.raises(IllegalCheckMove):
            verification.mail_code(check=first)
        with pytest.raises(IllegalCheckMove):
            verification.mail_code(check=verification.request_check(profile=profile, kind=CheckKind.IDENTITY))

    def test_without_the_code_a_mailbox_is_not_proven(self, profile: MentorProfile, staff: User) -> None:
        check = submitted(profile, CheckKind.EMPLOYER, statement="Acme", contact="me@acme.example")
        with pytest.raises(InvalidInput) as refusal:
            verification.pass_check(staff=staff, check=check, evidence=Evidence.WORK_MAIL)
        assert refusal.value.errors[0].code == "not_proven"

    @pytest.mark.parametrize(
        ("given", "field", "code"),
        [
            ({"kind": "identity", "scope": "minors"}, "scope", "wrong_scope"),
            ({"kind": "employer"}, "statement", "required"),
            ({"kind": "employer", "statement": "Acme", "contact": "no mailbox"}, "contact", "invalid"),
            ({"kind": "employer", "statement": "Acme", "contact": "me@GMail.com"}, "contact", "mailbox_for_all"),
            ({"kind": "identity", "contact": "me@acme.example"}, "contact", "not_needed"),
            ({"kind": "aura"}, "kind", "invalid_choice"),
        ],
    )
    def test_bad_requests(self, signed_in: Api, profile: MentorProfile, given: Any, field: str, code: str) -> None:
        answer = signed_in.post("mentors/me/checks", given)
        assert answer.status_code == 400
        assert (answer.json()["errors"][0]["field"], answer.json()["errors"][0]["code"]) == (field, code)
        assert not Check.objects.exists()

    def test_one_of_a_kind_and_few_a_day(self, signed_in: Api, profile: MentorProfile) -> None:
        assert signed_in.post("mentors/me/checks", {"kind": "identity"}).status_code == 201
        assert signed_in.post("mentors/me/checks", {"kind": "identity"}).json()["code"] == "too_many_checks"
        Check.objects.update(created_at=NOW)
        for number in range(9):
            assert signed_in.post("mentors/me/checks", {"kind": "credential", "statement": str(number)}).status_code == 201
            Check.objects.update(created_at=NOW)
        assert signed_in.post("mentors/me/checks", {"kind": "credential", "statement": "x"}).json()["code"] == "too_many_checks"

    @pytest.mark.parametrize("content", [b"", b"<svg onload=alert(1)>", b"GIF89a", b"RIFF0000WAVE"])
    def test_other_files_are_refused(self, signed_in: Api, profile: MentorProfile, content: bytes) -> None:
        check = verification.request_check(profile=profile, kind=CheckKind.IDENTITY)
        assert upload(signed_in, str(check.pk), content).status_code == 400
        assert documents.document_files(profile.user_id) == []

    def test_papers_are_few_small_and_removable(self, signed_in: Api, profile: MentorProfile) -> None:
        check = verification.request_check(profile=profile, kind=CheckKind.IDENTITY)
        paper = upload(signed_in, str(check.pk), b"RIFF0000WEBPVP8 ").json()["id"]
        assert signed_in.delete(f"mentors/me/checks/{check.pk}/documents/{paper}").status_code == 204
        assert documents.document_files(profile.user_id) == []
        for _ in range(5):
            assert upload(signed_in, str(check.pk)).status_code == 201
        assert upload(signed_in, str(check.pk)).json()["code"] == "too_many_documents"
        assert upload(signed_in, str(check.pk), PDF + bytes(MOST_BYTES)).status_code == 413

    def test_withdrawing_deletes_the_papers(self, signed_in: Api, profile: MentorProfile, django_capture_on_commit_callbacks: Any) -> None:
        check = submitted(profile)
        with django_capture_on_commit_callbacks(execute=True):
            answer = signed_in.delete(f"mentors/me/checks/{check.pk}")
        assert (answer.json()["state"], answer.json()["documents"]) == ("withdrawn", [])
        assert documents.document_files(profile.user_id) == []
        assert signed_in.delete(f"mentors/me/checks/{check.pk}").status_code == 409


class TestMinors:
    def cleared(self, profile: MentorProfile, staff: User, other_staff: User) -> Check:
        verification.pass_check(staff=staff, check=submitted(profile), evidence=Evidence.IDENTITY_CARD)
        check = submitted(profile, CheckKind.BACKGROUND, CheckScope.MINORS)
        verification.pass_check(staff=staff, check=check, evidence=Evidence.EXTENDED_POLICE_CERTIFICATE)
        verification.pass_check(staff=other_staff, check=check, evidence=Evidence.EXTENDED_POLICE_CERTIFICATE)
        check.refresh_from_db()
        return check

    @pytest.fixture
    def young(self, make_user: Any) -> Api:
        return Api().sign_in(make_user(birth_date=NOW.date() - datetime.timedelta(days=15 * 366)))

    def test_it_takes_two(self, profile: MentorProfile, staff: User, other_staff: User, young: Api) -> None:
        check = submitted(profile, CheckKind.BACKGROUND, CheckScope.MINORS)
        verification.pass_check(staff=staff, check=submitted(profile), evidence=Evidence.PASSPORT)
        verification.pass_check(staff=staff, check=check, evidence=Evidence.EXTENDED_POLICE_CERTIFICATE)
        assert Check.objects.get(pk=check.pk).state == CheckState.SECOND_REVIEW
        with pytest.raises(SecondReviewerNeeded):
            verification.pass_check(staff=staff, check=check, evidence=Evidence.EXTENDED_POLICE_CERTIFICATE)
        assert young.get(f"mentors/{profile.pk}").status_code == 404
        verification.pass_check(staff=other_staff, check=check, evidence=Evidence.EXTENDED_POLICE_CERTIFICATE)
        assert young.get(f"mentors/{profile.pk}").status_code == 200
        assert "looked at by two of our staff" in young.get("mentors?minors=true").json()["results"][0]["checks"][0]["text"]

    def test_the_database_holds_the_rule(self, profile: MentorProfile, staff: User, other_staff: User) -> None:
        check = self.cleared(profile, staff, other_staff)
        for change in ({"reviewer": staff}, {"first_reviewed_at": None}, {"evidence": ""}, {"expires_at": check.decided_at}):
            with pytest.raises(IntegrityError), transaction.atomic():
                Check.objects.filter(pk=check.pk).update(**change)

    def test_both_checks_and_the_wish_are_needed(self, profile: MentorProfile, staff: User, other_staff: User, young: Api) -> None:
        check = self.cleared(profile, staff, other_staff)
        assert young.get(f"mentors/{profile.pk}/slots").status_code == 200
        MentorProfile.objects.update(is_open_to_minors=False)
        assert young.get(f"mentors/{profile.pk}").status_code == 404
        MentorProfile.objects.update(is_open_to_minors=True)
        verification.revoke_check(staff=staff, check=check, note="A new entry.")
        assert young.get(f"mentors/{profile.pk}").status_code == 404
        assert Api().get("mentors?minors=true").json()["results"] == []

    def test_expiry_takes_effect_at_once(self, profile: MentorProfile, staff: User, other_staff: User, clock: Any, make_user: Any) -> None:
        check = self.cleared(profile, staff, other_staff)
        assert check.expires_at is not None
        young = make_user(birth_date=NOW.date() - datetime.timedelta(days=10 * 366))
        clock(check.expires_at - datetime.timedelta(seconds=1))
        assert MentorProfile.objects.listed_for(young).exists()
        clock(check.expires_at)
        assert not MentorProfile.objects.listed_for(young).exists()
        assert [badge["kind"] for badge in Api().get(f"mentors/{profile.pk}").json()["checks"]] == ["identity"]

    def test_another_name_is_another_person(self, profile: MentorProfile, staff: User) -> None:
        verification.pass_check(staff=staff, check=submitted(profile), evidence=Evidence.PASSPORT)
        User.objects.filter(pk=profile.user_id).update(full_name="Somebody Else")
        assert Api().get(f"mentors/{profile.pk}").json()["checks"] == []


class TestReviewing:
    def test_nobody_reviews_themselves(self, make_mentor: Any, staff: User) -> None:
        check = submitted(make_mentor(user=staff))
        for call in (verification.refuse_check, lambda **given: verification.pass_check(evidence=Evidence.PASSPORT, **given)):
            with pytest.raises(Forbidden):
                call(staff=staff, check=check)

    def test_wrong_evidence_and_dates(self, profile: MentorProfile, staff: User) -> None:
        check = submitted(profile)
        for given in (
            {"evidence": Evidence.DIPLOMA},
            {"evidence": Evidence.PASSPORT, "expires_at": NOW},
            {"evidence": Evidence.PASSPORT, "expires_at": NOW + datetime.timedelta(days=4 * 365)},
        ):
            with pytest.raises(InvalidInput):
                verification.pass_check(staff=staff, check=check, **given)  # type: ignore[arg-type]
        assert Check.objects.get().state == CheckState.SUBMITTED

    def test_what_is_not_submitted_is_not_reviewed(self, profile: MentorProfile, staff: User) -> None:
        check = verification.request_check(profile=profile, kind=CheckKind.IDENTITY)
        for call in (verification.refuse_check, verification.revoke_check):
            with pytest.raises(IllegalCheckMove):
                call(staff=staff, check=check)

    def test_the_first_reviewer_may_still_refuse(self, profile: MentorProfile, staff: User) -> None:
        check = submitted(profile, CheckKind.BACKGROUND, CheckScope.MINORS)
        verification.pass_check(staff=staff, check=check, evidence=Evidence.EXTENDED_POLICE_CERTIFICATE)
        verification.refuse_check(staff=staff, check=check, note="On second thoughts, no.")
        assert Check.objects.get().state == CheckState.REFUSED

    def test_the_desk(
        self, client: Client, profile: MentorProfile, staff: User, user: User, django_capture_on_commit_callbacks: Any
    ) -> None:
        check = submitted(profile)
        client.force_login(staff)
        page = reverse("admin:mentors_check_change", args=[check.pk])
        assert b"Download" in client.get(page).content
        paper = reverse("admin:mentors_check_document", args=[check.pk, CheckDocument.objects.get().pk])
        answer = client.get(paper)
        assert (answer.content, answer["Content-Type"]) == (PDF, "application/octet-stream")
        assert answer["Content-Disposition"].startswith("attachment")
        assert AuditEntry.objects.filter(action="downloaded", actor_id=staff.pk).exists()
        desk = reverse("admin:mentors_check_changelist")
        client.post(desk, {"action": "pass_checks", "_selected_action": [str(check.pk)]})
        assert Check.objects.get().state == CheckState.SUBMITTED, "nobody said what they saw"
        inline = {f"documents-{name}_FORMS": "0" for name in ("TOTAL", "INITIAL", "MIN_NUM", "MAX_NUM")}
        saved = client.post(page, {"evidence": "passport", "decision_note": "All well.", "expires_at_0": "", "expires_at_1": ""} | inline)
        assert saved.status_code == 302, saved.content[:2000]
        with django_capture_on_commit_callbacks(execute=True):
            client.post(desk, {"action": "pass_checks", "_selected_action": [str(check.pk)]})
        assert Check.objects.get().state == CheckState.PASSED
        assert client.get(paper).status_code == 404
        client.post(desk, {"action": "refuse_checks", "_selected_action": [str(check.pk)]})
        assert Check.objects.get().state == CheckState.PASSED
        client.post(desk, {"action": "revoke_checks", "_selected_action": [str(check.pk)]})
        assert Check.objects.get().state == CheckState.REVOKED
        client.force_login(user)
        assert client.get(paper).status_code == 302

    def test_refused_and_revoked_is_told(self, profile: MentorProfile, staff: User, user: User) -> None:
        verification.refuse_check(staff=staff, check=submitted(profile), note="Blurred.")
        check = submitted(profile)
        verification.pass_check(staff=staff, check=check, evidence=Evidence.PASSPORT)
        verification.revoke_check(staff=staff, check=check)
        deliver()
        kinds = Notification.objects.filter(user=user).values_list("kind", flat=True)
        assert sorted(kinds) == ["mentors.check-passed", "mentors.check-refused", "mentors.check-revoked"]


class TestTidying:
    def test_who_is_told_that_a_check_ends(self, profile: MentorProfile, staff: User, user: User, clock: Any) -> None:
        verification.pass_check(staff=staff, check=submitted(profile), evidence=Evidence.PASSPORT)
        assert verification.tell_expiring_checks() == 0
        clock(NOW + datetime.timedelta(days=3 * 365 - 20))
        assert (verification.tell_expiring_checks(), verification.tell_expiring_checks()) == (1, 0)
        deliver()
        assert Notification.objects.filter(user=user, kind="mentors.check-expires").count() == 1

    def test_checks_left_open_end(self, profile: MentorProfile, clock: Any) -> None:
        check = verification.request_check(profile=profile, kind=CheckKind.IDENTITY)
        assert verification.withdraw_idle_checks() == 0
        clock(timezone.now() + datetime.timedelta(days=4000))
        assert verification.withdraw_idle_checks() == 1
        check.refresh_from_db()
        assert check.state == CheckState.WITHDRAWN

    def test_papers_that_a_crash_left_go(self, profile: MentorProfile, staff: User, clock: Any) -> None:
        verification.pass_check(staff=staff, check=submitted(profile), evidence=Evidence.PASSPORT)
        assert len(documents.document_files(profile.user_id)) == 1, "the commit that deletes them never came"
        assert documents.delete_left_documents() == 0
        clock(timezone.now() + datetime.timedelta(days=4000))
        assert documents.delete_left_documents() == 1
        assert documents.document_files(profile.user_id) == []

    def test_the_archive_has_them_and_erasure_deletes_them(self, profile: MentorProfile) -> None:
        submitted(profile)
        ((name, file),) = documents.files_for_archive(profile.user_id)
        assert (name.startswith("documents/identity-"), documents.read_stored(file)) == (True, PDF)
        documents.delete_document_files(profile.user_id)
        assert not storages["private"].exists(file)
