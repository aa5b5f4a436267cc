"""A database with all migrations applied, made once for all workers of a run and for all later runs with the same migrations. Each test
database is a copy of it, which takes a second instead of most of a minute."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from urllib.parse import urlsplit, urlunsplit

import psycopg
from django.conf import settings
from psycopg import sql

_LOCK = 20261126


def migrated_template() -> str:
    """The name of the database. Other workers wait while one makes it; those of earlier migrations go."""
    digest = hashlib.blake2b(digest_size=8)
    for path in (settings.BASE_DIR / "requirements.txt", *sorted(settings.BASE_DIR.glob("*/migrations/*.py"))):
        digest.update(path.read_bytes())
    name = f"soosh_migrated_{digest.hexdigest()}"
    with psycopg.connect(_address_of("postgres"), autocommit=True) as admin:
        admin.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        known = [row[0] for row in admin.execute("SELECT datname FROM pg_database WHERE datname LIKE 'soosh\\_migrat%'")]
        if name not in known:
            for old in known:
                admin.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(old)))
            fresh = sql.Identifier(f"soosh_migrating_{digest.hexdigest()}")
            admin.execute(sql.SQL("CREATE DATABASE {}").format(fresh))
            _migrate(fresh.as_string(None).strip('"'))
            admin.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(fresh, sql.Identifier(name)))
    return name


def _migrate(database: str) -> None:
    command = [sys.executable, "manage.py", "migrate", "--verbosity=0", "--no-input"]
    subprocess.run(command, check=True, cwd=settings.BASE_DIR, env=os.environ | {"DATABASE_URL": _address_of(database)})


def _address_of(database: str) -> str:
    return urlunsplit(urlsplit(settings.DATABASE_URL)._replace(path=f"/{database}"))
