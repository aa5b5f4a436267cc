"""Where data is kept: databases, and storages of files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from environ import Env

from soosh.environment import Environment


def database(url: str, *, ef_search: int) -> dict[str, Any]:
    """Django's settings of the database at `url`. `ef_search` is the size of pgvector's candidate list."""
    database: dict[str, Any] = Env.db_url_config(url)
    options = database.setdefault("OPTIONS", {})
    if "host" in options:
        database["HOST"] = options.pop("host")
    options["options"] = f"{options.get('options', '')} {_hnsw_options(ef_search)}".strip()
    # Without a threshold psycopg prepares nothing at all. Only `core.prepared` uses cursors that can, and asks for it at once.
    options["prepare_threshold"] = 5
    return database | {"ATOMIC_REQUESTS": False, "CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True, "ENGINE": "core.postgresql"}


def _hnsw_options(ef_search: int) -> str:
    """How pgvector scans its index: iteratively, until enough rows pass the filter.

    Set with the connection, so that a search is one statement. A pooler that drops start-up options needs them on the role instead
    (ALTER ROLE ... SET).
    """
    options = {"iterative_scan": "relaxed_order", "ef_search": ef_search, "max_scan_tuples": 200_000}
    return " ".join(f"-c hnsw.{name}={value}" for name, value in options.items())


def storages(env: Environment, *, bucket: str, endpoint: str, media_root: Path, media_url: str) -> dict[str, Any]:
    """Django's storages of public and of private files: folders of this machine, or of an S3 bucket if one is named."""
    folders: dict[str, tuple[str, str | None]] = {"default": ("public", media_url), "private": ("private", None)}
    if bucket:
        options = _bucket_options(env, bucket=bucket, endpoint=endpoint)
        return {
            name: {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options | {"location": folder}}
            for name, (folder, _) in folders.items()
        }
    return {
        name: {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": media_root / folder, "base_url": base_url, "file_permissions_mode": 0o600},
        }
        for name, (folder, base_url) in folders.items()
    }


def _bucket_options(env: Environment, *, bucket: str, endpoint: str) -> dict[str, Any]:
    """Access to a bucket. Addresses of its files are signed and expire."""
    return {
        "bucket_name": bucket,
        "endpoint_url": endpoint or None,
        "region_name": env.text("S3_REGION") or None,
        "access_key": env.text("S3_ACCESS_KEY") or None,
        "secret_key": env.text("S3_SECRET_KEY") or None,
        "default_acl": None,
        "file_overwrite": False,
        "querystring_auth": True,
    }
