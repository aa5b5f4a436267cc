from __future__ import annotations

from pathlib import Path

import yaml
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer
from drf_spectacular.validation import validate_schema

ROOT = Path(__file__).resolve().parent.parent


def test_the_committed_file_is_what_the_code_says() -> None:
    schema = SchemaGenerator().get_schema(request=None, public=True)
    validate_schema(schema)
    assert (ROOT / "openapi.yaml").read_text() == OpenApiYamlRenderer().render(schema).decode(), "run `make fix`"


def test_it_is_openapi_3_1_with_a_text_for_every_operation() -> None:
    schema = yaml.safe_load((ROOT / "openapi.yaml").read_text())
    assert schema["openapi"].startswith("3.1")
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            assert operation.get("description"), f"{method} {path}"
            assert any("application/problem+json" in answer.get("content", {}) for answer in operation["responses"].values())
