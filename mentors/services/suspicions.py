"""Reviews that look arranged. What is found here is only held until staff have looked; nobody is punished by arithmetic."""

from __future__ import annotations

import uuid

from django.db import connection
from django.utils import timezone

from mentors.enums import ReviewSignal

# Good words that come back to their author, straight or by way of one other mentor, within half a year. The edges are reviews of mentors
# with four stars or five, from their author to whom they are about.
_RING = """
WITH edge AS (
    SELECT review.id, review.author_id, review.about_id FROM mentors_review AS review
    WHERE review.is_of_mentor AND review.state IN ('written', 'held') AND review.rating >= 4
        AND review.written_at > %(now)s - interval '180 days'
), own AS (SELECT edge.* FROM edge JOIN mentors_mentorprofile AS profile ON profile.user_id = edge.about_id WHERE profile.id = %(profile)s)
SELECT unnest(ARRAY[own.id, back.id]) FROM own JOIN edge AS back ON back.author_id = own.about_id AND back.about_id = own.author_id
UNION
SELECT unnest(ARRAY[own.id, second.id, third.id]) FROM own
JOIN edge AS second ON second.author_id = own.about_id
JOIN edge AS third ON third.author_id = second.about_id AND third.about_id = own.author_id
"""
# Many of the highest rating within a day, more than all others of two months. A session for several counts once.
_BURST_SIZE = 5
_BURST = f"""
WITH best AS (
    SELECT review.id, review.reference, review.written_at FROM mentors_review AS review
    WHERE review.profile_id = %(profile)s AND review.is_of_mentor AND review.state IN ('written', 'held') AND review.rating = 5
        AND review.written_at > %(now)s - interval '60 days'
), day AS (
    SELECT one.written_at AS ends, count(DISTINCT other.reference) AS number FROM best AS one
    JOIN best AS other ON other.written_at BETWEEN one.written_at - interval '1 day' AND one.written_at GROUP BY one.id, one.written_at
)
SELECT DISTINCT best.id FROM best JOIN day ON best.written_at BETWEEN day.ends - interval '1 day' AND day.ends
WHERE day.number >= {_BURST_SIZE} AND (SELECT count(DISTINCT reference) FROM best AS all_of_them) < 2 * day.number
"""
# Accounts that are younger than a week when their session ends, and have reviewed nobody else.
_NEWCOMERS_SIZE = 3
_NEWCOMERS = f"""
WITH new AS (
    SELECT review.id FROM mentors_review AS review JOIN accounts_user AS author ON author.id = review.author_id
    WHERE review.profile_id = %(profile)s AND review.is_of_mentor AND review.state IN ('written', 'held') AND review.rating = 5
        AND review.written_at > %(now)s - interval '14 days' AND author.created_at > review.session_ended_at - interval '7 days'
        AND NOT EXISTS (
            SELECT FROM mentors_review AS other
            WHERE other.author_id = author.id AND other.profile_id <> review.profile_id AND other.state <> 'open'
        )
)
SELECT id FROM new WHERE (SELECT count(*) FROM new AS all_of_them) >= {_NEWCOMERS_SIZE}
"""
_PATTERNS = {ReviewSignal.RING: _RING, ReviewSignal.BURST: _BURST, ReviewSignal.NEWCOMERS: _NEWCOMERS}


def signals_of_mentor(profile_id: uuid.UUID) -> dict[uuid.UUID, set[ReviewSignal]]:
    """The reviews that staff should look at because of what is said about this mentor, with why. A ring takes in reviews of others."""
    found: dict[uuid.UUID, set[ReviewSignal]] = {}
    with connection.cursor() as cursor:
        for signal, sql in _PATTERNS.items():
            cursor.execute(sql, {"profile": profile_id, "now": timezone.now()})
            for (review_id,) in cursor.fetchall():
                found.setdefault(review_id, set()).add(signal)
    return found
