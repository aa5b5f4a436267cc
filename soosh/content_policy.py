"""What a browser may load on our pages (Content-Security-Policy, level 3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def content_policies(*, images: Sequence[str], sign_in: Sequence[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The policy of our own pages, which run no script and no style that stands in them; and wider ones of others' pages, by the beginning
    of their path. `images` are origins beside our own; `sign_in` the addresses of providers, to which a form may lead on: browsers hold the
    policy against where it is sent on to, too."""
    strict = {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:", *images],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'", *sorted({"/".join(address.split("/")[:3]) for address in sign_in})],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
    # Unfold's templates are written for Alpine, which compiles their expressions, and carry styles (docs/decisions/0029). Neither needs a
    # script in the page.
    admin = strict | {"script-src": ["'self'", "'unsafe-eval'"], "style-src": ["'self'", "'unsafe-inline'"]}
    documentation = strict | {"style-src": ["'self'", "'unsafe-inline'"], "worker-src": ["'self'", "blob:"]}
    return {"DIRECTIVES": strict}, {"/admin/": admin, "/api/docs": documentation, "/api/redoc": documentation}
