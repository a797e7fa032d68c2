"""Mail leaves once, in order of priority, no faster than allowed; what cannot be sent is not lost, and not repeated."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.mail.backends.smtp import EmailBackend

from askfirst_site.outbox.actions import ALL, address_mac, mark_bounced, queue_mail, suppress
from askfirst_site.outbox.mailer import CLAIM_S, Bucket, Mailer
from askfirst_site.outbox.models import Mail, Suppression
from askfirst_site.outbox.queries import delay_s

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def queue(to="ada@example.org", **changes):
    values = {"subject": "Your code", "text": "ABC123\n", "kind": "code", "priority": Mail.Priority.CODE}
    return queue_mail(**{**values, "to": to, "language": "en", "now": NOW, **changes})


def mailer_to(server, rate=1000.0):
    return Mailer(
        Bucket(rate), EmailBackend(host="127.0.0.1", port=server.port, use_tls=False, username="", password="")
    )


def states():
    return list(Mail.objects.order_by("id").values_list("state", flat=True))


@pytest.fixture
def mailer(mail_server):
    mailer = mailer_to(mail_server)
    yield mailer
    mailer.close()


@pytest.mark.on_both
def test_mail_is_sent_and_then_wiped(db, mailer, mail_server):
    mail = queue(headers={"List-Unsubscribe": "<https://example.org/stop>"}, subject="Grüße", text="Größe ≠ 大きさ\n")
    assert mailer.step(lambda: NOW) == 1
    (message,) = mail_server.messages
    assert (message["To"], message["Subject"]) == ("ada@example.org", "Grüße")
    assert message["List-Unsubscribe"] == "<https://example.org/stop>"
    assert message.get_content().replace("\r\n", "\n") == "Größe ≠ 大きさ\n"
    mail.refresh_from_db()
    assert (mail.state, mail.sent, mail.message_id) == ("sent", NOW, message["Message-ID"])
    assert (bytes(mail.to_encrypted), bytes(mail.message_encrypted)) == (b"", b"")
    assert mailer.step(lambda: NOW) == 0


@pytest.mark.on_both
def test_codes_go_before_everything_else(db, mailer, mail_server):
    queue("u@example.org", priority=Mail.Priority.UPDATE, kind="update")
    queue("r@example.org", priority=Mail.Priority.REMINDER, kind="reminder")
    queue("c@example.org")
    mailer.step(lambda: NOW)
    assert mail_server.recipients == ["c@example.org", "r@example.org", "u@example.org"]


def test_mail_waits_until_its_time(db, mailer, mail_server):
    queue(not_before=NOW + timedelta(hours=24))
    assert mailer.step(lambda: NOW + timedelta(hours=23)) == 0
    assert mailer.step(lambda: NOW + timedelta(hours=24)) == 1


def test_connection_is_used_again(db, mailer, mail_server):
    for number in range(5):
        queue(f"p{number}@example.org")
    mailer.step(lambda: NOW)
    assert len(mail_server.messages) == 5
    assert len(mail_server.sessions) == 1


def test_connection_that_went_away_is_opened_anew(db, mailer, mail_server):
    queue()
    mailer.step(lambda: NOW)
    mailer.backend.connection.sock.close()
    queue("bob@example.org")
    mailer.step(lambda: NOW)
    mailer.step(lambda: NOW + timedelta(minutes=2))
    assert mail_server.recipients == ["ada@example.org", "bob@example.org"]


@pytest.mark.on_both
def test_two_mailers_do_not_send_the_same_mail(db, mail_server):
    for number in range(6):
        queue(f"p{number}@example.org")
    first, second = mailer_to(mail_server, rate=0.7), mailer_to(mail_server)
    assert len(first.claim(NOW)) == 3
    assert second.step(lambda: NOW) == 3
    second.close()
    assert sorted(mail_server.recipients) == ["p3@example.org", "p4@example.org", "p5@example.org"]


def test_mail_of_a_mailer_that_died_is_taken_again(db, mailer, mail_server):
    queue()
    mailer.claim(NOW)
    assert mailer.step(lambda: NOW + timedelta(seconds=CLAIM_S)) == 0
    assert mailer.step(lambda: NOW + timedelta(seconds=CLAIM_S + 1)) == 1
    assert states() == ["sent"]


def test_mail_sent_twice_has_one_message_id(db, mailer, mail_server):
    mail = queue()
    sealed = (mail.to_encrypted, mail.message_encrypted)
    mailer.step(lambda: NOW)
    Mail.objects.update(state="queued", to_encrypted=sealed[0], message_encrypted=sealed[1])  # as if nothing was noted
    mailer.step(lambda: NOW)
    first, second = mail_server.messages
    assert first["Message-ID"] == second["Message-ID"]


def test_mailbox_that_does_not_exist_gets_no_more(db, mailer, mail_server):
    mail_server.refuse["ada@example.org"] = "550 no such user"
    queue()
    mailer.step(lambda: NOW)
    queue()
    mailer.step(lambda: NOW)
    assert states() == ["bounced", "suppressed"]
    assert Mail.objects.first().error == "the server refuses the recipient: 550"
    assert Mail.objects.filter(message_encrypted=b"").count() == 2


def test_mailbox_that_is_full_is_tried_later(db, mailer, mail_server):
    mail_server.refuse["ada@example.org"] = "452 mailbox full"
    queue()
    mailer.step(lambda: NOW)
    mail = Mail.objects.get()
    assert (mail.state, mail.not_before) == ("queued", NOW + timedelta(minutes=1))
    mail_server.refuse.clear()
    mailer.step(lambda: NOW + timedelta(minutes=1))
    assert states() == ["sent"]


def test_server_that_does_not_answer_is_tried_less_and_less_and_then_given_up(db, mail_server):
    mailer = mailer_to(mail_server)
    mailer.backend.port = 1  # nobody listens
    queue()
    moment, waits = NOW, []
    while Mail.objects.get().state == "queued":
        mailer.step(lambda moment=moment: moment)
        mail = Mail.objects.get()
        waits.append(int((mail.not_before - moment).total_seconds() // 60))
        moment = mail.not_before
    assert waits[:-1] == [1, 5, 30, 120, 360, 720]
    assert (mail.state, bytes(mail.to_encrypted)) == ("failed", b"")


@pytest.mark.on_both
@pytest.mark.parametrize(
    ("scope", "mail", "state"),
    [
        (ALL, {}, "suppressed"),
        ("statement:1", {"scope": "statement:1"}, "suppressed"),
        ("statement:1", {"scope": "statement:2"}, "sent"),
        ("statement:1", {}, "sent"),
        ("signature:17", {"reference": "signature:17"}, "suppressed"),
    ],
)
def test_suppression_holds_for_mail_that_waits_already(db, mailer, scope, mail, state):
    queue(**mail)
    queue("other@example.org", **mail)
    suppress(to_mac=address_mac("Ada@Example.org "), scope=scope, reason="asked", now=NOW)
    suppress(to_mac=address_mac("ada@example.org"), scope=scope, reason="asked", now=NOW)
    mailer.step(lambda: NOW)
    assert states() == [state, "sent"]


@pytest.mark.parametrize(("permanent", "count"), [(True, 1), (False, 0)])
def test_bounce_that_a_service_tells_about(db, mailer, permanent, count):
    queue()
    mailer.step(lambda: NOW)
    sent = Mail.objects.get()
    assert mark_bounced(message_id=sent.message_id, reason="bounced", permanent=permanent, now=NOW).pk == sent.pk
    assert states() == ["bounced"]
    assert Suppression.objects.count() == count
    assert mark_bounced(message_id="<unknown>", reason="bounced", permanent=True, now=NOW) is None


def test_header_that_would_break_the_mail_is_given_up(db, mailer, mail_server):
    queue(headers={"X-Note": "a\nBcc: victim@example.org"})
    queue("bob@example.org")
    mailer.step(lambda: NOW)
    assert states() == ["failed", "sent"]
    assert mail_server.recipients == ["bob@example.org"]


def test_delay_is_the_age_of_the_oldest_code_that_is_due(db):
    assert delay_s(NOW) == 0
    queue(priority=Mail.Priority.UPDATE)
    queue(not_before=NOW + timedelta(hours=1))
    assert delay_s(NOW + timedelta(seconds=30)) == 0
    queue()
    assert delay_s(NOW + timedelta(seconds=240)) == 240


def test_bucket_lets_a_rate_through():
    class Time:
        now, slept = 0.0, []

        def sleep(self, seconds):
            self.slept.append(round(seconds, 6))
            self.now += seconds

    time = Time()
    bucket = Bucket(10.0, clock=lambda: time.now, sleep=time.sleep)
    for _ in range(30):
        bucket.take()
    assert time.slept == [0.1] * 20
    time.now += 100
    time.slept.clear()
    for _ in range(11):
        bucket.take()
    assert time.slept == [0.1]


def test_mail_as_a_file_can_be_read(db, site):
    from askfirst_site.outbox.files import FileBackend

    queue("ada+x@example.org", subject="Grüße", text="Größe\n")
    Mailer(Bucket(10.0), FileBackend()).step(lambda: NOW)
    (path,) = site.mail_folder.iterdir()
    assert path.name.endswith("-ada+x@example.org.txt")
    head, body = path.read_text().split("\n\n", 1)
    assert "To: ada+x@example.org\nSubject: Grüße" in head
    assert body == "Größe\n"
