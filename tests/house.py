"""The rules of the house that a linter does not know, each a function from a checkout to the list of what breaks it."""

from __future__ import annotations

import ast
import statistics
from collections.abc import Iterable, Iterator
from pathlib import Path

# From the roof to the ground. A package may point only at what stands below it.
FLOORS = ("soosh", "bookings", "mentors", "profiling", "catalog", "payments", "ai", "notifications", "accounts", "core")
APPS = tuple(name for name in FLOORS if name not in ("soosh", "core"))

# The closed vocabulary of a room: what a file or folder directly inside an app may be called.
FURNITURE = frozenset(
    {
        *(
            "__init__",
            "apps",
            "privacy",
            "admin",
            "consumers",
            "webhooks",
            "handlers",
            "tasks",
            "services",
            "selectors",
            "providers",
            "policies",
        ),
        *(
            "models",
            "querysets",
            "notices",
            "events",
            "errors",
            "enums",
            "migrations",
            "templates",
            "demo",
            "tests",
            "api",
            "web",
            "management",
        ),
    }
)
# What single rooms have beyond it, each for its reason: SQL text of the lexical leg and of JSON cards; the reference data; the frozen sets of reviews; the
# SQL of what is bookable; the peer of Stripe, which is a program of its own; who a member of staff sees the pages as.
EXTRA_FURNITURE = {
    "accounts": {"middleware"},
    "catalog": {"lexical", "cards", "reference"},
    "profiling": {"review"},
    "mentors": {"bookable"},
    "payments": {"peer"},
}
FORBIDDEN_NAMES = ("utils", "util", "common", "helpers", "helper", "misc", "manager", "managers")

MOST_LINES = 400
LONGEST_FUNCTION = 60
FUNCTION_95TH_PERCENTILE = 35
FUNCTION_MEDIAN = 10


def production_files(root: Path) -> Iterator[Path]:
    for package in FLOORS:
        for file in sorted((root / package).rglob("*.py")):
            if not {"tests", "migrations"} & set(file.relative_to(root).parts):
                yield file


def unknown_furniture(root: Path) -> list[str]:
    """Files and folders of apps whose name is not in the vocabulary, and names that say nothing, anywhere."""
    found = []
    for app in APPS:
        allowed = FURNITURE | EXTRA_FURNITURE.get(app, set())
        for entry in (root / app).iterdir():
            if entry.name != "__pycache__" and entry.stem not in allowed:
                found.append(f"{app}/{entry.name}")
    found += [str(file.relative_to(root)) for file in production_files(root) if {file.stem, *file.parent.parts[-1:]} & set(FORBIDDEN_NAMES)]
    return found


def oversized_files(root: Path) -> list[str]:
    return [str(file.relative_to(root)) for file in production_files(root) if len(file.read_text().splitlines()) > MOST_LINES]


def _functions(root: Path) -> Iterator[tuple[str, int]]:
    for file in production_files(root):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{file.relative_to(root)}:{node.name}", (node.end_lineno or node.lineno) - node.lineno + 1


def oversized_functions(root: Path) -> list[str]:
    """Functions over the limit, and the whole code base if its functions are long as a rule."""
    lengths = dict(_functions(root))
    found = [name for name, length in lengths.items() if length > LONGEST_FUNCTION]
    percentile = statistics.quantiles(lengths.values(), n=20)[18]
    if percentile > FUNCTION_95TH_PERCENTILE:
        found.append(f"95th percentile {percentile:.0f} lines")
    median = statistics.median(lengths.values())
    if median > FUNCTION_MEDIAN:
        found.append(f"median {median:.0f} lines")
    return found


def business_logic_in_signals(root: Path) -> list[str]:
    return [
        str(file.relative_to(root)) for file in production_files(root) if "post_save" in file.read_text() or "pre_save" in file.read_text()
    ]


def services_with_positional_arguments(root: Path) -> list[str]:
    """Public functions of `services` that take positional arguments."""
    found = []
    for app in APPS:
        files = [root / app / "services.py", *(root / app / "services").glob("*.py")]
        for file in filter(Path.exists, files):
            for node in ast.parse(file.read_text()).body:
                is_verb = isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and _writes(node)
                if is_verb and (node.args.args or node.args.posonlyargs):  # type: ignore[attr-defined]
                    found.append(f"{file.relative_to(root)}:{node.name}")  # type: ignore[attr-defined]
    return found


def _writes(node: ast.AST) -> bool:
    return any(isinstance(inner, ast.Attribute) and inner.attr == "atomic" for inner in ast.walk(node))


def upward_keys(relations: Iterable[tuple[str, str]]) -> list[str]:
    """Foreign keys from a lower package to a higher one. Relations are pairs of app labels, from and to."""
    height = {name: len(FLOORS) - position for position, name in enumerate(FLOORS)}
    return [
        f"{source} → {target}" for source, target in relations if source in height and target in height and height[target] > height[source]
    ]
