from __future__ import annotations

import io
import json
import shutil
import uuid
import zipfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import jsonschema
import pytest
from django.apps import apps
from django.core import mail
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from accounts.models import DataExport, Erasure, MailedKey, RetiredHandle, User
from accounts.services import erasing, exporting
from accounts.tasks import make_exports, prune_accounts, run_erasures
from accounts.tests.test_people import folder, picture, put  # noqa: F401  (a fixture)
from accounts.tests.test_safety import last_code, last_link
from conftest import PASSWORD, Api
from core.privacy import Privacy, declarations, erasure_steps

pytestmark = pytest.mark.django_db


class TestDeclarations:
    def test_every_column_of_every_table_has_its_class(self) -> None:
        declared = {declaration.label: set(declaration.columns) for declaration in declarations()}
        present = {
            model._meta.label: {field.name for field in model._meta.concrete_fields}
            for model in apps.get_models(include_auto_created=True)
            if model._meta.managed and not model._meta.proxy
        }
        assert declared == present

    def test_a_table_with_somebodys_data_says_whose_and_what_becomes_of_it(self) -> None:
        """Tables without a subject that hold personal columns, each with its reason."""
        exceptions = {"admin.LogEntry", "core.EventDelivery"}  # emptied by a step of its own; pruned after a month
        loose = {
            declaration.label
            for declaration in declarations()
            if not declaration.subject and {Privacy.PERSONAL, Privacy.SPECIAL} & set(declaration.columns.values())
        }
        assert loose == exceptions

    def test_cleared_rows_lose_every_personal_column(self) -> None:
        kept = {"suspended_at"}  # says when, and no longer about whom
        for declaration in declarations():
            if declaration.cleared:
                # What the books need stays with a pseudonym.
                harmless = (Privacy.NONE, Privacy.MONEY_RECORD)
                about = {name for name, kind in declaration.columns.items() if kind not in harmless}
                assert about - kept <= set(declaration.cleared), declaration.label


def fill(person: User, api: Api) -> None:
    """Something of a person in every table of every app."""
    from django.contrib.auth.models import Group, Permission

    from accounts.models import Block, Guardianship, Impersonation
    from accounts.tests.test_factors import enrol
    from ai.models import DailyBudget

    enrol(api)
    put(api, picture())
    api.patch("users/me", {"handle": "canary_handle", "bio": "CANARY-BIO", "languages": ["en"], "accessibility": {"screen_reader": True}})
    api.post("users/me/consents", {"purpose": "marketing", "is_granted": True, "text_version": 1})
    started = api.post("ai-profiling/start").json()
    answer = {"session_id": started["session_id"], "step": 1, "answer_text": "I know Python. I want to die. CANARY-ANSWER"}
    assert api.post("ai-profiling/submit-answer", answer).status_code == 200
    assert api.patch("ai-profiling/profile", {"skills": ["CANARY-SKILL"], "summary": "CANARY-SUMMARY"}).status_code == 200
    from django.core.files.base import ContentFile
    from django.core.files.storage import storages

    from profiling.models import Answer, Claim, Recording, Suggestion

    name = storages["private"].save(f"recordings/{person.pk}/canary_handle.ogg", ContentFile(b"OggS CANARY"))
    kept_until = timezone.now() + timedelta(days=1)
    Recording.objects.create(user=person, answer=Answer.objects.get(interview__user=person), file=name, expires_at=kept_until)

    Suggestion.objects.create(user=person, claim=Claim.objects.filter(user=person)[0], reason="contradiction", quote="CANARY-QUOTE")
    assert api.get("opportunities/recommended").status_code == 200
    Api().post("auth/password/reset", {"email": person.email})
    other = User.objects.create_user("other@example.org", None, full_name="Other", birth_date=date(1980, 1, 1))
    api.post("blocks", {"user_id": str(other.pk)})
    Block.objects.create(blocker=other, blocked=person)
    Impersonation.objects.create(staff=other, person=person, reason="They asked for help", ends_at=timezone.now())
    Guardianship.objects.create(ward=person, guardian=other, state="active", accepted_at=timezone.now(), guardian_email="other@example.org")
    Guardianship.objects.create(ward=other, guardian_email=person.email)
    DailyBudget.objects.create(user=person, day_on=date(2026, 1, 1), tokens_limit=5)
    person.groups.add(Group.objects.create(name="g"))
    person.user_permissions.add(Permission.objects.first())  # type: ignore[arg-type]
    from allauth.account.models import EmailConfirmation

    from accounts.models import LinkedProvider
    from catalog.models import Opportunity, Organisation, OrganisationMember, Reaction, SavedSearch
    from notifications.models import Announcement, Choice, Delivery, Inbox, Notification, Phone, Preferences, PushDevice, PushTicket

    LinkedProvider.objects.create(user=person, provider="google", subject="CANARY-SUBJECT", email=person.email)
    EmailConfirmation.create(person.emailaddress_set.get()).save()
    row = Opportunity.objects.create(source="t", source_id="1", kind="job", title="Nurse", posted_by=person)
    Reaction.objects.create(user=person, opportunity=row, dismissed_at=timezone.now(), dismissed_because="other")
    SavedSearch.objects.create(user=person, name="CANARY-SEARCH", filters={"q": "CANARY"}).found.add(row)
    OrganisationMember.objects.create(organisation=Organisation.objects.create(slug="c", name="Clinic"), user=person)
    Preferences.objects.create(user=person, cadence="daily")
    Choice.objects.create(user=person, topic="news", channel="email", is_wanted=True)
    Inbox.objects.get_or_create(user=person)
    told = Notification.objects.create(user=person, about=other, kind="x.y", topic="x", data={"title": "CANARY-TOLD"})
    Notification.objects.create(user=other, about=person, kind="x.y", topic="x", data={"title": "CANARY-ABOUT"})
    delivery = Delivery.objects.create(notification=told, user=person, channel="push", due_at=timezone.now())
    phone = PushDevice.objects.create(user=person, device=person.devices.first(), token="ExponentPushToken[CANARY]")
    PushTicket.objects.create(delivery=delivery, device=phone, ticket="CANARY-TICKET")
    Phone.objects.create(user=person, number="+4915112345678", code_hash="CANARY-CODE")
    Announcement.objects.create(title="t", text="t", created_by=person)
    fill_mentor(person, api)
    fill_money(person, other)
    fill_bookings(person, other)


