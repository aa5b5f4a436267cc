from notifications.models.addresses import Phone, PushDevice, PushTicket, Suppression
from notifications.models.announcements import Announcement
from notifications.models.notices import WAITING, Delivery, Inbox, Notification
from notifications.models.preferences import Choice, Preferences

__all__ = [
    "WAITING",
    "Announcement",
    "Choice",
    "Delivery",
    "Inbox",
    "Notification",
    "Phone",
    "Preferences",
    "PushDevice",
    "PushTicket",
    "Suppression",
]
