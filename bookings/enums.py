from __future__ import annotations

from collections.abc import Mapping

from django.db.models import TextChoices


class BookingState(TextChoices):
    HELD = "held", "the time is held while it is paid for"
    REQUESTED = "requested", "the mentor has not answered yet"
    CONFIRMED = "confirmed", "it will take place"
    IN_SESSION = "in_session", "somebody is in the room"
    COMPLETED = "completed", "it took place"
    NO_SHOW_BY_LEARNER = "no_show_by_learner", "the learner did not come"
    NO_SHOW_BY_MENTOR = "no_show_by_mentor", "the mentor did not come"
    NO_SHOW_BY_BOTH = "no_show_by_both", "nobody came"
    CANCELLED_BY_LEARNER = "cancelled_by_learner", "called off by the learner"
    CANCELLED_BY_MENTOR = "cancelled_by_mentor", "called off by the mentor"
    CANCELLED_BY_PLATFORM = "cancelled_by_platform", "called off by Soosh"
    DECLINED = "declined", "the mentor said no"
    EXPIRED = "expired", "nobody paid or answered in time"


_CANCELLED = frozenset({BookingState.CANCELLED_BY_LEARNER, BookingState.CANCELLED_BY_MENTOR, BookingState.CANCELLED_BY_PLATFORM})
NO_SHOWS = frozenset({BookingState.NO_SHOW_BY_LEARNER, BookingState.NO_SHOW_BY_MENTOR, BookingState.NO_SHOW_BY_BOTH})
# How a session went. An ending in one of these may be contested until it is final.
CONCLUDED_STATES = (BookingState.COMPLETED, *sorted(NO_SHOWS))
# The graph that a booking moves along. The database holds the same one (see the migrations), and refuses every other move.
MOVES: Mapping[BookingState, frozenset[BookingState]] = {
    BookingState.HELD: frozenset({BookingState.REQUESTED, BookingState.CONFIRMED, BookingState.EXPIRED}) | _CANCELLED,
    BookingState.REQUESTED: frozenset({BookingState.CONFIRMED, BookingState.DECLINED, BookingState.EXPIRED}) | _CANCELLED,
    BookingState.CONFIRMED: frozenset({BookingState.IN_SESSION, BookingState.COMPLETED}) | NO_SHOWS | _CANCELLED,
    BookingState.IN_SESSION: frozenset({BookingState.COMPLETED, BookingState.CANCELLED_BY_PLATFORM}) | NO_SHOWS,
    # Until an ending is final, staff may decide otherwise after an appeal.
    BookingState.COMPLETED: NO_SHOWS | {BookingState.CANCELLED_BY_PLATFORM},
    # The person who was missing may also still arrive while the time runs.
    **{
        state: (NO_SHOWS - {state}) | {BookingState.IN_SESSION, BookingState.COMPLETED, BookingState.CANCELLED_BY_PLATFORM}
        for state in sorted(NO_SHOWS)
    },
}
# Bookings in one of these have a place in their session.
WAITING_STATES = (BookingState.HELD, BookingState.REQUESTED)
LIVE_STATES = (*WAITING_STATES, BookingState.CONFIRMED, BookingState.IN_SESSION)
AHEAD_STATES = (*WAITING_STATES, BookingState.CONFIRMED)
PLACED_STATES = (*LIVE_STATES, *CONCLUDED_STATES)
# While the room is open, these let their two people in: an ending that was reported early shuts nobody out.
JOINABLE_STATES = (BookingState.CONFIRMED, BookingState.IN_SESSION, *CONCLUDED_STATES)
# Bookings that came to an end before their session.
OFF_STATES = (*sorted(_CANCELLED), BookingState.DECLINED, BookingState.EXPIRED)


class SessionState(TextChoices):
    """How a session for several stands, by the clock and by whether it was called off."""

    AHEAD = "ahead", "it has not begun"
    RUNNING = "running", "it has begun"
    OVER = "over", "it is over"
    CANCELLED = "cancelled", "it was called off"


class Side(TextChoices):
    """For whom somebody acts."""

    LEARNER = "learner", "the learner"
    MENTOR = "mentor", "the mentor"
    PLATFORM = "platform", "Soosh"


class Cause(TextChoices):
    """Why a booking moved."""

    BOOKED = "booked", "it was made"
    OFFERED = "offered", "it was offered to who waited for it"
    OFFER_TAKEN = "offer_taken", "who waited took what was offered"
    APPROVED = "approved", "a guardian agreed"
    PAID = "paid", "it was paid for, or costs nothing"
    ACCEPTED = "accepted", "the mentor said yes"
    COUNTER_ACCEPTED = "counter_accepted", "the learner took the time that the mentor proposed"
    DECLINED = "declined", "the mentor said no"
    REFUSED = "refused", "a guardian said no"
    CANCELLED = "cancelled", "it was called off"
    MOVED = "moved", "it was put to another time"
    NOT_PAID = "not_paid", "it was not paid for in time"
    SERIES_LAPSED = "series_lapsed", "too little of its series was paid for in time"
    NOT_ANSWERED = "not_answered", "it was not answered in time"
    NOT_TAKEN = "not_taken", "it was offered from the waitlist, and not taken in time"
    PAYMENT_LOST = "payment_lost", "what was reserved could not be taken"
    TOO_FEW = "too_few", "too few people booked it"
    JOINED = "joined", "somebody came into the room"
    ENDED = "ended", "it took place"
    NOT_THERE = "not_there", "somebody did not come"
    ARRIVED = "arrived", "the person who was missing arrived"
    APPEAL = "appeal", "staff decided an appeal"
    LEFT = "left", "one of the two left Soosh"
    APART = "apart", "one of the two blocked the other"


