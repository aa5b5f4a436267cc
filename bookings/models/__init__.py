from bookings.models.bookings import Booking, BookingMove, Series, Session
from bookings.models.conduct import Appeal, AppealEvidence, Statement, Strike
from bookings.models.recordings import RecordingConsent, SessionRecording
from bookings.models.rooms import Attendance, Removal, Room
from bookings.models.terms import BookingTerms, Reminder, ReminderChoice
from bookings.models.waiting import WaitlistEntry

__all__ = (
    "Appeal",
    "AppealEvidence",
    "Attendance",
    "Booking",
    "BookingMove",
    "BookingTerms",
    "RecordingConsent",
    "Reminder",
    "ReminderChoice",
    "Removal",
    "Room",
    "Series",
    "Session",
    "SessionRecording",
    "Statement",
    "Strike",
    "WaitlistEntry",
)
