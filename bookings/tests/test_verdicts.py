"""The table of docs/decisions/0022, row by row."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bookings.enums import AttendanceRecord, EndingBasis, Outcome
from bookings.services.verdicts import Facts, Said, Verdict, verdict_on
from bookings.tests.world import utc

END = utc("2027-06-05 11:00")
DAY = timedelta(hours=24)
HELD, MENTOR_ABSENT, LEARNER_ABSENT, NOBODY_CAME = Outcome.HELD, Outcome.MENTOR_ABSENT, Outcome.LEARNER_ABSENT, Outcome.NOBODY_CAME
BOTH, UNCLEAR, NOBODY = AttendanceRecord.BOTH, AttendanceRecord.UNCLEAR, AttendanceRecord.NOBODY
LEARNER_ALONE, MENTOR_ALONE = AttendanceRecord.LEARNER_ALONE, AttendanceRecord.MENTOR_ALONE
RECORD, CONSENT, SILENCE = EndingBasis.RECORD, EndingBasis.CONSENT, EndingBasis.SILENCE


def verdict(
    record: AttendanceRecord, learner: Outcome | None = None, mentor: Outcome | None = None, *, at: int = 0, said: int = 0, asked: int = -1
) -> Verdict:
    """At so many minutes after the end; what was said was said at `said`, and both were asked at `asked`, or never."""
    said_at = END + timedelta(minutes=said)
    return verdict_on(
        Facts(
            ends_at=END,
            now=END + timedelta(minutes=at),
            record=record,
            learner=Said(learner, said_at) if learner else None,
            mentor=Said(mentor, said_at) if mentor else None,
            asked_at=END + timedelta(minutes=asked) if asked >= 0 else None,
        )
    )


@pytest.mark.parametrize("record", AttendanceRecord)
@pytest.mark.parametrize("says", [HELD, MENTOR_ABSENT, LEARNER_ABSENT])
@pytest.mark.parametrize("other", [HELD, MENTOR_ABSENT, LEARNER_ABSENT])
def test_two_statements(record: AttendanceRecord, says: Outcome, other: Outcome) -> None:
    """The same counts at once; a contradiction is for staff, whatever the record says."""
    found = verdict(record, says, other, at=-30, said=-40)
    assert found == (Verdict(says, EndingBasis.AGREED, is_final=True) if says == other else Verdict(is_disputed=True))


@pytest.mark.parametrize("record", [UNCLEAR, NOBODY])
@pytest.mark.parametrize(("learner", "mentor"), [(None, HELD), (None, LEARNER_ABSENT), (MENTOR_ABSENT, None)])
def test_a_statement_in_ones_own_favour_waits_for_the_other_side(
    record: AttendanceRecord, learner: Outcome | None, mentor: Outcome | None
) -> None:
    for said in (-40, 0, 700):
        deadline = END + max(timedelta(minutes=said), timedelta()) + DAY
        minutes = int((deadline - END).total_seconds()) // 60
        assert verdict(record, learner, mentor, at=said, said=said) == Verdict(contest_until=deadline)
        assert verdict(record, learner, mentor, at=minutes - 1, said=said).outcome is None
        last = verdict(record, learner, mentor, at=minutes, said=said)
        if record == UNCLEAR:
            assert last == Verdict(learner or mentor, SILENCE, deadline, is_final=True)
        else:
            assert last == Verdict(NOBODY_CAME, RECORD, deadline + DAY)


@pytest.mark.parametrize(
    ("record", "learner", "mentor"), [(BOTH, None, HELD), (LEARNER_ALONE, MENTOR_ABSENT, None), (MENTOR_ALONE, None, LEARNER_ABSENT)]
)
def test_the_record_bears_a_statement_out(record: AttendanceRecord, learner: Outcome | None, mentor: Outcome | None) -> None:
    """At once, also while the time runs; and it can be contested until a day after the end."""
    for at in (-40, 0):
        assert verdict(record, learner, mentor, at=at, said=at) == Verdict(learner or mentor, RECORD, END + DAY)


@pytest.mark.parametrize(
    ("record", "learner", "mentor", "outcome"),
    [
        (LEARNER_ALONE, None, HELD, MENTOR_ABSENT),
        (LEARNER_ALONE, None, LEARNER_ABSENT, MENTOR_ABSENT),
        (BOTH, None, LEARNER_ABSENT, HELD),
        (BOTH, MENTOR_ABSENT, None, HELD),
        (MENTOR_ALONE, MENTOR_ABSENT, None, LEARNER_ABSENT),
        (MENTOR_ALONE, HELD, None, LEARNER_ABSENT),
    ],
)
def test_the_record_refutes_a_statement(
    record: AttendanceRecord, learner: Outcome | None, mentor: Outcome | None, outcome: Outcome
) -> None:
    """Not before the end: who is missing may still come."""
    assert verdict(record, learner, mentor, at=-1, said=-1) == Verdict(contest_until=END + DAY)
    assert verdict(record, learner, mentor, at=5, said=5) == Verdict(outcome, RECORD, END + timedelta(minutes=5) + DAY)


@pytest.mark.parametrize("record", AttendanceRecord)
def test_an_admission_is_consent(record: AttendanceRecord) -> None:
    for at in (-40, 60):
        until = END + max(timedelta(minutes=at), timedelta()) + DAY
        assert verdict(record, LEARNER_ABSENT, None, at=at, said=at) == Verdict(LEARNER_ABSENT, CONSENT, until)
        assert verdict(record, None, MENTOR_ABSENT, at=at, said=at) == Verdict(MENTOR_ABSENT, CONSENT, until)


def test_the_learners_word_that_it_took_place() -> None:
    """With the record it is final; alone it is consent to pay, which the mentor may contest; early it waits for the end."""
    assert verdict(BOTH, HELD, at=-10, said=-10) == Verdict(HELD, EndingBasis.AGREED, is_final=True)
    for record in (UNCLEAR, NOBODY, LEARNER_ALONE):
        assert verdict(record, HELD, at=-10, said=-10) == Verdict(contest_until=END + DAY)
        assert verdict(record, HELD, at=35, said=-10) == Verdict(HELD, CONSENT, END + timedelta(minutes=35) + DAY)


@pytest.mark.parametrize(
    ("record", "outcome", "basis"),
    [
        (LEARNER_ALONE, MENTOR_ABSENT, RECORD),
        (MENTOR_ALONE, LEARNER_ABSENT, RECORD),
        (NOBODY, NOBODY_CAME, RECORD),
        (UNCLEAR, HELD, SILENCE),
    ],
)
def test_nobody_says_anything(record: AttendanceRecord, outcome: Outcome, basis: EndingBasis) -> None:
    """Both are asked, have a day to answer, and another one to contest what it counts as."""
    assert verdict(record, at=-1) == Verdict()
    assert verdict(record, at=35) == Verdict()
    assert verdict(record, at=40, asked=35) == Verdict(contest_until=END + timedelta(minutes=35) + DAY)
    late = 35 + 24 * 60
    assert verdict(record, at=late, asked=35) == Verdict(outcome, basis, END + timedelta(minutes=late) + DAY)


def test_the_record_of_both_needs_no_words() -> None:
    assert verdict(BOTH, at=-1) == Verdict()
    assert verdict(BOTH, at=0) == Verdict(HELD, RECORD, END + DAY)
