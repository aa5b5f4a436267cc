from __future__ import annotations

import csv
import datetime
import io
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from djstripe import models as copies

from accounts.models import DataExport, Erasure, Impersonation, InvitationRefusal, LinkedProvider, User
from ai.models import DailyBudget, EngineSwitch
from bookings.enums import CancellationPolicy
from bookings.models import Appeal, Booking, SessionRecording
from bookings.services.cancelling import cancel_booking
from bookings.services.series import book_series
from bookings.services.terms import set_terms
from bookings.tests.conftest import clock, world
from bookings.tests.world import BookingWorld, utc
from catalog.admin import OpportunityResource
from catalog.models import Category, ImportRun, Occupation, Opportunity, Organisation, PostingReview, Skill
from conftest import PASSWORD, new_user
from core import auditing
from core.models import AuditEntry, DeliveryState, EventDelivery, OutboxEvent
from mentors.models import MatchServing
from mentors.tests.conftest import make_mentor
from notifications.models import Announcement, Choice, Phone, Preferences, Suppression
from payments.models import Dispute, Finding, PayoutAccount, Reconciliation
from payments.services.reconciling import reconcile
from profiling.models import Answer, DistressFlag, Ranker
from soosh.web.staff_desk import QUEUES
from tests.test_query_counts import fill

__all__ = ["clock", "make_mentor", "world"]  # fixtures
pytestmark = pytest.mark.django_db
OWN_APPS = {"core", "accounts", "notifications", "ai", "catalog", "profiling", "mentors", "payments", "bookings", "djstripe"}
MODELS = [model for model in admin.site._registry if model._meta.app_label in OWN_APPS]


@pytest.fixture
def filled(world: BookingWorld) -> None:
    """Rows of almost every kind."""
    world.confirmed()
    book_series(learner=world.learner, mentor_id=world.profile.pk, first_at=utc("2027-06-06 10:00"), duration_minutes=60, number=2)
    cancel_booking(booking_id=world.confirmed("2027-06-08 10:00").pk, user=world.mentor)
    set_terms(mentor=world.mentor, is_instant=True, policy=CancellationPolicy.STRICT)
    Preferences.objects.create(user=world.mentor)
    Choice.objects.create(user=world.mentor, topic="news", channel="email", is_wanted=False)
    Phone.objects.create(user=world.mentor, number="+4915112345678")
    PayoutAccount.objects.create(person=world.mentor, country="DE")
    reconcile(since=world.clock.now() - datetime.timedelta(days=1), until=world.clock.now() + datetime.timedelta(days=1))
    owner = new_user(full_name="Canary Owner", birth_date=datetime.date(1980, 1, 1))
    User.objects.create_superuser("staff@example.org", PASSWORD, full_name="Staff")
    fill(0, 3, owner)
    _add_what_is_rare(world, owner)


def _add_what_is_rare(world: BookingWorld, owner: User) -> None:
    """Rows that come of disputes, faults, staff and the provider's copies; straight into the database, as only their looks matter here."""
    now, booking = world.clock.now(), Booking.objects.filter(state="confirmed", payment__isnull=False).first()
    assert booking is not None and booking.payment is not None
    staff = User.objects.get(is_superuser=True)
    Announcement.objects.create(title="News", text="Rooms have captions now.", created_by=staff)
    Appeal.objects.create(booking=booking, side="learner", person=booking.learner, text="I was there.")
    SessionRecording.objects.create(session=booking.session, started_at=now, due_at=now)
    Dispute.objects.create(
        payment=booking.payment, provider_id="dp_1", amount=4_500, currency="EUR", counted_amount=4_500, opened_at=now, state="open"
    )
    Finding.objects.create(kind="wrong_amount", record="txn_1", currency="EUR", found_by=Reconciliation.objects.get())
    DailyBudget.objects.create(day_on=now.date(), tokens_limit=1_000)
    EngineSwitch.objects.create(engine="openai")
    DataExport.objects.create(user=owner)
    Erasure.objects.create(person_id=owner.pk, due_at=now)
    LinkedProvider.objects.create(user=owner, provider="google", subject="1")
    Impersonation.objects.create(staff=staff, person=owner, reason="They asked for help", ends_at=now)
    InvitationRefusal.objects.create(address_digest="x" * 64)
    Suppression.objects.create(channel="email", address_hash="x" * 64, reason="bounced")
    ImportRun.objects.create(kind="taxonomy", file_name="skills.csv", checksum="x" * 64)
    Occupation.objects.create(source="esco", source_id="1", title="Nurse")
    DistressFlag.objects.create(user=owner, answer=Answer.objects.filter(interview__user=owner).first())
    Ranker.objects.create(version=1, weights={}, state="stopped")
    MatchServing.objects.create(user=owner)
    charge = copies.Charge.objects.create(id="ch_1", amount=45, currency="eur", status="succeeded", livemode=False)
    copies.PaymentIntent.objects.create(id="pi_1", stripe_data={"status": "succeeded", "amount": 45, "currency": "eur"})
    copies.Refund.objects.create(id="re_1", amount=45, currency="eur", charge=charge, stripe_data={"status": "succeeded"})
    copies.Transfer.objects.create(id="tr_1", stripe_data={"amount": 45, "currency": "eur", "destination": "acct_1"})
    copies.Dispute.objects.create(id="dp_1", stripe_data={"status": "needs_response", "reason": "general", "amount": 45, "currency": "eur"})
    copies.BalanceTransaction.objects.create(
        id="txn_1", amount=45, currency="eur", source="ch_1", type="charge", stripe_data={"status": "available"}
    )
    auditing.record(actor_id=staff.pk, action="viewed", thing=owner)


