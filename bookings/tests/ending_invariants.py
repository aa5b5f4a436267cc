"""Nobody gains money, a review, a strike against somebody or a seat in an empty room without evidence, the other side's consent, or its
silence for a day after it was told. Counted anew from the rows, minute by minute, without the product's own rules."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable

from bookings.enums import AppealState, BookingState
from bookings.models import Appeal, Attendance, Booking, Statement, Strike
from mentors.models import Review

DAY = datetime.timedelta(hours=24)
_ENDINGS = {
    BookingState.COMPLETED: "held",
    BookingState.NO_SHOW_BY_LEARNER: "learner_absent",
    BookingState.NO_SHOW_BY_MENTOR: "mentor_absent",
    BookingState.NO_SHOW_BY_BOTH: "nobody_came",
}


def check_endings(bookings: Iterable[Booking]) -> None:
    said, appeals = defaultdict(dict), defaultdict(list)
    for statement in Statement.objects.all():
        said[statement.booking_id][statement.side] = statement
    for appeal in Appeal.objects.all():
        appeals[appeal.booking_id].append(appeal)
    rewarded = set(Review.objects.values_list("reference", flat=True)) | set(
        Strike.objects.filter(kind="no_show").values_list("booking", flat=True)
    )
    for booking in bookings:
        is_concluded = booking.state in _ENDINGS
        assert booking.pk not in rewarded or booking.final_at is not None, "reviews and strikes wait until nobody can contest"
        assert not is_concluded or booking.final_at is not None or booking.settle_at is None, "money waits until nobody can contest"
        assert is_concluded or booking.final_at is None
        if booking.final_at is not None:
            assert all(appeal.state != AppealState.OPEN for appeal in appeals[booking.pk]), "what is contested is never final"
            _check_reason(booking, said[booking.pk], appeals[booking.pk])
    for strike in Strike.objects.filter(kind="no_show").select_related("booking__session"):
        missed = {
            BookingState.NO_SHOW_BY_LEARNER: strike.booking.learner_id,
            BookingState.NO_SHOW_BY_MENTOR: strike.booking.session.mentor_id,
        }
        assert missed.get(BookingState(strike.booking.state)) == strike.person_id


def _check_reason(booking: Booking, said: dict[str, Statement], appeals: list[Appeal]) -> None:
    """Why this ending may stand."""
    ending, final_at = _ENDINGS[BookingState(booking.state)], booking.final_at
    assert final_at is not None
    words = {side: statement.says for side, statement in said.items()}
    if booking.basis == "staff":
        assert ending in {appeal.state for appeal in appeals}
    elif booking.basis == "agreed":
        assert words.get("learner") == ending, "nobody agrees for the learner"
        assert words.get("mentor") == ending or (ending == "held" and _is_met(booking)), "nobody agrees for the mentor"
    else:
        assert final_at >= booking.session.ends_at + DAY, "there was a day to contest it"
        last_word = max((statement.said_at for statement in said.values()), default=booking.session.ends_at)
        assert final_at >= last_word + DAY, "there was a day to contest what was said"
        _check_basis(booking, ending, words)


def _check_basis(booking: Booking, ending: str, words: dict[str, str]) -> None:
    if booking.basis == "record":
        _check_record(booking, ending)
    elif booking.basis == "consent":
        payer = {"held": "learner", "learner_absent": "learner", "mentor_absent": "mentor"}[ending]
        assert words.get(payer) == ending, "only the side that it costs something consents"
    elif words:
        assert set(words.values()) == {ending}, "silence is no contradiction"
    else:
        assert ending == "held" and booking.asked_at is not None
        assert booking.final_at is not None and booking.final_at >= booking.asked_at + 2 * DAY, "both were asked, and then told"


def _check_record(booking: Booking, ending: str) -> None:
    learner, mentor = _stays(booking, booking.learner_id), _stays(booking, booking.session.mentor_id)
    if ending == "held":
        assert _is_met(booking), "the provider saw both, together, for most of the time"
    else:
        assert not _is_met(booking), "the provider saw both"
    if ending == "mentor_absent":
        assert learner, "the learner came"
    if ending == "learner_absent":
        assert mentor, "the mentor came"


def _is_met(booking: Booking) -> bool:
    session = booking.session
    minutes = [
        {
            minute
            for joined, left in _stays(booking, person)
            if joined is not None and left is not None
            for minute in range(session.duration_minutes + 30)
            if joined <= session.starts_at + datetime.timedelta(minutes=minute)
            and session.starts_at + datetime.timedelta(minutes=minute + 1) <= left
        }
        for person in (booking.learner_id, session.mentor_id)
    ]
    return 3 * len(minutes[0] & minutes[1]) >= 2 * session.duration_minutes


def _stays(booking: Booking, person: object) -> list[tuple[datetime.datetime | None, datetime.datetime | None]]:
    rows = Attendance.objects.filter(session=booking.session_id, person=person, source="provider")
    return list(rows.values_list("joined_at", "left_at"))
