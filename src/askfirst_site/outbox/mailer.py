"""The mailer: takes what waits in the outbox, codes first, and sends it no faster than the provider allows."""

from __future__ import annotations

import logging
import smtplib
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from anymail.exceptions import AnymailError
from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection, transaction
from django.db.models import F, Q

from askfirst.errors import ProofError
from askfirst_site.crypto import mac
from askfirst_site.outbox.actions import ALL, open_message, suppress
from askfirst_site.outbox.models import Mail, Suppression

__all__ = ["CLAIM_S", "Bucket", "Mailer"]

CLAIM_S = 120.0
"""A claim older than this belongs to a mailer that died: the mail is taken again. Longer than a batch takes."""
BATCH_S = 5.0
"""Seconds of sending that are claimed at once: what comes meanwhile with a higher priority waits no longer."""
_BACK_OFF = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 360, 720))
_IDLE_S = 20.0
"""Servers close connections that idle; ours goes first."""

_logger = logging.getLogger(__name__)


class Bucket:
    """Lets a rate through: a second's worth at once, then evenly.

    Args:
        rate: Tokens a second.
        clock: Seconds that never go back.
        sleep: Waits for seconds.
    """

    def __init__(
        self, rate: float, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], object] = time.sleep
    ) -> None:
        self.rate = rate
        self.capacity = max(1.0, rate)
        self.clock = clock
        self.sleep = sleep
        self._tokens = self.capacity
        self._at = clock()

    def take(self) -> None:
        """Wait for a token."""
        now = self.clock()
        self._tokens = min(self.capacity, self._tokens + (now - self._at) * self.rate) - 1
        self._at = now
        if self._tokens < 0:
            self.sleep(-self._tokens / self.rate)


