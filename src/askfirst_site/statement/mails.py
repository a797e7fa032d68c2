"""What is mailed: plain text, in the language of the page, each with a way to say that it was somebody else.

A template's first line is the subject. Indented lines and addresses are left as they are, other paragraphs are wrapped.
"""

from __future__ import annotations

import hmac
import textwrap
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping
from datetime import datetime

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation

from askfirst_site import crypto
from askfirst_site.outbox.actions import queue_mail
from askfirst_site.outbox.models import Mail
from askfirst_site.statement import codes, log_entries, names
from askfirst_site.statement.addresses import page_url
from askfirst_site.statement.models import Display, Signature, Text

__all__ = [
    "code_of",
    "mail_language",
    "person_token",
    "queue",
    "read_person_token",
    "render",
    "scope_of",
    "shown_line",
]

WIDTH = 76
"""Characters of a line; RFC 5322, 2.1.1 asks for at most 78."""


def person_token(signature_id: int, purpose: str) -> str:
    """Return what a link in a mail names a signature by; nobody can make one up."""
    tag = urlsafe_b64encode(crypto.mac(f"link:{purpose}", str(signature_id))[:18]).decode()
    return f"{signature_id}.{tag}"


def read_person_token(token: str, purpose: str) -> int | None:
    """Return the signature a link names; None if we never made it."""
    number, _dot, _tag = token.partition(".")
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        return None
    good = hmac.compare_digest(person_token(int(number), purpose).encode(), token.encode("utf-8", "replace"))
    return int(number) if good else None


def code_of(signature: Signature) -> str:
    """Return the code that confirms a signature: the same in every mail, until it is used up."""
    return codes.make_code("confirm", bytes(signature.salt), signature.code_round)


def scope_of(signature: Signature) -> str:
    """Return what a mailbox can stop getting: mail about one statement."""
    return f"statement:{signature.statement_id}"


def mail_language(signature: Signature) -> str:
    """Return the language of the mails: that of the page, or the first of the site if it has no page in it."""
    known = dict(settings.LANGUAGES)
    return signature.mail_language if signature.mail_language in known else settings.LANGUAGE_CODE


def shown_line(signature: Signature) -> str:
    """Return a signer's line as the wall shows it; empty for those who are counted and not shown."""
    if signature.display == Display.COUNTED:
        return ""
    if signature.display == Display.INITIALS:
        return f"{names.initials(signature.name)}, {signature.get_discipline_display()}"
    return ", ".join(part for part in (signature.name, signature.role) if part)


def render(template: str, language: str, context: Mapping[str, object]) -> tuple[str, str]:
    """Return subject and text of a mail."""
    with translation.override(language):
        whole = render_to_string(f"statement/mail/{template}.txt", dict(context))
    subject, _newline, body = whole.strip().partition("\n")
    return " ".join(subject.split()), "\n".join(_wrapped(body.strip())) + "\n"


def _wrapped(body: str) -> Iterator[str]:
    previous = "-"
    for line in body.split("\n"):
        stripped = line.strip()
        if not stripped and not previous:
            continue  # tags leave empty lines behind
        previous = stripped
        if "://" in line or len(line) <= WIDTH or line.startswith("    "):
            yield line.rstrip()
        else:
            yield from textwrap.wrap(stripped, WIDTH, break_long_words=False, break_on_hyphens=False)


def _quoted(sentence: str) -> str:
    lines = (wrapped for line in sentence.split("\n") for wrapped in textwrap.wrap(line, WIDTH - 4) or [""])
    return "\n".join(f"    {line}".rstrip() for line in lines)


def queue(  # noqa: PLR0913  # keyword-only: who, what, when
    *,
    template: str,
    signature: Signature,
    text: Text,
    priority: Mail.Priority,
    now: datetime,
    to: str = "",
    context: Mapping[str, object] | None = None,
    send: bool = True,
    headers: Mapping[str, str] | None = None,
) -> None:
    """Write a mail to a signer and put it into the outbox.

    Args:
        template: File in `statement/mail/`, also its kind.
        signature: To whom, about what.
        text: The text that they signed: the mail quotes it.
        priority: Codes go first.
        now: The time.
        to: The address, if it is at hand; else it is decrypted.
        context: More for the template.
        send: False does all the work but the last: nobody can tell from the time whether there was a mail.
        headers: More headers.
    """
    language = mail_language(signature)
    statement = signature.statement
    values = {
        "sentence": _quoted(text.sentence),
        "title": text.title,
        "name": signature.name,
        "line": shown_line(signature),
        "organiser": statement.organiser_name,
        "organiser_email": statement.organiser_email,
        "page": page_url(statement, language),
        "mine": page_url(statement, language, "mine"),
        "not_me": page_url(statement, language, f"not-me/{person_token(signature.pk, 'not-me')}"),
    } | dict(context or {})
    subject, body = render(template, language, values)
    address = to or log_entries.email_of(signature)
    if send and address:
        queue_mail(
            to=address,
            subject=subject,
            text=body,
            kind=template,
            priority=priority,
            reference=log_entries.subject_of(signature),
            scope=scope_of(signature),
            language=language,
            now=now,
            network_mac=None if signature.network_mac is None else bytes(signature.network_mac),
            headers=headers,
        )
