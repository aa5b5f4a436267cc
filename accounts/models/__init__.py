from accounts.models.data_rights import DataExport, Erasure, RetiredHandle
from accounts.models.people import User, age_band_on, validate_birth_date, validate_handle
from accounts.models.sign_in import Device, LinkedProvider, MailedKey, SecurityEvent
from accounts.models.trust import Block, ConsentDecision, Guardianship, Impersonation, InvitationRefusal

__all__ = [
    "Block",
    "ConsentDecision",
    "DataExport",
    "Device",
    "Erasure",
    "Guardianship",
    "Impersonation",
    "InvitationRefusal",
    "LinkedProvider",
    "MailedKey",
    "RetiredHandle",
    "SecurityEvent",
    "User",
    "age_band_on",
    "validate_birth_date",
    "validate_handle",
]
