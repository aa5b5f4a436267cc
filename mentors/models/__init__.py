from mentors.models.availability import DateOverride, OccupiedTime, Schedule, Travel, WeeklyHours
from mentors.models.profiles import MentorProfile, MentorSkill, Offer

__all__ = ("DateOverride", "MentorProfile", "MentorSkill", "OccupiedTime", "Offer", "Schedule", "Travel", "WeeklyHours")
