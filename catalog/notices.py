"""What people are told about opportunities."""

from __future__ import annotations

import datetime
import uuid

from notifications.enums import Channel
from notifications.notices import ALWAYS, Kind, Topic, declare, until

OPPORTUNITIES = Topic(
    "opportunities",
    {"en": "Opportunities", "de": "Angebote"},
    {"en": "What is new in the searches that you keep.", "de": "Was es in deinen gespeicherten Suchen Neues gibt."},
)
POSTINGS = Topic(
    "postings",
    {"en": "Your postings", "de": "Deine Einträge"},
    {"en": "What becomes of the opportunities that you post.", "de": "Was aus den Angeboten wird, die du einstellst."},
)

_ID = uuid.UUID("0197a000-0000-7000-8000-000000000000")

SEARCH_MATCHED = declare(
    Kind(
        name="catalog.search-matched",
        topic=OPPORTUNITIES,
        data={"search_id": uuid.UUID, "search": str, "number": int},
        path="/saved-searches/{search_id}",
        examples={"search_id": _ID, "search": "Nurse in Oslo", "number": 3},
        carries_calendar=False,
        useful=ALWAYS,
    )
)
CONFIRMATION_ASKED = declare(
    Kind(
        name="catalog.confirmation-asked",
        topic=POSTINGS,
        data={"opportunity_id": uuid.UUID, "opportunity": str, "until": datetime.datetime},
        path="/opportunities/{opportunity_id}",
        examples={"opportunity_id": _ID, "opportunity": "Night nurse", "until": datetime.datetime(2026, 6, 1, tzinfo=datetime.UTC)},
        carries_calendar=False,
        useful=until("until"),
        fixed=frozenset({Channel.EMAIL}),
    )
)
POSTING_APPROVED = declare(
    Kind(
        name="catalog.posting-approved",
        topic=POSTINGS,
        data={"opportunity_id": uuid.UUID, "opportunity": str},
        path="/opportunities/{opportunity_id}",
        examples={"opportunity_id": _ID, "opportunity": "Night nurse"},
        carries_calendar=False,
        useful=ALWAYS,
    )
)
POSTING_REJECTED = declare(
    Kind(
        name="catalog.posting-rejected",
        topic=POSTINGS,
        data={"opportunity_id": uuid.UUID, "opportunity": str, "note": str},
        path="/opportunities/{opportunity_id}",
        examples={"opportunity_id": _ID, "opportunity": "Night nurse", "note": "Please say who pays for the uniform."},
        carries_calendar=False,
        useful=ALWAYS,
        fixed=frozenset({Channel.EMAIL}),
    )
)
