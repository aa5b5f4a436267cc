"""Production settings: what refuses to start, and what `check --deploy` says."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management.utils import get_random_secret_key
from django.utils.crypto import get_random_string

from soosh import production

ROOT = Path(__file__).resolve().parent.parent
PRODUCTION = {
    "DATABASE_URL": "postgres://soosh:pw@db.example/soosh",
    "REDIS_URL": "redis://redis.example:6379/0",
    "SECRET_KEY": "b7Vv!x2m#Qp9sL4w%Zr8tK6y&Nc3dF5gJh1aXe0uWiOq@RbMlE",
    "ALLOWED_HOSTS": "soosh.example",
    "SITE_URL": "https://soosh.example",
    "EMAIL_URL": "smtp+tls://user:password@smtp.example:587",
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


# Whatever is wrong is told at once, so that one start shows all of it.
UNSAFE = {
    **{"SECRET_KEY": "50 random characters or more", "SITE_URL": "http://127.0.0.1:8000", "EMAIL_URL": ""},
    **{"ALLOWED_HOSTS": "*", "THROTTLE": "off", "STRIPE_SECRET_KEY": "sk_live_x"},
}
MALFORMED = {
    **{"PORT": "abc", "DEBUG": "perhaps", "TRUSTED_PROXY_COUNT": "-1", "AI_TIMEOUT_SECONDS": "soon", "ENGINE": "magic"},
    **{"DATABASE_URL": "mysql://db", "REDIS_URL": "redis", "SITE_URL": "soosh.example", "EMAIL_URL": "letters", "SOOSH_LOG_LEVEL": "loud"},
    **{"PLATFORM_FEE_BASIS_POINTS": "10001", "STRIPE_API_BASE": "ftp://x", "STRIPE_PEER_PORT": "70000", "ERASURE_GRACE_DAYS": "\u0661"},
}


@pytest.mark.parametrize("command", ["check", "serve"])
def test_production_refuses_to_start_unsafe_and_names_all_of_it(command: str) -> None:
    result = manage(command, **PRODUCTION | UNSAFE)
    assert result.returncode == 1
    named = {line.strip("- ").split(":")[0].split()[0] for line in result.stderr.splitlines() if line.startswith("  - ")}
    assert named == {"SECRET_KEY", "SITE_URL", "EMAIL_URL", "ALLOWED_HOSTS", "THROTTLE", "STRIPE_SECRET_KEY"}
    assert ".env.example" in result.stderr
    assert "Traceback" not in result.stderr


def test_malformed_variables_are_all_named_with_their_form_and_never_shown() -> None:
    result = manage("check", **MALFORMED)
    assert result.returncode == 1
    for name in MALFORMED:
        assert f"  - {name} must be " in result.stderr, result.stderr
    assert "PORT must be a whole number from 1 to 65535." in result.stderr
    assert "ENGINE must be 'embedded' or 'openai'." in result.stderr
    assert "mysql" not in result.stderr
    assert "Traceback" not in result.stderr


def test_debug_beside_a_database_must_be_said_twice_and_never_has_the_known_key() -> None:
    debug = {"DATABASE_URL": PRODUCTION["DATABASE_URL"], "DEBUG": "on"}
    once = manage("check", **debug)
    assert once.returncode == 1
    assert "DEBUG_BESIDE_DATABASE=on" in once.stderr
    twice = manage("check", DEBUG_BESIDE_DATABASE="on", **debug)
    assert twice.returncode == 1
    assert "SECRET_KEY" in twice.stderr


RANDOM_KEY = PRODUCTION["SECRET_KEY"]
WEAK_KEYS = (
    *("x", "x" * 60, "abc" * 20, "50 random characters or more", RANDOM_KEY[:49], "0123456789" * 6),
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
    "django-insecure-" + RANDOM_KEY[:40],
    "my-secret-" + RANDOM_KEY,
    "SooshProduction2026" + RANDOM_KEY[:40],
    "a mentor and a learner meet a mentor and a learner meet a mentor",
    production.DEVELOPMENT_KEY,
)


@pytest.mark.parametrize("key", WEAK_KEYS)
def test_a_weak_key_is_refused(key: str) -> None:
    assert production.is_weak_key(key)


def test_random_keys_are_strong() -> None:
    makers = (lambda: secrets.token_urlsafe(60), lambda: secrets.token_hex(32), lambda: get_random_string(50), get_random_secret_key)
    assert not any(production.is_weak_key(make()) for make in makers for _ in range(200))


@pytest.mark.parametrize(
    ("address", "is_safe"),
    [
        *(
            ("https://soosh.example", True),
            ("http://soosh.example", False),
            ("https://localhost", False),
            ("https://app.localhost:8000", False),
        ),
        *(("https://127.1", False), ("https://2130706433", False), ("https://0x7f.0.0.1", False), ("https://[::ffff:127.0.0.1]", False)),
        *(("https://localhost.", False), ("https://localhost.localdomain", False), ("https://[2001:db8::1]", True)),
        *(("https://127.0.0.2", False), ("https://[::1]", False), ("https://0.0.0.0", False), ("https://10.0.0.7", True)),
    ],
)
def test_links_lead_to_an_address_that_others_reach(address: str, is_safe: bool) -> None:
    safety = production.Safety(RANDOM_KEY, ["soosh.example"], address, is_mail_chosen=True, throttle=True)
    assert (production.production_faults(safety) == []) is is_safe


@pytest.mark.parametrize("address", ["consolemail://", "dummymail://", "memorymail://"])
def test_mail_that_reaches_nobody_is_refused(address: str) -> None:
    result = manage("check", **PRODUCTION | {"EMAIL_URL": address})
    assert result.returncode == 1
    assert "EMAIL_URL" in result.stderr
    assert manage("check", **PRODUCTION | {"EMAIL_URL": "filemail:///tmp/mails"}).returncode == 0


def test_the_doctor_and_the_check_agree() -> None:
    """With DEBUG on, what production would refuse is told by both."""
    environment = {"DEBUG": "on", "SITE_URL": "https://soosh.example", "SECRET_KEY": "x", "THROTTLE": "off"}
    check = manage("check", "--deploy", **environment)
    doctor = manage("doctor", "--production", **environment)
    named = {line.split(") ")[1] for line in check.stderr.splitlines() if line.startswith("?: (soosh.")}
    assert named == {line.split(None, 2)[2] for line in doctor.stdout.splitlines() if line.startswith("! soosh.")} != set()
    assert (check.returncode, doctor.returncode) == (1, 1)
    assert manage("doctor", "--production", **PRODUCTION).returncode == 0


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


def test_every_variable_that_is_read_is_explained_and_no_other() -> None:
    code = [file.read_text() for folder in ("soosh", "core") for file in (ROOT / folder).rglob("*.py") if "tests" not in file.parts]
    read = {name for text in code for name in re.findall(r'(?:env\.\w+|os\.environ\.get)\(\s*"([A-Z_0-9]+)"', text)}
    explained = set(re.findall(r"^#?\s?([A-Z_0-9]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert read == explained


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
