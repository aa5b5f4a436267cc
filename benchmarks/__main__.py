"""`make bench`: P1 to P6 and P10 to P12 beside their peers in one run. `python -m benchmarks p1 p4` runs some of them."""

from __future__ import annotations

import argparse
import os
import secrets
import sys

import django


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "soosh.settings")
    # As in production, which refuses the key of development.
    os.environ |= {"DEBUG": "off", "SECRET_KEY": secrets.token_urlsafe(60), "ALLOWED_HOSTS": "127.0.0.1", "SECURE_SSL_REDIRECT": "off"}
    os.environ |= {"SITE_URL": "https://benchmark.example", "EMAIL_URL": "dummymail://"}
    django.setup()
    from benchmarks.suite import NAMES, run

    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*NAMES, []], help="which to run; all of them by default")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--million", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    sys.exit(run(options.names or list(NAMES), rows=options.rows, million=options.million, rounds=options.rounds))


if __name__ == "__main__":
    main()
