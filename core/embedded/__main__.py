import sys

from core.embedded.services import main

sys.exit(main(sys.argv[1:]))
