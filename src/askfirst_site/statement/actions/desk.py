"""What staff do at their desk: drafts of updates, and flags that somebody has looked at."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from askfirst_site.accounts.actions import record
from askfirst_site.accounts.models import User
from askfirst_site.statement import log_entries, names
from askfirst_site.statement.actions.review import locked_signature
from askfirst_site.statement.errors import FormError, FrozenError
from askfirst_site.statement.models import Signature, Statement, Update

__all__ = ["clear_flags", "save_update"]


def clear_flags(*, actor: User, signature: Signature, now: datetime) -> Signature:
    """Note that somebody looked at a signature's flags and nothing is wrong: it leaves the queue, no more."""
    with transaction.atomic():
        row = locked_signature(signature)
        detail = {"flags": row.flags}
        row.flags, row.not_me = [], None
        row.save(update_fields=["flags", "not_me"])
        record(actor=actor, verb="clear_flags", subject=log_entries.subject_of(row), detail=detail, now=now)
    return row


def save_update(  # noqa: PLR0913  # keyword-only; each is a field
    *,
    actor: User,
    statement: Statement,
    update: Update | None,
    language: str,
    title: str,
    body: str,
    mail: bool,
    now: datetime,
) -> Update:
    """Keep a draft of news: nobody sees it before `publish_update`.

    Args:
        actor: Who; the author of a new draft.
        statement: What it is about.
        update: The draft to change; None for a new one.
        language: One of the site's.
        title: One line.
        body: Markdown.
        mail: Whether it also goes by mail to those who asked for news.
        now: The time.

    Raises:
        FrozenError: It is published already.
        FormError: The site does not have this language.
    """
    if language not in settings.ASKFIRST.languages:
        raise FormError({"language": _("The site does not have this language.")})
    with transaction.atomic():
        row = Update(statement=statement, by=actor)
        if update is not None:
            row = Update.objects.select_for_update().get(pk=update.pk)
            if row.published is not None:
                raise FrozenError
        row.language, row.title = language, names.clean_text(" ".join(title.split()))[:150]
        row.body, row.mail = body.replace("\r\n", "\n").strip(), mail
        row.save()
        record(actor=actor, verb="save_update", subject=f"update:{row.pk}", now=now)
    return row
