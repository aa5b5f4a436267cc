from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from catalog import tasks
from catalog.enums import OpportunityState, ReviewSignal, ReviewState
from catalog.errors import DuplicateOpportunity, IllegalMove, OpportunityNotOpen
from catalog.models import Opportunity, Organisation, PostingReview
from catalog.selectors import category_tree, search_opportunities
from catalog.services import lifecycle
from catalog.services.duplicates import near_duplicate_of, sketch_of
from catalog.services.opportunities import change_opportunity, post_opportunity
from catalog.services.organisations import decide_organisation, found_organisation
from catalog.services.scam_signals import scam_signals
from conftest import Api
from core.errors import Forbidden, InvalidInput
from core.models import OutboxEvent

pytestmark = pytest.mark.django_db
State = OpportunityState
Post = Callable[..., Opportunity]
LONG = (
    "You look after twelve patients on a surgical ward through the night, together with a second nurse and a doctor on call. You bring "
    "a nursing degree, two years on a ward, and calm. We offer a full contract, six weeks of leave, and every third weekend off. "
)


@pytest.fixture
def post(staff: User) -> Post:
    def run(title: str = "Night nurse", *, poster: User = staff, organisation: Organisation | None = None, **fields: Any) -> Opportunity:
        is_draft = fields.pop("is_draft", False)
        return post_opportunity(
            poster=poster, fields={"kind": "job", "title": title} | fields, organisation=organisation, is_draft=is_draft
        )

    return run


def events(name: str) -> list[dict[str, Any]]:
    return list(OutboxEvent.objects.filter(name=f"catalog.{name}").order_by("created_at").values_list("payload", flat=True))


class TestMoves:
    def test_a_draft_is_its_posters_alone_until_it_is_submitted(self, post: Post, staff_api: Api, api: Api) -> None:
        draft = post(is_draft=True)
        assert (draft.state, draft.published_at) == (State.DRAFT, None)
        assert api.get(f"opportunities/{draft.pk}").status_code == 404
        assert staff_api.get("opportunities").json()["results"] == [], "nor is it listed for its poster"
        assert [row["state"] for row in staff_api.get("opportunities/mine").json()["results"]] == ["draft"]
        submitted = staff_api.post(f"opportunities/{draft.pk}/submit")
        assert (submitted.status_code, submitted.json()["state"]) == (200, "live")
        assert api.get(f"opportunities/{draft.pk}").status_code == 200
        assert events("opportunity-published") == [{"opportunity_id": str(draft.pk)}]
        assert staff_api.post(f"opportunities/{draft.pk}/submit").json()["code"] == "illegal_move"

    def test_pause_and_resume(self, post: Post, staff_api: Api, api: Api) -> None:
        path = f"opportunities/{post().pk}"
        assert staff_api.post(f"{path}/resume").json()["code"] == "illegal_move"
        assert staff_api.post(f"{path}/pause").json()["state"] == "paused"
        assert api.get(path).status_code == 404
        assert staff_api.post(f"{path}/pause").status_code == 409
        assert staff_api.post(f"{path}/resume").json()["state"] == "live"
        assert [event["state"] for event in events("opportunity-unlisted")] == ["paused"]

    def test_what_is_closed_stays_so(self, post: Post) -> None:
        opportunity = post()
        lifecycle.close_opportunity(opportunity_id=opportunity.pk)
        for call in (
            lifecycle.close_opportunity,
            lifecycle.pause_opportunity,
            lifecycle.resume_opportunity,
            lifecycle.submit_opportunity,
            lifecycle.confirm_opportunity,
        ):
            with pytest.raises(OpportunityNotOpen):
                call(opportunity_id=opportunity.pk)

    def test_the_database_refuses_what_must_never_be(self, post: Post) -> None:
        opportunity = post()
        for change in ({"published_at": None}, {"duplicate_of": opportunity.pk}):
            with pytest.raises(IntegrityError), transaction.atomic():
                Opportunity.objects.filter(pk=opportunity.pk).update(**change)


