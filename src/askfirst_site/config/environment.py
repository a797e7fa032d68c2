"""What the environment says: the only reader of it. A value that cannot be used is an error that names its place.

Keys are files in the data folder, made on the first start, readable by their owner only. They are never in the
database: a stolen dump opens no address.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import dj_database_url

from askfirst.errors import ConfigError
from askfirst.tlog import NoteSigner

__all__ = ["LANGUAGE_NAMES", "Site", "email_settings", "prepare", "read_database", "read_secret_key", "read_site"]

LANGUAGE_NAMES = {
    "en": "English",
    "de": "Deutsch",
    "nl": "Nederlands",
    "ar": "العربية",
    "cs": "Čeština",
    "da": "Dansk",
    "el": "Ελληνικά",
    "es": "Español",
    "fa": "فارسی",
    "fi": "Suomi",
    "fr": "Français",
    "he": "עברית",
    "hu": "Magyar",
    "it": "Italiano",
    "ja": "日本語",
    "nb": "Norsk bokmål",
    "pl": "Polski",
    "pt": "Português",
    "ro": "Română",
    "sv": "Svenska",
    "tr": "Türkçe",
    "uk": "Українська",
}
"""The languages a statement can have, by their own names. The pages speak the first three."""

_KEY_BYTES = 32
_DEFAULT_URL = "http://127.0.0.1:8000"


@dataclass(frozen=True)
class Site:
    """Everything about this site that is not Django's: `settings.ASKFIRST`.

    Args:
        url: Where the site is reached, without a slash at the end.
        data: Folder of the database, log, keys, mail and media.
        languages: Codes of the languages, the first is the fallback.
        email_url: Where mail goes; empty: into files in the data folder.
        mail_from: Sender of every mail.
        mail_rate: Mails a second that may be sent.
        witnesses: File with one `VKEY URL` a line, if there is one.
        trusted_proxies: How many proxies in front of the server add to X-Forwarded-For.
        orcid: Client id and secret, if signers may prove their ORCID.
    """

    url: str
    data: Path
    languages: tuple[str, ...]
    email_url: str
    mail_from: str
    mail_rate: float
    witnesses: Path | None
    trusted_proxies: int
    orcid: tuple[str, str] | None

    @property
    def production(self) -> bool:
        """Whether strangers reach this site."""
        return self.url.startswith("https://")

    @property
    def host(self) -> str:
        """Host and port of the address."""
        return urlsplit(self.url).netloc

    @property
    def hostname(self) -> str:
        """Host of the address."""
        return str(urlsplit(self.url).hostname)

    @cached_property
    def origin(self) -> str:
        """Name of the log. It was made from the address when the log began, and never changes after that."""
        return NoteSigner.load(_read_key_text(self.log_key_file)).name

    @property
    def log_folder(self) -> Path:
        """The published log: `checkpoint` and `tile/`."""
        return self.data / "log"

    @property
    def keys_folder(self) -> Path:
        """Keys, and the signer's memory of what it signed last."""
        return self.data / "keys"

    @property
    def mail_folder(self) -> Path:
        """Mail as files, where no mail server is named."""
        return self.data / "mail"

    @property
    def media_folder(self) -> Path:
        """Pictures that were made: cards, press kit."""
        return self.data / "media"

    @property
    def log_key_file(self) -> Path:
        """The log's signing key, one line of text."""
        return self.keys_folder / "log.key"

    @property
    def signer_state_file(self) -> Path:
        """What the signer signed last: it refuses whatever does not continue that."""
        return self.keys_folder / "log.signed"

    @property
    def heartbeat_folder(self) -> Path:
        """Files whose age says that sequencer and mailer are alive."""
        return self.data / "heartbeat"

    @cached_property
    def log_vkey(self) -> str:
        """The log's public key, one line of text."""
        return str(NoteSigner.load(_read_key_text(self.log_key_file)).verifier.vkey)

    @cached_property
    def field_key(self) -> bytes:
        """The key that encrypts addresses and mails."""
        return _read_key(self.keys_folder / "field.key")

    @cached_property
    def mac_key(self) -> bytes:
        """The key under which equal values are found again without being stored."""
        return _read_key(self.keys_folder / "mac.key")


