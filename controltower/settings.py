"""Django's settings, derived from :mod:`controltower.env`."""

import base64
import secrets
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import dj_database_url
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric import ec
from django.utils.csp import CSP
from psycopg import IsolationLevel

from apps.core import extensions
from controltower.env import BASE_DIR, env


def new_vapid_key() -> str:
    """A private key of the curve P-256, as VAPID_KEY holds it."""
    number = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
    return base64.urlsafe_b64encode(number.to_bytes(32)).rstrip(b"=").decode()


SECRET_KEY = env.secret_key or env.kept_secret("django", lambda: secrets.token_urlsafe(50))
ENCRYPTION_KEYS = [
    key.strip() for key in (env.encryption_keys or env.kept_secret("encryption", lambda: Fernet.generate_key().decode())).split(",")
]
AUDIT_KEY = env.audit_key or env.kept_secret("audit", lambda: secrets.token_hex(32))
VAPID_KEY = env.vapid_key or env.kept_secret("vapid", new_vapid_key)
CONTROLTOWER_HOME = env.controltower_home
PUBLIC_URL = env.public_url
INTAKE_URL = env.intake_url
DEBUG = env.debug
ALLOWED_HOSTS = env.allowed_hosts
KEY_CUSTOMER_CLASSES = env.key_customer_classes
if (public_host := urlsplit(PUBLIC_URL).hostname) and public_host not in ALLOWED_HOSTS:
    ALLOWED_HOSTS.append(public_host)

DATABASE_URL, REDIS_URL = env.service_urls()
# A command that needs no server is still to be able to read the settings.
REDIS_URL = REDIS_URL or "redis://127.0.0.1:6379"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "channels",
    "django_htmx",
    "lucide",
    "apps.core",
    "apps.accounts",
    "apps.audit",
    "apps.timers",
    "apps.odoo",
    "apps.intake",
    "apps.mirror",
    "apps.events",
    "apps.workflows",
    "apps.outbox",
    "apps.notifications",
    "apps.exceptions",
    "apps.approvals",
    "apps.vendors",
    "apps.customers",
    "apps.pipeline",
    "apps.extensions",
    "apps.boards",
    "apps.health",
    "apps.api",
]
# The company of the demonstration stands beside the house and is not in the image.
if (BASE_DIR / "sandbox").is_dir():
    INSTALLED_APPS.append("sandbox")
# What packages of others add. Their apps come last: no template, command or static file of theirs stands before the tower's.
EXTENSIONS = extensions.discover(
    folder=None if env.extensions_folder == Path() else env.extensions_folder.resolve(),
    taken=[name.rpartition(".")[2] for name in INSTALLED_APPS],
    writes_migrations=sys.argv[1:2] == ["makemigrations"],
)
INSTALLED_APPS += EXTENSIONS.apps
MIGRATION_MODULES: dict[str, str | None] = {}

MIDDLEWARE = [
    # Pages and answers are a tenth as large. What this would tell of a secret in a page is hidden by Django: its tokens are
    # masked anew each time, and a random length is added.
    "django.middleware.gzip.GZipMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "apps.accounts.middleware.PersonsTimeZone",
    "apps.accounts.middleware.PersonsLanguage",
    "apps.core.texts.RefuseNul",
    "apps.core.refusal_pages.RefusalPages",
]

ROOT_URLCONF = "controltower.urls"
ASGI_APPLICATION = "controltower.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "controltower.context.tower",
            ],
            # Every template has words in it.
            "builtins": ["django.templatetags.i18n"],
        },
    }
]

DATABASES = {
    "default": dj_database_url.parse(DATABASE_URL or "postgresql:///controltower")
    | {
        "CONN_MAX_AGE": 0,
        # Why each of these: docs/decisions/0006-settings-that-matter.md.
        "OPTIONS": {
            "isolation_level": IsolationLevel.READ_COMMITTED,
            # A server that has fallen silent is noticed in half a minute, and not when the kernel gives up.
            "connect_timeout": 5,
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 4,
            "tcp_user_timeout": 30_000,
            # A pool a process: small, because web, intake, workers and beat each have one.
            "pool": {"min_size": 1, "max_size": 8, "timeout": 10},
            # Only what apps/core/prepared.py sends is prepared, and at once; its plans are made for all values.
            "prepare_threshold": 0,
            # No statement of a page or batch may hold others up for ever.
            # Pages lie in memory or on flash: reading one here and there costs hardly more than reading on.
            "options": "-c statement_timeout=60000 -c lock_timeout=10000 -c idle_in_transaction_session_timeout=120000"
            " -c random_page_cost=1.1 -c plan_cache_mode=force_generic_plan",
        },
        "TEST": {"NAME": "test_controltower"},
    }
}

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_ADAPTER = "apps.accounts.adapter.InvitedOnly"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL + "/1",
        # A Valkey that has fallen silent holds nobody up: whoever asks it goes on without.
        "OPTIONS": {"socket_timeout": 2, "socket_connect_timeout": 2},
    }
}
CHANNEL_LAYERS = {
    "default": {
        # PubSub, not the default layer: that one keeps a stalled client's oldest messages and drops the newest.
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        # A connection that died without a word is found by asking, and begun anew.
        "CONFIG": {"hosts": [{"address": REDIS_URL + "/2", "health_check_interval": 10}], "prefix": "ct"},
    }
}

