"""Reviews: granted by an attended session, hidden until both have spoken, kept honest, and folded into a rating."""

from __future__ import annotations

import datetime
import random
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Block, User
from conftest import Api
from core.events import run_delivery
from core.models import EventDelivery
from mentors.enums import ReportReason, ReviewSignal, ReviewState
from mentors.models import MentorProfile, Review, ReviewReport, ReviewVersion
from mentors.services import profiles, reviews
from mentors.services.suspicions import signals_of_mentor
from mentors.tests.conftest import utc
from notifications.models import Notification

pytestmark = pytest.mark.django_db
NOW = utc("2026-06-15 12:00")
HOUR = datetime.timedelta(hours=1)
DAY = 24 * HOUR


@pytest.fixture(autouse=True)
def clock(monkeypatch: Any) -> Callable[[datetime.datetime], None]:
    def set_to(instant: datetime.datetime) -> None:
        monkeypatch.setattr(timezone, "now", lambda: instant)

    set_to(NOW)
    return set_to


@pytest.fixture
def profile(make_mentor: Any) -> MentorProfile:
    return make_mentor()  # type: ignore[no-any-return]


def granted(profile: MentorProfile, learner: User, ended_at: datetime.datetime | None = None) -> tuple[Review, Review]:
    """What the learner may write, and what the mentor may."""
    reference = uuid.uuid4()
    reviews.grant_reviews(reference=reference, profile=profile, learner_id=learner.pk, ended_at=ended_at or timezone.now())
    rows = Review.objects.filter(reference=reference)
    return rows.get(is_of_mentor=True), rows.get(is_of_mentor=False)


def written(profile: MentorProfile, learner: User, rating: int = 5, ended_at: datetime.datetime | None = None) -> Review:
    """A review that can be seen."""
    by_learner, by_mentor = granted(profile, learner, ended_at)
    reviews.write_review(review=by_mentor, rating=5, text="")
    return reviews.write_review(review=by_learner, rating=rating, text="As it was.")


def deliver() -> None:
    for delivery in EventDelivery.objects.filter(handler__startswith="mentors."):
        run_delivery(delivery.pk)


class TestTheRight:
    def test_no_session_no_review(self, signed_in: Api, profile: MentorProfile, user: User, make_user: Any) -> None:
        given = {"booking_id": str(uuid.uuid4()), "rating": 5}
        assert signed_in.post(f"mentors/{profile.pk}/reviews", given).status_code == 404
        by_other, _ = granted(profile, make_user())
        assert signed_in.post(f"mentors/{profile.pk}/reviews", {"booking_id": str(by_other.reference), "rating": 5}).status_code == 404

    def test_one_right_a_session(self, profile: MentorProfile, user: User) -> None:
        for _ in range(2):
            reviews.grant_reviews(reference=uuid.UUID(int=1), profile=profile, learner_id=user.pk, ended_at=NOW)
        assert Review.objects.count() == 2
        deliver()
        assert sorted(Notification.objects.values_list("kind", flat=True)) == ["mentors.review-open"] * 2

    def test_the_database_knows_no_second_and_no_own_review(self, profile: MentorProfile, user: User) -> None:
        review, _ = granted(profile, user)
        for change in ({"about": user}, {"rating": 6}, {"rating": 5}, {"closes_at": review.session_ended_at}, {"private_score": 11}):
            with pytest.raises(IntegrityError), transaction.atomic():
                Review.objects.filter(pk=review.pk).update(**change)

    def test_a_fortnight_and_no_longer(self, profile: MentorProfile, user: User, signed_in: Api, clock: Any) -> None:
        review, _ = granted(profile, user)
        assert signed_in.get("reviews/to-write").json()["results"][0]["id"] == str(review.pk)
        clock(NOW + 14 * DAY)
        assert signed_in.get("reviews/to-write").json()["results"] == []
        with pytest.raises(reviews.ReviewClosed):
            reviews.write_review(review=review, rating=5, text="")

    def test_a_mentor_who_leaves_suppresses_nothing(self, profile: MentorProfile, user: User, signed_in: Api) -> None:
        review, _ = granted(profile, user)
        profiles.leave(profile=profile)
        Block.objects.create(blocker=profile.user, blocked=user)
        answer = signed_in.post(f"mentors/{profile.pk}/reviews", {"booking_id": str(review.reference), "rating": 1, "text": "Bad."})
        assert (answer.status_code, answer.json()["state"]) == (201, "written")

    @pytest.mark.parametrize(
        ("given", "field"),
        [({"rating": 0}, "rating"), ({"rating": 6}, "rating"), ({}, "rating"), ({"rating": 5, "private_score": 11}, "private_score")],
    )
    def test_bad_input(self, profile: MentorProfile, user: User, signed_in: Api, given: Any, field: str) -> None:
        review, _ = granted(profile, user)
        answer = signed_in.put(f"reviews/{review.pk}", given)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)
        assert Review.objects.get(pk=review.pk).state == ReviewState.OPEN


