"""`python -m tests.writers SEED`: eight writers who take time, give it back and book money until their input ends, and say
on their output what they are about to do and what the database has acknowledged. The database may die under them."""

from __future__ import annotations

import datetime
import os
import random
import sys
import threading
import time
import uuid

import django

WRITERS = 8
_MENTORS, _STARTS = 3, 1_400
_HALF_HOUR = datetime.timedelta(minutes=30)
_AWAY = 0.05


def _say(word: str, key: uuid.UUID) -> None:
    # One call of the system, so that lines of two writers never mix.
    os.write(1, f"{word} {key}\n".encode())


def _give_back(key: uuid.UUID) -> None:
    from mentors.services.occupying import release_claim

    release_claim(reference=key)


def _write(number: int, seed: int, is_over: threading.Event) -> None:
    from django.db import Error, connection, transaction
    from django.utils import timezone

    from accounts.models import User
    from core.errors import DomainError
    from core.models import new_id
    from core.money import Money
    from mentors.models import MentorProfile
    from mentors.services.occupying import claim_time
    from payments.enums import AccountKind, LedgerKind
    from payments.services.ledger import Posting, book

    chance = random.Random(seed * WRITERS + number)
    profiles = list(MentorProfile.objects.all())
    learner = User.objects.get(email=f"writer-{number}@example.org")
    mine: list[uuid.UUID] = []
    tomorrow = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0) + datetime.timedelta(days=1)

    def claim(key: uuid.UUID) -> None:
        start = tomorrow + chance.randrange(_STARTS) * _HALF_HOUR
        claim_time(profile=chance.choice(profiles), learner_id=learner.pk, starts_at=start, duration_minutes=60, reference=key)
        mine.append(key)

    def pay(key: uuid.UUID) -> None:
        part = Money(chance.randrange(1, 10_000), "EUR")
        with transaction.atomic():
            book(kind=LedgerKind.CAPTURED, cause=key, postings=(Posting(AccountKind.PROVIDER, part), Posting(AccountKind.PLATFORM, -part)))

    while not is_over.is_set():
        word, act = chance.choice((("claimed", claim), ("claimed", claim), ("released", _give_back), ("booked", pay)))
        if word == "released":
            if not mine:
                continue
            key = mine.pop()
            _say("releasing", key)
        else:
            key = new_id()
        try:
            act(key)
            _say(word, key)
        except DomainError:
            continue
        except Error:
            connection.close()
            time.sleep(_AWAY)


def _prepare() -> None:
    from django.utils import timezone

    from accounts.models import User
    from mentors.models import MentorProfile, Offer
    from mentors.services.expanding import Hours
    from mentors.services.schedules import Availability, WeeklyRule, set_availability

    for number in range(WRITERS):
        User.objects.create(email=f"writer-{number}@example.org", full_name="Writer")
    for number in range(_MENTORS):
        user = User.objects.create(email=f"mentor-{number}@example.org", full_name="Mentor")
        profile = MentorProfile.objects.create(user=user, state="live", live_since=timezone.now(), headline="m", capacity=1_000)
        Offer.objects.create(profile=profile, kind="session", title="t", duration_minutes=60, price_amount=0, price_currency="EUR")
        hours = tuple(WeeklyRule(day, Hours(0, 1440)) for day in range(7))
        set_availability(profile=profile, availability=Availability("UTC", hours, (), (), {"notice_minutes": 0, "horizon_days": 30}))


def main(seed: int) -> None:
    _prepare()
    is_over = threading.Event()
    threads = [threading.Thread(target=_write, args=(number, seed, is_over)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    sys.stdin.read()
    is_over.set()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "soosh.settings")
    django.setup()
    main(int(sys.argv[1]))
