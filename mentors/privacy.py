"""What is held about mentors and everybody's occupied time. See `core.privacy`."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import partial

from core.privacy import OnErasure, declare, register_files, register_step
from mentors.models import (
    CalendarLink,
    Check,
    CheckDocument,
    DateOverride,
    MatchServing,
    MentorProfile,
    MentorSkill,
    OccupiedTime,
    Offer,
    OutsideCalendar,
    Review,
    ReviewReport,
    ReviewVersion,
    Schedule,
    SessionRequest,
    Travel,
    WeeklyHours,
)
from mentors.services.documents import delete_document_files, document_files, files_for_archive, read_stored
from mentors.services.reviews import forget_reviews_about

_BASE = ("id", "created_at", "updated_at")
_VECTOR = (
    *("content_hash", "embedding", "embedding_model", "embedded_hash"),
    *("twin_embedding", "twin_embedding_model", "twin_embedded_hash"),
)

declare(
    MentorProfile,
    subject="user_id",
    on_erasure=OnErasure.DELETE,
    none=(*_BASE, "user", "decided_by"),
    personal=(
        *(*_VECTOR, "state", "headline", "bio", "languages", "capacity", "is_open_to_minors"),
        *(
            "accessibility_practices",
            "applied_at",
            "decided_at",
            "decision_note",
            "live_since",
            "paused_because",
            "barred_until",
            "resumed_at",
            "demand",
        ),
    ),
)
declare(MentorSkill, subject="profile__user_id", on_erasure=OnErasure.DELETE, none=(*_BASE, "profile"), personal=("skill", "years"))
declare(
    Offer,
    subject="profile__user_id",
    on_erasure=OnErasure.DELETE,
    none=(*_BASE, "profile"),
    personal=("kind", "title", "duration_minutes", "price_amount", "price_currency", "group_size", "is_active"),
)
declare(
    Schedule,
    subject="profile__user_id",
    on_erasure=OnErasure.DELETE,
    none=(*_BASE, "profile", "version", "expanded_until"),
    personal=(
        *("time_zone", "increment_minutes", "buffer_before_minutes", "buffer_after_minutes", "notice_minutes", "horizon_days"),
        *("most_per_day", "most_per_week", "most_per_month", "open_time", "free_time", "full_time", "full_until", "grids"),
    ),
)
declare(
    WeeklyHours,
    subject="schedule__profile__user_id",
    on_erasure=OnErasure.DELETE,
    none=(*_BASE, "schedule"),
    personal=("weekday", "start_minute", "end_minute"),
)
declare(
    DateOverride,
    subject="schedule__profile__user_id",
    on_erasure=OnErasure.DELETE,
    none=(*_BASE, "schedule"),
    personal=("on_date", "start_minute", "end_minute"),
)
declare(
    Travel,
    subject="schedule__profile__user_id",
    on_erasure=OnErasure.DELETE,
    none=(*_BASE, "schedule"),
    personal=("first_on", "last_on", "time_zone"),
)
declare(
    OutsideCalendar,
    subject="person_id",
    on_erasure=OnErasure.DELETE,
    none=(*_BASE, "person", "version", "read_at", "fresh_at", "due_at", "failure", "failures", "told_stale_at"),
    personal=("kind", "name", "host", "username", "problems"),
    secret=("sealed_address", "sealed_password"),
)
declare(
    CalendarLink,
    subject="person_id",
    on_erasure=OnErasure.DELETE,
    none=(*_BASE, "person"),
    personal=("rotated_at",),
    secret=("sealed_token", "token_digest"),
)
declare(
    OccupiedTime,
    subject="person_id",
    on_erasure=OnErasure.DELETE,
    none=(*_BASE, "person", "calendar", "moves", "is_group"),
    personal=("source", "during", "session", "reference", "is_mentor", "held_until", "title"),
)
declare(
    Check,
    subject="profile__user_id",
    on_erasure=OnErasure.DELETE,
    none=(*_BASE, "profile", "first_reviewer", "reviewer", "told_expiry_at", "codes_mailed"),
    personal=(
        *("kind", "scope", "state", "statement", "contact", "proven_domain", "checked_name", "submitted_at", "evidence"),
        *("first_reviewed_at", "decided_at", "decision_note", "expires_at"),
    ),
)
declare(
    CheckDocument,
    subject="check_of__profile__user_id",
    on_erasure=OnErasure.DELETE,
    none=(*_BASE, "check_of", "is_stored"),
    personal=("file", "content_type", "size"),
)


def _documents_for_archive(person_id: uuid.UUID) -> list[tuple[str, Callable[[], bytes]]]:
    return [(name, partial(read_stored, file)) for name, file in files_for_archive(person_id)]


register_files(_documents_for_archive)
register_step("mentors: documents", erase=delete_document_files, count=lambda person_id: len(document_files(person_id)))
declare(
    SessionRequest,
    subject="profile__user_id",
    on_erasure=OnErasure.DELETE,
    none=(*_BASE, "profile"),
    personal=("reference", "asked_at", "due_at", "outcome", "ended_at"),
)
# What stars somebody gave counts on for whom they are about; who gave them, and the words, go.
declare(
    Review,
    subject="author_id",
    on_erasure=OnErasure.CLEAR,
    cleared={"author": None, "text": ""},
    none=(
        *(*_BASE, "profile", "author", "about", "told_at", "signals", "decided_by", "decided_at", "reply", "replied_at"),
        *("reference", "is_of_mentor", "session_ended_at", "closes_at", "state", "rating", "private_score"),
        *("written_at", "visible_at", "edited_at"),
    ),
    personal=("text",),
)
declare(
    ReviewVersion,
    subject="review__author_id",
    on_erasure=OnErasure.DELETE,
    none=(*_BASE, "review", "is_reply"),
    personal=("rating", "text"),
)
declare(
    ReviewReport,
    subject="reporter_id",
    on_erasure=OnErasure.DELETE,
    none=(*_BASE, "review", "reporter", "settled_at"),
    personal=("reason", "note"),
)
register_step(
    "mentors: reviews about a person",
    erase=lambda person_id: forget_reviews_about(person_id=person_id),
    count=lambda person_id: Review.objects.filter(about_id=person_id).count(),
)
declare(
    MatchServing,
    subject="user_id",
    on_erasure=OnErasure.DELETE,
    none=(*_BASE, "user"),
    personal=("profile_ids", "wanting"),
)
