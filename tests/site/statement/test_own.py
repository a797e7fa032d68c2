"""What signers do with their own signature, by a mailed code."""

import json
import re

import pytest
from django.db import connection

from askfirst.io.log_files import LogFolder
from askfirst_site.outbox.models import Mail
from askfirst_site.statement import actions, queries, receipts
from askfirst_site.statement.errors import FormError, NotYetError, RefusedError, WrongCodeError
from askfirst_site.statement.formula import formula_of
from askfirst_site.statement.models import MailedCode, Signature, Tally, WallWord, WatchedName
from askfirst_site.transparency.models import Entry

pytestmark = pytest.mark.on_both


def dump():
    """Everything in the database, as bytes."""
    found = b""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            for row in cursor.fetchall():
                found += b"|".join(bytes(v) if isinstance(v, bytes | memoryview) else str(v).encode() for v in row)
    return found


def test_code_opens_one_action_once(world):
    signature = world.signed()
    actions.request_code(email="signer0@mailbox.example", action="withdraw", now=world.now)
    code = world.mailed_code("action")
    grant = actions.redeem_code(email="signer0@mailbox.example", code=code, now=world.now)
    assert (grant.signature.pk, grant.action) == (signature.pk, "withdraw")
    with pytest.raises(WrongCodeError):
        actions.redeem_code(email="signer0@mailbox.example", code=code, now=world.now)


def test_code_of_an_action_needs_the_address_and_is_stale_after_an_hour(world):
    world.signed()
    actions.request_code(email="signer0@mailbox.example", action="show", now=world.now)
    code = world.mailed_code("action")
    for email in ("other@mailbox.example", "", "x"):
        with pytest.raises(WrongCodeError):
            actions.redeem_code(email=email, code=code, now=world.now)
    world.later(hours=1)
    with pytest.raises(WrongCodeError):
        actions.redeem_code(email="signer0@mailbox.example", code=code, now=world.now)


def test_five_wrong_tries_use_a_code_up(world):
    world.signed()
    actions.request_code(email="signer0@mailbox.example", action="show", now=world.now)
    code = world.mailed_code("action")
    for _try in range(5):
        with pytest.raises(WrongCodeError):
            actions.redeem_code(email="signer0@mailbox.example", code="AAAAAA", now=world.now)
    with pytest.raises(WrongCodeError):
        actions.redeem_code(email="signer0@mailbox.example", code=code, now=world.now)


def test_asking_for_codes_says_nothing_and_is_limited(world):
    world.signed()
    before = Mail.objects.count()
    assert actions.request_code(email="nobody@mailbox.example", action="show", now=world.now) is None
    assert Mail.objects.count() == before
    for _time in range(30):
        actions.request_code(email="signer0@mailbox.example", action="show", now=world.now)
        world.later(minutes=10)
    assert MailedCode.objects.count() == 6
    with pytest.raises(FormError):
        actions.request_code(email="signer0@mailbox.example", action="fly", now=world.now)


def test_sealed_grant_opens_and_a_forged_one_does_not(world):
    signature = world.signed()
    token = actions.seal_grant(world.grant(signature, "show"))
    assert actions.open_grant(token).signature == signature
    for bad in (token[:-1], "", f"x{token}", token.replace(":", ".")):
        with pytest.raises(WrongCodeError):
            actions.open_grant(bad)


def test_withdraw_takes_line_and_count_away(world):
    kept, gone = world.signed(name="Bea Example"), world.signed(name="Cy Example")
    world.check()
    actions.withdraw(grant=world.grant(gone, "withdraw"), now=world.now)
    assert [line.name for line in queries.wall(world.statement).lines] == ["Bea Example"]
    assert not WallWord.objects.filter(signature=gone).exists()
    counted = world.check()
    assert (counted.signed, counted.withdrawn, world.counts()) == (2, 1, (1, 0))
    formula = formula_of(world.statement)
    assert (formula.signed, formula.withdrawn, formula.removed) == (2, 1, 0)
    assert Signature.objects.get(pk=kept.pk).state == "confirmed"


