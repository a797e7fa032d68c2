"""The wording of consents beside the signature's own. Each is kept for ever: it is known what was agreed to."""

from __future__ import annotations

from hashlib import sha256

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from askfirst.tlog.entries import encode_base64url
from askfirst_site.statement.models import ConsentText

__all__ = ["UPDATES", "updates_text", "updates_wording"]

UPDATES = _("Send me news about this statement by e-mail. I can stop it with one click at any time.")


def updates_wording(language: str) -> str:
    """Return what somebody agrees to who asks for news, as the page must show it."""
    with translation.override(language if language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE):
        return str(UPDATES)


def updates_text(language: str) -> ConsentText:
    """Return the kept wording of the consent to get news; a new wording is kept when it is first used."""
    body = updates_wording(language)
    digest = encode_base64url(sha256(body.encode()).digest())
    text, _is_new = ConsentText.objects.get_or_create(
        kind="updates", language=language, sha256=digest, defaults={"body": body}
    )
    return text
