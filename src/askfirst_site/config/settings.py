"""Settings."""

from __future__ import annotations

import os
from pathlib import Path

DATA = Path(os.environ.get("ASKFIRST_DATA", "askfirst-site"))
SECRET_KEY = "development"
DEBUG = False
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "askfirst_site.accounts",
    "askfirst_site.outbox",
    "askfirst_site.transparency",
    "askfirst_site.statement",
    "askfirst_site.public",
    "askfirst_site.staff",
]
AUTH_USER_MODEL = "accounts.User"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": DATA / "site.sqlite3"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
USE_I18N = True
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("nl", "Nederlands")]
