"""Receipts: a stranger checks them off-line, with the log's key and the statement's texts and nothing else."""

import pytest
from django.conf import settings

from askfirst.proof.receipt import close_fields
from askfirst.proof.verify import parse_statement, verify_receipt
from askfirst.tlog import NoteVerifier
from askfirst_site.statement import actions, queries
from askfirst_site.statement.models import Signature
from askfirst_site.statement.receipts import receipt_of

pytestmark = pytest.mark.on_both


def check(world, text):
    keys = [NoteVerifier.parse(settings.ASKFIRST.log_vkey)]
    manifest = parse_statement(queries.manifest(world.statement.versions.get()))
    return verify_receipt(text, keys, statement=manifest)


@pytest.mark.parametrize("language", ["en", "de", "nl"])
def test_receipt_is_verified_off_line(world, language):
    signature = world.signed(name="Zoë Müller", language=language)
    world.check()
    text = receipt_of(Signature.objects.get(pk=signature.pk))
    assert len(text) < 2048
    assert check(world, text).good
    assert check(world, close_fields(text, ["email", "country"])).good


def test_changed_receipt_is_refused(world):
    signature = world.signed(name="Zoe Person")
    world.check()
    text = receipt_of(Signature.objects.get(pk=signature.pk))
    assert not check(world, text.replace("index 1", "index 0")).good


def test_receipt_of_a_correction(world):
    signature = world.signed(name="Zoe Persen")
    world.check()
    actions.correct(
        grant=world.grant(signature, "show"),
        name="Zoe Person",
        role="",
        discipline="film",
        display="full",
        now=world.now,
    )
    assert receipt_of(Signature.objects.get()) is None  # until the correction is in the log
    world.check()
    found = check(world, receipt_of(Signature.objects.get()))
    assert found.good


def test_receipt_proves_even_when_only_counted(world):
    signature = world.signed(display="counted")
    world.check()
    assert check(world, receipt_of(Signature.objects.get(pk=signature.pk))).good
    assert queries.wall(world.statement).lines == []


def test_no_receipt_for_who_is_held_or_waits(world):
    actions.watch_name(actor=world.actor, name="Famous Person", now=world.now)
    held = world.signed(name="Famous Person")
    waiting = world.sign(email="w@mailbox.example").signature_id
    world.check()
    assert [receipt_of(Signature.objects.get(pk=pk)) for pk in (held.pk, waiting)] == [None, None]
