"""What the committed description of the API holds. That it is what the code says is compared by `make check`."""

from __future__ import annotations

import re
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


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def test_generators_of_clients_can_read_it() -> None:
    """Each of these once made a client that could not be imported, or that lost an answer."""
    schema = yaml.load((ROOT / "openapi.yaml").read_bytes(), Loader=yaml.CSafeLoader)
    components = schema["components"]["schemas"]
    operations = [operation for operations in schema["paths"].values() for operation in operations.values()]
    names = [operation["operationId"] for operation in operations]
    assert sorted(set(names)) == sorted(names)
    assert [name for name, component in components.items() if _snake(name) in component.get("properties", {})] == []
    for operation in operations:
        bodies = operation.get("requestBody", {}).get("content", {})
        references = [str(body["schema"]) for body in bodies.values()]
        assert len(set(references)) == len(references), operation["operationId"]
        for answer in operation["responses"].values():
            for media_type, content in answer.get("content", {}).items():
                is_bytes = content["schema"].get("format") == "binary"
                assert is_bytes == media_type.startswith(("audio/", "application/pdf", "application/zip", "application/octet-stream")), (
                    operation["operationId"],
                    media_type,
                )
    assert {"first_question", "question", "step", "progress", "session_id"} <= set(components["StartedInterview"]["required"])
    assert {"next_question", "question", "step", "progress", "completed"} <= set(components["AnsweredStep"]["required"])
    for name, component in components.items():
        if name.startswith("Paginated"):
            assert component["required"] == ["next", "previous", "results"]
    for name in ("BookingDetail", "User", "Payment", "Opportunity", "Mentor", "Delivery"):
        assert set(components[name]["required"]) == set(components[name]["properties"]), name
