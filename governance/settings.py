"""The one settings file. Everything that differs between installations comes from the environment.

An unsafe or missing value stops the start with a sentence (see `governance/site/checks.py`).
"""

from pathlib import Path
from urllib.parse import urlsplit

import environ
from csp.constants import SELF
from django.utils.translation import gettext_lazy as _

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

DEMONSTRATION = env.bool("ASSENT_DEMO", default=False)
DEBUG = env.bool("ASSENT_DEBUG", default=False)
VAR_DIR = Path(env.str("ASSENT_VAR", default=str(BASE_DIR / "var")))
VAR_DIR.mkdir(parents=True, exist_ok=True)
INSTITUTION = env.str("ASSENT_INSTITUTION", default="Kawartha University")

# A demonstration may run with a known key because nothing in it is secret; anything else must bring its own.
DEMONSTRATION_KEY = "demonstration-only-not-a-secret-0123456789abcdefghijklmnop"
SECRET_KEY = env.str("ASSENT_SECRET_KEY", default=DEMONSTRATION_KEY)
BASE_URL = env.str("ASSENT_URL", default="http://localhost:8000")
ALLOWED_HOSTS = env.list("ASSENT_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("ASSENT_ORIGINS", default=[])

INSTALLED_APPS = [
    "governance.audit",
    "governance.people",
    "governance.policies",
    "governance.site",
    "workflows.notices",
    "workflows.proposals",
    "workflows.review",
    "workflows.memos",
    "workflows.insights",
    "workflows.auditing",
    "workflows.demonstration",
    "workflows.benchmarks",
    "guardian",
    "django_htmx",
    "csp",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.forms",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "governance.site.middleware.SignInRequired",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "governance.site.middleware.Refusals",
]

ROOT_URLCONF = "governance.urls"
WSGI_APPLICATION = "governance.wsgi.application"
ASGI_APPLICATION = "governance.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["governance.site.templatetags.assent"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "governance.site.context.site",
                "workflows.review.context.waiting",
                "workflows.demonstration.context.sign_ins",
            ],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

DATABASES = {"default": env.db_url("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'assent.sqlite3'}")}
DATABASES["default"]["CONN_MAX_AGE"] = 60
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # Writers queue up instead of failing at commit, and readers never wait for them.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-16000;",
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "people.User"
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend", "guardian.backends.ObjectPermissionBackend"]
ANONYMOUS_USER_NAME = None
GUARDIAN_RAISE_403 = False
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "home"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# Who sits on a body of this kind may read every submitted proposal: auditors and the secretariat.
OVERSIGHT_BODY_KIND = env.str("ASSENT_OVERSIGHT_KIND", default="secretariat")
# The policy that new proposals are submitted under, in whichever version is in force that day.
APPROVAL_POLICY = env.str("ASSENT_POLICY", default="micro-credential-approval")

LANGUAGE_CODE = "en-ca"
LANGUAGES = [("en-ca", _("English")), ("fr-ca", _("French"))]
LOCALE_PATHS = [BASE_DIR / "governance" / "locale"]
USE_I18N = True
TIME_ZONE = env.str("ASSENT_TIME_ZONE", default="America/Toronto")
USE_TZ = True
# The calendar that working days follow: country and subdivision of the `holidays` library.
HOLIDAY_CALENDAR = env.str("ASSENT_HOLIDAYS", default="CA-ON")

# What signs the record lies outside the database; the log's name stands in every checkpoint and never changes.
KEY_FOLDER = env.str("ASSENT_KEYS", default=str(VAR_DIR / "keys"))
LOG_NAME = env.str("ASSENT_LOG_NAME", default=f"{urlsplit(BASE_URL).hostname}/record")
# Who is mailed each day's checkpoint, so that a record cut short is noticed outside.
LODGE_WITH = env.list("ASSENT_LODGE_WITH", default=[])
# The certificate that memos are signed with: a PKCS #12 file, and its password. The demonstration makes its own.
SEAL_FILE = env.str("ASSENT_SEAL", default="")
SEAL_PASSWORD = env.str("ASSENT_SEAL_PASSWORD", default="")
TIME_STAMP_AUTHORITY = env.str("ASSENT_TIME_STAMPS", default="")

# A person's data is erased only when nothing was done by them or with them for so long: privacy law wants a record that
# was used to decide about somebody to be kept for a year.
MINIMUM_RETENTION_DAYS = env.int("ASSENT_MINIMUM_RETENTION_DAYS", default=365)

# The paper that memos are laid out for: letter or a4.
MEMO_PAPER = env.str("ASSENT_PAPER", default="letter")

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATIC_ROOT.mkdir(exist_ok=True)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": VAR_DIR / "files"}},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
ATTACHMENT_MAX_BYTES = env.int("ASSENT_ATTACHMENT_MAX_MB", default=20) * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
FILE_UPLOAD_PERMISSIONS = 0o640

BROKER_URL = env.str("BROKER_URL", default="")
CELERY_BROKER_URL = BROKER_URL or "memory://"
# What runs at night runs in the institution's night.
CELERY_TIMEZONE = TIME_ZONE
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1

# Mail: consolemail://, filemail:////absolute/folder, or smtp+tls://user:password@host:587
MAIL_FOLDER = VAR_DIR.absolute() / "mail"
vars().update(env.email_url("EMAIL_URL", default=f"filemail:///{MAIL_FOLDER}" if DEMONSTRATION else "consolemail://"))
DEFAULT_FROM_EMAIL = env.str("ASSENT_MAIL_FROM", default="Assent <assent@localhost>")

SECURE = BASE_URL.startswith("https://")
SESSION_COOKIE_SECURE = SECURE
CSRF_COOKIE_SECURE = SECURE
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("ASSENT_BEHIND_PROXY", default=False) else None
)
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_AGE = 12 * 60 * 60
# Subdomains and preloading are the institution's to decide; whether https is required is `assent.W001`.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W008", "security.W021"]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "form-action": [SELF],
    }
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {"assent": {"level": "INFO"}, "fontTools": {"level": "ERROR"}, "weasyprint": {"level": "ERROR"}},
}
