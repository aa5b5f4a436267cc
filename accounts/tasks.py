from __future__ import annotations

import datetime

from celery import shared_task
from django.conf import settings
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts.models import Device, SecurityEvent
from accounts.services import erasing, exporting, keys


@shared_task
def make_exports() -> int:
    """Make the archives that people asked for."""
    return exporting.make_waiting_exports()


@shared_task
def run_erasures() -> int:
    """Forget whom it is time to forget."""
    return erasing.run_due_erasures()


@shared_task
def prune_accounts() -> None:
    """Delete what has expired: archives, mailed keys, sessions with their devices, and old lines of the security log."""
    exporting.expire_exports()
    keys.prune_keys()
    now = timezone.now()
    Session.objects.filter(expire_date__lt=now).delete()
    # A browser's session moves its end on; a device whose session is gone cannot be used.
    Device.objects.exclude(session_key__in=Session.objects.values("session_key")).delete()
    horizon = now - datetime.timedelta(days=settings.SECURITY_LOG_RETENTION_DAYS)
    SecurityEvent.objects.filter(created_at__lt=horizon).delete()
