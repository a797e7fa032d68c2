"""Give people access to the staff pages, and take it away. Rights are changed here and nowhere else."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from askfirst_site.accounts.actions import record
from askfirst_site.accounts.models import User
from askfirst_site.statement.errors import FormError, RefusedError

__all__ = ["add_colleague", "change_role", "close_account", "open_account", "reset_access", "set_own"]


def new_password() -> str:
    """Return a password of 120 bits, for reading out."""
    return secrets.token_urlsafe(15)


def add_colleague(
    *,
    actor: User,
    email: str,
    name: str,
    is_organiser: bool,
    now: datetime,
    make_password: Callable[[], str] = new_password,
) -> tuple[User, str]:
    """Make an account for somebody.

    Returns:
        The account and its password: the only time it can be read.

    Raises:
        FormError: Somebody has an account with this address.
    """
    password = make_password()
    with transaction.atomic():
        if User.objects.filter(email__iexact=email).exists():
            raise FormError({"email": _("There is an account with this address already.")})
        user = User.objects.create_user(
            email, password, name=name, is_staff=True, is_superuser=is_organiser, language=actor.language
        )
        role = "organiser" if is_organiser else "moderator"
        record(actor=actor, verb="add_colleague", subject=f"user:{user.pk}", detail={"role": role}, now=now)
    return user, password


def _other(actor: User, user: User) -> User:
    """Return a locked account that is not the actor's own: so there is always an organiser left."""
    if user.pk == actor.pk:
        raise RefusedError(_("Nobody changes their own access: somebody else must do it."))
    return User.objects.select_for_update().get(pk=user.pk, is_staff=True)


def change_role(*, actor: User, user: User, is_organiser: bool, now: datetime) -> User:
    """Make somebody an organiser or a moderator.

    Raises:
        RefusedError: It is the actor's own account.
    """
    with transaction.atomic():
        other = _other(actor, user)
        other.is_superuser = is_organiser
        other.save(update_fields=["is_superuser"])
        role = "organiser" if is_organiser else "moderator"
        record(actor=actor, verb="change_role", subject=f"user:{other.pk}", detail={"role": role}, now=now)
    return other


def close_account(*, actor: User, user: User, now: datetime) -> User:
    """Take somebody's access away at once; what they did stays recorded.

    Raises:
        RefusedError: It is the actor's own account.
    """
    with transaction.atomic():
        other = _other(actor, user)
        other.is_active = False
        other.save(update_fields=["is_active"])
        record(actor=actor, verb="close_account", subject=f"user:{other.pk}", now=now)
    return other


def open_account(*, actor: User, user: User, now: datetime) -> User:
    """Give somebody their access back.

    Raises:
        RefusedError: It is the actor's own account.
    """
    with transaction.atomic():
        other = _other(actor, user)
        other.is_active = True
        other.save(update_fields=["is_active"])
        record(actor=actor, verb="open_account", subject=f"user:{other.pk}", now=now)
    return other


def reset_access(
    *, actor: User, user: User, now: datetime, make_password: Callable[[], str] = new_password
) -> tuple[User, str]:
    """Give somebody a new password and take their second factor away; whoever was signed in as them is signed out.

    Returns:
        The account and its password: the only time it can be read.

    Raises:
        RefusedError: It is the actor's own account.
    """
    from allauth.mfa.models import Authenticator  # noqa: PLC0415 - its models load after this room

    password = make_password()
    with transaction.atomic():
        other = _other(actor, user)
        other.set_password(password)
        other.save(update_fields=["password"])
        Authenticator.objects.filter(user=other).delete()
        record(actor=actor, verb="reset_access", subject=f"user:{other.pk}", now=now)
    return other, password


def set_own(*, actor: User, name: str, language: str, now: datetime) -> User:
    """Change one's own name and language."""
    with transaction.atomic():
        actor.name, actor.language = name, language
        actor.save(update_fields=["name", "language"])
        record(actor=actor, verb="set_own", subject=f"user:{actor.pk}", now=now)
    return actor