@pytest.fixture
def desk(staff: User, client: Client) -> Client:
    client.force_login(staff)
    return client


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_list_opens_searches_and_adds_or_refuses(desk: Client, model: Any) -> None:
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    assert desk.get(reverse(f"{name}_changelist"), {"q": "x"}).status_code == 200
    assert desk.get(reverse(f"{name}_add")).status_code in (200, 403)


def test_an_opportunity_that_staff_write_is_indexed(desk: Client) -> None:
    category = Category.objects.create(source_id="c", slug="c", name="C")
    fields = {
        "source": "desk",
        "source_id": "1",
        "kind": "job",
        "title": "Night nurse",
        "deadline_zone": "UTC",
        "tags": "a,b",
        "category": str(category.pk),
    }
    response = desk.post(reverse("admin:catalog_opportunity_add"), fields)
    assert response.status_code == 302, response.context["errors"]
    row = Opportunity.objects.get()
    assert row.content_hash
    assert Opportunity.objects.filter(search_vector="nurse").exists()
    assert desk.get(reverse("admin:catalog_opportunity_change", args=[row.pk])).status_code == 200


def test_a_category_or_skill_that_staff_write_is_queued_for_its_vector(desk: Client) -> None:
    desk.post(reverse("admin:catalog_category_add"), {"source_id": "c", "slug": "c", "name": "Care", "state": "active", "description": ""})
    desk.post(
        reverse("admin:catalog_skill_add"),
        {"source": "desk", "source_id": "1", "name": "First Aid", "alternative_names": "CPR", "state": "active"},
    )
    assert Category.objects.waiting_for("m").count() == 1
    skill = Skill.objects.waiting_for("m").get()
    assert skill.keys == ["cpr", "first aid"]


def test_the_catalogue_is_exported_and_imported(desk: Client) -> None:
    Opportunity.objects.create(source="s", source_id="1", kind="job", title="=Nurse")
    exported = desk.post(
        reverse("admin:catalog_opportunity_export"),
        {"format": "0", "resource": "", "opportunityresource_title": "on", "opportunityresource_source_id": "on"},
    )
    assert b"Nurse" in exported.content
    table = "source,source_id,kind,state,title,description,tags\ns,2,job,live,Welder,Join metal,\n"
    page = desk.post(
        reverse("admin:catalog_opportunity_import"),
        {"format": "0", "resource": "", "import_file": SimpleUploadedFile("rows.csv", table.encode())},
    )
    confirm = page.context["confirm_form"]
    desk.post(reverse("admin:catalog_opportunity_process_import"), {name: confirm[name].value() for name in confirm.fields})
    assert Opportunity.objects.get(source_id="2").content_hash


def test_no_cell_of_an_export_is_a_formula(desk: Client) -> None:
    titles = [f"{start}cmd|' /C calc'!A0" for start in ("=", "+", "-", "@", "\t", "\r")] + ["'quoted", "Nurse"]
    for number, title in enumerate(titles):
        Opportunity.objects.create(source="s", source_id=str(number), kind="job", title=title)
    columns = {f"opportunityresource_{name}": "on" for name in ("source", "source_id", "kind", "state", "title", "description", "tags")}
    exported = desk.post(reverse("admin:catalog_opportunity_export"), {"format": "0", "resource": "", **columns}).content.decode()
    cells = [cell for row in csv.reader(io.StringIO(exported, newline="")) for cell in row]
    assert not [cell for cell in cells if cell[:1] in tuple("=+-@\t\r")[: len(cell)]]
    assert "'=cmd|' /C calc'!A0" in cells and "Nurse" in cells
    # What comes back is what went out.
    resource = OpportunityResource()
    row = {"title": "'=cmd", "description": "'quoted", "tags": 7}
    resource.before_import_row(row)
    assert row == {"title": "=cmd", "description": "'quoted", "tags": 7}


def test_dead_letters_are_replayed_from_the_admin(desk: Client) -> None:
    event = OutboxEvent.objects.create(name="test.nothing", payload={})
    dead = EventDelivery.objects.create(event=event, handler="x", state=DeliveryState.DEAD)
    desk.post(reverse("admin:core_eventdelivery_changelist"), {"action": "replay", "_selected_action": [str(dead.pk)]})
    dead.refresh_from_db()
    assert (str(dead), dead.state, str(event).startswith("test.nothing")) == ("x (pending)", DeliveryState.PENDING, True)


