from payments.models.ledger import LedgerAccount, LedgerEntry, LedgerTransaction
from payments.models.movements import Dispute, Movement
from payments.models.payments import Payment, PayoutAccount
from payments.models.provider import Finding, ProviderEvent, ProviderRecord, Reconciliation

__all__ = (
    "Dispute",
    "Finding",
    "LedgerAccount",
    "LedgerEntry",
    "LedgerTransaction",
    "Movement",
    "Payment",
    "PayoutAccount",
    "ProviderEvent",
    "ProviderRecord",
    "Reconciliation",
)
