"""The WSGI application: every request except sockets, behind the front server."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "soosh.settings")

from django.core.wsgi import get_wsgi_application

# Sets Django up, which the imports below need.
_django = get_wsgi_application()

from core.front import known_clients  # noqa: E402
from core.orphans import exit_with_parent  # noqa: E402
from core.request_bodies import MeasuredBodies  # noqa: E402

exit_with_parent()
application = known_clients(MeasuredBodies(_django))
