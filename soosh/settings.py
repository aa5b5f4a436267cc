"""Every setting, from the environment. `manage.py settings_report` lists what is in force, `.env.example` explains each variable."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from core.embedded.paths import EmbeddedHome
from core.keys import derived_key
from core.logging import configure as configure_logging
from payments import peer
from soosh import admin_settings, data_settings, sign_in_settings
from soosh.api_settings import rest_framework, spectacular
from soosh.content_policy import content_policies
from soosh.environment import HTTP as _HTTP
from soosh.environment import Environment
from soosh.production import DEVELOPMENT_KEY, UNDELIVERED_MAIL, Safety, production_faults
from soosh.schedule import SCHEDULE

BASE_DIR = Path(__file__).resolve().parent.parent

# Malformed variables are collected and refused together at the end.
env = Environment(BASE_DIR / ".env")

# --- Where we run ---------------------------------------------------------------------------------------------------------------
EMBEDDED_HOME = EmbeddedHome.from_environment(BASE_DIR)
DATABASE_URL = env.url("DATABASE_URL", EMBEDDED_HOME.database_url, ("postgres", "postgresql"))
REDIS_URL = env.url("REDIS_URL", EMBEDDED_HOME.redis_url, ("redis", "rediss", "unix"))
IS_EMBEDDED = EMBEDDED_HOME.has_database(DATABASE_URL)
PORT = env.number("PORT", 8_000, least=1, most=65_535)

# The embedded default is for development. A machine with its own database counts as production, unless two variables say otherwise.
DEBUG = env.flag("DEBUG", IS_EMBEDDED)
SECRET_KEY: str = env.text("SECRET_KEY", DEVELOPMENT_KEY)
ALLOWED_HOSTS: list[str] = env.items("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"] if DEBUG else [])
SITE_URL = env.origin("SITE_URL", f"http://127.0.0.1:{PORT}")
CSRF_TRUSTED_ORIGINS = env.items("CSRF_TRUSTED_ORIGINS", [SITE_URL])
TRUSTED_PROXY_COUNT = env.number("TRUSTED_PROXY_COUNT", 0, most=10)
THROTTLE = env.flag("THROTTLE", True)
env.refuse_if(
    DEBUG and not IS_EMBEDDED and not env.flag("DEBUG_BESIDE_DATABASE", False),
    "DEBUG is on although DATABASE_URL names a database of your own: error pages would show visitors code and data. "
    "Turn it off, or set DEBUG_BESIDE_DATABASE=on if nobody else can reach this machine.",
)

# --- Applications ---------------------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.import_export",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "import_export",
    "django_structlog",
    "csp",
    "allauth",
    "allauth.account",
    "allauth.headless",
    "allauth.mfa",
    "channels",
    "anymail",
    "djstripe",
    "core",
    "accounts",
    "notifications",
    "ai",
    "payments",
    "catalog",
    "profiling",
    "mentors",
    "bookings",
    "soosh",
]

MIDDLEWARE = [
    "core.middleware.ProblemMiddleware",
    "core.middleware.EncodingMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "core.middleware.ContentSecurityPolicyMiddleware",
    "core.middleware.UnavailableMiddleware",
    "core.middleware.TrailingSlashMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "core.middleware.RequestIdHeaderMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.http.ConditionalGetMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "core.middleware.PageLimitMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "accounts.middleware.ImpersonationMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "soosh.urls"
WSGI_APPLICATION = "soosh.wsgi.application"
ASGI_APPLICATION = "soosh.asgi.application"
APPEND_SLASH = True
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "soosh.web.shell.shell",
            ]
        },
    }
]

# --- Data -----------------------------------------------------------------------------------------------------------------------
_ef_search = env.number("HNSW_EF_SEARCH", 80, least=1, most=1_000)
DATABASES = {"default": data_settings.database(DATABASE_URL, ef_search=_ef_search)}
# Some reads may go to a replica; see `core.replicas`.
DATABASE_REPLICA_URL = env.url("DATABASE_REPLICA_URL", "", ("postgres", "postgresql"))
DATABASE_ROUTERS = ["core.replicas.Router"]
if DATABASE_REPLICA_URL:
    DATABASES["replica"] = data_settings.database(DATABASE_REPLICA_URL, ef_search=_ef_search) | {"TEST": {"MIRROR": "default"}}
# dj-stripe's own history takes minutes and ends in this schema; `makemigrations` tells when a new version differs.
MIGRATION_MODULES = {"djstripe": "soosh.djstripe.migrations"}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
OUTBOX_RETENTION_DAYS = 30
# Clients repeat a request under its key for a day at most.
KEPT_ANSWER_HOURS = 48
NOTIFICATION_RETENTION_DAYS = 365

CACHES: dict[str, Any] = {
    "default": {
        "BACKEND": "core.cache.ResilientRedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_connect_timeout": 0.5, "socket_timeout": 2},
    }
}

# --- Work outside requests --------------------------------------------------------------------------------------------------------
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://").replace("?db=", "?virtual_host=")
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
# A request that publishes an event must not wait for a broker that is down: the sweep delivers later.
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_TRANSPORT_OPTIONS = {"max_retries": 0, "socket_connect_timeout": 1, "socket_timeout": 5, "visibility_timeout": 3600}
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = SCHEDULE

# --- People ---------------------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [{"NAME": "core.passwords.PasswordFormValidator"}] + [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator", "NumericPasswordValidator")
]
LOGIN_URL = "/sign-in/"
ACCOUNT_ADAPTER = "accounts.providers.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_PREVENT_ENUMERATION = "strict"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_NOTIFICATIONS = False
# Ours count by account and network together; allauth's count by account, so a stranger could lock an account's owner out.
SIGN_IN_LIMITS = sign_in_settings.LIMITS
ACCOUNT_RATE_LIMITS = MFA_RATE_LIMITS = False
# The front server has already read the headers of proxies; see `core.front`.
ALLAUTH_TRUSTED_PROXY_COUNT = 0
# Soosh has pages of its own; allauth shows none.
HEADLESS_ONLY = True
HEADLESS_CLIENTS = ("app",)
HEADLESS_TOKEN_STRATEGY = "accounts.providers.tokens.DeviceTokenStrategy"  # noqa: S105
HEADLESS_JWT_ALGORITHM = "HS256"
# Of its own: what a token tells about the key that signed it must tell nothing about the one that seals everything else.
HEADLESS_JWT_PRIVATE_KEY = derived_key(SECRET_KEY, purpose="soosh access and refresh tokens").hex()
HEADLESS_JWT_STATEFUL_VALIDATION_ENABLED = True
HEADLESS_JWT_ACCESS_TOKEN_EXPIRES_IN = 300
HEADLESS_JWT_REFRESH_TOKEN_EXPIRES_IN = 60 * 60 * 24 * 30
# A refresh token that is used again revokes its family. Two exceptions: within the race it lost to another request of the same client, and
# until the grace ends, while its successor was never used, its answer may have been lost.
REFRESH_RACE_SECONDS = 5
REFRESH_GRACE_SECONDS = 20
HEADLESS_FRONTEND_URLS = {"account_signup": SITE_URL}
MFA_ADAPTER = "accounts.providers.adapter.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Soosh"
# A refresh token lives in its session, so the session must live at least as long.
SESSION_COOKIE_AGE = HEADLESS_JWT_REFRESH_TOKEN_EXPIRES_IN + 86_400
SIGN_IN_PROVIDERS = sign_in_settings.providers(env)
# How long an erasure can be undone, an archive can be fetched, and a line of the security log is kept.
ERASURE_GRACE_DAYS = env.number("ERASURE_GRACE_DAYS", 14)
EXPORT_RETENTION_DAYS = 7
SECURITY_LOG_RETENTION_DAYS = 365

# The log's user id comes from the token; django-structlog's own look-up would hide the session from allauth.
DJANGO_STRUCTLOG_USER_ID_FIELD = None
# One line a request, when it has ended; addresses of people stand in the security log alone.
DJANGO_STRUCTLOG_STATUS_START_LOG_LEVEL = logging.DEBUG
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False
# Of the front server; one of a client does not reach us.
DJANGO_STRUCTLOG_TRUST_UPSTREAM_REQUEST_ID = True
DJANGO_STRUCTLOG_CELERY_ENABLED = True

# --- Mail -----------------------------------------------------------------------------------------------------------------------
NOTICE_TIMEOUT_SECONDS = 10
NOTICE_ADDRESS = env.text("NOTICE_ADDRESS", "no-reply@soosh.example")
SUPPORT_ADDRESS = env.text("SUPPORT_ADDRESS", "help@soosh.example")
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", f"Soosh <{NOTICE_ADDRESS}>")
SENDGRID_API_KEY = env.text("SENDGRID_API_KEY")
ANYMAIL = {
    "SENDGRID_API_KEY": SENDGRID_API_KEY,
    "SENDGRID_API_URL": env.url("SENDGRID_API_URL", "https://api.sendgrid.com/v3/", _HTTP),
    "SENDGRID_TRACKING_WEBHOOK_VERIFICATION_KEY": env.text("SENDGRID_WEBHOOK_KEY"),
    "REQUESTS_TIMEOUT": NOTICE_TIMEOUT_SECONDS,
}
EMAIL_TIMEOUT = NOTICE_TIMEOUT_SECONDS
EMAIL_FILE_PATH = EMBEDDED_HOME.mail
EMAIL_URL, _mail = env.text("EMAIL_URL"), env.email("EMAIL_URL")
if SENDGRID_API_KEY:
    EMAIL_BACKEND = "anymail.backends.sendgrid.EmailBackend"
elif EMAIL_URL:
    vars().update(_mail)
else:
    EMAIL_BACKEND = "notifications.providers.folder.EmailBackend"

# --- Push, text messages, sockets -------------------------------------------------------------------------------------------------
# "embedded" writes pushes into files; "expo" sends them.
PUSH_ENGINE = env.choice("PUSH_ENGINE", "embedded", ("embedded", "expo"))
EXPO_URL = env.url("EXPO_URL", "https://exp.host", _HTTP)
EXPO_ACCESS_TOKEN = env.text("EXPO_ACCESS_TOKEN")
TWILIO_ACCOUNT_SID = env.text("TWILIO_ACCOUNT_SID")
TWILIO_AUTH_TOKEN = env.text("TWILIO_AUTH_TOKEN")
TWILIO_FROM = env.text("TWILIO_FROM")
TWILIO_URL = env.url("TWILIO_URL", "https://api.twilio.com", _HTTP)
SMS_SEGMENTS_PER_DAY = env.number("SMS_SEGMENTS_PER_DAY", 5_000)
SMS_SEGMENTS_PER_PERSON_PER_DAY = env.number("SMS_SEGMENTS_PER_PERSON_PER_DAY", 10)
env.refuse_if(TWILIO_ACCOUNT_SID and not (TWILIO_AUTH_TOKEN and TWILIO_FROM), "TWILIO_ACCOUNT_SID needs TWILIO_AUTH_TOKEN and TWILIO_FROM.")
# The layer that keeps queues in Redis drops bursts; this one only wakes, and what it says stands in the database.
CHANNEL_LAYERS = {"default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [REDIS_URL]}}}
SOCKET_PERSON_WITH_TOKEN = "accounts.selectors.person_with_token"  # noqa: S105
SOCKET_IS_SIGNED_IN = "accounts.selectors.is_signed_in"

# --- Payments -------------------------------------------------------------------------------------------------------------------------
STRIPE_SECRET_KEY = env.text("STRIPE_SECRET_KEY")
# Without a key a development machine asks the peer, which moves no money; a production machine takes no payments.
PAYMENT_ENGINE = "stripe" if STRIPE_SECRET_KEY else "peer" if DEBUG else "off"
STRIPE_PEER_PORT = env.number("STRIPE_PEER_PORT", PORT + (10_000 if PORT <= 55_000 else -10_000), least=1, most=65_535)
if PAYMENT_ENGINE == "peer":
    STRIPE_SECRET_KEY = peer.SECRET_KEY
STRIPE_API_BASE = env.url("STRIPE_API_BASE", "", _HTTP) or (
    f"http://127.0.0.1:{STRIPE_PEER_PORT}" if PAYMENT_ENGINE == "peer" else "https://api.stripe.com"
)
STRIPE_PUBLISHABLE_KEY = env.text("STRIPE_PUBLISHABLE_KEY", "pk_test_peer" if PAYMENT_ENGINE == "peer" else "")
# More than one while a secret is changed.
STRIPE_WEBHOOK_SECRETS = env.items("STRIPE_WEBHOOK_SECRETS", [peer.WEBHOOK_SECRET] if PAYMENT_ENGINE == "peer" else [])
STRIPE_IS_LIVE = STRIPE_SECRET_KEY.startswith(("sk_live_", "rk_live_"))
# dj-stripe keeps copies of Stripe's objects for staff. Its webhooks are not mounted: ours stores what Stripe signed, and nothing else.
STRIPE_LIVE_MODE, DJSTRIPE_FOREIGN_KEY_TO_FIELD = STRIPE_IS_LIVE, "id"
PLATFORM_FEE_BASIS_POINTS = env.number("PLATFORM_FEE_BASIS_POINTS", 1_500, most=10_000)
DISPUTE_WINDOW_DAYS = env.number("DISPUTE_WINDOW_DAYS", 7)
# The longest that a platform may hold a mentor's money (docs.stripe.com/connect/manual-payouts).
HOLDING_LIMIT_DAYS = 90
env.refuse_if(
    PAYMENT_ENGINE == "stripe" and not STRIPE_WEBHOOK_SECRETS,
    "STRIPE_SECRET_KEY needs STRIPE_WEBHOOK_SECRETS: without them Soosh does not learn what was paid.",
)

# --- Video: Daily with a key, otherwise Jitsi, which needs none ---------------------------------------------------------------------
DAILY_API_KEY = env.text("DAILY_API_KEY")
VIDEO_ENGINE = "daily" if DAILY_API_KEY else "jitsi"
DAILY_API_BASE = env.url("DAILY_API_BASE", "https://api.daily.co/v1", _HTTP)
DAILY_WEBHOOK_SECRET = env.text("DAILY_WEBHOOK_SECRET")
JITSI_URL = env.url("JITSI_URL", "https://meet.jit.si", _HTTP).rstrip("/")
JITSI_APP_ID, JITSI_APP_SECRET = env.text("JITSI_APP_ID"), env.text("JITSI_APP_SECRET")
env.refuse_if(
    DAILY_API_KEY and not DAILY_WEBHOOK_SECRET,
    "DAILY_API_KEY needs DAILY_WEBHOOK_SECRET: without it Soosh does not learn who was in a room.",
)

# --- Artificial intelligence ------------------------------------------------------------------------------------------------------
_ENGINES = ("embedded", "openai")
ENGINE = env.choice("ENGINE", "embedded", _ENGINES)
AI_CONVERSATION_ENGINE = env.choice("AI_CONVERSATION_ENGINE", ENGINE, _ENGINES)
AI_EMBEDDING_ENGINE = env.choice("AI_EMBEDDING_ENGINE", ENGINE, _ENGINES)
OPENAI_API_KEY = env.text("OPENAI_API_KEY")
OPENAI_BASE_URL = env.url("OPENAI_BASE_URL", "https://api.openai.com/v1", _HTTP)
OPENAI_CHAT_MODEL = env.text("OPENAI_CHAT_MODEL", "gpt-5.5-mini")
# Compatible endpoints seldom have moderation, so it is on by itself for OpenAI's own alone. Empty turns it off.
OPENAI_MODERATION_MODEL = env.possibly_empty(
    "OPENAI_MODERATION_MODEL", default="omni-moderation-latest" if OPENAI_BASE_URL.startswith("https://api.openai.com/") else ""
)
AI_TRANSCRIPTION_ENGINE = env.choice("AI_TRANSCRIPTION_ENGINE", ENGINE, _ENGINES)
AI_SPEECH_ENGINE = env.choice("AI_SPEECH_ENGINE", ENGINE, _ENGINES)
OPENAI_AUDIO_BASE_URL = env.url("OPENAI_AUDIO_BASE_URL", OPENAI_BASE_URL, _HTTP)
OPENAI_TRANSCRIPTION_MODEL = env.text("OPENAI_TRANSCRIPTION_MODEL", "gpt-transcribe")
OPENAI_SPEECH_MODEL = env.text("OPENAI_SPEECH_MODEL", "gpt-4o-mini-tts")
OPENAI_SPEECH_VOICE = env.text("OPENAI_SPEECH_VOICE", "alloy")
# Chat and embeddings may come from different servers.
OPENAI_EMBEDDING_BASE_URL = env.url("OPENAI_EMBEDDING_BASE_URL", OPENAI_BASE_URL, _HTTP)
OPENAI_EMBEDDING_MODEL = env.text("OPENAI_EMBEDDING_MODEL", "text-embedding-3-small")
OPENAI_EMBEDDING_TAKES_DIMENSIONS = env.flag("OPENAI_EMBEDDING_TAKES_DIMENSIONS", True)
AI_TIMEOUT_SECONDS = env.seconds("AI_TIMEOUT_SECONDS", 8.0)
AI_MAX_INPUT_CHARACTERS = env.number("AI_MAX_INPUT_CHARACTERS", 20_000)
AI_MAX_AUDIO_SECONDS = env.number("AI_MAX_AUDIO_SECONDS", 120)
AI_TOKENS_PER_PERSON_PER_DAY = env.number("AI_TOKENS_PER_PERSON_PER_DAY", 200_000)
AI_CALLS_PER_PERSON_PER_DAY = env.number("AI_CALLS_PER_PERSON_PER_DAY", 500)
AI_CALLS_PER_DAY = env.number("AI_CALLS_PER_DAY", 100_000)
AI_TOKENS_PER_DAY = env.number("AI_TOKENS_PER_DAY", 20_000_000)

# --- API ------------------------------------------------------------------------------------------------------------------------
API_VERSION = "1.0.0"
PROBLEM_TYPE_BASE = f"{SITE_URL}/api/problems/"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
REST_FRAMEWORK = rest_framework(throttles=THROTTLE, proxies=0)
SPECTACULAR_SETTINGS = spectacular(version=API_VERSION)

# --- Pages ----------------------------------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = Path(env.text("STATIC_ROOT", str(EMBEDDED_HOME.root / "static")))


MEDIA_URL = "/media/"
MEDIA_ROOT = Path(env.text("MEDIA_ROOT", str(EMBEDDED_HOME.root / "media")))
S3_BUCKET = env.text("S3_BUCKET")
_s3_endpoint = env.url("S3_ENDPOINT_URL", "", _HTTP)
STORAGES: dict[str, Any] = data_settings.storages(
    env, bucket=S3_BUCKET, endpoint=_s3_endpoint, media_root=MEDIA_ROOT, media_url=MEDIA_URL
) | {
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_AUTOREFRESH = False
UNFOLD = admin_settings.UNFOLD

# --- Security -------------------------------------------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICIES = content_policies(
    images=[_s3_endpoint or "https://*.amazonaws.com"] if S3_BUCKET else [],
    sign_in=[provider["issuer"] for provider in SIGN_IN_PROVIDERS.values() if provider["client_ids"]],
)
SESSION_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "core.problems.forbidden_view"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
if not DEBUG:
    SECURE_SSL_REDIRECT = env.flag("SECURE_SSL_REDIRECT", True)
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    if TRUSTED_PROXY_COUNT:  # else the front server says http, which is true
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

LOGGING = configure_logging(as_json=not DEBUG)
LOGGING["root"]["level"] = env.choice("SOOSH_LOG_LEVEL", LOGGING["root"]["level"], ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"))

_is_mail_chosen = vars().get("EMAIL_BACKEND") not in UNDELIVERED_MAIL
SAFETY = Safety(SECRET_KEY, ALLOWED_HOSTS, SITE_URL, is_mail_chosen=_is_mail_chosen, throttle=THROTTLE)
for _fault in production_faults(SAFETY):
    # A key that everybody knows opens whatever database it stands beside.
    env.refuse_if(not DEBUG or (_fault.variable == "SECRET_KEY" and not IS_EMBEDDED), str(_fault))
env.refuse_faults()
