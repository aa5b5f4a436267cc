"""What the committed description of the API holds. That it is what the code says is compared by `make check`."""

from __future__ import annotations

from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent


def test_it_is_openapi_3_1_with_a_text_for_every_operation() -> None:
    schema = yaml.load((ROOT / "openapi.yaml").read_bytes(), Loader=yaml.CSafeLoader)
    assert schema["openapi"].startswith("3.1")
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            assert operation.get("description"), f"{method} {path}"
            assert any("application/problem+json" in answer.get("content", {}) for answer in operation["responses"].values())
