"""The two databases are real, and tests leave nothing behind in them."""

import pytest
from django.db import connection

from askfirst_site.accounts.models import User


@pytest.mark.on_both
@pytest.mark.parametrize("_turn", [1, 2])
def test_database_is_empty_when_a_test_begins(db, database, _turn):
    assert connection.vendor == {"sqlite": "sqlite", "postgres": "postgresql"}[database]
    assert User.objects.count() == 0
    User.objects.create_user("ada@example.org")


@pytest.mark.on_both
@pytest.mark.parametrize("_turn", [1, 2])
def test_live_database_is_empty_when_a_test_begins(live, database, _turn):
    assert User.objects.count() == 0
    User.objects.create_user("ada@example.org")
