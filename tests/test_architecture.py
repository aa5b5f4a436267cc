from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.apps import apps

from tests import house

ROOT = Path(__file__).resolve().parent.parent
RULES: tuple[Callable[[Path], list[str]], ...] = (
    house.unknown_furniture,
    house.oversized_files,
    house.oversized_functions,
    house.business_logic_in_signals,
    house.services_with_positional_arguments,
)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the code to plant violations in."""
    target = tmp_path_factory.mktemp("house")
    for package in house.FLOORS:
        shutil.copytree(ROOT / package, target / package, ignore=shutil.ignore_patterns("__pycache__", "*.gz", "*.txt"))
    shutil.copy(ROOT / "pyproject.toml", target)
    return target


def plant(copy: Path, file: str, code: str) -> Callable[[], None]:
    """Add code to a file, or make it; returns what takes it away again."""
    path = copy / file
    before = path.read_text() if path.exists() else None
    path.write_text((before or "") + "\n" + code)
    return lambda: path.unlink() if before is None else path.write_text(before) and None


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_house_keeps_its_rules(rule: Callable[[Path], list[str]]) -> None:
    assert rule(ROOT) == []


@pytest.mark.parametrize(
    ("rule", "file", "code"),
    [
        (house.unknown_furniture, "catalog/workflow.py", "x = 1"),
        (house.unknown_furniture, "catalog/services/utils.py", "x = 1"),
        (house.oversized_files, "ai/services/text.py", "x = 1\n" * 500),
        (house.oversized_functions, "ai/services/text.py", "def long() -> None:\n" + "    x = 1\n" * 61),
        (house.oversized_functions, "ai/enums.py", "\n".join(f"def f{n}() -> None:\n" + "    x = 1\n" * 40 for n in range(400))),
        (house.oversized_functions, "ai/enums.py", "\n".join(f"def f{n}() -> None:\n" + "    x = 1\n" * 12 for n in range(2_000))),
        (house.business_logic_in_signals, "catalog/handlers.py", "from django.db.models.signals import post_save"),
        (
            house.services_with_positional_arguments,
            "accounts/services/staff.py",
            "def ban_person(user: User) -> None:\n    with transaction.atomic():\n        pass",
        ),
    ],
)
def test_each_rule_sees_its_violation(copy: Path, rule: Callable[[Path], list[str]], file: str, code: str) -> None:
    undo = plant(copy, file, code)
    try:
        assert rule(copy) != []
    finally:
        undo()
    assert rule(copy) == []


PLANTED_IMPORTS = {
    "Packages import only what stands below them": ("catalog/selectors.py", "import profiling.models"),
    "Inside a package edges call services": ("accounts/services/staff.py", "import accounts.api.v1.views"),
    "Nobody imports the edges of accounts": ("profiling/selectors.py", "import accounts.web.views"),
    "Nobody imports the edges of ai": ("catalog/selectors.py", "import ai.providers.embedded"),
    "Nobody imports the edges of catalog": ("profiling/selectors.py", "import catalog.api.v1.serializers"),
    "Services never import tasks": ("profiling/services/interview.py", "import profiling.tasks"),
    "The SDK of OpenAI stands in": ("catalog/selectors.py", "import openai"),
    "The embedded models and the audio": ("ai/services/text.py", "import onnxruntime"),
    "Tokens, passkeys, pictures": ("accounts/services/staff.py", "import jwt"),
    "allauth stands in accounts": ("soosh/views.py", "import allauth.account.models"),
    "The SDKs of SendGrid, Expo and Twilio": ("notifications/services/sending.py", "import twilio.rest"),
    "Nobody imports the edges of notifications": ("catalog/selectors.py", "import notifications.webhooks"),
    "The embedded services and their supervisor": ("soosh/demo.py", "import psutil"),
    "Nobody imports the edges of payments": ("mentors/selectors.py", "import payments.webhooks"),
    "Nobody imports the edges of mentors": ("bookings/selectors.py", "import mentors.web.views"),
    "The SDK of Stripe stands in": ("payments/services/paying.py", "import stripe"),
    "The peer of Stripe knows nothing": ("payments/peer/store.py", "import payments.models"),
}


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    return subprocess.run(
        command, cwd=folder, env={"PYTHONPATH": str(folder), "PATH": "/usr/bin:/bin", "COLUMNS": "300"}, capture_output=True, text=True
    )


@pytest.mark.parametrize("contract", PLANTED_IMPORTS)
def test_each_import_contract_sees_its_violation(copy: Path, contract: str) -> None:
    file, code = PLANTED_IMPORTS[contract]
    undo = plant(copy, file, code)
    try:
        result = lint_imports(copy)
    finally:
        undo()
    assert result.returncode == 1, result.stdout + result.stderr
    assert any(contract in line and "BROKEN" in line for line in result.stdout.splitlines()), result.stdout


def test_every_import_contract_has_its_planted_violation() -> None:
    names = [line.split('"')[1] for line in (ROOT / "pyproject.toml").read_text().splitlines() if line.startswith("name = ")]
    assert all(any(name.startswith(planted) for planted in PLANTED_IMPORTS) for name in names)
    assert len(names) == len(PLANTED_IMPORTS)


def test_the_tests_of_every_room_are_run(pytestconfig: pytest.Config) -> None:
    assert set(pytestconfig.getini("testpaths")) >= {*house.FLOORS, "tests"}


def test_foreign_keys_point_downwards() -> None:
    relations = [
        (model._meta.app_label, field.related_model._meta.app_label)
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.get_fields()
        if field.concrete and field.is_relation and field.related_model
    ]
    assert ("profiling", "catalog") in relations
    assert house.upward_keys(relations) == []
    assert house.upward_keys([("catalog", "profiling"), ("profiling", "catalog")]) == ["catalog → profiling"]
