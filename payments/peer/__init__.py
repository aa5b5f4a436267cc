"""A peer of Stripe for development and tests: it speaks Stripe's protocol, and moves no money.

It is our reading of Stripe's documentation, in the API version of the SDK. Its requests and responses are checked against Stripe's
published OpenAPI file in the tests; nothing that passes against it proves what Stripe does. `localstripe` is asked for a second opinion
where it has one.

Nothing here knows of Soosh or of Django, and Soosh knows it by its address alone.
"""

API_VERSION = "2026-08-26.dahlia"
SECRET_KEY = "sk_test_peer00000000000000000000"  # noqa: S105  (opens nothing but this peer)
WEBHOOK_SECRET = "whsec_peer000000000000000000000000"  # noqa: S105  (signs nothing but events of this peer)
NOTE = "This is a peer for development. It is not Stripe, and no money moves."
