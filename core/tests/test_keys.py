from __future__ import annotations

from core.keys import derived_key


def test_a_derived_key_is_that_of_the_rfc_and_differs_by_purpose() -> None:
    """RFC 5869, appendix A.3, cut to 32 bytes."""
    key = derived_key("\x0b" * 22, purpose="")
    assert key.hex() == "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
    assert derived_key("\x0b" * 22, purpose="cookies") != key
