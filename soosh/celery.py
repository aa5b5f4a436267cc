from __future__ import annotations

import os

from celery import Celery
from celery.signals import setup_logging, worker_ready
from django_structlog.celery.steps import DjangoStructLogInitStep

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "soosh.settings")

app = Celery("soosh")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.steps["worker"].add(DjangoStructLogInitStep)
app.autodiscover_tasks()


@setup_logging.connect
def keep_django_logging(**_: object) -> None:
    """Django's LOGGING setting already configured the loggers; Celery must not replace it."""


@worker_ready.connect
def announce_worker(**_: object) -> None:
    """Let `/readyz` know at once, not at the next beat."""
    app.send_task("core.tasks.beat_heart")