def test_logs_are_read_only(desk: Client) -> None:
    run = ImportRun.objects.create(kind="taxonomy", file_name="f")
    assert desk.get(reverse("admin:catalog_importrun_change", args=[run.pk])).status_code == 200
    assert desk.post(reverse("admin:catalog_importrun_delete", args=[run.pk])).status_code == 403


class TestDecisions:
    def act(self, desk: Client, page: str, action: str, row: Any) -> str:
        address = reverse(f"admin:catalog_{page}_changelist")
        answer = desk.post(address, {"action": action, "_selected_action": [str(row.pk)]}, follow=True)
        row.refresh_from_db()
        return str(answer.content)

    def test_postings(self, desk: Client) -> None:
        organisation = Organisation.objects.create(slug="c", name="Clinic")
        row = Opportunity.objects.create(
            source="t", source_id="1", kind="job", title="Nurse", state="review", posting_organisation=organisation
        )
        PostingReview.objects.create(opportunity=row, signals=["new_poster"])
        for action, state in (("send_back", "draft"), ("close", "closed")):
            self.act(desk, "opportunity", action, row)
            assert row.state == state
        assert "This posting is closed already." in self.act(desk, "opportunity", "approve", row)
        asked = Opportunity.objects.create(source="t", source_id="3", kind="job", title="Nurse", state="review")
        PostingReview.objects.create(opportunity=asked, signals=["new_poster"])
        self.act(desk, "opportunity", "approve", asked)
        assert (asked.state, asked.reviews.get().decided_by) == ("live", User.objects.get(is_superuser=True))
        live = Opportunity.objects.create(source="t", source_id="2", kind="job", title="Nurse")
        for action, state in (("pause", "paused"), ("resume", "live")):
            self.act(desk, "opportunity", action, live)
            assert live.state == state
        assert AuditEntry.objects.filter(action="changed", thing_kind="catalog.Opportunity").count() == 5

    def test_organisations(self, desk: Client) -> None:
        organisation = Organisation.objects.create(slug="c", name="Clinic")
        for action, state in (("verify", "verified"), ("suspend", "suspended")):
            self.act(desk, "organisation", action, organisation)
            assert organisation.state == state


def test_who_may_only_look_is_offered_no_action(filled: None, client: Client, make_user: Any) -> None:
    """All that staff can do with rows of a list is tested where its app is; here, that it needs more than a look."""
    person = make_user(role="staff")
    client.force_login(person)
    tried = 0
    for model in MODELS:
        permission = Permission.objects.get(codename=f"view_{model._meta.model_name}", content_type__app_label=model._meta.app_label)
        person.user_permissions.set([permission])
        address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        row = model._default_manager.first()
        before = model._default_manager.filter(pk=row.pk).values().get()
        for action in admin.site._registry[model].actions or ():
            form = client.get(address).context["action_form"]
            assert form is None or action not in dict(form.fields["action"].choices), (model, action)
            client.post(address, {"action": action, "_selected_action": [str(row.pk)]})
            tried += 1
        assert model._default_manager.filter(pk=row.pk).values().get() == before
    assert tried > 30


def test_the_first_page_says_what_waits_for_a_person(desk: Client, django_assert_max_num_queries: Any) -> None:
    """Each queue leads to a list of the same rows, and the page stays within its 30 queries."""
    OutboxEvent.objects.create(name="x", payload={})
    EventDelivery.objects.create(event=OutboxEvent.objects.get(), handler="x", state=DeliveryState.DEAD)
    with django_assert_max_num_queries(30):
        page = desk.get("/admin/")
    queues = {queue["name"]: queue for queue in page.context["queues"]}
    assert len(queues) == len(QUEUES)
    assert {name for name, queue in queues.items() if queue["number"]} == {"Dead letters"}
    for queue in queues.values():
        answer = desk.get(queue["address"])
        assert answer.status_code == 200, queue
        assert answer.context["cl"].result_count == queue["number"]
    people = next(plot for plot in page.context["plots"] if plot["name"] == "New people")
    assert people["total"] == User.objects.count()


def test_the_first_page_hides_queues_of_what_somebody_may_not_see(client: Client, make_user: Any) -> None:
    client.force_login(make_user(role="staff"))
    assert client.get("/admin/").context["queues"] == []


def test_every_page_of_a_row_opens_within_its_budget(filled: None, client: Client) -> None:
    """With data, list, row and history of each kind: no page costs more than 30 queries."""
    client.force_login(User.objects.get(is_superuser=True))
    empty, dear = set(), {}
    for model in MODELS:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        row = model._default_manager.first()
        if row is None:
            empty.add(model.__name__)
            continue
        for address in (reverse(f"{name}_changelist"), reverse(f"{name}_change", args=[row.pk]), reverse(f"{name}_history", args=[row.pk])):
            with CaptureQueriesContext(connection) as queries:
                assert client.get(address).status_code == 200, address
            if len(queries) > 30:
                dear[address] = len(queries)
    assert dear == {}
    assert empty == set(), "a page without data shows little"
