"""Script of the child process that reads a calendar: puts the package on the path and calls the expander."""

import sys
from pathlib import Path


def main() -> int:
    # The child runs with -I, so the folder of the packages is not on its path.
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from mentors.providers.calendar_expander import main as expand

    return expand()


if __name__ == "__main__":
    sys.exit(main())
