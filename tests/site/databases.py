"""Real databases for tests: SQLite files, and a PostgreSQL cluster in a temporary folder, run by an ordinary user.

Each kind is migrated once; a test gets the migrated database itself (and rolls back) or a copy of it.
"""

import atexit
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import psycopg
import running
from django.core.management import call_command
from django.db import connections

from askfirst_site.config.parents import end_with_parent

_TEMPLATES = {}
_CLUSTER = {}


def template(kind, home):
    """Return the address of the migrated database of a kind."""
    if kind not in _TEMPLATES:
        url = f"sqlite:///{home / 'template.sqlite3'}" if kind == "sqlite" else _create("template_askfirst")
        use(url)
        call_command("migrate", verbosity=0)
        _TEMPLATES[kind] = url
    return _TEMPLATES[kind]


def copy(kind, home, folder):
    """Make a migrated database of its own, use it, and return its address."""
    source = template(kind, home)
    disconnect()
    if kind == "sqlite":
        path = folder / "site.sqlite3"
        shutil.copy(source.removeprefix("sqlite:///"), path)
        url = f"sqlite:///{path}"
    else:
        url = _create(f"test_{secrets.token_hex(6)}", "template_askfirst")
    use(url)
    return url


def leave(url):
    """Stop using a database that was made for one test, and remove it."""
    disconnect()
    if url.startswith("postgres"):
        _sql(f'DROP DATABASE IF EXISTS "{url.rsplit("/", 1)[1]}" WITH (FORCE)')


def use(url):
    """Point Django at a database."""
    from askfirst_site.config.environment import read_database, read_site

    if connections.settings["default"].get("_url") == url:
        return
    disconnect()
    database = read_database(read_site(), {"DATABASE_URL": url})
    connections.settings = connections.configure_settings({"default": database})
    connections.settings["default"]["_url"] = url


def disconnect():
    """Close the connection, so that the next query opens a new one."""
    connections["default"].close()
    del connections["default"]
    connections.settings["default"]["_url"] = None


def stop_postgres():
    """End the cluster, if there is one."""
    if _CLUSTER:
        _CLUSTER["process"].send_signal(signal.SIGQUIT)  # at once, without writing anything down
        _CLUSTER["process"].wait(30)
        shutil.rmtree(_CLUSTER["folder"], ignore_errors=True)
        _CLUSTER.clear()


def postgres(*, fsync=False):
    """Start the cluster if it does not run; return the start of its databases' addresses.

    Args:
        fsync: Whether a commit waits for the disk, as in production; tests need not.
    """
    if _CLUSTER:
        return _CLUSTER["url"]
    folder = Path(tempfile.mkdtemp(prefix="askfirst-pg-", dir="/tmp"))  # the path of a socket must be short
    owner = {}
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        shutil.chown(folder, "postgres", "postgres")
        owner = {"user": "postgres", "group": "postgres", "extra_groups": []}
    data = str(folder / "data")
    make = [_program("initdb"), "-D", data, "-U", "askfirst", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"]
    subprocess.run(make, check=True, stdout=subprocess.DEVNULL, cwd="/", **owner)
    options = {
        "listen_addresses": "",
        "unix_socket_directories": folder,
        "fsync": "on" if fsync else "off",
        "max_connections": 60,
    }
    settings = [f"--{name}={value}" for name, value in options.items()]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [_program("postgres"), "-D", data, *settings],
            stderr=log,
            cwd="/",
            preexec_fn=lambda: end_with_parent(signal.SIGQUIT),  # noqa: PLW1509  # no threads run yet
            **owner,
        )
    url = f"postgres://askfirst@{str(folder).replace('/', '%2F')}"
    _CLUSTER.update(process=process, folder=folder, url=url)
    atexit.register(stop_postgres)
    running.wait_for(lambda: _sql("SELECT 1") is None, "PostgreSQL answers")
    return url


def make_empty():
    """Make an empty database and return its name."""
    name = f"test_{secrets.token_hex(6)}"
    _create(name)
    return name


def _create(name, source="template0"):
    url = postgres()
    _sql(f'CREATE DATABASE "{name}" TEMPLATE "{source}"')
    return f"{url}/{name}"


def _sql(statement):
    where = {"host": str(_CLUSTER["folder"]), "user": "askfirst", "dbname": "postgres"}
    try:
        session = psycopg.connect(**where, autocommit=True)
    except psycopg.OperationalError as error:
        raise OSError(str(error)) from error
    with session:
        session.execute(statement)


def _program(name):
    """Return a program of PostgreSQL: Debian keeps those of the server out of the search path."""
    found = shutil.which(name)
    candidates = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    return found or str(candidates[-1])
