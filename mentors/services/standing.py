"""What a card tells about how reliable a mentor is, and what people say. The figures come with the row, see `for_cards`."""

from __future__ import annotations

import dataclasses

from mentors.models import MentorProfile

# Nobody's answers are judged by fewer.
FEWEST_REQUESTS = 5
# A rating starts as if so many had given so many stars, so that one review makes nobody the best or the worst. It is the same for all and
# never moves: a mentor's figure changes by their own reviews alone, and everybody can work it out.
PRIOR_REVIEWS, PRIOR_STARS = 5, 4


@dataclasses.dataclass(frozen=True)
class Answering:
    """How a mentor answered requests of the last 30 days: of so many, the share accepted, and the median minutes to an answer."""

    number: int
    acceptance: float
    median_minutes: int | None


@dataclasses.dataclass(frozen=True)
class Rating:
    """The Bayesian mean of the stars of so many reviews."""

    stars: float
    number: int


def answering_of(profile: MentorProfile) -> Answering | None:
    """As told of a card's row; None below the smallest sample."""
    told = profile.requests_told
    if told["number"] < FEWEST_REQUESTS:
        return None
    minutes = told["minutes"]
    return Answering(told["number"], round(told["accepted"] / told["number"], 2), round(minutes) if minutes is not None else None)


def rating_of(profile: MentorProfile) -> Rating | None:
    """As told of a card's row; None without a review."""
    number, total = profile.reviews_told["number"], profile.reviews_told["sum"]
    if not number:
        return None
    return Rating(round((PRIOR_STARS * PRIOR_REVIEWS + total) / (PRIOR_REVIEWS + number), 2), number)
