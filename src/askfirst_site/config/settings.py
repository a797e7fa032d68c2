"""Django's settings, in one file. What differs from site to site comes from `config.environment`."""

from __future__ import annotations

from pathlib import Path

from csp.constants import NONE, SELF

from askfirst_site.config.environment import LANGUAGE_NAMES, email_settings, read_database, read_secret_key, read_site

PACKAGE = Path(__file__).parents[1]

ASKFIRST = read_site()
ASKFIRST_REMEMBER_S = 2.0
"""For how long a process may keep which statement and texts an address means; see `statement.remembered`."""

# Who may ask, and with what
SECRET_KEY = read_secret_key(ASKFIRST)
DEBUG = False  # never: an error page of Django shows settings and rows to whoever caused it
ALLOWED_HOSTS = [ASKFIRST.hostname, *([] if ASKFIRST.production else ["localhost", "127.0.0.1", "[::1]"])]
CSRF_TRUSTED_ORIGINS = [ASKFIRST.url]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "askfirst_site.staff",  # before allauth: its pages wear the staff pages' frame
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.orcid",  # offered to signers where ASKFIRST_ORCID_ID is set
    "anymail",
    "csp",
    "ninja",
    "askfirst_site.accounts",
    "askfirst_site.outbox",
    "askfirst_site.transparency",
    "askfirst_site.statement",
    "askfirst_site.public",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "askfirst_site.config.middleware.VisitorAddress",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "askfirst_site.config.middleware.StaffCsrf",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "askfirst_site.config.urls"
WSGI_APPLICATION = "askfirst_site.config.wsgi.application"
APPEND_SLASH = False  # each address has one spelling, and a POST is never redirected

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# The database
DATABASES = {"default": read_database(ASKFIRST)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Those who run the site
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
ACCOUNT_ADAPTER = "askfirst_site.config.adapters.StaffAdapter"
SOCIALACCOUNT_ADAPTER = "askfirst_site.config.adapters.NobodyAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"  # accounts are made by an organiser, never by signing up
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]  # the pages for keys need inline script, which our policy refuses
MFA_TOTP_ISSUER = "Ask First"
ALLAUTH_TRUSTED_PROXY_COUNT = ASKFIRST.trusted_proxies
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/staff/"
LOGOUT_REDIRECT_URL = "/"
if ASKFIRST.orcid:
    SOCIALACCOUNT_PROVIDERS = {
        "orcid": {
            "APPS": [{"client_id": ASKFIRST.orcid[0], "secret": ASKFIRST.orcid[1]}],
            "BASE_DOMAIN": "orcid.org",
            "MEMBER_API": False,
        }
    }

# Cookies: public pages set one of their own, when somebody signs; sessions belong to staff
SESSION_COOKIE_NAME = "askfirst-staff"
SESSION_COOKIE_AGE = 60 * 60 * 12
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = ASKFIRST.production
CSRF_COOKIE_NAME = "askfirst-csrf"
CSRF_COOKIE_PATH = "/staff/"
CSRF_COOKIE_SAMESITE = "Strict"
CSRF_COOKIE_SECURE = ASKFIRST.production

# Transport
SECURE_SSL_REDIRECT = False  # the proxy in front does it, and the checks of a load balancer speak plain HTTP
SECURE_HSTS_SECONDS = 31_536_000 if ASKFIRST.production else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ASKFIRST.trusted_proxies else None
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000

# Languages
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGES = [(code, LANGUAGE_NAMES[code]) for code in ASKFIRST.languages]
LANGUAGE_CODE = ASKFIRST.languages[0]
LOCALE_PATHS = [PACKAGE / "locale"]
LANGUAGE_COOKIE_NAME = "askfirst-language"

# Files
STATIC_URL = "/static/"
STATIC_ROOT = ASKFIRST.data / "static"
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": ASKFIRST.media_folder},
    },
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_KEEP_ONLY_HASHED_FILES = False

# Mail
DEFAULT_FROM_EMAIL = SERVER_EMAIL = ASKFIRST.mail_from
globals().update(email_settings(ASKFIRST))

# Logs name no visitor: no address, no query, no form
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "askfirst_site": {"level": "INFO"},
        "django.request": {"level": "ERROR"},  # a missing page is no news, and its address may be a visitor's secret
        "django.security.DisallowedHost": {"level": "CRITICAL"},
    },
}