class TestExpiry:
    def everywhere(self, api: Api) -> list[int]:
        """How many the list, the search by words, the search by meaning, and the counts show."""
        listed = len(api.get("opportunities").json()["results"])
        found = api.get("opportunities/search?q=nurse").json()["results"]
        (tree,) = api.get("categories").json()["results"]
        vector = [row for row in found if "vector" in row["matched_by"]]
        return [listed, len(found), len(vector), tree["count"]]

    def test_what_is_over_is_nowhere_at_that_instant_before_any_task(self, post: Post, api: Api, category: Any, index: Any) -> None:
        opportunity = post(category=category)
        index()
        assert self.everywhere(api) == [1, 1, 1, 1]
        yesterday = timezone.now().date() - datetime.timedelta(days=1)
        Opportunity.objects.filter(pk=opportunity.pk).update(deadline_on=yesterday)
        assert self.everywhere(api) == [0, 0, 0, 0]
        assert api.get(f"opportunities/{opportunity.pk}").status_code == 404
        tasks.keep_in_step()
        opportunity.refresh_from_db()
        assert opportunity.state == State.EXPIRED
        assert [event["state"] for event in events("opportunity-unlisted")] == ["expired"]

    @pytest.mark.parametrize(
        ("zone", "over"), [("Pacific/Kiritimati", "2026-03-07T10:00:00Z"), ("America/New_York", "2026-03-08T05:00:00Z")]
    )
    def test_a_deadline_ends_with_its_day_in_the_posters_zone(self, zone: str, over: str, make_opportunity: Any) -> None:
        row = make_opportunity("Nurse", deadline_on="2026-03-07", ends_on="2026-09-01", deadline_zone=zone)
        row.refresh_from_db()
        assert row.open_until == datetime.datetime.fromisoformat(over)

    def test_the_day_on_which_clocks_change_is_as_long_as_it_is(self, make_opportunity: Any) -> None:
        row = make_opportunity("Nurse", deadline_on="2026-03-08", deadline_zone="America/New_York")
        row.refresh_from_db()
        assert row.open_until == datetime.datetime(2026, 3, 9, 4, tzinfo=datetime.UTC)

    def test_the_zone_is_the_posters_unless_stated(self, post: Post, staff: User, staff_api: Api) -> None:
        staff.time_zone = "Asia/Tokyo"
        staff.save()
        assert post(deadline_on=datetime.date(2030, 1, 31)).deadline_zone == "Asia/Tokyo"
        body = {"kind": "job", "title": "Welder", "deadline": "2030-01-31", "time_zone": "Europe/Oslo"}
        assert staff_api.post("opportunities", body).json()["open_until"] == "2030-01-31T23:00:00Z"
        refused = staff_api.post("opportunities", body | {"time_zone": "Mars/Base"})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "time_zone")

    def test_a_new_deadline_brings_it_back(self, post: Post) -> None:
        opportunity = post()
        past, future = datetime.date(2026, 1, 1), datetime.date(2090, 1, 1)
        change_opportunity(opportunity_id=opportunity.pk, fields={"deadline_on": past})
        lifecycle.expire_passed()
        assert change_opportunity(opportunity_id=opportunity.pk, fields={"title": "Day nurse"}).state == State.EXPIRED
        with pytest.raises(IllegalMove):
            lifecycle.resume_opportunity(opportunity_id=opportunity.pk)
        assert change_opportunity(opportunity_id=opportunity.pk, fields={"deadline_on": future}).state == State.LIVE

    def test_nobody_posts_what_is_over(self, post: Post) -> None:
        for field in ("deadline_on", "ends_on"):
            with pytest.raises(InvalidInput) as refusal:
                post(**{field: datetime.date(2020, 1, 1)})
            assert refusal.value.errors[0].code == "in_the_past"
        assert post(is_draft=True, deadline_on=datetime.date(2020, 1, 1)).state == State.DRAFT


