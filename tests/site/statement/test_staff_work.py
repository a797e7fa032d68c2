"""Moderation, invalidation, evidence, campaign: what staff do, and what the log and the page say afterwards."""

import json
from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction

from askfirst.errors import FetchError
from askfirst_site.accounts.models import StaffAction
from askfirst_site.outbox.models import Mail
from askfirst_site.statement import actions, queries
from askfirst_site.statement.errors import FormError, FrozenError, NotYetError, RefusedError
from askfirst_site.statement.models import ConsentText, Proof, Signature, Statement, Tally, Text, TextVersion, Update
from askfirst_site.transparency.models import Entry

pytestmark = pytest.mark.on_both


def state_of(signature):
    return Signature.objects.get(pk=signature.pk).state


def test_hold_and_release_keep_count_and_log_together(world):
    signature = world.signed()
    world.check()
    actions.hold(actor=world.actor, signature=signature, reason="asked", now=world.now)
    with pytest.raises(NotYetError):
        actions.release(actor=world.actor, signature=signature, now=world.now)
    assert world.check().withdrawn == 1
    actions.release(actor=world.actor, signature=signature, now=world.now)
    counted = world.check()
    assert (counted.signed, counted.withdrawn, world.counts()) == (2, 1, (1, 0))
    assert world.mails()[-1][0].kind == "released"


def test_release_of_a_held_name(world):
    actions.watch_name(actor=world.actor, name="Famous Person", now=world.now)
    signature = world.signed(name="Famous Person")
    world.check()
    assert Entry.objects.filter(kind="sign").count() == 0
    actions.release(actor=world.actor, signature=signature, reason="spoke on the telephone", now=world.now)
    world.check()
    assert world.counts() == (1, 0)
    assert StaffAction.objects.order_by("-id").first().verb == "release"


def test_release_of_a_suspect_mails_its_code(world):
    pending = world.sign(visit=actions.Visit(honeypot="x"))
    assert Mail.objects.count() == 0
    actions.release(actor=world.actor, signature=Signature.objects.get(), now=world.now)
    assert world.confirm(pending).signature.state == "confirmed"


def test_reject_held_tells_the_mailbox_and_leaves_the_log_alone(world):
    actions.watch_name(actor=world.actor, name="Famous Person", now=world.now)
    signature = world.signed(name="Famous Person")
    actions.reject_held(actor=world.actor, signature=signature, reason="not them", now=world.now)
    assert (state_of(signature), world.mails()[-1][0].kind) == ("invalidated", "rejected")
    assert world.check().signed == 0
    with pytest.raises(RefusedError):
        actions.release(actor=world.actor, signature=signature, now=world.now)


def test_hide_and_show_a_line(world):
    signature = world.signed(name="Bea Example")
    world.check()
    actions.hide_line(actor=world.actor, signature=signature, reason="abusive role", now=world.now)
    assert queries.wall(world.statement).lines == []
    world.check()
    assert world.counts() == (1, 0)
    actions.show_line(actor=world.actor, signature=signature, now=world.now)
    world.signed(display="counted")
    world.check()
    assert [line.name for line in queries.wall(world.statement, search="bea").lines] == ["Bea Example"]


def many(world, n, **values):
    return [world.signed(name=f"Bot {'abcdefghijklmnop'[i]}", email=f"b{i}@bots.example", **values) for i in range(n)]


def invalidate(world, **criteria):
    return actions.invalidate(
        actor=world.actor,
        statement=world.statement,
        criteria=actions.Criteria(**criteria),
        reason="scripted, one network",
        now=world.now,
    )


def test_invalidate_in_bulk_is_a_batch_in_the_log(world):
    kept = world.signed()
    bots = many(world, 4)
    proven = bots[3]
    world.check()
    actions.prove_by_hand(actor=world.actor, signature=proven, how="met", now=world.now)
    world.sign(email="waiting@bots.example")
    criteria = actions.Criteria(email_domain="bots.example")
    preview = actions.preview_invalidation(statement=world.statement, criteria=criteria)
    assert (preview.count, preview.counted, [row.pk for row in preview.spared]) == (4, 3, [proven.pk])
    batch = invalidate(world, email_domain="bots.example")
    assert batch.count == 3
    counted = world.check()
    assert (counted.invalidated, world.counts()) == (3, (2, 0))
    assert [row.reason for row in queries.invalidations(world.statement)] == ["scripted, one network"]
    assert state_of(kept) == "confirmed"


