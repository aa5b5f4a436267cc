"""What is held about bookings. A booking concerns two people and the books: when one of them goes, it stays, without their words. See
`core.privacy`."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import partial

from bookings.models import (
    Appeal,
    AppealEvidence,
    Attendance,
    Booking,
    BookingMove,
    BookingTerms,
    RecordingConsent,
    Reminder,
    ReminderChoice,
    Removal,
    Room,
    Series,
    Session,
    SessionRecording,
    Statement,
    Strike,
    WaitlistEntry,
)
from bookings.services.appeal_evidence import delete_evidence_files, evidence_files, evidence_for_archive, read_evidence
from bookings.services.leaving import bookings_ahead_of, leave
from bookings.services.recording import count_recordings_of, forget_recordings_of
from core.privacy import OnErasure, declare, register_files, register_step

_BASE = ("id", "created_at", "updated_at")

declare(
    Session,
    subject="mentor_id",
    on_erasure=OnErasure.CLEAR,
    cleared={"title": "", "mentor_zone": ""},
    none=(
        *_BASE,
        "mentor",
        "kind",
        "starts_at",
        "ends_at",
        "duration_minutes",
        "seats",
        "sequence",
        "offer",
        "fewest",
        "policy",
        "kept_until",
        "cancelled_at",
    ),
    money_record=("price_amount", "price_currency"),
    personal=("title", "mentor_zone"),
)
declare(
    Booking,
    subject="learner_id",
    on_erasure=OnErasure.CLEAR,
    cleared={"topic": "", "learner_zone": ""},
    none=(
        *(
            *_BASE,
            "session",
            "learner",
            "offer",
            "series",
            "seat",
            "state",
            "version",
            "is_instant",
            "policy",
            "counted_from",
            "refund_cap",
            "payment",
            "settle_at",
        ),
        *("look_again_at", "settled_at", "expires_at", "approved_by", "proposed_at", "free_until", "moves_by_learner", "moves_by_mentor"),
        *("confirmed_at", "ended_at", "asked_at", "contest_until", "basis", "final_at"),
    ),
    personal=("topic", "learner_zone"),
    money_record=("price_amount", "price_currency", "refund_amount", "refund_reason"),
)
declare(
    Series,
    subject="learner_id",
    on_erasure=OnErasure.CLEAR,
    cleared={"zone": ""},
    none=(*_BASE, "mentor", "learner", "every_weeks", "payment"),
    personal=("zone",),
)
declare(
    BookingMove,
    subject="actor_id",
    on_erasure=OnErasure.CLEAR,
    cleared={"note": ""},
    none=(*_BASE, "booking", "version", "from_state", "to_state", "moved_at", "starts_at", "side", "actor", "cause"),
    personal=("note",),
)
declare(
    BookingTerms,
    subject="mentor_id",
    on_erasure=OnErasure.DELETE,
    none=(*_BASE, "mentor"),
    personal=("is_instant", "policy", "package_percent"),
)
declare(ReminderChoice, subject="person_id", on_erasure=OnErasure.DELETE, none=(*_BASE, "person"), personal=("minutes",))
declare(
    Reminder,
    subject="person_id",
    on_erasure=OnErasure.DELETE,
    none=(*_BASE, "booking", "person", "kind", "minutes_before", "due_at", "told_at"),
)
declare(
    Strike,
    subject="person_id",
    on_erasure=OnErasure.DELETE,
    none=(*_BASE, "person", "booking"),
    personal=("kind", "given_at", "forgiven_at"),
)
declare(
    Appeal,
    subject="person_id",
    # The row stays: it keeps a contested session open, with its money, until staff have decided.
    on_erasure=OnErasure.CLEAR,
    cleared={"text": "", "decision_note": ""},
    none=(*_BASE, "booking", "side", "person", "state", "decided_at", "decided_by"),
    personal=("text", "decision_note"),
)
declare(
    AppealEvidence,
    subject="appeal__person_id",
    on_erasure=OnErasure.DELETE,
    none=(*_BASE, "appeal", "is_stored"),
    personal=("file", "content_type", "size"),
)
declare(
    Statement,
    subject="person_id",
    on_erasure=OnErasure.CLEAR,
    cleared={"note": ""},
    none=(*_BASE, "booking", "side", "says", "person", "said_at"),
    personal=("note",),
)
declare(
    Attendance,
    subject="person_id",
    on_erasure=OnErasure.DELETE,
    none=(*_BASE, "session", "person", "key"),
    personal=("source", "joined_at", "left_at"),
)
declare(
    WaitlistEntry,
    subject="learner_id",
    on_erasure=OnErasure.DELETE,
    none=(*_BASE, "learner", "mentor", "session", "offer", "booking", "looked_at"),
    personal=("opens_at", "closes_at", "state"),
)
declare(Removal, subject="person_id", on_erasure=OnErasure.DELETE, none=(*_BASE, "session", "person", "due_at"))
declare(
    RecordingConsent,
    subject="person_id",
    on_erasure=OnErasure.DELETE,
    none=(*_BASE, "session", "person"),
    personal=("text_version", "given_at", "withdrawn_at"),
)
declare(
    SessionRecording,
    subject="started_by_id",
    on_erasure=OnErasure.CLEAR,
    cleared={"started_by": None},
    none=(*_BASE, "session", "state", "provider_id", "started_at", "stopped_at", "due_at"),
    personal=("started_by",),
)
declare(
    Room,
    none=(*_BASE, "session", "provider", "state", "opens_at", "closes_at", "due_at", "attempts", "last_error"),
    secret=("name", "url"),
)


def _evidence_for_archive(person_id: uuid.UUID) -> list[tuple[str, Callable[[], bytes]]]:
    return [(name, partial(read_evidence, file)) for name, file in evidence_for_archive(person_id)]


register_files(_evidence_for_archive)
register_step("bookings: evidence", erase=delete_evidence_files, count=lambda person_id: len(evidence_files(person_id)))
register_step("bookings: sessions ahead", erase=lambda person_id: leave(person_id=person_id), count=bookings_ahead_of)
register_step("bookings: recordings", erase=lambda person_id: forget_recordings_of(person_id=person_id), count=count_recordings_of)