class TestConfirmation:
    def test_asked_once_confirmed_or_paused(self, post: Post, staff_api: Api) -> None:
        opportunity = post()
        assert lifecycle.ask_for_confirmation() == 0
        long_ago = timezone.now() - lifecycle.CONFIRM_AFTER - datetime.timedelta(days=1)
        Opportunity.objects.update(confirmed_at=long_ago)
        assert [lifecycle.ask_for_confirmation(), lifecycle.ask_for_confirmation()] == [1, 0]
        assert events("confirmation-asked") == [{"opportunity_id": str(opportunity.pk)}]
        (mine,) = staff_api.get("opportunities/mine").json()["results"]
        assert mine["is_confirmation_asked"]
        assert lifecycle.pause_unconfirmed() == 0
        confirmed = staff_api.post(f"opportunities/{opportunity.pk}/confirm").json()
        assert (confirmed["is_confirmation_asked"], confirmed["confirmed_at"][:4]) == (False, str(timezone.now().year))
        Opportunity.objects.update(confirmed_at=long_ago, confirmation_asked_at=timezone.now() - datetime.timedelta(days=15))
        tasks.keep_in_step()
        opportunity.refresh_from_db()
        assert opportunity.state == State.PAUSED

    def test_what_a_source_lists_is_not_asked_about(self, make_opportunity: Any) -> None:
        make_opportunity("Nurse", confirmed_at=timezone.now() - datetime.timedelta(days=99))
        assert lifecycle.ask_for_confirmation() == 0


class TestReview:
    @pytest.fixture
    def founder(self, make_user: Any) -> User:
        person: User = make_user(full_name="Founder")
        return person

    @pytest.fixture
    def clinic(self, founder: User) -> Organisation:
        return found_organisation(founder=founder, name="City Clinic")

    def test_an_unknown_organisation_waits_and_a_checked_one_does_not(
        self, founder: User, clinic: Organisation, staff_api: Api, api: Api
    ) -> None:
        own = Api().sign_in(founder)
        body = {"kind": "job", "title": "Night nurse", "posting_organisation": clinic.slug}
        posted = own.post("opportunities", body).json()
        assert (posted["state"], posted["review"]["signals"], posted["organisation"]) == ("review", ["new_poster"], "City Clinic")
        path = f"opportunities/{posted['id']}"
        assert api.get(path).status_code == 404
        assert own.get(path).status_code == 200
        assert own.post(f"{path}/approve").status_code == 403
        assert own.get("opportunities/reviews").status_code == 403
        assert [row["id"] for row in staff_api.get("opportunities/reviews").json()["results"]] == [posted["id"]]
        rejected = staff_api.post(f"{path}/reject", {"note": "Say where."}).json()
        assert (rejected["state"], rejected["review"]["state"], rejected["review"]["note"]) == ("draft", "rejected", "Say where.")
        assert own.patch(path, {"location": "Oslo"}).json()["state"] == "draft"
        assert own.post(f"{path}/submit").json()["state"] == "review"
        assert staff_api.post(f"{path}/approve").json()["state"] == "live"
        assert own.patch(path, {"title": "Nurse for the night"}).json()["state"] == "live", "staff have let this signal pass"
        assert staff_api.post(f"{path}/approve").status_code == 409
        decide_organisation(organisation=clinic, state="verified")
        assert own.post("opportunities", body | {"title": "Surgeon"}).json()["state"] == "live"
        assert [event["is_approved"] for event in events("posting-reviewed")] == [False, True]

    def test_a_suspended_one_may_not_post_and_shows_nothing(self, founder: User, clinic: Organisation, post: Post) -> None:
        decide_organisation(organisation=clinic, state="verified")
        opportunity = post(poster=founder, organisation=clinic)
        decide_organisation(organisation=clinic, state="suspended")
        opportunity.refresh_from_db()
        assert opportunity.state == State.PAUSED
        with pytest.raises(Forbidden):
            post("Surgeon", poster=founder, organisation=clinic)

    def test_who_belongs_to_nobody_may_not_post(self, post: Post, user: User, clinic: Organisation) -> None:
        for organisation in (None, clinic):
            with pytest.raises(Forbidden):
                post(poster=user, organisation=organisation)

    def test_a_change_that_smells_takes_a_live_posting_back(self, post: Post) -> None:
        opportunity = post(description=LONG)
        changed = change_opportunity(opportunity_id=opportunity.pk, fields={"description": LONG + "Pay a registration fee of $50 first."})
        assert changed.state == State.REVIEW
        review = PostingReview.objects.get(opportunity=opportunity, state=ReviewState.OPEN)
        assert (review.signals, review.excerpts[0]) == (["asks_for_money"], "Pay a registration fee")
        change_opportunity(opportunity_id=opportunity.pk, fields={"description": LONG})
        opportunity.refresh_from_db()
        assert opportunity.state == State.LIVE
        assert not PostingReview.objects.filter(state=ReviewState.OPEN).exists()
        lifecycle.close_opportunity(opportunity_id=opportunity.pk)


