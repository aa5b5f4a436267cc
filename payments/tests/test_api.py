from __future__ import annotations

import csv
import io
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from conftest import Api
from core.models import KeptAnswer
from core.money import Money
from core.tasks import prune_answers
from payments.enums import RefundReason
from payments.models import Payment, PayoutAccount
from payments.selectors import payments_of
from payments.services import paying, refunding
from payments.services.receipts import number_of, receipt_of
from payments.tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def payer(world: World) -> Api:
    return Api().sign_in(world.payer)


@pytest.fixture
def mentor(world: World) -> Api:
    return Api().sign_in(world.mentor)


class TestCreateIntent:
    def test_the_app_gets_what_it_hands_to_stripe(self, world: World, payer: Api) -> None:
        payment = world.open(5_950, "EUR", tax=950)
        answer = payer.post("payments/create-intent", {"booking_id": str(payment.subject_id)})
        assert answer.status_code == 201
        body = answer.json()
        assert body["client_secret"].startswith("pi_peer") and body["pay_page"].endswith(body["client_secret"])
        assert {
            name: body[name] for name in ("payment_id", "amount", "platform_fee", "mentor_payout", "tax", "is_test", "publishable_key")
        } == {
            "payment_id": str(payment.pk),
            "amount": {"amount": 5_950, "currency": "EUR"},
            "platform_fee": {"amount": 750, "currency": "EUR"},
            "mentor_payout": {"amount": 4_250, "currency": "EUR"},
            "tax": {"amount": 950, "currency": "EUR"},
            "is_test": True,
            "publishable_key": "pk_test_peer",
        }
        again = payer.post("payments/create-intent", {"booking_id": str(payment.subject_id)})
        assert again.json() == body

    def test_nobody_pays_for_others(self, world: World, mentor: Api, staff_api: Api) -> None:
        body = {"booking_id": str(world.open().subject_id)}
        for api in (mentor, staff_api):
            answer = api.post("payments/create-intent", body)
            assert (answer.status_code, answer.json()["code"]) == (404, "nothing_to_pay_for")
        assert Api().post("payments/create-intent", body).status_code == 401

    @pytest.mark.parametrize("body", [{}, {"booking_id": "x"}, {"booking_id": None}, {"booking_id": str(uuid.uuid4()), "amount": 1}])
    def test_bad_input(self, payer: Api, body: Any) -> None:
        assert payer.post("payments/create-intent", body).status_code == 400

    def test_what_is_over_is_not_paid(self, world: World, payer: Api) -> None:
        payment = world.open()
        paying.cancel_payment(payment_id=payment.pk)
        assert payer.post("payments/create-intent", {"booking_id": str(payment.subject_id)}).json()["code"] == "illegal_payment_move"
        free = world.open(0)
        assert payer.post("payments/create-intent", {"booking_id": str(free.subject_id)}).json()["code"] == "nothing_to_pay"

    def test_the_provider_is_away(self, world: World, payer: Api) -> None:
        world.peer.dial.before = 1
        answer = payer.post("payments/create-intent", {"booking_id": str(world.open().subject_id)})
        assert (answer.status_code, answer.json()["code"]) == (503, "payment_provider_away")


class TestKeys:
    def post(self, api: Api, payment: Payment, key: str) -> Any:
        return api.post("payments/create-intent", {"booking_id": str(payment.subject_id)}, HTTP_IDEMPOTENCY_KEY=key)

    def test_the_same_key_and_body_get_the_same_answer(self, world: World, payer: Api) -> None:
        payment = world.open()
        first, second = self.post(payer, payment, "k"), self.post(payer, payment, "k")
        assert (first.json(), first.status_code) == (second.json(), second.status_code)
        assert (first.get("Idempotent-Replayed"), second["Idempotent-Replayed"]) == (None, "true")

    def test_another_body_is_refused(self, world: World, payer: Api) -> None:
        self.post(payer, world.open(), "k")
        answer = self.post(payer, world.open(), "k")
        assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_key_reused")

    def test_keys_are_of_one_person(self, world: World, payer: Api, mentor: Api) -> None:
        payment = world.open()
        assert self.post(payer, payment, "k").status_code == 201
        assert self.post(mentor, payment, "k").status_code == 404

    def test_what_was_refused_is_not_kept(self, world: World, payer: Api) -> None:
        payment = world.open()
        world.peer.dial.before = 1
        assert self.post(payer, payment, "k").status_code == 503
        world.peer.dial.before = 0
        assert self.post(payer, payment, "k").status_code == 201

    @pytest.mark.parametrize("key", ["", "x" * 256, "a\tb"])
    def test_keys_that_are_none(self, world: World, payer: Api, key: str) -> None:
        answer = self.post(payer, world.open(), key)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "Idempotency-Key")

    def test_they_are_forgotten_after_two_days(self, world: World, payer: Api) -> None:
        self.post(payer, world.open(), "k")
        KeptAnswer.objects.update(created_at=timezone.now() - timedelta(hours=47))
        assert prune_answers() == 0
        KeptAnswer.objects.update(created_at=timezone.now() - timedelta(hours=49))
        assert prune_answers() == 1