class TestBlindness:
    def test_hidden_until_both_are_in(self, profile: MentorProfile, user: User, signed_in: Api) -> None:
        by_learner, by_mentor = granted(profile, user)
        body = {"booking_id": str(by_learner.reference), "rating": 2, "text": "Late.", "private_score": 3}
        assert signed_in.post(f"mentors/{profile.pk}/reviews", body).status_code == 201
        assert Api().get(f"mentors/{profile.pk}/reviews").json()["results"] == []
        assert Api().get(f"mentors/{profile.pk}").json()["rating"] is None
        reviews.write_review(review=by_mentor, rating=4, text="Kind.")
        shown = Api().get(f"mentors/{profile.pk}/reviews").json()["results"][0]
        assert (shown["rating"], shown["text"], "private_score" in shown) == (2, "Late.", False)
        assert shown["author_name"] == user.full_name.split()[0]
        assert signed_in.get("reviews/received").json()["results"][0]["text"] == "Kind."

    def test_hidden_for_a_fortnight_at_most(self, profile: MentorProfile, user: User, clock: Any) -> None:
        by_learner, by_mentor = granted(profile, user)
        reviews.write_review(review=by_learner, rating=1, text="")
        clock(NOW + 14 * DAY - datetime.timedelta(seconds=1))
        assert not Review.objects.shown().exists()
        clock(NOW + 14 * DAY)
        assert Review.objects.shown().get() == by_learner
        with pytest.raises(reviews.ReviewClosed):
            reviews.write_review(review=by_mentor, rating=1, text="Revenge.")

    def test_a_mentor_with_two_learners_sees_each_by_itself(self, profile: MentorProfile, user: User, make_user: Any) -> None:
        reference = uuid.uuid4()
        other = make_user()
        for learner in (user, other):
            reviews.grant_reviews(reference=reference, profile=profile, learner_id=learner.pk, ended_at=NOW)
        reviews.write_review(review=Review.objects.get(author=user), rating=5, text="")
        reviews.write_review(review=Review.objects.get(about=other), rating=5, text="")
        assert not Review.objects.shown().exists()

    def test_who_is_told(self, profile: MentorProfile, user: User, clock: Any) -> None:
        written(profile, user)
        assert (reviews.tell_shown_reviews(), reviews.tell_shown_reviews()) == (2, 0)
        deliver()
        assert Notification.objects.filter(kind="mentors.review-shown").count() == 2


class TestChanging:
    def test_before_it_is_seen_all_may_change(self, profile: MentorProfile, user: User, signed_in: Api) -> None:
        review, _ = granted(profile, user)
        for rating in (2, 4):
            assert signed_in.put(f"reviews/{review.pk}", {"rating": rating, "text": str(rating)}).json()["rating"] == rating
        assert list(ReviewVersion.objects.values_list("rating", "text")) == [(2, "2")]

    def test_afterwards_only_words_and_they_leave_a_trace(self, profile: MentorProfile, user: User, signed_in: Api) -> None:
        review = written(profile, user, rating=3)
        for changed in ({"rating": 1, "text": "Revenge."}, {"rating": 3, "text": "x", "private_score": 0}):
            assert signed_in.put(f"reviews/{review.pk}", changed).json()["code"] == "rating_is_final"
        assert signed_in.put(f"reviews/{review.pk}", {"rating": 3, "text": "Better said."}).status_code == 200
        assert Api().get(f"mentors/{profile.pk}/reviews").json()["results"][0]["edited_at"] is not None
        assert list(ReviewVersion.objects.values_list("text", flat=True)) == ["As it was."]

    def test_taking_it_back(self, profile: MentorProfile, user: User, signed_in: Api) -> None:
        review = written(profile, user)
        assert signed_in.delete(f"reviews/{review.pk}").status_code == 204
        assert Api().get(f"mentors/{profile.pk}/reviews").json()["results"] == []
        assert signed_in.delete(f"reviews/{review.pk}").json()["code"] == "review_closed"
        assert signed_in.put(f"reviews/{review.pk}", {"rating": 5}).json()["code"] == "review_closed"

    def test_the_right_of_reply(self, profile: MentorProfile, user: User, signed_in: Api) -> None:
        review = written(profile, user, rating=2)
        mentor = Api().sign_in(profile.user)
        assert signed_in.put(f"reviews/{review.pk}/reply", {"text": "Mine"}).status_code == 404
        for text in ("I was ill.", "I was ill, and said so."):
            assert mentor.put(f"reviews/{review.pk}/reply", {"text": text}).json()["reply"] == text
        assert ReviewVersion.objects.get(is_reply=True).text == "I was ill."
        hidden, _ = granted(profile, user)
        reviews.write_review(review=hidden, rating=1, text="")
        assert mentor.put(f"reviews/{hidden.pk}/reply", {"text": "?"}).status_code == 404
        with pytest.raises(reviews.ReviewClosed):
            reviews.reply_to_review(user=profile.user, review=hidden, text="?")
        with pytest.raises(reviews.Forbidden):
            reviews.reply_to_review(user=user, review=review, text="?")


