"""Make accounts of staff, and record what staff do."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime

from django.db import transaction

from askfirst_site.accounts.models import StaffAction, User

__all__ = ["make_admin", "record"]


def record(
    *, actor: User | None, verb: str, subject: str, detail: Mapping[str, object] | None = None, now: datetime
) -> StaffAction:
    """Write down that somebody did something; rows are never changed. Call it in the transaction of what was done.

    Args:
        actor: Who; None for the site itself.
        verb: What, as in `freeze_version`.
        subject: To what, as in `version:3`.
        detail: More about it: plain JSON, no addresses.
        now: The time.
    """
    return StaffAction.objects.create(actor=actor, verb=verb, subject=subject, detail=dict(detail or {}), at=now)


def make_admin(
    *, email: str, now: datetime, make_password: Callable[[], str] = lambda: secrets.token_urlsafe(15)
) -> tuple[User, str]:
    """Make an account that may do everything.

    Returns:
        The account and its password: the only time it can be read.
    """
    password = make_password()
    with transaction.atomic():
        user = User.objects.create_superuser(email, password, name="Organiser")
        record(actor=None, verb="make_admin", subject=f"user:{user.pk}", now=now)
    return user, password
