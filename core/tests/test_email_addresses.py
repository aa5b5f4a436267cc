from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from core.email_addresses import normalize_email


@pytest.mark.parametrize(
    ("text", "normalized"),
    [
        (" Ada@Example.org ", "ada@example.org"),
        ("ADA@xn--bcher-kva.EXAMPLE", "ada@xn--bcher-kva.example"),
        ("Ada@Bücher.example", "ada@xn--bcher-kva.example"),
        ("Ada@Bu\u0308cher.example", "ada@xn--bcher-kva.example"),
        # IDNA 2003 turned these into the domains of others.
        ("info@straße.example", "info@xn--strae-oqa.example"),
        ("info@strasse.example", "info@strasse.example"),
        ("a@βόλος.example", "a@xn--nxasmm1c.example"),
        ("a@βόλοσ.example", "a@xn--nxasmq6b.example"),
        ("a@ıstanbul.example", "a@xn--stanbul-qfb.example"),
        ("a@e。org", "a@e.org"),
        (f"{'x' * 64}@example.org", f"{'x' * 64}@example.org"),
        ("o'brien+soosh@example.org", "o'brien+soosh@example.org"),
    ],
)
def test_an_address_has_one_form_and_no_two_mailboxes_share_it(text: str, normalized: str) -> None:
    assert normalize_email(text) == normalized == normalize_email(normalized)


@pytest.mark.parametrize(
    "text",
    [
        *("", "@", "no-address", "a b@example.org", "@example.org", "a@b", "x@localhost", "x@[127.0.0.1]", "x@127.0.0.1", "x@[IPv6:::1]"),
        *("x@mail.localhost", "x@ward.invalid", "x@printer.local", "x@db.internal", "x@hidden.onion", "x@10.in-addr.arpa", "x@e.org."),
        *(f"{'x' * 65}@example.org", f"a@{'x' * 64}.org", f"a@{'ü' * 70}.org", "a@" + ".".join(["x" * 63] * 4) + ".org"),
        # Letters beyond ASCII before the @, whichever: changing their case could name another mailbox.
        *("dıdı@example.org", "hähnchen@example.org", "\u212aate@example.org", "İ@example.org"),
        *('"a b"@example.org', "Ada <ada@example.org>", "a..b@example.org", ".a@example.org", "a＠example.org", "a@b@example.org"),
        *(
            "a@exa\nmple.org",
            "a\x00@example.org",
            "a@exa\u200dmple.org",
            "a@exa\u200bmple.org",
            "a@exa\u00admple.org",
            "a@\u202eexample.org",
        ),
        *("a@xn--a.org", "a@xn--ls8h.la", "a@ex_ample.org", "a@-example.org"),
    ],
)
def test_what_mail_cannot_be_sent_to_is_refused_with_a_reason(text: str) -> None:
    with pytest.raises(ValidationError) as refused:
        normalize_email(text)
    assert refused.value.code == "invalid"