def test_invalidate_before_the_log_knows(world):
    many(world, 3)
    assert invalidate(world, email_domain="bots.example").count == 3
    counted = world.check()
    assert (counted.signed, counted.invalidated, world.counts()) == (3, 3, (0, 0))


def test_invalidate_needs_criteria_reason_and_somebody(world):
    with pytest.raises(FormError):
        invalidate(world)
    with pytest.raises(FormError):
        actions.invalidate(
            actor=world.actor,
            statement=world.statement,
            criteria=actions.Criteria(flag="burst"),
            reason=" ",
            now=world.now,
        )
    with pytest.raises(RefusedError):
        invalidate(world, email_domain="nobody.example")


def test_restore_after_a_mistake(world):
    signature = world.signed()
    world.check()
    invalidate(world, signature_ids=(signature.pk,))
    with pytest.raises(NotYetError):
        actions.restore_signature(actor=world.actor, signature=signature, reason="mistake", now=world.now)
    world.check()
    actions.restore_signature(actor=world.actor, signature=signature, reason="mistake", now=world.now)
    counted = world.check()
    assert (counted.signed, counted.invalidated, world.counts()) == (2, 1, (1, 0))


def test_restore_is_refused_where_the_mailbox_signed_again(world):
    signature = world.signed(email="ada@mailbox.example")
    world.check()
    invalidate(world, signature_ids=(signature.pk,))
    world.check()
    world.later(hours=2)
    world.signed(email="ada@mailbox.example")
    with pytest.raises(RefusedError):
        actions.restore_signature(actor=world.actor, signature=signature, reason="mistake", now=world.now)


# Evidence


def no_file(domain):
    raise FetchError("nothing there")


def organisation(world, **values):
    start = {
        "kind": "organisation",
        "name": "Example Guild",
        "website": "guild.example",
        "affiliation": "Ada, secretary",
    }
    return world.signed(**(start | values))


def prove(world, signature, domain="guild.example"):
    return actions.start_domain_proof(grant=world.grant(signature, "prove"), domain=domain, now=world.now)


def test_domain_is_proven_by_dns_or_file(world):
    for where in ("dns", "well-known"):
        signature = world.signed(name="Bea Example")
        world.check()
        proof = prove(world, signature, "https://www.bea.example/")
        line = f"askfirst-proof={proof.token}"
        found = actions.check_domain_proof(
            proof=proof,
            resolver=lambda domain, where=where, line=line: [line] if where == "dns" else [],
            fetcher=lambda domain, line=line: f"hello\n{line}\n",
            now=world.now,
        )
        assert (found.method, found.subject, found.failure) == (where, "bea.example", "")
        world.signed(display="counted")
        world.check()
        assert Signature.objects.get(pk=signature.pk).level == 1
    assert Tally.objects.get(dimension="level", key="1").n == 2


def test_domain_without_the_line_says_why(world):
    proof = prove(world, world.signed(), "bea.example")
    found = actions.check_domain_proof(proof=proof, resolver=lambda _d: ["x"], fetcher=no_file, now=world.now)
    assert (found.checked, found.failure) == (None, "a TXT record that says something else; nothing there")


def test_held_organisation_counts_once_its_domain_is_proven(world):
    signature = organisation(world, email="guild@gmail.com")
    assert signature.state == "held"
    proof = prove(world, signature)
    actions.check_domain_proof(
        proof=proof, resolver=lambda _d: [f"askfirst-proof={proof.token}"], fetcher=no_file, now=world.now
    )
    world.check()
    assert world.counts() == (0, 1)
    assert [(line.name, line.level) for line in queries.organisations(world.statement)] == [("Example Guild", 1)]


def test_watched_organisation_stays_held_with_a_proven_domain(world):
    actions.watch_name(actor=world.actor, name="Example Guild", now=world.now)
    signature = organisation(world, email="guild@gmail.com")
    proof = prove(world, signature)
    actions.check_domain_proof(
        proof=proof, resolver=lambda _d: [f"askfirst-proof={proof.token}"], fetcher=no_file, now=world.now
    )
    assert state_of(signature) == "held"


def test_organisation_proves_its_own_domain_only(world):
    with pytest.raises(FormError):
        prove(world, organisation(world, email="a@guild.example"), "other.example")
    for bad in ("gmail.com", "localhost", "127.0.0.1", "", "guild"):
        with pytest.raises(FormError):
            prove(world, world.signed(), bad)


def proven_organisation(world):
    signature = organisation(world, email="a@guild.example")
    proof = prove(world, signature)
    actions.check_domain_proof(
        proof=proof, resolver=lambda _d: [f"askfirst-proof={proof.token}"], fetcher=no_file, now=world.now
    )
    world.check()
    return Signature.objects.get(pk=signature.pk)


