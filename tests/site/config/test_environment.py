"""What the environment may say, and what is said when it cannot be used."""

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from askfirst.errors import ConfigError
from askfirst_site.config.environment import email_settings, prepare, read_database, read_secret_key, read_site


def test_site_without_an_environment_is_a_local_one():
    site = read_site({})
    assert site.url == "http://127.0.0.1:8000"
    assert not site.production
    assert site.languages == ("en", "de", "nl")
    assert site.data == Path("askfirst-site").absolute()
    assert site.mail_rate == 10.0


def test_site_at_https_is_for_strangers():
    site = read_site({"ASKFIRST_URL": "https://statement.example.org/"})
    assert site.production
    assert (site.url, site.host) == ("https://statement.example.org", "statement.example.org")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("ASKFIRST_URL", "statement.example.org"),
        ("ASKFIRST_URL", "https://user@example.org"),
        ("ASKFIRST_URL", "https://example.org/path"),
        ("ASKFIRST_LANGUAGES", "en,xx"),
        ("ASKFIRST_LANGUAGES", ","),
        ("ASKFIRST_MAIL_RATE", "many"),
        ("ASKFIRST_MAIL_RATE", "0"),
        ("ASKFIRST_MAIL_RATE", "nan"),
        ("ASKFIRST_EMAIL_URL", "mail.example.org"),
        ("ASKFIRST_TRUSTED_PROXIES", "-1"),
        ("ASKFIRST_TRUSTED_PROXIES", "two"),
        ("ASKFIRST_WITNESSES", "/nowhere/witnesses"),
        ("ASKFIRST_ORCID_ID", "APP-1"),
    ],
)
def test_value_that_cannot_be_used_is_named(key, value):
    with pytest.raises(ConfigError) as caught:
        read_site({key: value})
    assert caught.value.key == key
    assert caught.value.advice
    assert str(caught.value).startswith(f"the environment's {key}")


def test_password_in_a_bad_mail_address_is_not_repeated():
    with pytest.raises(ConfigError) as caught:
        read_site({"ASKFIRST_EMAIL_URL": "http://user:hunter2@mail.example.org"})
    assert "hunter2" not in str(caught.value) + caught.value.value


@pytest.mark.parametrize(
    "url", ["nonsense", "mysql://user:hunter2@localhost/db", "postgres://user:hunter2@host:port/db"]
)
def test_database_that_cannot_be_used_is_named_without_its_password(url):
    with pytest.raises(ConfigError) as caught:
        read_database(read_site({}), {"DATABASE_URL": url})
    assert caught.value.key == "DATABASE_URL"
    assert "hunter2" not in str(caught.value) + caught.value.value


def test_sqlite_takes_the_lock_when_a_transaction_begins():
    database = read_database(read_site({}), {})
    assert database["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert database["CONN_MAX_AGE"] is None


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("", {"EMAIL_BACKEND": "askfirst_site.outbox.files.FileBackend"}),
        (
            "anymail+postmark://t0ken?webhook_secret=a:b",
            {
                "EMAIL_BACKEND": "anymail.backends.postmark.EmailBackend",
                "ANYMAIL": {"POSTMARK_SERVER_TOKEN": "t0ken", "WEBHOOK_SECRET": "a:b"},
            },
        ),
        (
            "smtp://ada%40example.org:p%3Aw@mail.example.org:2525?tls=1",
            {
                "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
                "EMAIL_HOST": "mail.example.org",
                "EMAIL_PORT": 2525,
                "EMAIL_HOST_USER": "ada@example.org",
                "EMAIL_HOST_PASSWORD": "p:w",
                "EMAIL_USE_SSL": False,
                "EMAIL_USE_TLS": True,
                "EMAIL_TIMEOUT": 20,
            },
        ),
    ],
)
def test_mail_settings(url, expected):
    assert email_settings(read_site({"ASKFIRST_EMAIL_URL": url})) == expected


def test_keys_are_for_their_owner_only(tmp_path):
    site = read_site({"ASKFIRST_DATA": str(tmp_path)})
    prepare(site)
    assert stat.S_IMODE(site.keys_folder.stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in site.keys_folder.iterdir()}
    assert modes == dict.fromkeys(["django.key", "field.key", "log.key", "mac.key"], 0o600)


def test_keys_stay_when_the_site_starts_again_at_another_address(tmp_path):
    first = read_site({"ASKFIRST_DATA": str(tmp_path), "ASKFIRST_URL": "https://one.example.org"})
    prepare(first)
    second = read_site({"ASKFIRST_DATA": str(tmp_path), "ASKFIRST_URL": "https://two.example.org"})
    prepare(second)
    assert (second.field_key, second.mac_key, second.log_vkey) == (first.field_key, first.mac_key, first.log_vkey)
    assert second.origin == "one.example.org/log"


def test_processes_that_start_together_agree_on_the_keys(tmp_path):
    program = (
        "from askfirst_site.config.environment import prepare, read_site; site = read_site(); prepare(site);"
        "import json; print(json.dumps([site.field_key.hex(), site.mac_key.hex(), site.log_vkey]))"
    )
    environ = {"ASKFIRST_DATA": str(tmp_path / "site"), "PATH": "", "PYTHONPATH": ":".join(sys.path)}
    running = [subprocess.Popen([sys.executable, "-c", program], env=environ, stdout=subprocess.PIPE) for _ in range(4)]
    printed = [json.loads(process.communicate(timeout=60)[0]) for process in running]
    assert printed == [printed[0]] * 4


def test_damaged_key_is_named(tmp_path):
    site = read_site({"ASKFIRST_DATA": str(tmp_path)})
    prepare(site)
    (site.keys_folder / "field.key").write_text("abc")
    with pytest.raises(ConfigError, match=r"field\.key is damaged"):
        _ = site.field_key


def test_short_secret_key_is_refused():
    with pytest.raises(ConfigError, match="it needs 32"):
        read_secret_key(read_site({}), {"ASKFIRST_SECRET_KEY": "short"})


def test_secret_key_can_come_from_a_file(tmp_path):
    (tmp_path / "secret").write_text("s" * 50 + "\n")
    assert read_secret_key(read_site({}), {"ASKFIRST_SECRET_KEY_FILE": str(tmp_path / "secret")}) == "s" * 50
    with pytest.raises(ConfigError):
        read_secret_key(read_site({}), {"ASKFIRST_SECRET_KEY_FILE": str(tmp_path / "other")})


def test_data_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError) as caught:
        prepare(read_site({"ASKFIRST_DATA": str(tmp_path / "file" / "site")}))
    assert caught.value.key == "ASKFIRST_DATA"
