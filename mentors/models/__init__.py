from mentors.models.availability import DateOverride, OccupiedTime, Schedule, Travel, WeeklyHours
from mentors.models.calendars import CalendarLink, OutsideCalendar
from mentors.models.matching import MatchServing
from mentors.models.profiles import MentorProfile, MentorSkill, Offer
from mentors.models.reviews import Review, ReviewReport, ReviewVersion
from mentors.models.standing import SessionRequest
from mentors.models.verification import Check, CheckDocument

__all__ = (
    "CalendarLink",
    "Check",
    "CheckDocument",
    "DateOverride",
    "MatchServing",
    "MentorProfile",
    "MentorSkill",
    "OccupiedTime",
    "Offer",
    "OutsideCalendar",
    "Review",
    "ReviewReport",
    "ReviewVersion",
    "Schedule",
    "SessionRequest",
    "Travel",
    "WeeklyHours",
)