class TestRating:
    def test_is_the_fold_of_what_can_be_seen(self, profile: MentorProfile, make_user: Any, clock: Any) -> None:
        assert Api().get(f"mentors/{profile.pk}").json()["rating"] is None
        for rating in (5, 2):
            written(profile, make_user(), rating, ended_at=NOW)
        hidden, _ = granted(profile, make_user())
        reviews.write_review(review=hidden, rating=1, text="")
        assert Api().get(f"mentors/{profile.pk}").json()["rating"] == {"stars": round((20 + 7) / 7, 2), "number": 2}
        clock(NOW + 14 * DAY)
        assert Api().get(f"mentors/{profile.pk}").json()["rating"] == {"stars": round((20 + 8) / 8, 2), "number": 3}

    def test_an_erased_author_leaves_the_stars(self, profile: MentorProfile, user: User) -> None:
        written(profile, user, rating=2)
        Review.objects.filter(author=user).update(author=None, text="")
        shown = Api().get(f"mentors/{profile.pk}/reviews").json()["results"][0]
        assert (shown["author_name"], shown["rating"], shown["text"]) == ("", 2, "")
        reviews.forget_reviews_about(person_id=user.pk)
        assert Review.objects.count() == 1

    def test_words_of_people_kept_away_are_not_read(self, profile: MentorProfile, user: User, make_user: Any) -> None:
        written(profile, user)
        reader = make_user()
        api = Api().sign_in(reader)
        assert len(api.get(f"mentors/{profile.pk}/reviews").json()["results"]) == 1
        Block.objects.create(blocker=reader, blocked=user)
        assert api.get(f"mentors/{profile.pk}/reviews").json()["results"] == []