def fill_mentor(person: User, api: Api) -> None:
    """Something in every table of a mentor."""
    from catalog.models import Skill
    from mentors.enums import CheckKind, ReportReason
    from mentors.models import MatchServing, MentorProfile, MentorSkill, Review
    from mentors.services import calendars, documents, links, occupying, requests, reviews, verification

    offer = {"kind": "session", "title": "CANARY-OFFER", "duration_minutes": 60, "price": {"amount": 4500, "currency": "EUR"}}
    assert api.put("mentors/me", {"headline": "CANARY-HEADLINE", "bio": "CANARY-BIO", "offers": [offer]}).status_code == 200
    profile = MentorProfile.objects.get(user=person)
    MentorSkill.objects.create(profile=profile, skill=Skill.objects.create(source="t", source_id="1", name="Care"), years=3)
    hours = {"start": "09:00", "end": "17:00"}
    availability = {
        "time_zone": "Europe/Berlin",
        "weekly": [{"weekday": 0} | hours],
        "overrides": [{"date": "2026-12-24", "hours": [hours]}],
        "travels": [{"first_date": "2026-12-01", "last_date": "2026-12-02", "time_zone": "Asia/Tokyo"}],
    }
    assert api.put("mentors/me/availability", availability).status_code == 200
    occupying.block_time(person=person, starts_at=timezone.now(), ends_at=timezone.now() + timedelta(hours=1), title="CANARY-BLOCK")
    calendars.add_calendar(person=person, kind="ics", name="CANARY-CALENDAR", address="https://calendar.example/CANARY-ADDRESS")
    links.rotate_link(person=person)
    other = User.objects.create_user("learner@example.org", None, full_name="Learner")
    reviews.grant_reviews(reference=uuid.uuid4(), profile=profile, learner_id=other.pk, ended_at=timezone.now())
    for review in Review.objects.order_by("is_of_mentor"):
        for text in ("CANARY-FIRST-WORDS", "CANARY-WORDS") if review.author_id == person.pk else ("Theirs",):
            reviews.write_review(review=review, rating=4, text=text)
    reviews.report_review(user=person, review=Review.objects.get(about=person), reason=ReportReason.OTHER, note="CANARY-REPORT")
    MatchServing.objects.create(user=person, profile_ids=[profile.pk], wanting=[0.5])
    requests.record_request(profile=profile, reference=uuid.uuid4(), due_at=timezone.now() + timedelta(hours=1))
    given = {"kind": CheckKind.EMPLOYER, "statement": "CANARY-EMPLOYER", "contact": "canary-work@acme.example"}
    documents.add_document(check=verification.request_check(profile=profile, **given), content=b"%PDF-CANARY-PAPER")


