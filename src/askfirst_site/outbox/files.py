"""Mail as files that can be read: for trying the site out, and for tests."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime

from django.conf import settings
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.message import EmailMessage

__all__ = ["FileBackend"]

_UNSAFE = re.compile(r"[^A-Za-z0-9@._+-]+")


class FileBackend(BaseEmailBackend):
    """Writes each mail as a text file into the data folder's `mail/`, the newest last by name."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Write the mails; a file appears when it is complete."""
        folder = settings.ASKFIRST.mail_folder
        folder.mkdir(parents=True, exist_ok=True)
        for message in email_messages:
            to = message.to[0]
            name = f"{datetime.now(UTC):%Y%m%d-%H%M%S-%f}-{_UNSAFE.sub('_', to)[:80]}.txt"
            lines = [f"From: {message.from_email}", f"To: {to}", f"Subject: {message.subject}"]
            lines += [f"{key}: {value}" for key, value in message.extra_headers.items()]
            draft = folder / f".{secrets.token_hex(8)}"
            draft.write_text("\n".join([*lines, "", str(message.body)]), encoding="utf-8")
            draft.rename(folder / name)
        return len(email_messages)
