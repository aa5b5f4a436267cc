"""What beat rings for, and how often."""

from __future__ import annotations

from typing import Any

from celery.schedules import crontab

SCHEDULE: dict[str, Any] = {
    "beat heart": {"task": "core.tasks.beat_heart", "schedule": 10.0},
    "sweep deliveries": {"task": "core.tasks.sweep_deliveries", "schedule": 10.0},
    "sweep notifications": {"task": "notifications.tasks.sweep_notifications", "schedule": 10.0},
    "collect push receipts": {"task": "notifications.tasks.collect_receipts", "schedule": 60.0},
    "prune notifications": {"task": "notifications.tasks.prune_notifications", "schedule": crontab(minute="23", hour="3")},
    "embed profiles": {"task": "profiling.tasks.embed_waiting", "schedule": 15.0},
    "embed opportunities": {"task": "catalog.tasks.embed_waiting", "schedule": 10.0},
    "keep opportunities in step": {"task": "catalog.tasks.keep_in_step", "schedule": 60.0},
    "look for news": {"task": "catalog.tasks.look_for_news", "schedule": crontab(minute="*/5")},
    "refresh corpus statistics": {"task": "catalog.tasks.refresh_statistics", "schedule": crontab(minute="17", hour="3")},
    "prune recordings": {"task": "profiling.tasks.prune_recordings", "schedule": crontab(minute="11", hour="*")},
    "prune servings": {"task": "profiling.tasks.prune_servings", "schedule": crontab(minute="47", hour="3")},
    "retrain ranker": {"task": "profiling.tasks.retrain_ranker", "schedule": crontab(minute="7", hour="2", day_of_month="1")},
    "advance rollout": {"task": "profiling.tasks.advance_rollout", "schedule": crontab(minute="37", hour="2")},
    "suggest looking again": {"task": "profiling.tasks.suggest_looking_again", "schedule": crontab(minute="29", hour="4")},
    "make exports": {"task": "accounts.tasks.make_exports", "schedule": 5.0},
    "run erasures": {"task": "accounts.tasks.run_erasures", "schedule": 30.0},
    "prune accounts": {"task": "accounts.tasks.prune_accounts", "schedule": crontab(minute="53", hour="3")},
    "read calendars": {"task": "mentors.tasks.read_calendars", "schedule": 60.0},
    "expire holds": {"task": "mentors.tasks.expire_holds", "schedule": 30.0},
    "expand schedules": {"task": "mentors.tasks.expand_schedules", "schedule": crontab(minute="33", hour="1")},
    "tidy checks": {"task": "mentors.tasks.tidy_checks", "schedule": crontab(minute="*/10")},
    "expire requests": {"task": "mentors.tasks.expire_requests", "schedule": 60.0},
    "tell shown reviews": {"task": "mentors.tasks.tell_shown_reviews", "schedule": 60.0},
    "hold suspicious reviews": {"task": "mentors.tasks.hold_suspicious_reviews", "schedule": crontab(minute="47")},
    "keep demand": {"task": "mentors.tasks.keep_demand", "schedule": crontab(minute="*/10")},
    "embed mentors": {"task": "mentors.tasks.embed_waiting", "schedule": 15.0},
    "move money": {"task": "payments.tasks.sweep_movements", "schedule": 10.0},
    "look into payment events": {"task": "payments.tasks.sweep_events", "schedule": 10.0},
    "look at undecided payments": {"task": "payments.tasks.look_at_undecided", "schedule": 60.0},
    "catch up with payment events": {"task": "payments.tasks.catch_up", "schedule": 300.0},
    "release earnings": {"task": "payments.tasks.release_earnings", "schedule": 60.0},
    "pay out": {"task": "payments.tasks.pay_out", "schedule": crontab(minute="19", hour="5")},
    "tell held up earnings": {"task": "payments.tasks.tell_held_up_earnings", "schedule": crontab(minute="43", hour="8")},
    "reconcile": {"task": "payments.tasks.reconcile", "schedule": crontab(minute="3", hour="4")},
    "expire bookings": {"task": "bookings.tasks.expire_bookings", "schedule": 15.0},
    "follow sessions": {"task": "bookings.tasks.follow_sessions", "schedule": 30.0},
    "call off small groups": {"task": "bookings.tasks.call_off_small_groups", "schedule": 300.0},
    "look for those who wait": {"task": "bookings.tasks.look_for_waiting", "schedule": 60.0},
    "settle bookings": {"task": "bookings.tasks.settle_bookings", "schedule": 60.0},
    "remind of sessions": {"task": "bookings.tasks.remind", "schedule": 20.0},
    "look after rooms": {"task": "bookings.tasks.look_after_rooms", "schedule": 30.0},
    "forget answered requests": {"task": "core.tasks.prune_answers", "schedule": crontab(minute="31", hour="*")},
    "prune outbox": {"task": "core.tasks.prune_outbox", "schedule": crontab(minute="41", hour="3")},
}
