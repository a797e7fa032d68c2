"""The example campaign: invented, whole, the same every time."""

from django.db import transaction

from askfirst_site.outbox.models import Mail
from askfirst_site.statement import example, queries, tallies
from askfirst_site.statement.models import Signature, Statement
from askfirst_site.transparency.models import Entry


def test_example_stands_in_the_log_and_sends_no_mail(world):
    Statement.objects.filter(pk=world.statement.pk).update(is_primary=False)
    statement = example.load(now=world.now)
    assert example.load(now=world.now) == statement
    assert Mail.objects.count() == 0
    world.sequence()
    assert tallies.compare() == []
    facts = queries.page_facts(statement, "en", world.now)
    assert facts.counts.people == Signature.objects.filter(statement=statement, kind="person").count()
    assert (facts.counts.people > 250, facts.counts.organisations, len(facts.notables)) == (True, 12, 12)
    assert facts.languages == ["en", "de", "nl"]
    assert [row.days_waiting for row in facts.ledger] == [20, 19, 12, None, None]
    assert facts.notables[0].name == "Isolde Quillfeather"


def test_example_is_the_same_every_time(world):
    def load():
        with transaction.atomic():
            example.load(now=world.now)
            found = [bytes(entry.payload) for entry in Entry.objects.order_by("id")]
            transaction.set_rollback(True)
        return found

    first = load()
    assert load() == first
    assert len(first) > 290