def read_site(environ: Mapping[str, str] | None = None) -> Site:
    """Return what the environment says about the site.

    Raises:
        ConfigError: A value cannot be used.
    """
    environ = os.environ if environ is None else environ
    languages = _languages(environ)
    witnesses = environ.get("ASKFIRST_WITNESSES", "")
    if witnesses and not Path(witnesses).is_file():
        raise _unusable("ASKFIRST_WITNESSES", witnesses, "name a file with one `VKEY URL` a line")
    url = _url(environ)
    return Site(
        url=url,
        data=Path(environ.get("ASKFIRST_DATA") or "askfirst-site").absolute(),
        languages=languages,
        email_url=_email_url(environ),
        mail_from=environ.get("ASKFIRST_MAIL_FROM") or f"ask-first@{urlsplit(url).hostname}",
        mail_rate=_mail_rate(environ),
        witnesses=Path(witnesses).absolute() if witnesses else None,
        trusted_proxies=_whole_number(environ, "ASKFIRST_TRUSTED_PROXIES", 0),
        orcid=_orcid(environ),
    )


def read_secret_key(site: Site, environ: Mapping[str, str] | None = None) -> str:
    """Return Django's secret key: from the environment, from a file it names, or from the data folder.

    Before the first start there is none yet; then a passing one is returned, so that commands which only look at
    the code (`makemigrations`, type checkers) write nothing.

    Raises:
        ConfigError: The file that is named cannot be read, or the key is too short to be one.
    """
    environ = os.environ if environ is None else environ
    if named := environ.get("ASKFIRST_SECRET_KEY_FILE"):
        try:
            key = Path(named).read_text().strip()
        except OSError as error:
            raise _unusable("ASKFIRST_SECRET_KEY_FILE", named, "name a file that the site can read") from error
    elif given := environ.get("ASKFIRST_SECRET_KEY"):
        key = given
    else:
        own = site.keys_folder / "django.key"
        key = own.read_text().strip() if own.is_file() else secrets.token_urlsafe(48)
    if len(key) < _KEY_BYTES:
        raise ConfigError(
            f"the secret key has {len(key)} characters, it needs {_KEY_BYTES}",
            key="ASKFIRST_SECRET_KEY",
            advice="leave it out: the site makes one and keeps it in its data folder",
        )
    return key


def prepare(site: Site) -> None:
    """Make the folders and the keys that are missing. Several processes may do it at once.

    Raises:
        ConfigError: The data folder cannot be written.
    """
    try:
        for folder in (site.data, site.log_folder, site.mail_folder, site.media_folder, site.heartbeat_folder):
            folder.mkdir(parents=True, exist_ok=True)
        site.keys_folder.mkdir(mode=0o700, exist_ok=True)
        for name in ("field.key", "mac.key"):
            _keep(site.keys_folder / name, secrets.token_bytes(_KEY_BYTES).hex())
        _keep(site.keys_folder / "django.key", secrets.token_urlsafe(48))
        _keep(site.log_key_file, NoteSigner.generate(f"{site.host}/log").dump())
    except OSError as error:
        raise ConfigError(
            f"the data folder {site.data} cannot be written: {error.strerror}",
            key="ASKFIRST_DATA",
            value=str(site.data),
            advice="name a folder that the site may write to",
        ) from error