def test_withdraw_twice_is_once(world):
    signature = world.signed()
    for _time in range(2):
        world.check()
        actions.withdraw(grant=world.grant(signature, "withdraw"), now=world.now)
    assert world.check().withdrawn == 1


def test_withdraw_before_the_log_knows_is_completed_by_the_sequencer(world):
    signature = world.signed()
    actions.withdraw(grant=world.grant(signature, "withdraw"), now=world.now)
    assert Entry.objects.filter(kind="withdraw").count() == 0
    counted = world.check()
    assert (counted.signed, counted.withdrawn, world.counts()) == (1, 1, (0, 0))


def test_withdraw_and_sign_again(world):
    one = world.signed(email="ada@mailbox.example")
    actions.withdraw(grant=world.grant(one, "withdraw"), now=world.now)
    world.later(hours=2)
    two = world.signed(email="ada@mailbox.example")
    assert two.pk != one.pk
    assert world.check().signed == 2
    assert world.counts() == (1, 0)


def test_a_grant_is_for_its_action_only(world):
    signature = world.signed()
    for action in ("export", "prove", "vouch"):
        with pytest.raises(RefusedError):
            actions.withdraw(grant=world.grant(signature, action), now=world.now)
    with pytest.raises(RefusedError):
        actions.erase(grant=world.grant(signature, "withdraw"), now=world.now)
    assert Signature.objects.get().state == "confirmed"


def test_change_display_changes_wall_and_search(world):
    signature = world.signed(name="Bea Visible", role="poet")
    world.check()
    for display, shown, found in [
        ("initials", ["B. V."], []),
        ("counted", [], []),
        ("full", ["Bea Visible"], ["Bea Visible"]),
    ]:
        actions.change_display(grant=world.grant(signature, "show"), display=display, now=world.now)
        world.signed(display="counted")  # the sequencer refreshes with its next batch
        world.check()
        assert [line.name for line in queries.wall(world.statement).lines] == shown
        assert [line.name for line in queries.wall(world.statement, search="visib").lines] == found


def correct(world, signature, **values):
    start = {"name": signature.name, "role": signature.role, "discipline": signature.discipline, "country": "NL",
             "display": signature.display}  # fmt: skip
    return actions.correct(grant=world.grant(signature, "show"), now=world.now, **(start | values))


def test_correct_makes_a_new_commitment_and_receipt(world):
    signature = world.signed(name="Bea Exampel", discipline="music")
    world.check()
    before = receipts.receipt_of(signature)
    correct(world, signature, name="Bea Example", discipline="film")
    world.check()
    after = Signature.objects.get()
    assert json.loads(bytes(after.correct_entry.payload))["of"] == after.position
    assert bytes(after.salt) != bytes(signature.salt)
    assert receipts.receipt_of(after) != before
    disciplines = dict(Tally.objects.filter(dimension="discipline").values_list("key", "n"))
    assert disciplines == {"music": 0, "film": 1}
    assert [line.name for line in queries.wall(world.statement, search="example").lines] == ["Bea Example"]
    assert world.counts() == (1, 0)


def test_correct_of_display_alone_says_nothing_to_the_log(world):
    signature = world.signed()
    world.check()
    correct(world, signature, display="initials")
    assert Entry.objects.filter(kind="correct").count() == 0


def test_correct_waits_for_the_log(world):
    with pytest.raises(NotYetError):
        correct(world, world.signed(), name="Somebody New")


def test_correct_to_a_watched_name_is_held(world):
    actions.watch_name(actor=world.actor, name="Famous Person", now=world.now)
    signature = world.signed()
    world.check()
    assert correct(world, signature, name="Famous Person").state == "held"
    assert world.check().withdrawn == 1
    assert world.counts() == (0, 0)


def test_correct_refuses_what_signing_refuses(world):
    signature = world.signed()
    world.check()
    with pytest.raises(FormError) as caught:
        correct(world, signature, name="", country="XX")
    assert sorted(caught.value.fields) == ["country", "name"]