class TestRings:
    def ring(self, people: list[MentorProfile], ended_at: datetime.datetime | None = None) -> list[Review]:
        pairs = zip(people, [*people[1:], people[0]], strict=True)
        return [written(about, author.user, ended_at=ended_at) for author, about in pairs]

    @pytest.mark.parametrize("size", [2, 3])
    def test_circles_are_held(self, make_mentor: Any, size: int) -> None:
        people = [make_mentor() for _ in range(size)]
        found = self.ring(people)
        rows = Review.objects.filter(pk__in=[review.pk for review in found])
        assert {(row.state, tuple(row.signals)) for row in rows} == {(ReviewState.HELD, (ReviewSignal.RING,))}
        assert Api().get(f"mentors/{people[0].pk}").json()["rating"] is None

    def test_what_staff_let_stand_is_not_held_again(self, make_mentor: Any, staff: User) -> None:
        people = [make_mentor() for _ in range(2)]
        for review in self.ring(people):
            reviews.decide_review(staff=staff, review=review, stays=True)
        assert reviews.hold_suspicious_reviews() == 0
        assert Review.objects.filter(is_of_mentor=True, state=ReviewState.WRITTEN).count() == 2

    def test_a_burst_is_held_and_a_group_is_none(self, make_mentor: Any, make_user: Any, clock: Any) -> None:
        bought, taught = make_mentor(), make_mentor()
        learners = [make_user() for _ in range(6)]
        User.objects.update(created_at=NOW - 90 * DAY)
        reference = uuid.uuid4()
        for learner in learners:
            written(bought, learner)
            reviews.grant_reviews(reference=reference, profile=taught, learner_id=learner.pk, ended_at=NOW)
            reviews.write_review(review=Review.objects.get(reference=reference, author=learner), rating=5, text="")
        assert Review.objects.filter(profile=bought, state=ReviewState.HELD, is_of_mentor=True).count() == 6
        assert not Review.objects.filter(profile=taught, state=ReviewState.HELD).exists()

    def test_accounts_made_for_one_mentor(self, profile: MentorProfile, make_user: Any) -> None:
        newcomers = [make_user() for _ in range(3)]
        User.objects.filter(pk__in=[each.pk for each in newcomers]).update(created_at=NOW - HOUR)
        for newcomer in newcomers:
            written(profile, newcomer)
        assert {signal for signals in signals_of_mentor(profile.pk).values() for signal in signals} == {ReviewSignal.NEWCOMERS}

    def test_honest_people_are_seldom_held(self, make_mentor: Any, make_user: Any, clock: Any) -> None:
        """Forty learners, of whom four mentor as well, review ten mentors over three months as chance has it."""
        chance = random.Random(7)
        mentors = [make_mentor() for _ in range(10)]
        learners = [*(User.objects.create_user(f"l{number}@example.org", None) for number in range(40)), *(m.user for m in mentors[:4])]
        User.objects.update(created_at=NOW - 400 * DAY)
        for hour in range(0, 90 * 24, 18):
            clock(NOW + hour * HOUR)
            profile = chance.choice(mentors)
            learner = chance.choice([person for person in learners if person.pk != profile.user_id])
            written(profile, learner, rating=chance.choice((3, 4, 5, 5)))
        of_mentors = Review.objects.filter(is_of_mentor=True)
        assert of_mentors.filter(state=ReviewState.HELD).count() <= of_mentors.count() * 0.02


class TestModeration:
    def test_reports_hide_and_staff_decide(self, profile: MentorProfile, user: User, make_user: Any, client: Client, staff: User) -> None:
        review = written(profile, user)
        people = [make_user() for _ in range(3)]
        for number, person in enumerate(people):
            api = Api().sign_in(person)
            for _ in range(2 if number < 2 else 1):
                assert api.post(f"reviews/{review.pk}/report", {"reason": "abuse", "note": "!"}).status_code == 202
            assert Review.objects.get(pk=review.pk).state == (ReviewState.HELD if number == 2 else ReviewState.WRITTEN)
        assert ReviewReport.objects.count() == 3
        client.force_login(staff)
        desk = reverse("admin:mentors_review_changelist")
        client.post(desk, {"action": "let_stand", "_selected_action": [str(review.pk)]})
        assert Review.objects.get(pk=review.pk).state == ReviewState.WRITTEN
        assert not ReviewReport.objects.filter(settled_at__isnull=True).exists()
        client.post(desk, {"action": "take_down", "_selected_action": [str(review.pk)]})
        assert Api().get(f"mentors/{profile.pk}/reviews").json()["results"] == []
        assert client.get(reverse("admin:mentors_review_change", args=[review.pk])).status_code == 200

    def test_what_cannot_be_seen_cannot_be_reported(self, profile: MentorProfile, user: User, make_user: Any) -> None:
        _, by_mentor = granted(profile, user)
        stranger = Api().sign_in(make_user())
        assert stranger.post(f"reviews/{by_mentor.pk}/report", {"reason": "abuse"}).status_code == 404
        written_one = written(profile, user)
        about_learner = Review.objects.get(reference=written_one.reference, is_of_mentor=False)
        assert stranger.post(f"reviews/{about_learner.pk}/report", {"reason": "abuse"}).status_code == 404
        assert Api().sign_in(user).post(f"reviews/{about_learner.pk}/report", {"reason": "abuse"}).status_code == 202

    def test_nobody_decides_about_themselves(self, make_mentor: Any, staff: User, user: User) -> None:
        review = written(make_mentor(user=staff), user)
        with pytest.raises(reviews.Forbidden):
            reviews.decide_review(staff=staff, review=review, stays=False)
        other, _ = granted(make_mentor(), user)
        with pytest.raises(reviews.ReviewClosed):
            reviews.decide_review(staff=staff, review=other, stays=True)
        reviews.report_review(user=user, review=review, reason=ReportReason.OTHER)
