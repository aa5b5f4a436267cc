"""Mentors' accounts at the provider."""

from __future__ import annotations

import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from accounts.models import User
from core.errors import FieldError
from core.events import publish
from payments.enums import AccountKind
from payments.errors import CountryIsFixed, MayNotPay, ProviderRefused, UnsupportedCountry
from payments.events import EarningsHeldUp, HoldingsGrowOld
from payments.models import LedgerEntry, Payment, PayoutAccount
from payments.policies import can_earn
from payments.providers import stripe

_TOLD_AGAIN_AFTER = datetime.timedelta(days=7)
_BATCH = 200


def start_onboarding(*, person: User, country: str) -> str:
    """The address where a mentor tells the provider what it wants to know; good once, for some minutes. The account is made the first time,
    and its country stays.

    Raises:
        MayNotPay: people under 18 earn no money here.
        UnsupportedCountry: the provider does not pay out there.
        CountryIsFixed: there is an account in another country.
        ProviderAway: try again.
    """
    if not can_earn(person):
        raise MayNotPay
    with transaction.atomic():
        row, _ = PayoutAccount.objects.select_for_update().get_or_create(person=person, defaults={"country": country})
        if row.provider_id and row.country != country:
            raise CountryIsFixed
        if not row.provider_id:
            row.country = country
            try:
                account = stripe.create_account(country=country, person_id=str(person.pk), key=f"account-{row.pk}-{country}")
            except ProviderRefused as refusal:
                raise UnsupportedCountry(
                    errors=(FieldError("country", "unsupported_country", UnsupportedCountry.message),), reason=refusal.data["reason"]
                ) from refusal
            row.provider_id = account.id
            row.save()
    back = f"{settings.SITE_URL}/earnings"
    return stripe.onboarding_url(row.provider_id, return_url=back, refresh_url=f"{back}?again=1")


def look_at_account(*, provider_id: str) -> None:
    """Ask the provider what a mentor's account may do now. Nothing happens for one that is none of ours."""
    with transaction.atomic():
        row = PayoutAccount.objects.select_for_update().filter(provider_id=provider_id).first()
        if row is None:
            return
        account = stripe.read_account(provider_id)
        row.is_submitted, row.can_receive, row.can_pay_out = account.is_submitted, account.can_receive, account.can_pay_out
        row.missing, row.disabled_reason = list(account.missing), account.disabled_reason
        row.save()


def tell_held_up_earnings() -> int:
    """Tell mentors, once a week, who have earnings that cannot go out since their account is not ready. Money may stay with the platform
    for a limited time only (docs.stripe.com/connect/manual-payouts). Returns how many were told."""
    available = LedgerEntry.objects.filter(account__kind=AccountKind.AVAILABLE).order_by().values("account__owner", "currency")
    owners = available.annotate(total=Sum("amount")).filter(total__lt=0).values("account__owner")
    ready = PayoutAccount.objects.filter(can_receive=True).values("person")
    lately = PayoutAccount.objects.filter(told_held_up_at__gt=timezone.now() - _TOLD_AGAIN_AFTER).values("person")
    people = User.objects.present().filter(pk__in=owners).exclude(pk__in=ready).exclude(pk__in=lately)
    waiting = list(people.order_by("pk")[:_BATCH])
    for person in waiting:
        with transaction.atomic():
            row, _ = PayoutAccount.objects.select_for_update().get_or_create(person=person)
            row.told_held_up_at = timezone.now()
            row.save()
            publish(EarningsHeldUp(person.pk))
    return len(waiting)


def tell_staff_of_old_holdings(*, before: datetime.datetime) -> int:
    """Tell staff of payments that were taken before an instant, and of which something still waits for the mentor. Returns how many."""
    number = Payment.objects.with_something_to_transfer().filter(captured_at__lt=before).count()
    if number:
        with transaction.atomic():
            publish(HoldingsGrowOld(number, before))
    return number