class TestScamSignals:
    @pytest.mark.parametrize(
        ("text", "signal"),
        [
            ("A refundable training fee of $120 is required before your first day.", "asks_for_money"),
            ("Please pay the processing fee.", "asks_for_money"),
            ("You will purchase your own starter kit.", "asks_for_money"),
            ("Send 50 USD to secure your place.", "asks_for_money"),
            ("We send the salary by Western Union.", "untraceable_payment"),
            ("You receive a cheque, deposit the cheque and forward the rest in gift cards.", "untraceable_payment"),
            ("Submit your bank account and social security number with the form.", "asks_for_identity"),
            ("Contact our manager on WhatsApp.", "private_contact"),
            ("Send your CV to best.jobs@gmail.com today.", "private_contact"),
            ("Earn $900 per day from home, part-time.", "too_good"),
            ("No experience, no interview, guaranteed weekly pay.", "too_good"),
            ("You earn a commission for each person you recruit.", "multi_level"),
            ("URGENT HIRING NOW APPLY TODAY DO NOT MISS THIS CHANCE OF A LIFETIME", "shouting"),
        ],
    )
    def test_what_job_scams_say(self, text: str, signal: str) -> None:
        assert signal in {found for found, _ in scam_signals(Opportunity(title="Assistant", description=text))}

    @pytest.mark.parametrize("url", ["https://bit.ly/x", "http://10.0.0.7/jobs"])
    def test_addresses_that_hide(self, url: str) -> None:
        assert [signal for signal, _ in scam_signals(Opportunity(title="Nurse", url=url))] == [ReviewSignal.HIDDEN_ADDRESS]

    @pytest.mark.parametrize(
        "text",
        [
            LONG,
            "The course has no fees. We pay a deposit on your flat.",
            "The registration fee is waived for students.",
            "You wire circuits and transfer data between systems. Bank holidays are free.",
            "Earn up to 60,000 EUR a year. Five years of experience.",
            "You build a cryptography library; knowledge of blockchain helps.",
            "Write to jobs@clinic.example. Bring a passport to your first day.",
            "NATO, NASA and UNICEF are partners.",
        ],
    )
    def test_what_honest_postings_say(self, text: str) -> None:
        assert list(scam_signals(Opportunity(title="Night nurse", description=text))) == []


class TestDuplicates:
    def test_the_same_poster_is_told_and_others_wait_for_a_look(self, post: Post, make_user: Any) -> None:
        first = post(description=LONG)
        with pytest.raises(DuplicateOpportunity) as refusal:
            post("Night nurse!", description=LONG.replace("twelve", "eleven"))
        assert refusal.value.data == {"duplicate_of": str(first.pk)}
        assert Opportunity.objects.count() == 1, "nothing of it is kept"
        other = make_user(role="staff")
        copied = post(poster=other, description=LONG.replace("calm", "patience"))
        assert (copied.state, copied.duplicate_of_id) == (State.REVIEW, first.pk)
        lifecycle.close_opportunity(opportunity_id=first.pk)
        assert post(description=LONG).state == State.REVIEW, "like the copy"

    def test_short_texts_are_the_same_only_of_one_organisation(self, make_opportunity: Any, index: Any) -> None:
        make_opportunity("Software engineer", organisation="Acme")
        index()
        assert near_duplicate_of(Opportunity(title="Software engineer", organisation="Other")) is None
        assert near_duplicate_of(Opportunity(title="Software Engineer", organisation="acme"))

    def test_sketches_of_other_texts_share_nothing(self) -> None:
        one, other = Opportunity(title="Nurse", description=LONG), Opportunity(title="Welder", description=LONG[::-1])
        assert sketch_of(one) == sketch_of(Opportunity(title="nurse", description=LONG.upper()))
        assert not set(sketch_of(one)) & set(sketch_of(other))


def test_an_empty_catalogue_has_empty_answers(staff: User) -> None:
    assert category_tree(staff) == []
    assert search_opportunities(Opportunity.objects.listed_for(staff), text="nurse", limit=5).hits == []
