"""What `site up` does before it serves: the tables, the style sheets, the first account, the example."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime

from django.conf import settings
from django.core.management import call_command

from askfirst_site.accounts.actions import make_admin
from askfirst_site.accounts.models import User
from askfirst_site.statement.models import Statement

__all__ = ["default_admin", "has_admin", "load_example", "make_first_admin", "migrate"]


def migrate() -> None:
    """Bring the database up to date, and put style sheets and fonts where they are served from."""
    call_command("migrate", interactive=False, verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)


def has_admin() -> bool:
    """Tell whether anybody can run the site."""
    return User.objects.filter(is_superuser=True, is_active=True).exists()


def default_admin() -> str:
    """Return an address for the first account."""
    host = settings.ASKFIRST.hostname
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return f"organiser@{host}"
    return "organiser@example.org"


def make_first_admin(email: str) -> tuple[str, str]:
    """Make the first account; return its address and its password, which is kept nowhere."""
    user, password = make_admin(email=email, now=datetime.now(UTC))
    return user.email, password


def load_example() -> bool:
    """Load the example campaign unless there is a statement already; return whether it was loaded."""
    if Statement.objects.exists():
        return False
    from askfirst_site.statement import example  # noqa: PLC0415  # it is large, and needed once

    example.load()
    return True
