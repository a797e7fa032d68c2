"""Sign, confirm, ask again, not me: what happens, and what must never happen."""

import re
import threading

import pytest
from django.db import connection, connections

from askfirst_site.outbox.models import Mail
from askfirst_site.statement import abuse, actions, mails
from askfirst_site.statement.actions import signing
from askfirst_site.statement.errors import FormError, NotOpenError, WrongCodeError
from askfirst_site.statement.models import Signature, WatchedName
from askfirst_site.transparency.models import Entry

pytestmark = pytest.mark.on_both


def test_sign_mails_one_code_with_the_sentence(world):
    pending = world.sign()
    ((row, message),) = world.mails()
    signature = Signature.objects.get()
    assert (signature.state, signature.pk) == ("pending", pending.signature_id)
    assert (message.to, row.kind, row.priority) == ("ada@mailbox.example", "code", Mail.Priority.CODE)
    assert world.mailed_code() in message.subject
    assert " ".join(world.statement.versions.get().texts.get(language="en").sentence.split()) in " ".join(
        message.text.split()
    )
    assert len(re.findall(r"http://testserver/en/code\?code=\w{6}\n", message.text)) == 1
    assert f"http://testserver/en/not-me/{mails.person_token(signature.pk, 'not-me')}\n" in message.text
    assert max(len(line) for line in message.text.splitlines() if "://" not in line) <= 78
    assert Entry.objects.filter(kind="sign").count() == 0


@pytest.mark.parametrize(("language", "word"), [("en", "code"), ("de", "Unterzeich"), ("nl", "onderteken")])
def test_sign_quotes_the_text_that_is_signed(world, language, word):
    world.sign(language=language, mail_language=language)
    text = world.statement.versions.get().texts.get(language=language)
    assert " ".join(text.sentence.split()) in " ".join(world.mails()[0][1].text.split())


