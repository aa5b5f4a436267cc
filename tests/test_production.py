"""Production settings: what refuses to start, and what `check --deploy` says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PRODUCTION = {
    "DATABASE_URL": "postgres://soosh:pw@db.example/soosh",
    "REDIS_URL": "redis://redis.example:6379/0",
    "SECRET_KEY": "b7Vv!x2m#Qp9sL4w%Zr8tK6y&Nc3dF5gJh1aXe0uWiOq@RbMlE",
    "ALLOWED_HOSTS": "soosh.example",
    "SITE_URL": "https://soosh.example",
}


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=ROOT, env=kept | environment, capture_output=True, text=True, timeout=120
    )


def test_check_deploy_is_clean() -> None:
    result = manage("check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)
    assert result.returncode == 0, result.stderr
    assert "no issues" in result.stdout


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY"),
        ({"ALLOWED_HOSTS": ""}, "ALLOWED_HOSTS"),
        ({"ALLOWED_HOSTS": "*"}, "wildcard"),
        ({"THROTTLE": "off"}, "THROTTLE"),
        ({"STRIPE_SECRET_KEY": "sk_live_x"}, "STRIPE_WEBHOOK_SECRETS"),
        ({"PLATFORM_FEE_BASIS_POINTS": "10001"}, "PLATFORM_FEE_BASIS_POINTS"),
        ({"ENGINE": "magic"}, "must be 'embedded' or 'openai'"),
    ],
)
def test_production_refuses_to_start_unsafe(change: dict[str, str], complaint: str) -> None:
    environment = {name: value for name, value in (PRODUCTION | change).items() if value}
    result = manage("check", **environment)
    assert result.returncode == 1
    assert complaint in result.stderr


def test_an_engine_without_its_key_is_an_error_at_deployment() -> None:
    result = manage("check", "--deploy", ENGINE="openai", **PRODUCTION)
    assert "soosh.E001" in result.stderr


def test_the_report_lists_settings_and_masks_secrets() -> None:
    money = {"STRIPE_SECRET_KEY": "sk_live_hidden", "STRIPE_WEBHOOK_SECRETS": "whsec_hidden"}
    nested = money | {"SENDGRID_API_KEY": "SG.hidden", "GOOGLE_CLIENT_SECRET": "g-hidden"}
    result = manage("settings_report", OPENAI_API_KEY="sk-secret", **nested, **PRODUCTION)
    assert result.returncode == 0, result.stderr
    assert "AI_TIMEOUT_SECONDS (float) = 8.0" in result.stdout
    for secret in ("sk-secret", "SG.hidden", "g-hidden", "sk_live_hidden", "whsec_hidden", PRODUCTION["SECRET_KEY"], ":pw@", "'pw'"):
        assert secret not in result.stdout


def test_every_variable_that_is_read_is_explained() -> None:
    import re

    read = set(re.findall(r'env\.\w+\("(\w+)"', (ROOT / "soosh/settings.py").read_text())) | {"SOOSH_HOME"}
    explained = set(re.findall(r"^#?\s?(\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert read - explained == set()


def test_files_go_into_a_bucket_whose_addresses_are_signed() -> None:
    """Against the vendor's own SDK; signing an address needs no network."""
    code = (
        "from django.core.files.storage import default_storage, storages; "
        "print(type(storages['private']).__name__, storages['private'].location, default_storage.url('avatars/x-96.webp'))"
    )
    bucket = {"S3_BUCKET": "bucket", "S3_ACCESS_KEY": "k", "S3_SECRET_KEY": "s", "S3_REGION": "eu-central-1"}
    result = manage("shell", "--no-imports", "-c", code, **PRODUCTION, **bucket)
    assert result.returncode == 0, result.stderr
    kind, folder, address = result.stdout.split()[-3:]
    assert (kind, folder) == ("S3Storage", "private")
    assert "/public/avatars/x-96.webp?" in address and "X-Amz-Signature=" in address