def test_export_holds_everything_typed(world):
    pending = world.sign(name="Bea Example", updates=True, role="poet")
    signature = world.confirm(pending).signature
    world.check()
    found = actions.export(grant=world.grant(signature, "export"))
    assert (found["name"], found["email"], found["role"]) == ("Bea Example", "ada@mailbox.example", "poet")
    assert [entry["type"] for entry in found["log_entries"]] == ["sign"]
    assert [one["withdrawn"] for one in found["consents"]] == [None]
    assert json.loads(json.dumps(found)) == json.loads(json.dumps(found, default=str))


def test_erase_leaves_nothing_personal(world):
    kept = world.signed(name="Kept Person", email="kept@mailbox.example")
    secret = {"name": "Zyxwv Unusual", "role": "qwertyist", "affiliation": "", "email": "unusual@mailbox.example"}
    signature = world.signed(**secret, updates=True)
    world.check()
    salt = bytes(signature.salt)
    actions.mark_notable(actor=world.actor, signature=signature, provenance="seen in person", now=world.now)
    actions.request_code(email=secret["email"], action="erase", now=world.now)
    grant = actions.redeem_code(email=secret["email"], code=world.mailed_code("action"), now=world.now)
    assert b"Zyxwv" in dump()
    assert salt in dump()
    actions.unwatch_name(actor=world.actor, watched=WatchedName.objects.get(), now=world.now)

    actions.erase(grant=grant, now=world.now)
    assert salt not in dump()
    assert not re.search(rb"qwertyist|zyxwv$", dump())
    world.check()
    assert not Signature.objects.filter(pk=signature.pk).exists()
    assert Mail.objects.filter(reference=f"signature:{signature.pk}").count() == 0
    assert world.counts() == (1, 0)
    assert Signature.objects.get().pk == kept.pk
    assert Tally.objects.filter(dimension="discipline").get().n == 1


def test_erase_before_the_log_knows(world):
    signature = world.signed(name="Zyxwv Unusual")
    actions.erase(grant=world.grant(signature, "erase"), now=world.now)
    assert b"Zyxwv" not in dump()
    with pytest.raises(WrongCodeError):
        actions.erase(grant=world.grant(signature, "erase"), now=world.now)
    counted = world.check()
    assert (counted.signed, counted.withdrawn, Signature.objects.count()) == (1, 1, 0)


@pytest.mark.parametrize("state", ["pending", "held", "withdrawn", "invalidated"])
def test_erase_in_every_state(world, state):
    if state == "pending":
        signature = Signature.objects.get(pk=world.sign(name="Zyxwv Unusual").signature_id)
    else:
        signature = world.signed(name="Zyxwv Unusual")
        world.check()
    if state == "held":
        actions.hold(actor=world.actor, signature=signature, reason="asked", now=world.now)
    elif state == "withdrawn":
        actions.withdraw(grant=world.grant(signature, "withdraw"), now=world.now)
    elif state == "invalidated":
        criteria = actions.Criteria(signature_ids=(signature.pk,))
        actions.invalidate(
            actor=world.actor, statement=world.statement, criteria=criteria, reason="scripted", now=world.now
        )
    actions.erase(grant=world.grant(signature, "erase"), now=world.now)
    assert b"Zyxwv" not in dump()
    world.check()
    assert Signature.objects.count() == 0


def test_receipt_is_there_once_published_and_none_before(world, tmp_path):
    signature = world.signed()
    assert receipts.receipt_of(signature) is None
    world.check()
    text = receipts.receipt_of(Signature.objects.get())
    assert text.startswith("c2sp.org/tlog-proof@v1\n")
    assert len(text) < 2048
    assert LogFolder(world.log.path).size == 2


def test_stop_updates_by_the_link_of_a_mail(world):
    from askfirst_site.statement import mails

    pending = world.sign(updates=True)
    world.confirm(pending)
    token = mails.person_token(pending.signature_id, "updates")
    assert actions.stop_updates(token=token, now=world.now) is True
    assert Signature.objects.get().consents.get().withdrawn == world.now
    assert actions.stop_updates(token=mails.person_token(pending.signature_id, "not-me"), now=world.now) is False