class TestHistory:
    def test_both_sides_see_their_own(self, world: World, payer: Api, mentor: Api, staff_api: Api, api: Api, make_user: Any) -> None:
        payment = world.paid(5_950, "EUR", tax=950)
        refunding.refund_payment(payment_id=payment.pk, money=Money(1_000, "EUR"), reason=RefundReason.GOODWILL)
        world.hear()
        row = payer.get("payments").json()["results"][0]
        assert (row["role"], row["state"], row["has_receipt"]) == ("payer", "captured", True)
        assert row["amount"] == {"amount": 5_950, "currency": "EUR"}
        assert row["refunded"] == {"amount": 1_000, "currency": "EUR"}
        assert row["mentor_payout"]["amount"] == 4_250 - 714
        assert row["tax"] == {"name": "VAT", "basis_points": 1_900, "amount": {"amount": 790, "currency": "EUR"}}
        assert row["platform_fee"]["amount"] == 750 - 126
        assert [(refund["state"], refund["amount"]["amount"]) for refund in row["refunds"]] == [("done", 1_000)]
        assert row == payer.get(f"payments/{payment.pk}").json()
        theirs = mentor.get(f"payments/{payment.pk}").json()
        assert (theirs["role"], theirs["has_receipt"]) == ("payee", False)
        stranger = Api().sign_in(make_user())
        for other in (stranger, staff_api):
            assert other.get("payments").json()["results"] == []
            assert other.get(f"payments/{payment.pk}").status_code == 404
        assert api.get("payments").status_code == 401

    def test_nothing_yet(self, payer: Api) -> None:
        assert payer.get("payments").json() == {"next": None, "previous": None, "results": []}
        assert payer.get("payouts").json() == {"account": None, "balances": [], "upcoming": []}
        assert payer.get("payouts/movements").json()["results"] == []

    def test_a_table_that_no_spreadsheet_computes(self, world: World, payer: Api, mentor: Api) -> None:
        payment = world.paid(12_340, "KWD")
        Payment.objects.filter(pk=payment.pk).update(description='=HYPERLINK("http://evil")')
        answer = payer.get("payments/history.csv")
        assert answer["Content-Type"] == "text/csv; charset=utf-8"
        rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
        assert [(row["role"], row["amount"], row["currency"], row["description"]) for row in rows] == [
            ("payer", "12.340", "KWD", '\'=HYPERLINK("http://evil")')
        ]
        theirs = b"".join(mentor.get("payments/history.csv").streaming_content).decode()
        assert "payee" in theirs


class TestEarnings:
    def test_pending_available_paid_and_owed(self, world: World, mentor: Api) -> None:
        world.paid(3_000)
        first = world.paid()
        body = mentor.get("payouts").json()
        assert [(row["amount"]["amount"], row["release_at"]) for row in body["upcoming"]] == [(2_550, None), (4_250, None)]
        assert body["balances"][0]["pending"] == {"amount": 6_800, "currency": "USD"}
        world.earn(first)
        assert mentor.get("payouts").json()["balances"][0]["available"]["amount"] == 4_250
        world.onboard()
        world.settle()
        world.later(days=3)
        world.pay_out()
        refunding.refund_payment(payment_id=first.pk, money=first.captured, reason=RefundReason.NOT_DELIVERED)
        world.hear()
        balance = mentor.get("payouts").json()["balances"][0]
        assert {name: row["amount"] for name, row in balance.items()} == {
            **{"pending": 2_550, "available": 0, "frozen": 0, "paid": 4_250, "owed": 4_250}
        }
        kinds = [(row["kind"], row["state"]) for row in mentor.get("payouts/movements").json()["results"]]
        assert kinds == [("reversal", "failed"), ("payout", "sent"), ("transfer", "done")]

    def test_onboarding(self, world: World, mentor: Api, api: Api) -> None:
        answer = mentor.post("payouts/onboarding", {"country": "DE"})
        account = PayoutAccount.objects.get()
        assert answer.json() == {"url": f"{world.peer.site}/onboarding/{account.provider_id}"}
        assert mentor.get("payouts").json()["account"]["can_receive"] is False
        assert api.post("payouts/onboarding", {"country": "DE"}).status_code == 401
        for country in ("de", "DEU", "", None):
            assert mentor.post("payouts/onboarding", {"country": country}).status_code == 400
        assert mentor.post("payouts/onboarding", {"country": "FR"}).json()["code"] == "country_is_fixed"
        assert PayoutAccount.objects.count() == 1


class TestReceipts:
    def test_page_and_file_say_what_was_paid(self, world: World, payer: Api, mentor: Api, client: Client) -> None:
        User.objects.filter(pk=world.payer.pk).update(locale="de", time_zone="Europe/Berlin")
        payment = world.paid(5_950, "EUR", tax=950)
        refunding.refund_payment(payment_id=payment.pk, money=Money(1_000, "EUR"), reason=RefundReason.GOODWILL)
        world.hear()
        found = payments_of(world.payer).get()
        lines = dict(receipt_of(found).lines)
        assert lines["Erstattet"] == "10,00\xa0€" and lines["Enthält VAT 19 %"] == "9,50\xa0€" and lines["Betrag"] == "59,50\xa0€"
        assert lines["Bezahlt am"].endswith(("MEZ", "MESZ"))
        file = payer.get(f"payments/{payment.pk}/receipt.pdf")
        assert (file.status_code, file["Content-Type"], file.content[:5]) == (200, "application/pdf", b"%PDF-")
        assert b"/StructTreeRoot" in file.content and file["Cache-Control"] == "private, no-store"
        assert mentor.get(f"payments/{payment.pk}/receipt.pdf").status_code == 404
        address = f"/payments/{payment.pk}/receipt"
        assert client.get(address).status_code == 302
        client.force_login(world.mentor)
        assert client.get(address).status_code == client.get(f"{address}.pdf").status_code == 404
        client.force_login(world.payer)
        assert number_of(payment) in client.get(address).content.decode()
        assert client.get(f"{address}.pdf").content[:5] == b"%PDF-"

    def test_there_is_none_before_something_was_paid(self, world: World, payer: Api) -> None:
        for payment in (world.open(), world.open(0)):
            answer = payer.get(f"payments/{payment.pk}/receipt.pdf")
            assert (answer.status_code, answer.json()["code"]) == (404, "no_receipt")