def test_address_is_not_stored_in_clear(world):
    world.sign(email="hidden.person@mailbox.example", visit=actions.Visit(network="203.0.113.99"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM statement_signature")
        signature = cursor.fetchall()
        cursor.execute("SELECT * FROM outbox_mail")
        mail = cursor.fetchall()
    stored = b"".join(
        bytes(v) if isinstance(v, bytes | memoryview) else str(v).encode() for r in signature + mail for v in r
    )
    assert b"mailbox.example" in stored  # the domain is there, so that we would find the rest
    assert b"hidden.person" not in stored
    assert b"203.0.113.99" not in stored


def test_confirm_in_the_signing_browser(world):
    pending = world.sign()
    confirmed = world.confirm(pending)
    assert (confirmed.signature.state, confirmed.already) == ("confirmed", False)
    world.check()
    assert world.counts() == (1, 0)
    assert Signature.objects.get().position == 1  # entry 0 is the statement's version


@pytest.mark.parametrize("meanwhile", [{"erased": True}, {"code_tries": 5}, {"salt": b"s" * 32}])
def test_row_that_changed_while_its_code_was_looked_at_is_looked_at_again(world, monkeypatch, meanwhile):
    pending = world.sign()
    code = world.mailed_code()
    examine = signing._examine

    def slow(signature, *rest):
        Signature.objects.filter(pk=signature.pk).update(code_mac=b"new", **meanwhile)
        return examine(signature, *rest)

    monkeypatch.setattr(signing, "_examine", slow)
    with pytest.raises(WrongCodeError):
        actions.confirm(code=code, browser=pending.cookie.encode(), now=world.now)
    assert Signature.objects.get().state == "pending"
    assert Entry.objects.filter(kind="sign").count() == 0


def test_confirm_with_the_address_in_another_browser(world):
    world.sign(email="Ada.Example+sign@gmail.com")
    confirmed = actions.confirm(code=world.mailed_code(), email="adaexample@GoogleMail.com", now=world.now)
    assert confirmed.signature.state == "confirmed"


@pytest.mark.parametrize("typed", ["{0}", " {0} ", "{1}", "{2}", "-{0}-"])
def test_confirm_takes_a_code_as_people_type_it(world, typed):
    pending = world.sign()
    code = world.mailed_code()
    shown = typed.format(code, code.lower(), f"{code[:3]} {code[3:]}")
    assert world.confirm(pending, shown).signature.state == "confirmed"


def test_code_alone_confirms_nothing(world):
    """A mail scanner opens and posts every link, in a browser of its own, without the address."""
    pending = world.sign()
    code = world.mailed_code()
    for email, browser in [(None, None), (None, b""), ("", None), (None, b"f" * 36), ("scanner@scanner.example", None)]:
        with pytest.raises(WrongCodeError):
            actions.confirm(code=code, email=email, browser=browser, now=world.now)
    assert Signature.objects.get().state == "pending"
    assert world.confirm(pending, code).signature.state == "confirmed"


def test_scanner_that_posts_every_link_loses_nothing(world):
    pending = world.sign(updates=True)
    text = world.mails()[0][1].text
    token = re.search(r"/not-me/(\S+)", text).group(1)
    for _time in range(3):
        assert actions.not_me(token=token, now=world.now)
    world.later(hours=3)
    assert world.confirm(pending).signature.state == "confirmed"
    assert actions.not_me(token=token, now=world.now)
    assert world.check().signed == 1
    assert Signature.objects.get().not_me == world.now  # shown to moderators


def test_confirm_twice_is_once(world):
    pending = world.sign()
    code = world.mailed_code()
    first, second = world.confirm(pending, code), world.confirm(pending, code)
    assert first.signature.pk == second.signature.pk
    assert world.check().signed == 1


def test_wrong_codes_are_used_up_after_five(world):
    pending = world.sign()
    code = world.mailed_code()
    for _try in range(5):
        with pytest.raises(WrongCodeError):
            world.confirm(pending, "AAAAAA")
    with pytest.raises(WrongCodeError):
        world.confirm(pending, code)
    world.later(minutes=2)
    actions.resend_code(browser=pending.cookie.encode(), now=world.now)
    new = world.mailed_code()
    assert new != code
    assert world.confirm(pending, new).signature.state == "confirmed"


def test_strangers_cannot_use_up_the_tries_of_the_signing_browser(world):
    pending = world.sign()
    for _try in range(9):
        with pytest.raises(WrongCodeError):
            actions.confirm(code="AAAAAA", email="ada@mailbox.example", now=world.now)
    assert world.confirm(pending).signature.state == "confirmed"


def test_every_wrong_code_has_the_same_text(world):
    pending = world.sign()
    texts = set()
    for code, email, browser in [
        ("AAAAAA", None, pending.cookie.encode()),
        ("AAAAAA", "nobody@mailbox.example", None),
        ("", None, None),
        ("\x00" * 50, "not an address", None),
    ]:
        with pytest.raises(WrongCodeError) as caught:
            actions.confirm(code=code, email=email, browser=browser, now=world.now)
        texts.add(str(caught.value))
    assert len(texts) == 1


def test_code_is_stale_after_fourteen_days(world):
    pending = world.sign()
    world.later(days=14, seconds=1)
    with pytest.raises(WrongCodeError):
        world.confirm(pending)


def test_mailbox_that_signed_gets_a_word_and_no_second_signature(world):
    first = world.signed(email="ada@mailbox.example")
    pending = world.sign(email="ADA@mailbox.example", name="Somebody Else")
    assert world.mails()[-1][0].kind == "already"
    assert "Somebody Else" not in world.mails()[-1][1].text  # a stranger's words do not reach the mailbox
    assert pending.signature_id != first.pk
    assert world.check().signed == 1


def test_two_waiting_signatures_of_one_mailbox_count_once(world):
    one, two = world.sign(), world.sign(name="Ada E.")
    codes = [re.search(r"^    (\w{6})$", message.text, re.MULTILINE).group(1) for _row, message in world.mails("code")]
    assert world.confirm(one, codes[0]).already is False
    second = world.confirm(two, codes[1])
    assert (second.already, second.signature.pk) == (True, one.signature_id)
    assert not Signature.objects.filter(pk=two.signature_id).exists()
    assert world.check().signed == 1


def test_person_and_organisation_may_share_a_mailbox(world):
    world.signed(email="info@orchestra.example")
    world.signed(
        email="info@orchestra.example",
        kind="organisation",
        name="Example Orchestra",
        website="https://www.orchestra.example/about",
        affiliation="Ada Example, director",
    )
    world.check()
    assert world.counts() == (1, 1)


def answer_of(world, call):
    mails_before = Mail.objects.count()
    result = call()
    return type(result), len(result.cookie), Mail.objects.count() - mails_before


def test_sign_answers_the_same_and_works_the_same(world, count_queries):
    """Whoever watches answers and work learns nothing about who has signed."""
    world.signed(email="known@mailbox.example")
    answers, works = set(), set()
    for email in ("known@mailbox.example", "new@mailbox.example"):
        with count_queries() as queries:
            answers.add(answer_of(world, lambda email=email: world.sign(email=email)))
        works.add(len(queries))
    assert (len(answers), len(works)) == (1, 1)


def test_suspects_see_what_everybody_sees_and_get_no_mail(world):
    pending = world.sign(visit=actions.Visit(network="192.0.2.7", honeypot="http://spam.example"))
    signature = Signature.objects.get(pk=pending.signature_id)
    assert (signature.suspect, signature.flags) == (True, ["no-work", "honeypot"])
    assert len(pending.cookie) == len(world.sign(email="other@mailbox.example").cookie)
    assert [row.reference for row, _message in world.mails()] == [f"signature:{pending.signature_id + 1}"]


def test_burst_from_one_network_is_flagged_silently(world):
    for number in range(abuse.LIMITS.network_10min_no_work + 2):
        world.sign(email=f"bot{number}@mailbox.example")
    suspects = Signature.objects.filter(suspect=True).count()
    assert (Mail.objects.count(), suspects) == (abuse.LIMITS.network_10min_no_work, 2)


def test_mailbox_gets_few_mails_whoever_asks(world):
    for number in range(12):
        world.sign(visit=actions.Visit(network=f"192.0.2.{number}"))
        world.later(minutes=1)
    assert Mail.objects.count() == abuse.LIMITS.address_mails_hour


def test_resend_is_limited_and_says_nothing(world):
    pending = world.sign()
    for _time in range(12):
        world.later(minutes=2)
        assert actions.resend_code(browser=pending.cookie.encode(), now=world.now) is None
    assert actions.resend_code(email="nobody@mailbox.example", now=world.now) is None
    assert Mail.objects.count() == 5
    codes = {re.search(r"^    (\w{6})$", m.text, re.MULTILINE).group(1) for _row, m in world.mails()}
    assert len(codes) == 1  # every one of them opens it
    assert world.confirm(pending, codes.pop()).signature.state == "confirmed"


def test_not_me_stops_mail(world):
    pending = world.sign()
    token = mails.person_token(pending.signature_id, "not-me")
    actions.not_me(token=token, now=world.now)
    world.later(hours=30)
    actions.resend_code(email="ada@mailbox.example", now=world.now)
    assert actions.remind(now=world.now) == 0
    assert Mail.objects.count() == 1
    world.later(days=1)
    assert actions.expire(now=world.now) == 1
    assert not Signature.objects.exists()


@pytest.mark.parametrize("token", ["", "1", "1.", "1.AAAA", "x.y", "9" * 40 + ".a", "１.a", "1.\ud800"])
def test_not_me_with_a_made_up_link_does_nothing(world, token):
    world.sign()
    assert actions.not_me(token=token, now=world.now) is False
    assert Signature.objects.get().not_me is None


def test_same_work_spent_twice_is_no_work(world, settings):
    settings.ASKFIRST_WORK_BITS = 4
    challenge = abuse.new_challenge(world.now)
    visit = actions.Visit(network="192.0.2.7", challenge=challenge, solution=abuse.solve(challenge))
    one, two = world.sign(visit=visit), world.sign(visit=visit, email="second@mailbox.example")
    flags = [Signature.objects.get(pk=each.signature_id).flags for each in (one, two)]
    assert flags == [[], ["work-used"]]


def test_watched_name_is_held_silently(world):
    actions.watch_name(actor=world.actor, name="Zoë  Famous-Person", now=world.now)
    for name in ("zoe famous person", "FAMOUS PERSON, Zoë", "Zо\u0435 Famous Person"):
        Signature.objects.all().delete()
        pending = world.sign(name=name)
        confirmed = world.confirm(pending)
        assert (confirmed.signature.state, confirmed.signature.flags[-1]) == ("held", "watched")
    assert world.mails()[-1][0].kind == "held"
    world.sequence()
    assert world.counts() == (0, 0)


def test_name_like_a_watched_one_is_published_and_flagged(world):
    actions.watch_name(actor=world.actor, name="Zoe Famous Person", now=world.now)
    signature = world.signed(name="Zoe Famous Persson")
    assert (signature.state, signature.flags[-1]) == ("confirmed", "look-alike")


@pytest.mark.parametrize(
    ("email", "state"),
    [("office@guild.example", "confirmed"), ("office@mail.guild.example", "confirmed"), ("guild@gmail.com", "held"),
     ("office@notguild.example", "held"), ("office@guild.example.evil.example", "held")],
)  # fmt: skip
def test_organisation_counts_at_once_from_its_own_domain_only(world, email, state):
    signature = world.signed(
        email=email, kind="organisation", name="Example Guild", website="guild.example", affiliation="Ada, secretary"
    )
    assert signature.state == state


def test_sign_is_refused_before_it_opens_and_after_it_closes(world):
    actions.set_dates(
        actor=world.actor,
        statement=world.statement,
        opens=world.now.replace(hour=6),
        closes=world.now.replace(hour=8),
        now=world.now,
    )
    with pytest.raises(NotOpenError):
        world.sign()
    world.later(hours=2)
    pending = world.sign()
    world.later(hours=3)
    with pytest.raises(NotOpenError):
        world.sign()
    assert world.confirm(pending).signature.state == "confirmed"


def test_form_names_every_field_that_cannot_be_used(world):
    with pytest.raises(FormError) as caught:
        world.sign(name=" \u200b ", email="nobody", country="ZZ", discipline="war", display="", kind="robot")
    assert sorted(caught.value.fields) == ["country", "discipline", "display", "email", "kind", "name"]


def test_watched_name_twice_is_one_row(world):
    for name in ("Zoe Person", "Person Zoë"):
        actions.watch_name(actor=world.actor, name=name, now=world.now)
    assert WatchedName.objects.count() == 1


def together(*calls):
    """Run calls at the same time, each with a database connection of its own; return what came of them."""
    barrier, results = threading.Barrier(len(calls)), [None] * len(calls)

    def run(index, call):
        try:
            barrier.wait(20)
            results[index] = call()
        except WrongCodeError as error:
            results[index] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


def test_same_code_in_many_requests_at_once_counts_once(live_world):
    world = live_world
    pending = world.sign()
    code = world.mailed_code()
    results = together(*[lambda: world.confirm(pending, code)] * 4)
    assert [result.signature.pk for result in results] == [pending.signature_id] * 4
    assert world.check().signed == 1


def test_two_browsers_of_one_mailbox_at_once_count_once(live_world):
    world = live_world
    pairs = [world.sign(name=f"Ada {n}") for n in range(3)]
    codes = [re.search(r"^    (\w{6})$", m.text, re.MULTILINE).group(1) for _row, m in world.mails("code")]
    results = together(*[lambda p=p, c=c: world.confirm(p, c) for p, c in zip(pairs, codes, strict=True)])
    assert sorted(result.already for result in results) == [False, True, True]
    assert len({result.signature.pk for result in results}) == 1
    assert world.check().signed == 1


def test_same_challenge_at_once_is_work_for_one(live_world, settings):
    settings.ASKFIRST_WORK_BITS = 4
    world = live_world
    challenge = abuse.new_challenge(world.now)
    visit = actions.Visit(network="192.0.2.7", challenge=challenge, solution=abuse.solve(challenge))
    together(*[lambda n=n: world.sign(visit=visit, email=f"s{n}@mailbox.example") for n in range(3)])
    flags = sorted(Signature.objects.values_list("flags", flat=True), key=len)
    assert flags == [[], ["work-used"], ["work-used"]]


def test_confirm_while_it_expires_is_kept_or_gone_never_both(live_world):
    world = live_world
    pending = world.sign()
    code = world.mailed_code()
    actions.not_me(token=mails.person_token(pending.signature_id, "not-me"), now=world.now)
    world.later(days=3)
    together(lambda: world.confirm(pending, code), lambda: actions.expire(now=world.now))
    assert world.check().signed == Signature.objects.filter(state="confirmed").count()
