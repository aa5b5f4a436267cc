"""Matches: who is left out, what counts on either side, why, and what would change it."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from accounts.models import Block, User
from ai.services.text import embed
from catalog.models import Skill
from catalog.services.documents import title_key
from conftest import Api
from mentors.enums import MatchTerm, RequestOutcome
from mentors.models import MatchServing, MentorProfile, OccupiedTime
from mentors.services import exposure, profiles, requests, reviews
from mentors.services.counterfactuals import FEWEST_PEOPLE, advice_for, standing_of
from mentors.services.hours import hours_of
from mentors.services.matching import Match, matches_for
from mentors.services.occupying import claim_time
from mentors.services.scoring import demand_of, gini, score_of, shares_of
from mentors.services.simulation import greedy, simulate, two_sided
from mentors.tests.conftest import utc
from profiling.enums import ClaimKind
from profiling.services.profile import edit_profile, embed_profile
from profiling.services.situation import situation_of

pytestmark = pytest.mark.django_db
NOW = utc("2026-06-15 12:00")
HOUR = datetime.timedelta(hours=1)


@pytest.fixture(autouse=True)
def clock(monkeypatch: Any) -> Callable[[datetime.datetime], None]:
    def set_to(instant: datetime.datetime) -> None:
        monkeypatch.setattr(timezone, "now", lambda: instant)

    set_to(NOW)
    return set_to


@pytest.fixture
def skills(db: None) -> dict[str, Skill]:
    names = ("Python", "Nursing", "Carpentry", "Public speaking", "Gardening")
    vectors = embed(texts=names, purpose="test")
    rows = [
        Skill(source="t", source_id=name, name=name, keys=[title_key(name)], embedding=vector, embedding_model=vectors.model)
        for name, vector in zip(names, vectors.vectors, strict=True)
    ]
    return {row.name: row for row in Skill.objects.bulk_create(rows)}


@pytest.fixture
def teach(make_mentor: Any, skills: dict[str, Skill]) -> Callable[..., MentorProfile]:
    """A mentor of these skills, embedded."""

    def make(*names: str, years: int | None = None, **settings: Any) -> MentorProfile:
        profile: MentorProfile = make_mentor(**settings)
        profiles.save_profile(
            user=profile.user,
            fields={"headline": f"I teach {' and '.join(names)}"},
            skills=[(skills[name].pk, years) for name in names],
            offers=[profiles.StatedOffer(profiles.OfferKind.SESSION, "Talk", 60, 4500, "EUR")],
        )
        profiles.embed_waiting_mentors()
        return MentorProfile.objects.for_cards().get(pk=profile.pk)

    return make


@pytest.fixture
def person(user: User, skills: dict[str, Skill]) -> User:
    """Somebody who likes Python."""
    return wants(user, "Python")


def wants(user: User, *interests: str, **labels: list[str]) -> User:
    kinds = {ClaimKind[name.upper()]: values for name, values in labels.items()}
    edit_profile(user=user, labels={ClaimKind.INTEREST: list(interests), **kinds})
    embed_profile(user_id=user.pk)
    return user


def found(user: User) -> list[Match]:
    return matches_for(situation_of(user))


def keys(user: User) -> list[uuid.UUID]:
    return [match.profile_id for match in found(user)]


def terms_of(user: User, profile: MentorProfile) -> dict[MatchTerm, float]:
    return next(match.terms for match in found(user) if match.profile_id == profile.pk)


class TestWhoIsOut:
    def test_each_hard_filter(self, teach: Any, person: User, make_user: Any) -> None:
        profile = teach("Python", capacity=1)
        assert keys(person) == [profile.pk]
        User.objects.filter(pk=person.pk).update(languages=["de"])
        person.refresh_from_db()
        assert keys(person) == []
        for languages, is_found in ((["de-AT"], True), (["deu"], False), (["en", "de"], True)):
            MentorProfile.objects.update(languages=languages)
            assert (keys(person) == [profile.pk]) is is_found, languages
        block = Block.objects.create(blocker=profile.user, blocked=person)
        assert keys(person) == []
        block.delete()
        other = make_user()
        claim_time(profile=profile, learner_id=other.pk, starts_at=NOW + 24 * HOUR, duration_minutes=60, reference=uuid.uuid4())
        assert keys(person) == [], "full"
        wants(other, "Python")
        assert keys(other) == [profile.pk], "whom they have already they keep"
        OccupiedTime.objects.all().delete()
        profile.schedule.delete()
        assert keys(person) == []

    def test_who_is_young_meets_the_checked_alone(self, teach: Any, person: User) -> None:
        teach("Python")
        User.objects.filter(pk=person.pk).update(birth_date=NOW.date() - datetime.timedelta(days=15 * 366))
        person.refresh_from_db()
        assert matches_for(situation_of(person)) == []

    def test_nobody_is_matched_with_themselves(self, teach: Any, person: User) -> None:
        teach("Python", user=person)
        assert keys(person) == []

    def test_who_said_nothing_gets_somebody(self, teach: Any, make_user: Any) -> None:
        profile = teach("Python")
        assert keys(make_user()) == [profile.pk]


class TestWhatCounts:
    def test_what_the_learner_named(self, teach: Any, person: User) -> None:
        good, other = teach("Python", years=10), teach("Carpentry", years=10)
        assert keys(person) == [good.pk, other.pk]
        terms = terms_of(person, good)
        assert (terms[MatchTerm.SKILLS], terms[MatchTerm.EXPERIENCE], terms[MatchTerm.FOCUS]) == (0.4, 1, 1)
        assert terms[MatchTerm.MEANING] > terms_of(person, other)[MatchTerm.MEANING]
        assert all(0 <= value <= 1 for match in found(person) for value in match.terms.values())

    def test_time_is_that_of_both(self, teach: Any, user: User, skills: Any) -> None:
        evening, morning = teach("Python", open_at="18:00-21:00"), teach("Python", open_at="08:00-11:00")
        wants(user, "Python", availability=["evenings"])
        assert (terms_of(user, evening)[MatchTerm.TIME], terms_of(user, morning)[MatchTerm.TIME]) == (1, 0)
        wants(user, "Python", availability=["mornings", "Mondays"])
        spans = hours_of(situation_of(user), NOW, NOW + 14 * 24 * HOUR)
        assert [(span[0].weekday(), span[1] - span[0]) for span in spans] == 2 * [(0, 6 * HOUR)], "today's is over"

    def test_needs_meet_practices(self, teach: Any, user: User, skills: Any) -> None:
        profile = teach("Python")
        MentorProfile.objects.filter(pk=profile.pk).update(accessibility_practices=["captions"])
        wants(user, "Python")
        assert terms_of(user, profile)[MatchTerm.PRACTICES] == 0
        wants(user, "Python", access_need=["captions", "breaks", "wheelchair access"])
        assert terms_of(user, profile)[MatchTerm.PRACTICES] == 0.5
        reasons = Api().sign_in(user).get("mentors/matches").json()["results"][0]["reasons"]
        assert "They offer what you need: live captions." in [reason["text"] for reason in reasons]

    def test_private_scores_rank_and_are_not_told(self, teach: Any, person: User, make_user: Any) -> None:
        profile = teach("Python")
        before = terms_of(person, profile)[MatchTerm.RATING]
        assert before == 0.75
        for score in (0, 0, 0):
            reference, learner = uuid.uuid4(), make_user()
            reviews.grant_reviews(reference=reference, profile=profile, learner_id=learner.pk, ended_at=NOW - 15 * 24 * HOUR)
            profile.session_reviews.filter(author=learner).update(
                state="written", rating=4, private_score=score, written_at=NOW, visible_at=NOW
            )
        assert terms_of(person, profile)[MatchTerm.RATING] < before
        assert Api().get(f"mentors/{profile.pk}").json()["rating"]["stars"] == 4

    def test_who_says_yes_comes_first(self, teach: Any, person: User) -> None:
        yes, no = teach("Python"), teach("Python")
        for profile, outcome in ((yes, RequestOutcome.ACCEPTED), (no, RequestOutcome.DECLINED)):
            for _ in range(5):
                reference = uuid.uuid4()
                requests.record_request(profile=profile, reference=reference, due_at=NOW + HOUR)
                requests.record_answer(reference=reference, outcome=outcome)
        assert keys(person) == [yes.pk, no.pk]
        assert terms_of(person, yes)[MatchTerm.ACCEPTANCE] == 0.85

    def test_who_was_shown_to_many_makes_room(self, teach: Any, person: User, make_user: Any) -> None:
        first, second = teach("Python"), teach("Python")
        top, other = keys(person)
        for _ in range(40):
            MatchServing.objects.create(user=make_user(), profile_ids=[top], wanting=[0.7])
        assert exposure.keep_demand() == 1
        assert keys(person) == [other, top]
        assert MentorProfile.objects.get(pk=top).demand == pytest.approx(40 * demand_of(0.7, 1))
        assert exposure.keep_demand() == 0
        assert {first.pk, second.pk} == {top, other}


class TestTheApi:
    def test_cards_with_score_and_reasons(self, teach: Any, person: User, signed_in: Api) -> None:
        profile = teach("Python", years=10)
        (card,) = signed_in.get("mentors/matches").json()["results"]
        assert (card["id"], 0 < card["score"] <= 1, card["next_slot"] is not None) == (str(profile.pk), True, True)
        texts = [reason["text"] for reason in card["reasons"]]
        assert "They pass on Python, which you named." in texts
        assert [reason["share"] for reason in card["reasons"]] == sorted((reason["share"] for reason in card["reasons"]), reverse=True)
        shares = dict(shares_of(terms_of(person, profile)))
        assert all(reason["share"] == round(shares[MatchTerm(reason["term"])], 4) for reason in card["reasons"])
        serving = MatchServing.objects.get()
        assert (serving.user, serving.profile_ids) == (person, [profile.pk])

    @pytest.mark.parametrize("query", ["limit=0", "limit=51", "limit=x"])
    def test_bad_limits(self, signed_in: Api, query: str) -> None:
        assert signed_in.get(f"mentors/matches?{query}").status_code == 400

    def test_reasons_say_only_what_is_known(self, teach: Any, user: User, signed_in: Api) -> None:
        profile = teach("Python")
        for _ in range(5):
            reference = uuid.uuid4()
            requests.record_request(profile=profile, reference=reference, due_at=NOW + HOUR)
            requests.record_answer(reference=reference, outcome=RequestOutcome.ACCEPTED)
        texts = [reason["text"] for reason in signed_in.get("mentors/matches").json()["results"][0]["reasons"]]
        assert texts[0] == "They said yes to 100% of 5 requests lately."
        assert not any("which you named" in text or "reviews" in text for text in texts)


class TestStanding:
    def crowd(self, teach: Any, number: int = 11) -> None:
        for _ in range(number):
            teach("Python")

    def test_what_is_promised_holds(self, teach: Any, person: User, signed_in: Api) -> None:
        self.crowd(teach)
        profile = teach("Carpentry", "Gardening")
        standing = standing_of(user=person, profile=profile)
        assert (standing.rank, standing.matches) == (12, 12)
        assert standing.rank_instead is not None and standing.rank_instead <= 10
        shown = signed_in.get(f"mentors/{profile.pk}/standing").json()
        assert shown["text"].startswith("They are your 12th of 12 matches. If you said that ")
        wants(person, "Python", *standing.skills)
        assert keys(person).index(profile.pk) + 1 == standing.rank_instead

    def test_no_smaller_change_would_do(self, teach: Any, person: User) -> None:
        self.crowd(teach)
        profile = teach("Carpentry", "Gardening")
        standing = standing_of(user=person, profile=profile)
        if len(standing.skills) == 2:
            for skill in standing.skills:
                wants(person, "Python", skill)
                assert keys(person).index(profile.pk) + 1 > 10
        else:
            assert len(standing.skills) == 1

    def test_on_the_first_page_nothing_is_asked_for(self, teach: Any, person: User) -> None:
        standing = standing_of(user=person, profile=teach("Python"))
        assert (standing.rank, standing.text, standing.skills) == (1, "They are your 1st of 1 matches.", ())

    def test_why_somebody_is_out(self, teach: Any, person: User, make_user: Any, signed_in: Api) -> None:
        profile = teach("Python", capacity=1)
        own = teach("Python", user=person)
        assert standing_of(user=person, profile=own).text == "That is you."
        profiles.pause(profile=profile)
        assert standing_of(user=person, profile=profile).text == "They take no sessions for now."
        profiles.resume(profile=profile)
        User.objects.filter(pk=person.pk).update(languages=["de"])
        person.refresh_from_db()
        assert standing_of(user=person, profile=profile).text == "You share no language."
        MentorProfile.objects.update(languages=["de"])
        claim_time(profile=profile, learner_id=make_user().pk, starts_at=NOW + HOUR, duration_minutes=60, reference=uuid.uuid4())
        assert standing_of(user=person, profile=profile).text == "They have as many people as they can take for now."
        profile.offers.update(is_active=False)
        assert standing_of(user=person, profile=profile).text == "They offer no sessions yet."
        Block.objects.create(blocker=profile.user, blocked=person)
        assert signed_in.get(f"mentors/{profile.pk}/standing").status_code == 404


class TestAdvice:
    def test_what_is_promised_holds(self, teach: Any, make_user: Any, user: User, signed_in: Api) -> None:
        profile = teach("Python", years=10, user=user, open_at="08:00-09:00", capacity=5)
        MentorProfile.objects.filter(pk=profile.pk).update(languages=["en"])
        for _ in range(10):
            teach("Python", open_at="18:00-18:30", languages=["en", "de"])
        people = [wants(make_user(languages=["en"]), "Python", availability=["evenings"]) for _ in range(3)]
        people += [wants(make_user(languages=["de"]), "Python", availability=["evenings"]) for _ in range(3)]
        for person in people:
            MatchServing.objects.create(user=person, profile_ids=[], wanting=[])
        before = MentorProfile.objects.get(pk=profile.pk)
        number, advice = advice_for(profile=before)
        assert number == 6
        assert {each.change for each in advice} >= {"evening-0"}
        shown_before = sum(profile.pk in keys(person)[:10] for person in people)
        assert signed_in.get("mentors/me/advice").json()["results"][0]["more_people"] == advice[0].more_people
        after = MentorProfile.objects.get(pk=profile.pk)
        assert (after.languages, after.schedule.weekly_hours.count(), after.capacity) == (["en"], 7, 5), "all was taken back"
        chosen = next(each for each in advice if each.change == "evening-0")
        body = signed_in.get("mentors/me/availability").json()
        body["weekly"].append({"weekday": 0, "start": "18:00", "end": "21:00"})
        assert signed_in.put("mentors/me/availability", body).status_code == 200
        assert sum(profile.pk in keys(person)[:10] for person in people) - shown_before == chosen.more_people

    def test_few_people_are_not_spoken_of(self, teach: Any, make_user: Any) -> None:
        profile = teach("Python")
        for _ in range(FEWEST_PEOPLE - 1):
            MatchServing.objects.create(user=make_user(), profile_ids=[], wanting=[])
        assert advice_for(profile=profile) == (FEWEST_PEOPLE - 1, [])


class TestExposure:
    def test_the_report(self, teach: Any, make_user: Any, capsys: Any) -> None:
        shown, hidden = teach("Python"), teach("Python")
        MentorProfile.objects.filter(pk=hidden.pk).update(live_since=NOW - 60 * 24 * HOUR, accessibility_practices=["captions"])
        person = make_user()
        for _ in range(3):
            MatchServing.objects.create(user=person, profile_ids=[shown.pk, hidden.pk], wanting=[0.8, 0.8])
        exposure.keep_demand()
        report = exposure.exposure_report()
        assert (report.mentors, report.people, round(report.gini, 3)) == (2, 1, 0.113)
        assert [(group.name, round(group.impact_ratio, 2)) for group in report.groups] == [
            *(("new mentors", 1), ("others", 0.63), ("with accessibility practices", 0.63), ("without", 1)),
        ]
        call_command("match_report")
        assert "2 mentors shown to 1 people; Gini of exposure by capacity 0.113" in capsys.readouterr().out

    def test_nobody_and_nothing(self) -> None:
        report = exposure.exposure_report()
        assert (report.mentors, report.gini, {group.impact_ratio for group in report.groups}) == (0, 0, {1})

    def test_old_servings_go(self, user: User, clock: Any) -> None:
        MatchServing.objects.create(user=user)
        assert exposure.prune_match_servings() == 0
        clock(timezone.now() + datetime.timedelta(days=4000))
        assert exposure.prune_match_servings() == 1


class TestScoring:
    def test_gini(self) -> None:
        assert (gini([]), gini([0, 0]), gini([1, 1, 1]), gini([0, 0, 0, 1])) == (0, 0, 0, 0.75)

    def test_a_full_score_and_none(self) -> None:
        assert score_of(dict.fromkeys(MatchTerm, 1.0), room=3, demand=0).total == 1
        assert score_of(dict.fromkeys(MatchTerm, 0.0), room=1, demand=9).total == 0
        assert shares_of(dict.fromkeys(MatchTerm, 0.0)) == []

    @pytest.mark.parametrize("seed", [1, 2])
    def test_two_sides_beat_one_in_the_market(self, seed: int) -> None:
        size = {"seed": seed, "mentors": 100, "learners_a_day": 20, "days": 40}
        ours, baseline = simulate(two_sided, **size), simulate(greedy, **size)
        assert ours.accepted > baseline.accepted
        assert ours.exposure_gini < baseline.exposure_gini
        assert ours.impact_ratio > 0.8

    def test_the_command(self, capsys: Any) -> None:
        call_command("simulate_matches", runs=1, mentors=20, learners_a_day=3)
        out = capsys.readouterr().out
        assert "two-sided" in out and "greedy" in out
