"""What we send to people who have no account, and whose names stand in it."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from accounts.models import Guardianship, InvitationRefusal, User
from accounts.services.invitations import refuse_invitations_to
from accounts.services.mailing import send_mail
from conftest import Api

pytestmark = pytest.mark.django_db
SPAM = "You won 5000 EUR: http://evil.example/claim"


@pytest.fixture
def teenager(make_user: Callable[..., User]) -> Callable[..., User]:
    def make(**fields: Any) -> User:
        return make_user(birth_date=timezone.now().date() - datetime.timedelta(days=15 * 366), **fields)

    return make


@pytest.fixture
def limited(settings: Any) -> None:
    settings.THROTTLE = True
    cache.clear()


def invite(person: User, address: str) -> Any:
    return Api().sign_in(person).post("users/me/guardians", {"email": address})


class TestNames:
    @pytest.mark.parametrize("name", [SPAM, "\u200b", "Ana\u202e", "Ana\r\nBcc: x", "evil.example"])
    def test_no_route_takes_them(self, signed_in: Api, user: User, staff_api: Api, name: str) -> None:
        birth_date = (timezone.now().date() - datetime.timedelta(days=8 * 366)).isoformat()
        User.objects.filter(pk=user.pk).update(birth_date="1980-01-01")
        registration = {"email": "new@example.org", "password": "a long pass phrase", "full_name": name}
        answers = [
            Api().post("auth/register", registration),
            signed_in.call("PATCH", "users/me", {"full_name": name}),
            signed_in.post("users/me/wards", {"full_name": name, "birth_date": birth_date}),
            staff_api.post("users", {"email": "made@example.org", "full_name": name}),
            staff_api.call("PATCH", f"users/{user.pk}/account", {"full_name": name}),
        ]
        for answer in answers:
            assert answer.status_code == 400, answer.request["PATH_INFO"]
            assert [error["field"] for error in answer.json()["errors"]] == ["full_name"], answer.request["PATH_INFO"]
        page = Client().post("/sign-up/", registration | {"birth_date": "1980-01-01", "time_zone": "UTC"})
        assert page.status_code == 400
        assert not User.objects.filter(email__in=("new@example.org", "made@example.org")).exists()

    def test_the_form_of_the_desk(self, client: Client, staff: User, user: User) -> None:
        User.objects.filter(pk=staff.pk).update(is_superuser=True)
        client.force_login(staff)
        form = {"email": "made@example.org", "full_name": "Ana\u202e", "password1": "a long pass phrase", "password2": "a long pass phrase"}
        assert "cannot be seen" in client.post("/admin/accounts/user/add/", form).content.decode()
        assert not User.objects.filter(email="made@example.org").exists()

    def test_the_database_refuses_what_hides(self, user: User) -> None:
        for name in ("Ana\u202e", "\u200b", " Ana", "Ana\n"):
            with pytest.raises(IntegrityError), transaction.atomic():
                User.objects.filter(pk=user.pk).update(full_name=name)

    def test_one_form(self, signed_in: Api) -> None:
        assert signed_in.call("PATCH", "users/me", {"full_name": "  Ame\u0301lie   B. "}).json()["full_name"] == "Amélie B."


class TestInvitations:
    def test_the_subject_is_ours_and_a_spammer_has_no_room(self, teenager: Callable[..., User]) -> None:
        # A name from before names were checked.
        assert invite(teenager(full_name=SPAM), "adult@example.com").status_code == 201
        (message,) = mail.outbox
        assert message.subject == "A request to be a guardian at Soosh"
        assert "evil" not in message.body and "5000" in message.body
        assert len(re.findall(r"https?://", message.body)) == 2

    def test_who_refuses_gets_no_more(self, teenager: Callable[..., User], client: Client) -> None:
        person = teenager()
        invite(person, "adult@example.com")
        header = mail.outbox[0].extra_headers["List-Unsubscribe"]
        path = re.sub(r"^https?://[^/]+", "", header.strip("<>"))
        assert "adult" not in path and path in mail.outbox[0].body
        assert client.get(path).status_code == 200 and not InvitationRefusal.objects.exists()
        assert client.post(path, {"List-Unsubscribe": "One-Click"}).status_code == 200
        assert client.post(path).status_code == 200
        assert invite(person, "Adult@Example.com").status_code == 201, "whoever invites learns nothing"
        send_mail(template="work_email", to="adult@example.com", secret=object(), person=person)
        assert len(mail.outbox) == 1
        assert client.get("/no-invitations/forged/").status_code == 404

    def test_spam_reports_count_as_refusal(self, teenager: Callable[..., User]) -> None:
        refuse_invitations_to(address="adult@example.com")
        invite(teenager(), "adult@example.com")
        assert mail.outbox == []

    def test_by_person_and_day(self, teenager: Callable[..., User], limited: None) -> None:
        fresh, known = teenager(), teenager()
        User.objects.filter(pk=known.pk).update(created_at=timezone.now() - datetime.timedelta(days=2))
        for person, most in ((fresh, 3), (known, 5)):
            # Ended ones make room among the open ones, not among those of the day.
            for number in range(most):
                assert invite(person, f"adult{number}@{person.pk.hex[:8]}.example.com").status_code == 201
                Guardianship.objects.update(state="ended")
            answer = invite(person, "one-more@example.com")
            assert (answer.status_code, answer.json()["code"]) == (429, "too_many_requests")
        assert len(mail.outbox) == 8

    def test_by_address_and_in_all(self, teenager: Callable[..., User], limited: None, monkeypatch: pytest.MonkeyPatch) -> None:
        for _ in range(3):
            assert invite(teenager(), "adult@example.com").status_code == 201
        assert len(mail.outbox) == 2
        monkeypatch.setattr("accounts.services.invitations._MOST_BY_ALL", 3)
        assert invite(teenager(), "other@example.com").status_code == 429

    @pytest.mark.parametrize("template", ["unknown_account", "known_account", "change_email", "verify_email"])
    def test_every_mail_that_a_stranger_triggers_has_a_daily_end(self, template: str, limited: None, user: User) -> None:
        from accounts.enums import KeyPurpose
        from accounts.services.keys import issue_key

        secret = issue_key(purpose=KeyPurpose.VERIFY_EMAIL, user=user, email=user.email)
        for _ in range(40):
            send_mail(template=template, to="somebody@example.com", secret=secret)
        assert 0 < len(mail.outbox) <= 30