def fill_money(person: User, other: User) -> None:
    """Something in every table of money, which the books keep, and the answer to a request, which goes."""
    from core.models import KeptAnswer
    from core.money import Money
    from payments.enums import AccountKind, LedgerKind
    from payments.models import Dispute, Movement, Payment, PayoutAccount
    from payments.services.ledger import Posting, book

    sale = {"currency": "EUR", "amount": 5_000, "fee_amount": 750, "window_days": 7, "description": "Session, 60 minutes"}
    payment = Payment.objects.create(
        subject_id=uuid.uuid4(), payer=person, payee=other, state="captured", captured_at=timezone.now(), captured_amount=5_000, **sale
    )
    Payment.objects.create(subject_id=uuid.uuid4(), payer=other, payee=person, **sale)
    PayoutAccount.objects.create(person=person, provider_id="acct_1", country="DE", missing=["individual.CANARY"])
    Movement.objects.create(kind="transfer", payment=payment, person=person, amount=1, currency="EUR", key="x")
    Dispute.objects.create(payment=payment, provider_id="dp_1", amount=5, counted_amount=5, currency="EUR", opened_at=timezone.now())
    postings = (Posting(AccountKind.PENDING, Money(-5, "EUR"), person.pk), Posting(AccountKind.PROVIDER, Money(5, "EUR")))
    book(kind=LedgerKind.CAPTURED, cause=payment.pk, postings=postings, payment=payment)
    KeptAnswer.objects.create(owner=person.pk, key="CANARY-KEY", fingerprint="x", status=200, body={"text": "CANARY-KEPT"})


def fill_bookings(person: User, other: User) -> None:
    """Something in every table of bookings, as the learner and as the mentor: what is over stays without words, what is ahead is off."""
    from django.core.files.base import ContentFile
    from django.core.files.storage import storages

    from bookings.models import (
        Appeal,
        AppealEvidence,
        Attendance,
        Booking,
        BookingMove,
        BookingTerms,
        RecordingConsent,
        Reminder,
        ReminderChoice,
        Removal,
        Room,
        Series,
        Session,
        SessionRecording,
        Statement,
        Strike,
        WaitlistEntry,
    )

    ends_at = timezone.now() + timedelta(days=2)
    for mentor, learner in ((person, other), (other, person)):
        session = Session.objects.create(
            mentor=mentor,
            kind="session",
            title="CANARY-TITLE" if mentor == person else "Theirs",
            starts_at=ends_at - timedelta(minutes=60),
            ends_at=ends_at,
            duration_minutes=60,
            mentor_zone="UTC",
        )
        topic = "CANARY-TOPIC" if learner == person else "Theirs"
        booking = Booking.objects.create(
            session=session,
            learner=learner,
            state="confirmed",
            topic=topic,
            learner_zone="UTC",
            price_amount=0,
            price_currency="EUR",
            policy="standard",
            counted_from=session.starts_at,
        )
        note = {"actor": person, "note": "CANARY-NOTE", "side": "learner", "cause": "booked"}
        at = {"moved_at": ends_at, "starts_at": session.starts_at}
        BookingMove.objects.create(booking=booking, version=1, from_state="", to_state="confirmed", **at, **note)
        Room.objects.create(session=session, name=str(booking.pk), opens_at=session.starts_at, closes_at=ends_at, due_at=ends_at)
        Strike.objects.create(person=person, booking=booking, kind="no_show", given_at=ends_at)
        side = "learner" if learner == person else "mentor"
        appeal = Appeal.objects.create(booking=booking, side=side, person=person, text="CANARY-APPEAL")
        file = storages["private"].save(f"appeals/{person.pk}/{side}", ContentFile(b"%PDF- CANARY"))
        AppealEvidence.objects.create(appeal=appeal, file=file, content_type="application/pdf", size=12, is_stored=True)
        Statement.objects.create(booking=booking, side=side, says="held", person=person, said_at=ends_at, note="CANARY-STATEMENT")
        Attendance.objects.create(session=session, person=person, source="app", key="x", joined_at=ends_at)
        Removal.objects.create(session=session, person=person)
        Reminder.objects.create(booking=booking, person=person, minutes_before=10, due_at=ends_at)
    RecordingConsent.objects.create(session=session, person=person, text_version=1, given_at=ends_at)
    SessionRecording.objects.create(session=session, started_by=person, started_at=ends_at, due_at=ends_at)
    WaitlistEntry.objects.create(learner=person, mentor=other, session=session, opens_at=session.starts_at, closes_at=ends_at)
    Series.objects.create(mentor=other, learner=person, zone="Europe/CANARY")
    BookingTerms.objects.create(mentor=person)
    ReminderChoice.objects.create(person=person, minutes=[10])


