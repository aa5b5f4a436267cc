"""How the admin looks: Unfold's settings."""

from __future__ import annotations

from typing import Any

from django.templatetags.static import static

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Soosh",
    "SITE_HEADER": "Soosh",
    "SITE_URL": "/",
    "SHOW_HISTORY": True,
    "ENVIRONMENT": "soosh.web.staff_desk.zone_of_times",  # a badge at the top of every page
    "DASHBOARD_CALLBACK": "soosh.web.staff_desk.add_desk",
    "COMMAND": {"search_models": True},
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("core/mark.svg")}],
    "SCRIPTS": [lambda request: static("core/desk.js")],
    "STYLES": [lambda request: static("core/desk.css")],
}
