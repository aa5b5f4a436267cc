from __future__ import annotations

from accounts.enums import Role
from accounts.models import User
from catalog.enums import TermState
from catalog.models import Skill
from mentors.enums import OfferKind
from mentors.models import MentorProfile
from mentors.services.expanding import Hours
from mentors.services.profiles import StatedOffer, apply, decide_application, save_profile
from mentors.services.schedules import Availability, WeeklyRule, set_availability

_SKILLS = ("python", "web programming", "javascript")
_BIO = (
    "I build web services with Python and have brought a dozen people into open source. I like to look at real code together, and to talk "
    "about how to get a first job as a software developer."
)


def load(*, email: str) -> None:
    """Make this person a mentor who can be booked at any hour, in five minutes. Safe to run again."""
    person = User.objects.get(email=email)
    profile = MentorProfile.objects.filter(user=person).first()
    skills = list(Skill.objects.filter(keys__overlap=list(_SKILLS), state=TermState.ACTIVE).order_by("pk").values_list("pk", flat=True)[:3])
    staff = User.objects.filter(role=Role.STAFF).order_by("pk").first()
    if profile is not None or not skills or staff is None:
        return
    profile = save_profile(
        user=person,
        fields={"headline": "From a hobby in Python to a first job", "bio": _BIO, "languages": ["en", "de"], "capacity": 50},
        skills=[(skill, 8) for skill in skills],
        offers=[
            StatedOffer(OfferKind.INTRODUCTION, "A first talk", 15, 0, "EUR"),
            StatedOffer(OfferKind.SESSION, "Mentoring", 30, 4_500, "EUR"),
        ],
    )
    hours = tuple(WeeklyRule(day, Hours(0, 1440)) for day in range(7))
    settings = {"notice_minutes": 0, "increment_minutes": 5, "horizon_days": 60}
    set_availability(profile=profile, availability=Availability("Europe/Berlin", hours, (), (), settings))
    apply(profile=profile)
    decide_application(staff=staff, profile=profile, is_accepted=True)