def _keep(path: Path, text: str) -> None:
    """Write a key file unless there is one; whoever comes second keeps what the first wrote."""
    if path.exists():
        return
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as stream:
            stream.write(text + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        with suppress(FileExistsError):
            os.link(draft, path)  # unlike rename, never over a key that somebody already uses
    finally:
        draft.unlink()


def _read_key_text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError as error:
        raise ConfigError(
            f"the key {path} cannot be read: {error.strerror}",
            key="ASKFIRST_DATA",
            value=str(path),
            advice="`askfirst site up` makes the keys on the first start; a restored site needs those of its back-up",
        ) from error


def _read_key(path: Path) -> bytes:
    try:
        key = bytes.fromhex(_read_key_text(path))
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES:
        raise ConfigError(
            f"the key {path} is damaged", key="ASKFIRST_DATA", value=str(path), advice="restore it from a back-up"
        )
    return key


def _url(environ: Mapping[str, str]) -> str:
    url = (environ.get("ASKFIRST_URL") or _DEFAULT_URL).rstrip("/")
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path or "@" in parts.netloc:
        raise _unusable("ASKFIRST_URL", url, "for example https://statement.example.org")
    return url


def _languages(environ: Mapping[str, str]) -> tuple[str, ...]:
    text = environ.get("ASKFIRST_LANGUAGES") or "en,de,nl"
    codes = tuple(dict.fromkeys(code.strip().lower() for code in text.split(",") if code.strip()))
    unknown = [code for code in codes if code not in LANGUAGE_NAMES]
    if unknown or not codes:
        advice = f"choose from {', '.join(sorted(LANGUAGE_NAMES))}"
        raise _unusable("ASKFIRST_LANGUAGES", text, advice)
    return codes


def _email_url(environ: Mapping[str, str]) -> str:
    url = environ.get("ASKFIRST_EMAIL_URL", "")
    parts = urlsplit(url)
    if url and not ((parts.scheme in {"smtp", "smtps"} or parts.scheme.startswith("anymail+")) and parts.netloc):
        # The value may hold a password: it is not repeated.
        raise _unusable(
            "ASKFIRST_EMAIL_URL",
            "",
            "for example smtp://user:password@mail.example.org:587?tls=1 or anymail+postmark://TOKEN",
        )
    return url


def email_settings(site: Site) -> dict[str, object]:
    """Return Django's settings for sending mail."""
    if not site.email_url:
        return {"EMAIL_BACKEND": "askfirst_site.outbox.files.FileBackend"}
    parts = urlsplit(site.email_url)
    if parts.scheme.startswith("anymail+"):
        service = parts.scheme.removeprefix("anymail+")
        names = {"postmark": "POSTMARK_SERVER_TOKEN", "sendgrid": "SENDGRID_API_KEY", "mailgun": "MAILGUN_API_KEY"}
        token = names.get(service, f"{service.upper()}_API_KEY")
        options = {
            "WEBHOOK_SECRET" if key == "webhook_secret" else f"{service.upper()}_{key.upper()}": values[0]
            for key, values in parse_qs(parts.query).items()
        }
        return {
            "EMAIL_BACKEND": f"anymail.backends.{service}.EmailBackend",
            "ANYMAIL": {token: unquote(parts.netloc), **options},
        }
    asked = parse_qs(parts.query)
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or (465 if parts.scheme == "smtps" else 587),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_USE_TLS": asked.get("tls", ["0"])[0] == "1",
        "EMAIL_TIMEOUT": 20,
    }


def read_database(site: Site, environ: Mapping[str, str] | None = None) -> dict[str, object]:
    """Return Django's settings of the database: SQLite in the data folder, or what DATABASE_URL names.

    Raises:
        ConfigError: DATABASE_URL cannot be read.
    """
    environ = os.environ if environ is None else environ
    database: dict[str, object] = {"ENGINE": "django.db.backends.sqlite3", "NAME": site.data / "site.sqlite3"}
    if url := environ.get("DATABASE_URL"):
        try:
            database = dict(dj_database_url.parse(url))
        except ValueError as error:  # the value may hold a password: it is not repeated
            raise _unusable("DATABASE_URL", "", "for example postgres://user:password@localhost/askfirst") from error
    database["CONN_MAX_AGE"] = None
    if str(database["ENGINE"]).endswith("sqlite3"):
        database["ENGINE"] = "askfirst_site.config.sqlite"
        database["OPTIONS"] = {
            # A transaction that reads and then writes would fail at once where another writes: take the lock first.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            # NORMAL: a power cut may lose the last commits, never damage the file. Nothing is receipted before the
            # sequencer's FULL commit, which makes every earlier one durable too.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA mmap_size=268435456;",
        }
    elif str(database["ENGINE"]).endswith("postgresql"):
        database["CONN_HEALTH_CHECKS"] = True
    else:
        raise _unusable("DATABASE_URL", "", "PostgreSQL and SQLite are supported")
    return database


def _mail_rate(environ: Mapping[str, str]) -> float:
    text = environ.get("ASKFIRST_MAIL_RATE") or "10"
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0 < rate <= 10_000:
        raise _unusable("ASKFIRST_MAIL_RATE", text, "mails a second, such as 10 or 0.5")
    return rate


def _whole_number(environ: Mapping[str, str], key: str, default: int) -> int:
    text = environ.get(key) or str(default)
    if not text.isascii() or not text.isdigit():
        raise _unusable(key, text, f"a whole number, such as {default}")
    return int(text)


def _orcid(environ: Mapping[str, str]) -> tuple[str, str] | None:
    client, secret = environ.get("ASKFIRST_ORCID_ID", ""), environ.get("ASKFIRST_ORCID_SECRET", "")
    if bool(client) != bool(secret):
        raise _unusable("ASKFIRST_ORCID_ID", client, "ASKFIRST_ORCID_ID and ASKFIRST_ORCID_SECRET come together")
    return (client, secret) if client else None


def _unusable(key: str, value: str, advice: str) -> ConfigError:
    shown = f"={value!r}" if value else ""
    return ConfigError(f"the environment's {key}{shown} cannot be used", key=key, value=value, advice=advice)