@pytest.fixture
def full(user: User, signed_in: Api) -> User:
    User.objects.filter(pk=user.pk).update(full_name="CANARY-NAME")
    fill(user, signed_in)
    user.refresh_from_db()
    return user


def whole_database() -> str:
    """Every table as text, and every name of a file."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'")
        tables = [name for (name,) in cursor.fetchall()]
        parts = []
        for table in tables:
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            parts += [f"{table}: {row}" for (row,) in cursor.fetchall()]
    return "\n".join(parts)


MARKS = ("CANARY", "canary_handle", "+4915112345678")


def marks(person: User) -> list[str]:
    return [*MARKS, person.email]


def put_away(answer: Any) -> None:
    """Close the file of an answer; closing the answer itself would close the test's connection to the database."""
    for close in answer._resource_closers:
        close()


class TestExport:
    def archive(self, api: Api) -> zipfile.ZipFile:
        first = api.get("users/me/export")
        assert (first.status_code, first.json()["state"], first["Retry-After"]) == (202, "waiting", "2")
        assert make_exports() == 1
        answer = api.get("users/me/export")
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/zip")
        content = b"".join(answer.streaming_content)
        put_away(answer)
        return zipfile.ZipFile(io.BytesIO(content))

    def status(self, api: Api) -> int:
        answer = api.get("users/me/export")
        put_away(answer)
        code: int = answer.status_code
        return code

    def test_holds_everything_and_nothing_of_others(self, signed_in: Api, full: User) -> None:
        archive = self.archive(signed_in)
        text = "".join(archive.read(name).decode("utf-8", "replace") for name in archive.namelist())
        for canary in ("NAME", "BIO", "ANSWER", "SKILL", "SUMMARY", "SUBJECT"):
            assert f"CANARY-{canary}" in text, canary
        assert full.email in text and "canary_handle" in text
        for declaration in declarations():
            if declaration.subject and Privacy.SECRET not in set(declaration.columns.values()):
                assert json.loads(archive.read(f"data/{declaration.label}.json")), f"{declaration.label} is empty: the test is blind"
        assert "other@example.org" not in text.replace('"guardian_email": "other@example.org"', "")
        assert sum(name.startswith("files/avatars/") for name in archive.namelist()) == 2

    def test_holds_no_secret(self, signed_in: Api, full: User) -> None:
        archive = self.archive(signed_in)
        text = "".join(archive.read(name).decode("utf-8", "replace") for name in archive.namelist() if name.endswith(".json"))
        stored = [full.password, *MailedKey.objects.values_list("code_digest", flat=True)]
        assert not any(secret in text for secret in stored)
        users = json.loads(archive.read("data/accounts.User.json"))
        assert "password" not in users[0]

    def test_fits_its_own_schema(self, signed_in: Api, full: User) -> None:
        archive = self.archive(signed_in)
        schema = json.loads(archive.read("schema.json"))
        assert set(schema["files"]) == {name for name in archive.namelist() if name.startswith("data/")}
        for name, part in schema["files"].items():
            jsonschema.validate(json.loads(archive.read(name)), part)

    def test_is_made_once_a_day_and_deleted_after_a_week(self, signed_in: Api, user: User) -> None:
        self.archive(signed_in)
        assert self.status(signed_in) == 200
        export = DataExport.objects.get()
        assert export.size_bytes > 0 and export.parts_done == export.parts_total
        DataExport.objects.update(ready_at=timezone.now() - timedelta(days=2), expires_at=timezone.now() - timedelta(days=1))
        prune_accounts()
        assert exporting.export_files(user.pk) == []
        assert DataExport.objects.get().state == "expired"
        assert self.status(signed_in) == 202

    def test_no_address_leads_to_it(self, signed_in: Api, client: Client) -> None:
        self.archive(signed_in)
        name = DataExport.objects.get().file_name
        for path in (f"/media/{name}", f"/media/../private/{name}"):
            assert client.get(path).status_code in (400, 404)

    def test_a_run_that_was_killed_is_made_again(self, signed_in: Api, user: User) -> None:
        signed_in.get("users/me/export")
        with mock.patch.object(exporting, "make_export", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
            make_exports()
        assert make_exports() == 0, "somebody may be at it"
        DataExport.objects.update(updated_at=timezone.now() - timedelta(minutes=11), parts_total=10, parts_done=4)
        assert signed_in.get("users/me/export").json() == signed_in.get("users/me/export").json() | {"state": "running", "progress": 0.4}
        assert make_exports() == 1
        assert self.status(signed_in) == 200

    def test_gives_up_after_some_tries(self, signed_in: Api) -> None:
        signed_in.get("users/me/export")
        DataExport.objects.update(attempts=5)
        assert make_exports() == 0
        assert DataExport.objects.get().state == "failed"
        assert self.status(signed_in) == 202, "and begins anew when asked"


def due(person: User) -> Erasure:
    erasure = erasing.request_erasure(user=person)
    Erasure.objects.filter(pk=erasure.pk).update(due_at=timezone.now())
    return erasure


class TestErasure:
    def test_shuts_out_at_once_and_says_how_to_undo(self, signed_in: Api, user: User) -> None:
        answer = signed_in.delete("users/me")
        assert (answer.status_code, answer.json()["state"]) == (202, "scheduled")
        assert signed_in.get("users/me").status_code == 401
        refused = Api().post("auth/login", {"email": user.email, "password": PASSWORD})
        assert (refused.status_code, refused.json()["code"]) == (403, "account_being_erased")
        assert refused.json()["erased_at"] == answer.json()["due_at"]
        assert run_erasures() == 0, "not before its time"
        key = last_code()
        assert Api().post("auth/undo-erasure", {"key": key}).status_code == 200
        assert Api().post("auth/undo-erasure", {"key": key}).status_code == 400
        assert Api().post("auth/login", {"email": user.email, "password": PASSWORD}).status_code == 200
        assert Erasure.objects.get().state == "cancelled"

    def test_the_page_that_keeps_the_account(self, client: Client, user: User) -> None:
        erasing.request_erasure(user=user)
        address = f"/keep-account/{last_link('keep-account')}"
        assert b"Keep my account" in client.get(address).content
        assert b"Nothing was erased" in client.post(address).content

    def test_undone_for_a_suspended_person_leaves_them_suspended(self, api: Api, user: User, staff: User) -> None:
        User.objects.filter(pk=user.pk).update(is_active=False, suspended_at=timezone.now())
        erasing.request_erasure(user=user, actor=staff)
        api.post("auth/undo-erasure", {"key": last_code()})
        assert not User.objects.get(pk=user.pk).is_active

    def test_nothing_is_left_anywhere(self, full: User, staff: User, client: Client) -> None:
        client.force_login(staff)
        client.get(f"/admin/accounts/user/{full.pk}/change/")
        from django.contrib.admin.models import LogEntry
        from django.contrib.contenttypes.models import ContentType

        kind = ContentType.objects.get_for_model(User)
        LogEntry.objects.create(user=staff, content_type=kind, object_id=full.pk, object_repr=full.email, action_flag=2)
        exporting.request_export(user=full)
        make_exports()
        before = whole_database()
        assert all(mark in before for mark in marks(full)), "the test is blind"
        assert len(erasing.sweep(full.pk)) > 15
        due(full)
        assert run_erasures() == 1
        assert erasing.sweep(full.pk) == {}
        after = whole_database()
        assert [line for line in after.splitlines() if any(mark in line for mark in marks(full))] == []
        assert default_storage.listdir("avatars")[0] in ([], [str(full.pk)])
        assert exporting.export_files(full.pk) == []
        left = User.objects.get(pk=full.pk)
        assert (left.email, left.full_name, left.is_active, left.has_usable_password()) == (
            f"{full.pk.hex}@erased.invalid",
            "",
            False,
            False,
        )
        assert left.erased_at and RetiredHandle.objects.count() == 1
        assert User.objects.filter(full_name="Other").exists()

    def test_twice_is_a_no_op(self, full: User) -> None:
        erasure = due(full)
        assert erasing.run_erasure(erasure_id=erasure.pk)
        first = whole_database()
        assert erasing.run_erasure(erasure_id=erasure.pk)
        assert run_erasures() == 0
        assert whole_database() == first

    def test_asking_twice_is_one_erasure(self, user: User) -> None:
        assert erasing.request_erasure(user=user).pk == erasing.request_erasure(user=user).pk
        assert len(mail.outbox) == 1

    def test_killed_at_any_step_it_goes_on_where_it_stopped(self, full: User, tmp_path: Path) -> None:
        """Each step in turn: the run breaks off in the middle of it, and the next run comes to the same end."""
        erasure = due(full)
        files = shutil.copytree(tmp_path, tmp_path.with_name("kept"))
        for number in range(len(erasure_steps())):
            with transaction.atomic():
                self.kill_at(number, erasure, full.pk)
                transaction.set_rollback(True)
            shutil.rmtree(tmp_path)
            shutil.copytree(files, tmp_path)

    def kill_at(self, number: int, erasure: Erasure, key: uuid.UUID) -> None:
        steps, address = erasure_steps(), User.objects.get(pk=key).email
        broken = steps[number].__class__(steps[number].name, mock.Mock(side_effect=KeyboardInterrupt), steps[number].count)
        breaking = mock.patch.object(erasing, "erasure_steps", lambda: [*steps[:number], broken, *steps[number + 1 :]])
        with breaking, pytest.raises(KeyboardInterrupt):
            run_erasures()
        row = Erasure.objects.get(pk=erasure.pk)
        assert (row.state, row.steps_done) == ("running", [step.name for step in steps[:number]])
        assert run_erasures() == 1
        assert erasing.sweep(key) == {}
        left = whole_database()
        assert not any(mark in left for mark in (*MARKS, address))

    def test_what_came_in_between_is_found_by_the_sweep_and_erased_by_the_next_run(self, full: User) -> None:
        from profiling.models import Interview

        erasure = due(full)
        finish = erasing._finish

        def come_back(running: Erasure) -> bool:
            Interview.objects.create(user_id=full.pk)
            return finish(running)

        with mock.patch.object(erasing, "_finish", come_back):
            assert run_erasures() == 0
        erasure.refresh_from_db()
        assert (erasure.state, erasure.remains) == ("running", {"profiling.Interview": 1})
        assert run_erasures() == 1

    def test_only_one_run_at_a_time(self, user: User) -> None:
        erasure = due(user)
        from concurrent.futures import ThreadPoolExecutor

        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", (erasing._lock_number(erasure.pk),))

        def elsewhere() -> bool:
            try:
                return erasing.run_erasure(erasure_id=erasure.pk)
            finally:
                connection.close()

        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(elsewhere).result() is False

    def test_a_restored_backup_forgets_again(self, full: User) -> None:
        due(full)
        run_erasures()
        User.objects.filter(pk=full.pk).update(email="back@example.org", full_name="CANARY back", erased_at=None, is_active=True)
        Erasure.objects.all().delete()
        from django.core.management import call_command

        out = io.StringIO()
        call_command("replay_erasures", stdout=out)
        assert "1 person" in out.getvalue()
        left = whole_database()
        assert not any(mark in left for mark in ("CANARY", "back@example.org"))
        call_command("replay_erasures", stdout=out)
        assert "0 people" in out.getvalue()

    def test_a_childs_profile_is_told_to_the_guardian(self, make_user: Any) -> None:
        from accounts.services.guardianship import make_ward_profile

        parent = make_user(birth_date=date(1980, 1, 1))
        child = make_ward_profile(user=parent, full_name="Kid", birth_date=timezone.now().date() - timedelta(days=3000))
        erasing.request_erasure(user=child)
        assert mail.outbox[-1].to == [parent.email]

    def test_the_handle_and_the_address_afterwards(self, full: User, make_user: Any) -> None:
        due(full)
        run_erasures()
        api = Api().sign_in(make_user())
        assert api.patch("users/me", {"handle": "canary_handle"}).json()["code"] == "handle_taken"
        again = Api().post("auth/register", {"email": full.email, "password": "a-long-pass-phrase", "full_name": "Back"})
        assert again.status_code == 201
        assert User.objects.filter(email=full.email).exists(), "who comes back is somebody new"

    def test_a_mail_that_is_refused_does_not_stop_it(self, user: User) -> None:
        from smtplib import SMTPRecipientsRefused

        with mock.patch("django.core.mail.message.EmailMessage.send", side_effect=SMTPRecipientsRefused({})):
            due(user)
        assert run_erasures() == 1

    def test_without_a_mail_server_nothing_is_scheduled(self, signed_in: Api, user: User) -> None:
        with mock.patch("django.core.mail.message.EmailMessage.send", side_effect=ConnectionRefusedError):
            assert signed_in.delete("users/me").status_code == 503
        assert signed_in.get("users/me").status_code == 200
        assert not Erasure.objects.exists()
