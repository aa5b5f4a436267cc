"""The script of the child process that reads a calendar: it finds the package, and hands over."""

import sys
from pathlib import Path


def main() -> int:
    # The child starts isolated, without the folder that holds the packages.
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from mentors.providers.calendar_expander import main as expand

    return expand()


if __name__ == "__main__":
    sys.exit(main())
