"""The site's tests: a real database, keys and a log in a temporary folder, nothing in the working folder.

`db`            a database whose changes are rolled back; SQLite, and PostgreSQL too where a test is marked `on_both`
`live`          a database of its own whose changes stay, with folders of its own: for processes and the sequencer
`client`        Django's test client (needs `db` or `live`)
`count_queries` `with count_queries() as queries: ...; len(queries)`
"""

import contextlib
import os
import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
# Django reads its settings once, when it is first imported: the environment comes before that.
_HOME = Path(tempfile.mkdtemp(prefix="askfirst-site-tests-"))
for _name in [name for name in os.environ if name.startswith("ASKFIRST_")] + ["DATABASE_URL"]:
    os.environ.pop(_name, None)
os.environ["ASKFIRST_DATA"] = str(_HOME / "data")
os.environ["ASKFIRST_URL"] = "http://testserver"
os.environ["DJANGO_SETTINGS_MODULE"] = "askfirst_site.config.settings"

import django
import pytest

from askfirst_site.config.environment import prepare, read_site

prepare(read_site())
django.setup()

import databases
from django.conf import settings as django_settings
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext, setup_test_environment, teardown_test_environment

django_settings.ASKFIRST_REMEMBER_S = 0.0  # every test has statements of its own under the same numbers


def pytest_configure(config):
    config.addinivalue_line("markers", "on_both: runs on SQLite and on PostgreSQL")


def pytest_generate_tests(metafunc):
    if "database" in metafunc.fixturenames:
        kinds = ["sqlite", "postgres"] if metafunc.definition.get_closest_marker("on_both") else ["sqlite"]
        metafunc.parametrize("database", kinds, indirect=True, scope="function")


@pytest.fixture(scope="session", autouse=True)
def _environment():
    setup_test_environment(debug=False)
    call_command("collectstatic", interactive=False, verbosity=0)
    yield
    teardown_test_environment()
    databases.stop_postgres()
    shutil.rmtree(_HOME, ignore_errors=True)


@pytest.fixture
def database(request):
    """Name of the kind of database that a test runs on."""
    return request.param


@pytest.fixture
def db(database):
    """A database whose changes are rolled back when the test ends."""
    databases.use(databases.template(database, _HOME))
    atomic = transaction.atomic()
    atomic._from_testcase = True
    atomic.__enter__()
    yield connection
    if not connection.needs_rollback:
        connection.check_constraints()
    transaction.set_rollback(True)
    atomic.__exit__(None, None, None)


@pytest.fixture
def live(database, tmp_path):
    """A database of its own that keeps its changes, with folders of its own. Returns its environment for processes."""
    with _live(database, tmp_path) as environment:
        yield environment


@pytest.fixture
def live_postgres(tmp_path):
    """The same, on PostgreSQL only."""
    with _live("postgres", tmp_path) as environment:
        yield environment


@contextlib.contextmanager
def _live(kind, tmp_path):
    site = read_site({**os.environ, "ASKFIRST_DATA": str(tmp_path / "site")})
    prepare(site)
    url = databases.copy(kind, _HOME, site.data)
    with override_settings(ASKFIRST=site):
        yield {**os.environ, "ASKFIRST_DATA": str(site.data), "DATABASE_URL": url}
        databases.leave(url)


@pytest.fixture
def site(tmp_path):
    """Folders of its own: an empty log, the same keys for fields."""
    own = read_site({**os.environ, "ASKFIRST_DATA": str(tmp_path / "site")})
    prepare(own)
    with override_settings(ASKFIRST=own):
        yield own


@pytest.fixture
def settings():
    """Django's settings; what a test sets is put back."""

    class Changed:
        def __getattr__(self, name):
            return getattr(django_settings, name)

        def __setattr__(self, name, value):
            override = override_settings(**{name: value})
            override.enable()
            overrides.append(override)

    overrides = []
    yield Changed()
    for override in reversed(overrides):
        override.disable()


@pytest.fixture
def client():
    """A browser without JavaScript, and without a cookie."""
    return Client()


@pytest.fixture
def count_queries():
    """Collect the queries of a block."""
    return lambda: CaptureQueriesContext(connection)


@pytest.fixture
def mail_server():
    """A real mail server on loopback: `mail_server.messages`, `.refuse[address] = "550 no such user"`."""
    import mail_servers

    with mail_servers.running() as server:
        yield server
