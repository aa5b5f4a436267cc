"""Decide how a session went from the provider's record and the statements of both sides: the table of docs/decisions/0022. No I/O."""

from __future__ import annotations

import dataclasses
import datetime

from bookings.enums import OUTCOME_OF_RECORD, AttendanceRecord, EndingBasis, Outcome

# How long the other side may contest what was said, and how long both are asked for what nobody has said.
CONTEST_FOR = datetime.timedelta(hours=24)


@dataclasses.dataclass(frozen=True)
class Said:
    """A statement of one side and its time."""

    says: Outcome
    said_at: datetime.datetime


@dataclasses.dataclass(frozen=True)
class Facts:
    """All that a verdict depends on. `asked_at` is when both were asked how it went."""

    ends_at: datetime.datetime
    now: datetime.datetime
    record: AttendanceRecord
    learner: Said | None = None
    mentor: Said | None = None
    asked_at: datetime.datetime | None = None

    @property
    def is_over(self) -> bool:
        return self.now >= self.ends_at

    @property
    def recorded(self) -> Outcome | None:
        return OUTCOME_OF_RECORD.get(self.record)


@dataclasses.dataclass(frozen=True)
class Verdict:
    """`outcome` is how the session counts from now on, None while that is open. What is not final may be contested until `contest_until`.
    A `is_disputed` session is for staff alone."""

    outcome: Outcome | None = None
    basis: EndingBasis | None = None
    contest_until: datetime.datetime | None = None
    is_final: bool = False
    is_disputed: bool = False


def verdict_on(facts: Facts) -> Verdict:
    """How a session counts that is not final and that nobody contests."""
    if facts.learner is not None and facts.mentor is not None:
        return _on_two(facts, facts.learner, facts.mentor)
    if facts.learner is not None:
        return _on_learner(facts, facts.learner)
    if facts.mentor is not None:
        return _on_mentor(facts, facts.mentor)
    return _on_record(facts)


def _on_two(facts: Facts, learner: Said, mentor: Said) -> Verdict:
    if learner.says == mentor.says:
        return Verdict(learner.says, EndingBasis.AGREED, is_final=True)
    return Verdict(is_disputed=True)


def _on_learner(facts: Facts, said: Said) -> Verdict:
    if said.says == Outcome.LEARNER_ABSENT:
        return _standing(said.says, EndingBasis.CONSENT, facts)
    if said.says == Outcome.MENTOR_ABSENT:
        return _on_claim(facts, said)
    if facts.record == AttendanceRecord.BOTH:
        return Verdict(Outcome.HELD, EndingBasis.AGREED, is_final=True)
    # The learner pays either way, but must not avoid a strike or gain a review by claiming that the session took place.
    if facts.record == AttendanceRecord.MENTOR_ALONE:
        return _on_claim(facts, said)
    return _standing(Outcome.HELD, EndingBasis.CONSENT, facts) if facts.is_over else _pending(facts, said)


def _on_mentor(facts: Facts, said: Said) -> Verdict:
    if said.says == Outcome.MENTOR_ABSENT:
        return _standing(said.says, EndingBasis.CONSENT, facts)
    return _on_claim(facts, said)


def _on_claim(facts: Facts, said: Said) -> Verdict:
    """A statement in the speaker's own favour: it needs the record, or the other side's silence."""
    if facts.recorded == said.says:
        return _standing(said.says, EndingBasis.RECORD, facts)
    is_refuted = facts.recorded is not None and facts.record != AttendanceRecord.NOBODY
    if is_refuted and facts.recorded is not None and facts.is_over:
        return _standing(facts.recorded, EndingBasis.RECORD, facts)
    pending = _pending(facts, said)
    if pending.contest_until is not None and facts.now < pending.contest_until:
        return pending
    # A record of nobody is the absence of events, so it does not refute a statement; silence does not outweigh it either.
    if facts.record == AttendanceRecord.NOBODY:
        return _standing(Outcome.NOBODY_CAME, EndingBasis.RECORD, facts)
    return Verdict(said.says, EndingBasis.SILENCE, pending.contest_until, is_final=True)


def _on_record(facts: Facts) -> Verdict:
    """The verdict without statements: a proven session counts as held; otherwise both sides are asked first."""
    if not facts.is_over:
        return Verdict()
    if facts.record == AttendanceRecord.BOTH:
        return _standing(Outcome.HELD, EndingBasis.RECORD, facts)
    if facts.asked_at is None or facts.now < facts.asked_at + CONTEST_FOR:
        return Verdict(contest_until=facts.asked_at and facts.asked_at + CONTEST_FOR)
    if facts.recorded is not None:
        return _standing(facts.recorded, EndingBasis.RECORD, facts)
    return _standing(Outcome.HELD, EndingBasis.SILENCE, facts)


def _pending(facts: Facts, said: Said) -> Verdict:
    return Verdict(contest_until=max(facts.ends_at, said.said_at) + CONTEST_FOR)


def _standing(outcome: Outcome, basis: EndingBasis, facts: Facts) -> Verdict:
    """A provisional verdict, contestable for a day, and at least until a day after the end."""
    return Verdict(outcome, basis, max(facts.ends_at, facts.now) + CONTEST_FOR)