class CancellationPolicy(TextChoices):
    """What a learner gets back who cancels. The hours are real time before the start, and the last moment still counts."""

    FLEXIBLE = "flexible", "all until 24 hours before, half until 4 hours before"
    STANDARD = "standard", "all until 48 hours before, half until 24 hours before"
    STRICT = "strict", "all until 7 days before, half until 48 hours before"


class WaitlistState(TextChoices):
    WAITING = "waiting", "nothing was free yet"
    OFFERED = "offered", "a time is held for them until they take it"
    TAKEN = "taken", "they took it"
    PASSED = "passed", "they let it go"
    LEFT = "left", "they wait no more, or booked without it"
    OVER = "over", "the time for which they waited is over"


# An entry in one of these has the booking that was offered.
OFFERED_STATES = (WaitlistState.OFFERED, WaitlistState.TAKEN, WaitlistState.PASSED)


class Outcome(TextChoices):
    """How a session went."""

    HELD = "held", "it took place"
    LEARNER_ABSENT = "learner_absent", "the learner did not come"
    MENTOR_ABSENT = "mentor_absent", "the mentor did not come"
    NOBODY_CAME = "nobody_came", "nobody came"


STATE_OF_OUTCOME: Mapping[Outcome, BookingState] = {
    Outcome.HELD: BookingState.COMPLETED,
    Outcome.LEARNER_ABSENT: BookingState.NO_SHOW_BY_LEARNER,
    Outcome.MENTOR_ABSENT: BookingState.NO_SHOW_BY_MENTOR,
    Outcome.NOBODY_CAME: BookingState.NO_SHOW_BY_BOTH,
}
# What one of the two can say about a session.
STATEMENTS = (Outcome.HELD, Outcome.LEARNER_ABSENT, Outcome.MENTOR_ABSENT)


class EndingBasis(TextChoices):
    """Why a session counts as held or missed."""

    RECORD = "record", "the record of the video provider"
    CONSENT = "consent", "the side whom it costs something said so"
    AGREED = "agreed", "both said so, or the learner and the record of the video provider"
    SILENCE = "silence", "nobody contested it in time"
    STAFF = "staff", "staff decided"


class AttendanceRecord(TextChoices):
    """What the video provider's record proves about a session."""

    BOTH = "both", "both were there together for most of the session"
    LEARNER_ALONE = "learner_alone", "the learner came, and the mentor did not"
    MENTOR_ALONE = "mentor_alone", "the mentor waited, and the learner did not come"
    NOBODY = "nobody", "nobody came, or nobody waited"
    UNCLEAR = "unclear", "nothing"


OUTCOME_OF_RECORD: Mapping[AttendanceRecord, Outcome] = {
    AttendanceRecord.BOTH: Outcome.HELD,
    AttendanceRecord.LEARNER_ALONE: Outcome.MENTOR_ABSENT,
    AttendanceRecord.MENTOR_ALONE: Outcome.LEARNER_ABSENT,
    AttendanceRecord.NOBODY: Outcome.NOBODY_CAME,
}


class AppealState(TextChoices):
    """What staff decided about how a session went."""

    OPEN = "open", "waiting for staff"
    HELD = "held", "the session took place"
    LEARNER_ABSENT = "learner_absent", "the learner did not come"
    MENTOR_ABSENT = "mentor_absent", "the mentor did not come"
    NOBODY_CAME = "nobody_came", "nobody came"
    NOBODYS_FAULT = "nobodys_fault", "it failed, and nobody is to blame: everything is paid back"


class StrikeKind(TextChoices):
    CANCELLED = "cancelled", "called off as the mentor"
    LATE_MOVE = "late_move", "put off shortly before"
    NO_SHOW = "no_show", "did not come"


class ReminderKind(TextChoices):
    SESSION = "session", "of a session"
    PAYMENT = "payment", "of what is to be paid"


class RoomState(TextChoices):
    PLANNED = "planned", "to be made shortly before"
    OPEN = "open", "made"
    FAILED = "failed", "could not be made; there is another link"
    CLOSED = "closed", "deleted, or of a session that is off"


class RecordingState(TextChoices):
    RUNNING = "running", "recording"
    STOPPED = "stopped", "stopped; the provider stores it"
    STORED = "stored", "can be watched by the two"
    UNWANTED = "unwanted", "to be deleted at once"
    DELETED = "deleted", "deleted"


class AttendanceSource(TextChoices):
    """Who says that somebody was in the room. Only the provider proves anything; the others show that a session has begun."""

    PROVIDER = "provider", "the video provider"
    APP = "app", "the person's app"
    LINK = "link", "they opened the link to the room"
