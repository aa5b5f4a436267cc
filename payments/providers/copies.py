"""Copies of the provider's objects in dj-stripe's tables, for staff who look into a payment. They are no truth: the ledger is.

Only what belongs to the platform is copied, and nothing of the payer: no card, no name, no address. The key of the API stays out of the
database, where dj-stripe would put it: objects come with the account that they belong to, and what is put there all the same goes before
the transaction ends.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.conf import settings
from django.db import transaction
from djstripe import models as copies

from payments.providers.stripe import asked

# What tells of a person, and what dj-stripe would fetch along.
_LEFT_OUT = frozenset({"billing_details", "customer", "payment_method", "payment_method_details", "receipt_email", "shipping", "source"})
_READERS: Mapping[str, tuple[Callable[[Any, str], Any], type[Any]]] = {
    "payment_intent": (lambda api, key: api.payment_intents.retrieve(key), copies.PaymentIntent),
    "balance_transaction": (lambda api, key: api.balance_transactions.retrieve(key), copies.BalanceTransaction),
    "charge": (lambda api, key: api.charges.retrieve(key), copies.Charge),
    "refund": (lambda api, key: api.refunds.retrieve(key), copies.Refund),
    "dispute": (lambda api, key: api.disputes.retrieve(key), copies.Dispute),
    "transfer": (lambda api, key: api.transfers.retrieve(key), copies.Transfer),
}
# What an object points to is copied before it.
_BEFORE = (("payment_intent", "payment_intent"), ("charge", "charge"), ("balance_transaction", "balance_transaction"))


class _Copied(dict[str, Any]):
    """An object as dj-stripe takes it: it asks for `stripe_account` before it looks for a key."""

    stripe_account: str


class _Unlisted(dict[str, Any]):
    """The reversals of a transfer, which dj-stripe would fetch page by page. The ledger has them."""

    def auto_paging_iter(self) -> Iterator[Any]:
        return iter(())


def copy_object(*, kind: str, key: str) -> bool:
    """Copy an object of the platform, and what it points to. False for kinds of which none are kept.

    Raises:
        ProviderAway, ProviderRefused: it could not be read.
    """
    if kind not in _READERS:
        return False
    read, model = _READERS[kind]
    data = _Copied({name: value for name, value in asked(lambda api: read(api, key)).to_dict().items() if name not in _LEFT_OUT})
    data.stripe_account = _platform(settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE)
    if "reversals" in data:
        data["reversals"] = _Unlisted(data["reversals"])
    for name, pointed in _BEFORE:
        target = data.get(name)
        if isinstance(target, str) and pointed != kind and not _READERS[pointed][1].objects.filter(id=target).exists():
            copy_object(kind=pointed, key=target)
    with transaction.atomic():
        # dj-stripe would ask whose key and whose object this is, at an address of its own: never the peer's.
        defaults = {"livemode": settings.STRIPE_IS_LIVE, "stripe_data": {"id": data.stripe_account, "object": "account"}}
        account, _ = copies.Account.objects.get_or_create(id=data.stripe_account, defaults=defaults)
        secret, _ = copies.APIKey.objects.get_or_create_by_api_key(settings.STRIPE_SECRET_KEY)
        copies.APIKey.objects.filter(pk=secret.pk).update(djstripe_owner_account=account)
        model.sync_from_stripe_data(data, api_key=settings.STRIPE_SECRET_KEY)
        copies.APIKey.objects.all().delete()
    return True


@functools.cache
def _platform(key: str, base: str) -> str:
    """The id of the platform's own account."""
    return str(asked(lambda api: api.accounts.retrieve_current()).id)
