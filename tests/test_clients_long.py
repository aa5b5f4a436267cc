"""Clients in Python and TypeScript, generated from the description of the API, type-checked, and driven through a whole journey."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import ROOT, RunningSoosh

pytestmark = pytest.mark.long

SOURCES = ROOT / "tests" / "clients"
# The generator's own frame, the same for every API, is not typed as strictly as what it writes of ours.
_MYPY = """
[mypy]
strict = true
[mypy-soosh_client.client]
ignore_errors = true
"""


@pytest.fixture(scope="module")
def soosh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSoosh]:
    running = RunningSoosh(tmp_path_factory.mktemp("clients"))
    running.start()
    yield running
    running.stop()


def run(folder: Path, *command: str, **environment: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600, check=False, env=_environment(**environment))
    assert done.returncode == 0, f"{command}\n{done.stdout[-4_000:]}\n{done.stderr[-4_000:]}"
    return done.stdout


def _environment(**more: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"} | more


def journey_arguments(soosh: RunningSoosh) -> tuple[str, str]:
    return f"http://127.0.0.1:{soosh.port}", str(soosh.home.mail)


def test_the_python_client(soosh: RunningSoosh, tmp_path: Path) -> None:
    tools = Path(sys.executable).parent
    path = f"{tools}:{_environment().get('PATH', '')}"
    run(
        *(tmp_path, str(tools / "openapi-python-client"), "generate", "--path", str(ROOT / "openapi.yaml"), "--meta", "none"),
        *("--config", str(SOURCES / "python.yaml"), "--output-path", "soosh_client", "--fail-on-warning"),
        PATH=path,
    )
    shutil.copy(SOURCES / "journey.py", tmp_path)
    (tmp_path / "mypy.ini").write_text(_MYPY)
    run(tmp_path, sys.executable, "-m", "compileall", "-q", "soosh_client")
    run(tmp_path, sys.executable, "-m", "mypy", "--config-file", "mypy.ini", "-p", "soosh_client", "--no-error-summary")
    run(tmp_path, sys.executable, "-m", "mypy", "--config-file", "mypy.ini", "--no-error-summary", "journey.py")
    assert run(tmp_path, sys.executable, "journey.py", *journey_arguments(soosh)).endswith("the whole journey\n")


@pytest.mark.skipif(shutil.which("npm") is None, reason="Node is not installed")
def test_the_typescript_client(soosh: RunningSoosh, tmp_path: Path) -> None:
    for name in ("package.json", "package-lock.json", "tsconfig.json", "journey.ts"):
        shutil.copy(SOURCES / name, tmp_path)
    run(tmp_path, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
    run(tmp_path, "npx", "openapi-typescript", str(ROOT / "openapi.yaml"), "--output", "schema.d.ts")
    run(tmp_path, "npx", "tsc", "--project", ".")
    assert run(tmp_path, "node", "built/journey.js", *journey_arguments(soosh)).endswith("the whole journey\n")