def test_vouch_and_revoke(world):
    guild, member = proven_organisation(world), world.signed(name="Bea Example")
    world.check()
    grant = world.grant(guild, "vouch")
    position = Signature.objects.get(pk=member.pk).position
    actions.vouch(grant=grant, position=position, now=world.now)
    assert Signature.objects.get(pk=member.pk).level == 2
    actions.revoke_vouch(grant=grant, position=position, now=world.now)
    assert Signature.objects.get(pk=member.pk).level == 0
    actions.vouch(grant=grant, position=position, now=world.now)
    assert Signature.objects.get(pk=member.pk).level == 2


def test_unproven_organisation_cannot_vouch(world):
    guild, member = organisation(world, email="a@guild.example"), world.signed()
    world.check()
    with pytest.raises(RefusedError):
        actions.vouch(
            grant=world.grant(guild, "vouch"), position=Signature.objects.get(pk=member.pk).position, now=world.now
        )


def test_proof_is_looked_at_after_a_year_and_its_loss_lowers_whom_it_vouched_for(world):
    guild, member = proven_organisation(world), world.signed(name="Bea Example")
    world.check()
    actions.vouch(
        grant=world.grant(guild, "vouch"), position=Signature.objects.get(pk=member.pk).position, now=world.now
    )
    world.later(days=364)
    assert actions.recheck_proofs(resolver=lambda _d: [], fetcher=no_file, now=world.now) == 0
    world.later(days=2)
    assert actions.recheck_proofs(resolver=lambda _d: [], fetcher=no_file, now=world.now) == 1
    assert [Signature.objects.get(pk=one.pk).level for one in (guild, member)] == [0, 0]
    assert world.mails()[-1][0].kind == "proof_lost"
    assert Proof.objects.get().failure == "no TXT record; nothing there"


# Campaign


def test_notable_is_shown_first_and_its_name_is_watched(world):
    signature = world.signed(name="Famous Person")
    world.check()
    assert [line.name for line in queries.notables(world.statement)] == []
    actions.mark_notable(actor=world.actor, signature=signature, rank=3, provenance="her agent wrote", now=world.now)
    assert [line.name for line in queries.notables(world.statement)] == ["Famous Person"]
    assert world.signed(name="Famous Person").state == "held"
    actions.hide_line(actor=world.actor, signature=signature, reason="asked", now=world.now)
    assert queries.notables(world.statement) == []


def test_notable_needs_a_shown_name_and_a_source(world):
    with pytest.raises(RefusedError):
        actions.mark_notable(
            actor=world.actor, signature=world.signed(display="initials"), provenance="met", now=world.now
        )
    with pytest.raises(FormError):
        actions.mark_notable(actor=world.actor, signature=world.signed(), provenance=" ", now=world.now)


def test_ledger_is_sorted_by_waiting(world):
    asked = [
        actions.add_addressee(
            actor=world.actor,
            statement=world.statement,
            name=name,
            asked_on=date(2026, 11, day),
            request="Sign the pledge.",
            now=world.now,
        )
        for name, day in [("Parliament", 2), ("Company A", 1), ("Company B", 12)]
    ]
    actions.record_answer(
        actor=world.actor, addressee=asked[1], on=date(2026, 11, 5), status="committed", summary="Yes.", now=world.now
    )
    rows = queries.ledger(world.statement, date(2026, 11, 22))
    assert [(row.addressee.name, row.days_waiting) for row in rows] == [
        ("Parliament", 20),
        ("Company B", 10),
        ("Company A", None),
    ]
    with pytest.raises(FormError):
        actions.record_answer(
            actor=world.actor, addressee=asked[0], on=date(2026, 11, 5), status="none", summary="No.", now=world.now
        )


def test_imported_counts_stay_out_of_the_count(world):
    world.signed()
    for n in (5000, 6000):
        actions.import_count(
            actor=world.actor, statement=world.statement, source="A union", n=n, as_of=date(2026, 11, 1), now=world.now
        )
    world.check()
    facts = queries.page_facts(world.statement, "en", world.now)
    assert (facts.counts.people, facts.imported_total, len(facts.imports)) == (1, 6000, 1)


