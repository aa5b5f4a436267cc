from __future__ import annotations

from django.db.models import TextChoices


class MentorState(TextChoices):
    DRAFT = "draft", "not yet applied"
    APPLIED = "applied", "waits for staff"
    LIVE = "live", "found and booked"
    PAUSED = "paused", "shown, not booked"
    REJECTED = "rejected", "not taken; may apply again"
    SUSPENDED = "suspended", "taken down by staff"
    LEFT = "left", "mentors no more"


class PauseReason(TextChoices):
    OWN_WISH = "own_wish", "the mentor's wish"
    MISSED_REQUESTS = "missed_requests", "requests in a row were not answered in time"
    STRIKES = "strikes", "several sessions were called off or missed"


class OfferKind(TextChoices):
    INTRODUCTION = "introduction", "a first talk"
    SESSION = "session", "a session"
    REVIEW = "review", "a look at work, a portfolio or a résumé"
    MOCK_INTERVIEW = "mock_interview", "a practice interview"
    GROUP = "group", "a session for several"


class AccessibilityPractice(TextChoices):
    """What a mentor does so that a session works for a person with a disability."""

    CAPTIONS = "captions", "live captions"
    SIGN_LANGUAGE = "sign_language", "sign language, or an interpreter is welcome"
    TEXT_ONLY = "text_only", "the whole session in writing"
    SCREEN_READER = "screen_reader", "material that screen readers read"
    CAMERA_OPTIONAL = "camera_optional", "the camera may stay off"
    SLOW_PACE = "slow_pace", "a slow pace"
    BREAKS = "breaks", "breaks whenever they are needed"
    PLAIN_LANGUAGE = "plain_language", "plain language"
    WRITTEN_SUMMARY = "written_summary", "a written summary afterwards"
    COMPANION = "companion", "a companion may take part"


class TimeSource(TextChoices):
    """Why time is occupied. What somebody booked never overlaps for one person; the rest may."""

    SESSION = "session", "a session"
    HOLD = "hold", "held for somebody who is booking"
    EVENT = "event", "an event of an outside calendar"
    BLOCK = "block", "blocked by hand"


class Refusal(TextChoices):
    """The rule by which a time is not bookable, in the order in which they are told."""

    NOT_TAKING = "not_taking", "the mentor takes no bookings now"
    WRONG_DURATION = "wrong_duration", "no offer is of this length"
    NOT_OPEN = "not_open", "outside the hours"
    OFF_GRID = "off_grid", "sessions start at other minutes"
    TOO_SOON = "too_soon", "the notice is too short"
    TOO_FAR = "too_far", "further ahead than can be booked"
    TAKEN = "taken", "something else is then"
    LIMIT_REACHED = "limit_reached", "the day, week or month is full"
    MENTOR_FULL = "mentor_full", "the mentor has as many people as they take"
    LEARNER_BUSY = "learner_busy", "you have a session then"


class CalendarKind(TextChoices):
    ICS = "ics", "an address of an iCalendar file"
    CALDAV = "caldav", "a calendar on a CalDAV server"


class CalendarProblem(TextChoices):
    """Problems in an outside calendar. All but the last keep its owner busy."""

    UNKNOWN_ZONE = "unknown_zone", "names a time zone that nobody knows"
    AMBIGUOUS_TIME = "ambiguous_time", "states a time that can be read in two ways"
    UNREADABLE_START = "unreadable_start", "has a start that cannot be read"
    UNREADABLE_END = "unreadable_end", "has an end that cannot be read"
    END_BEFORE_START = "end_before_start", "ends before it starts"
    UNREADABLE_RULE = "unreadable_rule", "repeats by a rule that cannot be read"
    UNREADABLE_PERIOD = "unreadable_period", "repeats at a time that cannot be read"
    UNREADABLE_EXCEPTION = "unreadable_exception", "has an exception that cannot be read"
    BROKEN_EVENT = "broken_event", "is incomplete or mixed with another one"
    UNREADABLE_EVENT = "unreadable_event", "cannot be read"
    TOO_SLOW = "too_slow", "repeats by a rule that takes too long to follow"
    TOO_MANY = "too_many", "repeats too often"
    STRAY_LINE = "stray_line", "is not a line of a calendar"


class CheckKind(TextChoices):
    IDENTITY = "identity", "identity"
    EMPLOYER = "employer", "employer"
    CREDENTIAL = "credential", "credential"
    REFERENCE = "reference", "reference"
    BACKGROUND = "background", "background"


class CheckScope(TextChoices):
    GENERAL = "general", "in general"
    MINORS = "minors", "for work with people under 18"


class CheckState(TextChoices):
    OPEN = "open", "not handed in yet"
    SUBMITTED = "submitted", "waits for staff"
    SECOND_REVIEW = "second_review", "waits for a second member of staff"
    PASSED = "passed", "passed"
    REFUSED = "refused", "not passed"
    WITHDRAWN = "withdrawn", "taken back before it was decided"
    REVOKED = "revoked", "passed once, and taken back by staff"


class Evidence(TextChoices):
    """What a reviewer saw, in the words of the badge."""

    PASSPORT = "passport", "a passport in this name"
    IDENTITY_CARD = "identity_card", "an identity card in this name"
    RESIDENCE_PERMIT = "residence_permit", "a residence permit in this name"
    DRIVING_LICENCE = "driving_licence", "a driving licence in this name"
    WORK_MAIL = "work_mail", "a mailbox of the employer"
    EMPLOYER_LETTER = "employer_letter", "a letter of the employer"
    DIPLOMA = "diploma", "the document itself"
    REGISTER = "register", "an entry in the public register"
    REFERENCE_CALL = "reference_call", "a talk with the person who recommends"
    REFERENCE_LETTER = "reference_letter", "a letter of the person who recommends"
    POLICE_CERTIFICATE = "police_certificate", "a police certificate in this name"
    EXTENDED_POLICE_CERTIFICATE = "extended_police_certificate", "an extended police certificate, for work with children, in this name"


class RequestOutcome(TextChoices):
    OPEN = "open", "not answered yet"
    ACCEPTED = "accepted", "accepted"
    DECLINED = "declined", "declined"
    MISSED = "missed", "not answered in time"
    WITHDRAWN = "withdrawn", "taken back by who asked"


class ReviewState(TextChoices):
    OPEN = "open", "may be written"
    WRITTEN = "written", "counts"
    HELD = "held", "waits for staff"
    REMOVED = "removed", "taken down by staff"
    WITHDRAWN = "withdrawn", "taken back by its author"


class ReviewSignal(TextChoices):
    """Why staff should look at a review before it counts."""

    RING = "ring", "people review each other in a circle"
    BURST = "burst", "many at once for who gets few"
    NEWCOMERS = "newcomers", "accounts that were made for this one mentor"
    REPORTED = "reported", "several people reported it"


class ReportReason(TextChoices):
    ABUSE = "abuse", "insults or threats"
    PRIVATE = "private", "tells private things"
    FALSE = "false", "did not happen"
    OTHER = "other", "something else"


class MatchTerm(TextChoices):
    """What a match is made of: first what the learner would like about the mentor, then what the mentor would about the learner."""

    MEANING = "meaning", "what both say lies close"
    SKILLS = "skills", "the mentor passes on what the learner named"
    EXPERIENCE = "experience", "years of it"
    TIME = "time", "free hours when the learner has time"
    PRACTICES = "practices", "what the learner needs to take part"
    RATING = "rating", "what people say afterwards"
    ACCEPTANCE = "acceptance", "how often the mentor says yes"
    FOCUS = "focus", "it is what the mentor does most"
