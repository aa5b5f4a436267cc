from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from core.phone_numbers import normalize_phone, region_of_zone


@pytest.mark.parametrize(
    ("text", "region", "normalized"),
    [
        ("+4915112345678", "", "+4915112345678"),
        ("+49 (0)151 12345678", "", "+4915112345678"),
        ("+490151/123456-78", "", "+4915112345678"),
        ("+44 07740 123456", "", "+447740123456"),
        ("+33 (0)6.12.34.56.78", "", "+33612345678"),
        ("+39 347 1234567", "", "+393471234567"),
        ("\u200e+49 151 12345678\u200f", "", "+4915112345678"),
        ("\u202a+49\u00a0151\u201112345678\u202c", "", "+4915112345678"),
        ("\ufeff＋４９ １５１ １２３４５６７８", "", "+4915112345678"),
        ("+٤٩ ١٥١ ١٢٣٤٥٦٧٨", "", "+4915112345678"),
        *(
            ("+48 0 512 345 678", "", "+48512345678"),
            ("+30 0 691 234 5678", "", "+306912345678"),
            ("+49 (00)151 12345678", "", "+4915112345678"),
        ),
        ("+225 07 12 34 56 78", "", "+2250712345678"),
        ("0151 12345678", "DE", "+4915112345678"),
        ("0049 151 12345678", "FR", "+4915112345678"),
        ("(202) 555-0123", "US", "+12025550123"),
    ],
)
def test_a_number_has_one_form_however_it_is_written(text: str, region: str, normalized: str) -> None:
    assert normalize_phone(text, region=region) == normalized


@pytest.mark.parametrize(
    ("text", "region"),
    [
        *((text, "") for text in ("", "+", "+49", "0151 12345678", "00491511234567", "+49151", "+49 151 123456789012345", "+999123456789")),
        *((text, "") for text in ("+4915112345678 ext. 5", "+4915112345678x5", "+4915112345678#5", "+4915112345678,5", "+49151;ext=5")),
        *((text, "") for text in ("1-800-FLOWERS", "tel:+4915112345678", "+49151+12345678", "+49\x0015112345678", "+49 30 123456")),
        *((text, "") for text in ("+49 900 1234567", "+49 800 1234567", "+1 555 0100")),
        ("110", "DE"),
        ("0900 1234567", "DE"),
    ],
)
def test_what_cannot_receive_a_text_message_is_refused_with_a_reason(text: str, region: str) -> None:
    with pytest.raises(ValidationError) as refused:
        normalize_phone(text, region=region)
    assert refused.value.code == "invalid_number"


def test_a_time_zone_names_its_country() -> None:
    assert [region_of_zone(zone) for zone in ("Europe/Berlin", "Asia/Kolkata", "UTC", "")] == ["DE", "IN", "", ""]