def test_update_mails_resume_and_reach_everybody_once(world):
    for number in range(7):
        pending = world.sign(
            email=f"u{number}@m{number}.example", updates=number != 3, visit=actions.Visit(network=f"192.0.2.{number}")
        )
        world.confirm(pending)
    gone = Signature.objects.order_by("pk").first()
    actions.withdraw(grant=world.grant(gone, "withdraw"), now=world.now)
    draft = Update(
        statement=world.statement, language="en", title="We were heard", body="Thank *you*.", by=world.actor, mail=True
    )
    update = actions.publish_update(actor=world.actor, update=draft, now=world.now)
    looked_at = []
    while n := actions.queue_update_mails(update=update, limit=2, now=world.now):
        looked_at.append(n)
    assert looked_at == [2, 2, 1]
    mailed = world.mails("update")
    assert sorted(message.to for _row, message in mailed) == [f"u{n}@m{n}.example" for n in (1, 2, 4, 5, 6)]
    assert mailed[0][1].headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "/not-me/" in mailed[0][1].text
    assert [one.title for one in queries.updates(world.statement, "en")] == ["We were heard"]
    assert queries.updates(world.statement, "de") == []


# Texts


def test_frozen_texts_do_not_change_not_even_past_the_actions(world):
    version = world.statement.versions.get()
    text = version.texts.get(language="en")
    with pytest.raises(FrozenError):
        actions.save_text(
            actor=world.actor, version=version, language="en", sentence="x", consent="x", title="x", now=world.now
        )
    with pytest.raises(FrozenError):
        actions.freeze_version(actor=world.actor, version=version, now=world.now)
    for change in (
        lambda: Text.objects.filter(pk=text.pk).update(sentence="Another sentence."),
        lambda: Text.objects.filter(pk=text.pk).update(title="Another title."),
        lambda: Text.objects.create(version=version, language="fr", sentence="x", consent="x", title="x"),
        lambda: Text.objects.filter(pk=text.pk).delete(),
        lambda: TextVersion.objects.filter(pk=version.pk).update(frozen_at=None),
        lambda: TextVersion.objects.filter(pk=version.pk).update(manifest_hash="x"),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()


def test_consent_wording_is_kept(world):
    world.sign(updates=True)
    for change in (
        lambda: ConsentText.objects.update(body="You agree to everything."),
        lambda: ConsentText.objects.filter(pk=ConsentText.objects.get().pk).delete(),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()


def test_freeze_tells_the_log_what_can_be_signed(world):
    version = world.statement.versions.get()
    payload = json.loads(bytes(version.entry.payload))
    assert (payload["manifest"], payload["type"]) == (version.manifest_hash, "statement")
    from askfirst.tlog.entries import manifest_digest

    assert manifest_digest(queries.manifest(version)) == version.manifest_hash


def test_new_version_copies_texts_and_is_signed_once_frozen(world):
    old = world.signed()
    version = actions.new_version(actor=world.actor, statement=world.statement, now=world.now)
    assert (version.number, version.texts.count()) == (2, 3)
    assert actions.new_version(actor=world.actor, statement=world.statement, now=world.now) == version
    assert world.signed().version_id == old.version_id
    actions.save_text(
        actor=world.actor, version=version, language="en", sentence="Ask.", consent="Yes.", title="Ask", now=world.now
    )
    actions.freeze_version(actor=world.actor, version=version, now=world.now)
    assert world.signed().version_id == version.pk
    world.check()


def test_slug_in_the_log_does_not_change_and_one_statement_is_primary(world):
    second = world.make_statement("second", is_primary=True)
    assert list(Statement.objects.filter(is_primary=True)) == [second]
    second.slug = "other"
    with pytest.raises(RefusedError):
        actions.save_statement(actor=world.actor, statement=second, now=world.now)


# Forgetting


def test_retention_forgets(world):
    signature = world.signed()
    world.sign(email="never@mailbox.example", name="Never Confirmed")
    world.check()
    world.later(days=8)
    assert Signature.objects.exclude(network_mac=None).count() == 2
    actions.retention(now=world.now)
    assert Signature.objects.exclude(network_mac=None).count() == 0
    world.later(days=7)
    found = actions.retention(now=world.now)
    assert found.expired == 1
    assert [row.pk for row in Signature.objects.all()] == [signature.pk]
    assert Mail.objects.filter(reference=f"signature:{signature.pk + 1}").count() == 0
    world.check()


def test_reminders_come_twice_with_the_same_code(world):
    pending = world.sign()
    code = world.mailed_code()
    sent = []
    for _day in range(6):
        sent.append(actions.remind(now=world.now))
        world.later(days=1, seconds=1)
    assert sent == [0, 1, 0, 1, 0, 0]
    assert world.mailed_code("reminder") == code
    assert world.confirm(pending, code).signature.state == "confirmed"
    assert timedelta(days=6) < world.now - Signature.objects.get().created
