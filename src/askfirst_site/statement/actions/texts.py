"""Write a statement, and freeze it: from then on nobody changes what others have signed."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from askfirst_site.accounts.actions import record
from askfirst_site.accounts.models import User
from askfirst_site.statement import log_entries, names
from askfirst_site.statement.errors import FormError, FrozenError, RefusedError
from askfirst_site.statement.models import Statement, Text, TextVersion
from askfirst_site.transparency.models import Entry

__all__ = ["freeze_version", "new_version", "save_statement", "save_text"]

SENTENCE_MAX = 2000


def save_statement(
    *, actor: User | None, statement: Statement, is_primary: bool | None = None, now: datetime
) -> Statement:
    """Save a statement; a new one gets an empty first version to write texts for.

    Args:
        actor: Who; None for the site itself.
        statement: With its fields set; saved or not.
        is_primary: True puts it on the front page, and takes the other one from there.
        now: The time.

    Raises:
        RefusedError: The short name of a statement that stands in the log would change.
    """
    with transaction.atomic():
        is_new = statement.pk is None
        if not is_new:
            before = Statement.objects.select_for_update().get(pk=statement.pk)
            if before.slug != statement.slug and before.versions.filter(frozen_at__isnull=False).exists():
                raise RefusedError(_("The short name stands in the log: it does not change any more."))
        if is_primary is not None:
            statement.is_primary = is_primary
        if statement.is_primary:
            Statement.objects.exclude(pk=statement.pk).filter(is_primary=True).update(is_primary=False)
        statement.save()
        if is_new:
            TextVersion.objects.create(statement=statement, number=1)
        record(actor=actor, verb="save_statement", subject=f"statement:{statement.pk}", now=now)
    return statement


def save_text(  # noqa: PLR0913  # keyword-only; each is a field of the text
    *,
    actor: User | None,
    version: TextVersion,
    language: str,
    sentence: str,
    consent: str,
    title: str,
    context: str = "",
    translator: str = "",
    reviewer: str = "",
    now: datetime,
) -> Text:
    """Write a version's text in one language.

    Raises:
        FrozenError: The version can be signed already.
        FormError: A text is missing, too long, or in a language that the site does not know.
    """
    values = {
        "sentence": _tidy(sentence),
        "consent": _tidy(consent),
        "title": names.clean_line(title),
        "context": context.replace("\r\n", "\n").strip(),
        "translator": names.clean_line(translator),
        "reviewer": names.clean_line(reviewer),
    }
    _check_text(language, values)
    with transaction.atomic():
        locked = TextVersion.objects.select_for_update().get(pk=version.pk)
        if locked.frozen_at is not None:
            raise FrozenError
        text, _is_new = Text.objects.update_or_create(version=locked, language=language, defaults=values)
        record(actor=actor, verb="save_text", subject=f"version:{version.pk}", detail={"language": language}, now=now)
    return text


def _tidy(text: str) -> str:
    """Return a text with one kind of line end, composed, without what nobody can see."""
    lines = (names.clean_text(line) for line in text.replace("\r\n", "\n").strip().split("\n"))
    return "\n".join(lines)


def _check_text(language: str, values: dict[str, str]) -> None:
    wrong: dict[str, object] = {}
    if language not in settings.ASKFIRST.languages:
        wrong["language"] = _("The site does not have this language.")
    for name in ("sentence", "consent", "title"):
        if not values[name]:
            wrong[name] = _("This is needed.")
    for name in ("sentence", "consent"):
        if len(values[name]) > SENTENCE_MAX:
            wrong[name] = _("This is too long. Please shorten it.")
    if len(values["title"]) > 120:
        wrong["title"] = _("This is too long. Please shorten it.")
    if wrong:
        raise FormError(wrong)


def freeze_version(*, actor: User | None, version: TextVersion, now: datetime) -> Entry:
    """Freeze a version's texts and tell the log their digests: it can be signed from now on, and never changes.

    Raises:
        FrozenError: It is frozen already.
        RefusedError: There is no text in the language the statement was written in.
    """
    with transaction.atomic():
        locked = TextVersion.objects.select_for_update(of=("self",)).select_related("statement").get(pk=version.pk)
        if locked.frozen_at is not None:
            raise FrozenError
        texts = list(locked.texts.order_by("language"))
        if locked.statement.canonical_language not in {text.language for text in texts}:
            raise RefusedError(_("The text in the language it was written in is missing."))
        for text in texts:
            text.signed_hash = log_entries.text_digest(text)
            text.save(update_fields=["signed_hash"])
        entry = log_entries.add_version(locked, texts, now)
        locked.manifest_hash = log_entries.manifest_hash(locked, texts)
        locked.frozen_at, locked.frozen_by, locked.entry = now, actor, entry
        locked.save(update_fields=["manifest_hash", "frozen_at", "frozen_by", "entry"])
        record(actor=actor, verb="freeze_version", subject=f"version:{locked.pk}", now=now)
    version.refresh_from_db()
    return entry


def new_version(*, actor: User | None, statement: Statement, now: datetime) -> TextVersion:
    """Begin the next version of a statement with copies of the texts of the last one.

    Returns:
        The new version; or the newest one, if it is not frozen yet.
    """
    with transaction.atomic():
        Statement.objects.select_for_update().get(pk=statement.pk)
        last = statement.versions.order_by("-number").first()
        if last is not None and last.frozen_at is None:
            return last
        version = TextVersion.objects.create(statement=statement, number=last.number + 1 if last else 1)
        for text in last.texts.all() if last else ():
            text.pk, text.version, text.signed_hash = None, version, ""
            text._state.adding = True  # noqa: SLF001 - Django's documented way to copy a row
            text.save()
        record(actor=actor, verb="new_version", subject=f"version:{version.pk}", now=now)
    return version