class Mailer:
    """Sends mail. Several may run: each claims what it sends.

    A mail whose mailer dies after the server took it and before that was written down is sent twice, with the same
    Message-ID; never not at all.

    Args:
        bucket: The rate.
        backend: How mail is sent; by default as the settings say.
    """

    def __init__(self, bucket: Bucket, backend: BaseEmailBackend | None = None) -> None:
        self.bucket = bucket
        self.backend = backend or get_connection()
        self._used_at = 0.0
        self._is_open = False

    def step(self, now: Callable[[], datetime]) -> int:
        """Send one batch of what is due.

        Args:
            now: Tells the time.

        Returns:
            How many mails it looked at; 0 if nothing was due.
        """
        claimed = self.claim(now())
        for mail in claimed:
            self._deliver(mail, now)
        if not claimed and self._is_open and time.monotonic() - self._used_at > _IDLE_S:
            self.close()
        return len(claimed)

    def claim(self, now: datetime) -> list[Mail]:
        """Take due mails, by priority and then by age, so that no other mailer does."""
        due = Q(state=Mail.State.QUEUED, not_before__lte=now)
        lost = Q(state=Mail.State.SENDING, claimed__lt=now - timedelta(seconds=CLAIM_S))
        waiting = Mail.objects.filter(due | lost)
        if not waiting.exists():
            return []  # without a transaction: on SQLite one would keep everybody else from writing
        limit = max(1, min(200, int(self.bucket.rate * BATCH_S)))
        with transaction.atomic():
            if connection.features.has_select_for_update_skip_locked:
                waiting = waiting.select_for_update(skip_locked=True)
            mails = list(waiting.order_by("priority", "not_before", "id")[:limit])
            Mail.objects.filter(pk__in=[mail.pk for mail in mails]).update(
                state=Mail.State.SENDING, claimed=now, attempts=F("attempts") + 1
            )
        for mail in mails:
            mail.attempts += 1
        return mails

    def close(self) -> None:
        """End the connection."""
        self._is_open = False
        self.backend.close()

    def _deliver(self, mail: Mail, now: Callable[[], datetime]) -> None:
        """Send one mail and write down what became of it."""
        # 1. Nothing for those who said no, looked up at the last moment.
        # 2. Wait for the rate, send; a connection that went away meanwhile is opened anew, once.
        # 3. What the server refuses for good is given up, what fails for now comes back later.
        if _is_suppressed(mail):
            _finish(mail, Mail.State.SUPPRESSED)
            return
        self.bucket.take()
        try:
            message = self._write(mail)
            message_id = self._send(message)
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            self._refused(mail, max(codes), _words(error), now())
        except smtplib.SMTPResponseException as error:
            self.close()
            self._refused(mail, error.smtp_code, _words(error), now())
        except (OSError, smtplib.SMTPException, AnymailError) as error:
            self.close()
            self._later(mail, _words(error), now())
        except (ProofError, ValueError) as error:  # it does not open, or holds a header that cannot be sent
            _finish(mail, Mail.State.FAILED, error=_words(error))
        else:
            _finish(mail, Mail.State.SENT, sent=now(), message_id=message_id)

    def _write(self, mail: Mail) -> EmailMessage:
        opened = open_message(mail)
        own = mac("message-id", f"{mail.pk} {mail.created.isoformat()}").hex()[:24]
        headers = {"Message-ID": f"<{own}@{settings.ASKFIRST.hostname}>", "Auto-Submitted": "auto-generated"}
        return EmailMessage(
            opened.subject, opened.text, settings.ASKFIRST.mail_from, [opened.to], headers={**headers, **opened.headers}
        )

    def _send(self, message: EmailMessage) -> str:
        try:
            self._open()
            self.backend.send_messages([message])
        except smtplib.SMTPServerDisconnected:
            self.close()
            self._open()
            self.backend.send_messages([message])
        self._used_at = time.monotonic()
        status = getattr(message, "anymail_status", None)
        return str((status and status.message_id) or message.extra_headers["Message-ID"])

    def _open(self) -> None:
        if not self._is_open:
            self.backend.open()
            self._is_open = True

    def _refused(self, mail: Mail, code: int, words: str, now: datetime) -> None:
        if code < 500:
            self._later(mail, words, now)
            return
        _finish(mail, Mail.State.BOUNCED, error=words)
        if code in {550, 551, 553}:  # there is no such mailbox
            suppress(to_mac=bytes(mail.to_mac), scope=ALL, reason="refused", now=now)

    def _later(self, mail: Mail, words: str, now: datetime) -> None:
        if mail.attempts > len(_BACK_OFF):
            _finish(mail, Mail.State.FAILED, error=words)
            return
        _logger.warning("mail %d (%s) will be tried again: %s", mail.pk, mail.kind, words)
        Mail.objects.filter(pk=mail.pk).update(
            state=Mail.State.QUEUED, not_before=now + _BACK_OFF[mail.attempts - 1], error=words, claimed=None
        )


def _is_suppressed(mail: Mail) -> bool:
    scopes = [ALL, *filter(None, (mail.scope, mail.reference))]
    return Suppression.objects.filter(to_mac=bytes(mail.to_mac), scope__in=scopes).exists()


def _finish(mail: Mail, state: str, *, sent: datetime | None = None, message_id: str = "", error: str = "") -> None:
    """Write down what became of a mail, and wipe what it said and to whom."""
    with transaction.atomic():  # a statement of its own would wait for SQLite without a place in the queue
        Mail.objects.filter(pk=mail.pk).update(
            state=state, sent=sent, message_id=message_id, error=error, to_encrypted=b"", message_encrypted=b""
        )


def _words(error: BaseException) -> str:
    """Return what went wrong without the address: servers like to repeat it."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = sorted({str(code) for code, _ in error.recipients.values()})
        return f"the server refuses the recipient: {', '.join(codes)}"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"the server says {error.smtp_code}"
    return f"{type(error).__name__}: {error.strerror}" if isinstance(error, OSError) else type(error).__name__
