"""What people type: slips, phrases, acronyms, places, facets, and searches they keep."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any, ClassVar
from urllib.parse import quote

import pytest
from django.utils import timezone

from catalog import tasks
from catalog.lexical import read_query
from catalog.models import Opportunity, SavedSearch, Skill
from catalog.services.places import Point, point_of
from catalog.services.search_text import read_search_text
from conftest import Api
from core.models import OutboxEvent

pytestmark = pytest.mark.django_db
Make = Callable[..., Opportunity]
Index = Callable[[], None]


def titles(api: Api, query: str) -> list[str]:
    answer = api.get(f"opportunities/search?{query}")
    assert answer.status_code == 200, answer.content
    return [row["title"] for row in answer.json()["results"]]


class TestSlips:
    @pytest.mark.parametrize("typed", ["carpentr", "carpneter", "carpnter", "carpenterr"])
    def test_a_slip_finds_what_was_meant(self, api: Api, make_opportunity: Make, index: Index, typed: str) -> None:
        make_opportunity("Carpenter wanted")
        make_opportunity("Cardiologist wanted")
        index()
        body = api.get(f"opportunities/search?q={typed}").json()
        assert (body["results"][0]["title"], "lexical" in body["results"][0]["matched_by"]) == ("Carpenter wanted", True)
        assert ["carpent"] in body["corrections"].values()

    def test_known_words_short_words_and_long_texts_are_left_alone(self, make_opportunity: Make, index: Index) -> None:
        make_opportunity("Nurse nursery care")
        index()
        for text in ("nurse", "car", "one two three four five six seven eight nursex", "\x00", "x" * 3000):
            words = read_query(text)
            assert words is None or words.corrections == {}, text


class TestPhrases:
    @pytest.mark.parametrize(
        ("typed", "found"),
        [
            ('"data science"', ["Data science trainee"]),
            ("“data science”", ["Data science trainee"]),
            ('science -"data science"', ["Science of data"]),
            ("science -trainee", ["Science of data"]),
            ('"science data"', []),
        ],
    )
    def test_word_after_word(self, api: Api, make_opportunity: Make, index: Index, typed: str, found: list[str]) -> None:
        make_opportunity("Data science trainee")
        make_opportunity("Science of data")
        index()
        assert titles(api, f"q={quote(typed)}") == found

    def test_who_only_excludes_gets_the_newest_rest(self, api: Api, make_opportunity: Make, index: Index) -> None:
        make_opportunity("Nurse")
        make_opportunity("Welder")
        index()
        assert titles(api, "q=-nurse") == ["Welder"]

    def test_what_is_typed_is_read(self) -> None:
        Skill.objects.create(source="t", source_id="1", name="Machine learning", alternative_names=["ML"], keys=["machine learning", "ml"])
        asked = read_search_text('"full stack" ml -php full-time -"no pay"')
        assert asked.text == "ml full-time full stack"
        assert (asked.phrases, asked.excluded, asked.meant) == (("full stack",), ("no pay", "php"), ("Machine learning",))
        assert read_search_text("a b c d e f ml").meant == ()


def test_an_acronym_finds_its_long_form(api: Api, make_opportunity: Make, index: Index) -> None:
    Skill.objects.create(source="t", source_id="1", name="Human resources", alternative_names=["HR"], keys=["hr", "human resources"])
    make_opportunity("Assistant in human resources")
    make_opportunity("Assistant in a garden")
    index()
    body = api.get("opportunities/search?q=HR").json()
    assert (body["results"][0]["title"], body["acronyms"]) == ("Assistant in human resources", ["Human resources"])
    assert "lexical" in body["results"][0]["matched_by"]


class TestPlaces:
    @pytest.mark.parametrize(
        ("location", "latitude", "longitude"),
        [
            ("Berlin, Germany", 52.52, 13.41),
            ("London, U.K.", 51.51, -0.13),
            ("London, ON, Canada", 42.98, -81.23),
            ("New York, NY, U.S.A.", 40.71, -74.01),
            ("Portland, OR", 45.52, -122.68),
            ("Portland, ME, United States", 43.66, -70.26),
            ("Kraków, Poland", 50.06, 19.94),
            ("Cologne, Germany", 50.93, 6.95),
            ("Bangalore, India", 12.97, 77.59),
            ("Paris", 48.85, 2.35),
        ],
    )
    def test_where_a_location_is(self, location: str, latitude: float, longitude: float) -> None:
        found = point_of(location)
        assert found
        assert (found.latitude, found.longitude) == pytest.approx((latitude, longitude), abs=0.06)

    @pytest.mark.parametrize("location", ["", "Online", "Remote", "Anywhere in the U.S. (remote)", "United States", "x" * 5000, ",,;/()"])
    def test_what_names_no_city(self, location: str) -> None:
        assert point_of(location) is None

    def test_known_distances(self) -> None:
        oslo, bergen = Point(59.9139, 10.7522), Point(60.3913, 5.3221)
        assert oslo.kilometres_to(bergen) == pytest.approx(305, abs=3)
        assert Point(0, 179.9).kilometres_to(Point(0, -179.9)) == pytest.approx(22.2, abs=0.1)
        assert Point(90, 0).kilometres_to(Point(-90, 0)) == pytest.approx(20015, abs=1)

    def test_near_a_city_or_a_point(self, api: Api, make_opportunity: Make, index: Index) -> None:
        for place in ("Oslo, Norway", "Drammen, Norway", "Bergen, Norway", "Online"):
            make_opportunity(f"Nurse in {place}", location=place)
        index()
        assert titles(api, "q=nurse&near=Oslo&radius_km=10") == ["Nurse in Oslo, Norway"]
        assert set(titles(api, "q=nurse&near=59.91,10.75")) == {"Nurse in Oslo, Norway", "Nurse in Drammen, Norway"}
        assert len(titles(api, "q=nurse&near=Oslo&radius_km=500")) == 3
        listed = api.get("opportunities?near=Bergen&radius_km=1").json()["results"]
        assert [row["title"] for row in listed] == ["Nurse in Bergen, Norway"]
        hits = api.get("opportunities/search?q=nurse&near=Oslo&radius_km=400").json()["results"]
        assert {row["title"]: round(row["distance_km"], -1) for row in hits}["Nurse in Bergen, Norway"] in (300, 310)

    @pytest.mark.parametrize("query", ["near=Nowheretown", "near=95,10", "near=Oslo&radius_km=0", "near=Oslo&radius_km=far", "near=59,999"])
    def test_bad_places_name_the_field(self, api: Api, query: str) -> None:
        for path in ("opportunities?", "opportunities/search?q=nurse&", "opportunities/facets?"):
            answer = api.get(path + query)
            assert (answer.status_code, answer.json()["errors"][0]["field"]) in {(400, "near"), (400, "radius_km")}


def test_facets_count_what_the_list_shows(api: Api, make_opportunity: Make, category: Any) -> None:
    make_opportunity("Nurse", category=category, is_remote=True, language="en")
    make_opportunity("Nurse by night", category=category, is_remote=False)
    make_opportunity("Nursing course", kind="course", language="en")
    make_opportunity("Closed nurse", state="closed")
    assert api.get("opportunities/facets").json() == {
        "total": 3,
        "kinds": {"job": 2, "course": 1},
        "categories": {"care": 2, "": 1},
        "languages": {"en": 2, "": 1},
        "remote": {"": 1, "false": 1, "true": 1},
    }
    assert api.get("opportunities/facets?kind=course").json()["total"] == 1
    assert api.get("opportunities/facets?kind=event").json()["kinds"] == {}
    Opportunity.objects.all().delete()
    assert api.get("opportunities/facets").json()["total"] == 0


class TestSavedSearches:
    BODY: ClassVar = {"name": "Nurses in Oslo", "filters": {"q": "nurse", "near": "Oslo"}}

    def test_tells_what_is_new_once(self, signed_in: Api, user: Any, make_opportunity: Make, index: Index) -> None:
        make_opportunity("Old nurse", location="Oslo, Norway", published_at=timezone.now() - datetime.timedelta(days=1))
        saved = signed_in.post("saved-searches", self.BODY)
        assert (saved.status_code, saved.json()["new_count"], saved.json()["notify"]) == (201, 0, True)
        SavedSearch.objects.update(looked_until=timezone.now() - datetime.timedelta(hours=1))
        for title, place in (("New nurse", "Oslo, Norway"), ("Far nurse", "Rome"), ("Welder", "Oslo, Norway")):
            make_opportunity(title, location=place)
        index()
        assert [tasks.look_for_news(), tasks.look_for_news()] == [1, 0]
        events = OutboxEvent.objects.filter(name="catalog.saved-search-matched").values_list("payload", flat=True)
        path = f"saved-searches/{saved.json()['id']}"
        assert list(events) == [{"user_id": str(user.pk), "search_id": saved.json()["id"], "count": 1}]
        assert [row["new_count"] for row in signed_in.get("saved-searches").json()["results"]] == [1]
        assert signed_in.post(f"{path}/seen").json()["new_count"] == 0

    def test_changes_and_limits(self, signed_in: Api, make_user: Any) -> None:
        path = f"saved-searches/{signed_in.post('saved-searches', self.BODY).json()['id']}"
        assert signed_in.post("saved-searches", self.BODY).json()["errors"][0]["code"] == "name_taken"
        changed = signed_in.patch(path, {"notify": False, "filters": {"kind": ["job", "course"]}}).json()
        assert (changed["notify"], changed["filters"], changed["name"]) == (False, {"kind": ["job", "course"]}, "Nurses in Oslo")
        assert signed_in.patch(path, {"name": "Jobs"}).json()["name"] == "Jobs"
        other = Api().sign_in(make_user())
        assert other.get("saved-searches").json()["results"] == []
        for refused in (other.patch(path, {"name": "Mine"}), other.delete(path), other.post(f"{path}/seen")):
            assert refused.status_code == 404
        for number in range(19):
            assert signed_in.post("saved-searches", {"name": str(number), "filters": {}}).status_code == 201
        assert signed_in.post("saved-searches", {"name": "20", "filters": {}}).json()["code"] == "too_many_saved_searches"
        assert signed_in.delete(path).status_code == 204

    @pytest.mark.parametrize(
        "filters",
        [{"x": "1"}, {"kind": ["party"]}, {"near": "Nowheretown"}, {"q": "x" * 501}, [], "q", {"q": "y" * 3000}, {"category": "none"}],
    )
    def test_only_what_the_list_would_take(self, signed_in: Api, filters: Any) -> None:
        answer = signed_in.post("saved-searches", {"name": "x", "filters": filters})
        assert answer.status_code == 400, answer.content
        assert not SavedSearch.objects.exists()

    def test_a_search_that_has_become_void_finds_nothing(self, user: Any, make_opportunity: Make) -> None:
        long_ago = timezone.now() - datetime.timedelta(hours=1)
        SavedSearch.objects.create(user=user, name="x", filters={"category": "gone"}, looked_until=long_ago)
        make_opportunity("Nurse")
        assert tasks.look_for_news() == 0