# Celery: messages only wake; what is to be done lies in PostgreSQL, so a lost or doubled message is harmless.
CELERY_BROKER_URL = REDIS_URL + "/0"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 600, "socket_timeout": 10, "health_check_interval": 10}
CELERY_TASK_IGNORE_RESULT = True
CELERY_RESULT_BACKEND = None
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 10
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 600_000  # kB
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_TASK_DEFAULT_QUEUE = "default"

WEBHOOK_ALLOWED = env.webhook_allowed
ODOO_COMMANDS_PER_SECOND = env.odoo_commands_per_second
UNDO_SECONDS = env.undo_seconds

LANGUAGE_CODE = "en"
# Each by its own name: who cannot read the others finds it. What the words are: locale/, kept by `make messages`.
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("fr", "Français")]
TIME_ZONE = env.time_zone
USE_I18N = True
USE_TZ = True
LOCALE_PATHS = [BASE_DIR / "locale"]

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = env.static_root
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "controltower.static.HashedWhereCollected"},
}
# What Swagger's page does not use of its package; compressing it takes longer than all else together.
COLLECTSTATIC_IGNORE = ["redoc", "*.map", "swagger-ui-es-bundle*", "swagger-ui.js", "rest_framework"]

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = env.secure_cookies
CSRF_COOKIE_SECURE = env.secure_cookies
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SECURE_CSP = {
    "default-src": [CSP.SELF],
    "script-src": [CSP.SELF],
    "style-src": [CSP.SELF],
    "img-src": [CSP.SELF, "data:", "blob:"],
    "connect-src": [CSP.SELF],
    "object-src": [CSP.NONE],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
    "form-action": [CSP.SELF],
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["apps.api.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["apps.api.permissions.ScopeAllows"],
    "DEFAULT_PAGINATION_CLASS": "apps.api.pagination.Cursor",
    "PAGE_SIZE": 50,
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["apps.api.parsers.KeepableJSON"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "apps.api.problems.handler",
    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.UserRateThrottle"],
    "DEFAULT_THROTTLE_RATES": {"user": "1200/min"},
    "COERCE_DECIMAL_TO_STRING": True,
    "DATETIME_FORMAT": "%Y-%m-%dT%H:%M:%S.%fZ",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Control Tower",
    "DESCRIPTION": "Where every record of a distribution company stands, what blocks it, which decisions it waits for.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    # Two answers tell of deliveries; their states have one name.
    "ENUM_NAME_OVERRIDES": {
        "DeliveryStatus": "apps.intake.models.Status.values",
        "StepOutcome": "apps.exceptions.playbooks.api.OUTCOMES",
    },
}

if env.email_url == "console":
    MAILERS: dict[str, dict[str, object]] = {"default": {"BACKEND": "django.core.mail.backends.console.EmailBackend"}}
else:
    smtp = urlsplit(env.email_url)
    MAILERS = {
        "default": {
            "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "OPTIONS": {
                "host": smtp.hostname or "localhost",
                "port": smtp.port or {"smtps": 465, "smtp+tls": 587}.get(smtp.scheme, 25),
                "username": unquote(smtp.username or ""),
                "password": unquote(smtp.password or ""),
                "use_ssl": smtp.scheme == "smtps",
                "use_tls": smtp.scheme == "smtp+tls",
                "timeout": 15,
            },
        }
    }
DEFAULT_FROM_EMAIL = env.email_from

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    # The address of a vendor's page is its key.
    "filters": {"addresses": {"()": "apps.core.log_filters.HideVendorLinks"}},
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["addresses"]}},
    "root": {"handlers": ["console"], "level": env.log_level},
}
