"""`askfirst site recount`: says whether all numbers agree, and writes tallies anew where they do not."""

import pytest
import running
from django.conf import settings

from askfirst_site.config.recounting import recount
from askfirst_site.staff.status import alarm_words
from askfirst_site.statement import actions, queries, tallies, tally_repair
from askfirst_site.statement.models import PublishedCount, Signature, Tally
from askfirst_site.transparency.models import Alarm
from askfirst_site.transparency.sequencer import Sequencer

pytestmark = pytest.mark.on_both
DIFFER = "They do not agree. Stop the site, run `askfirst site recount --repair`, and start it again."


@pytest.fixture
def signed_world(live_world):
    """Three people, one of whom withdrew, and an organisation."""
    rows = [live_world.signed() for _one in range(3)]
    live_world.signed(
        name="Guild", kind="organisation", affiliation="Ada Example", website="guild.example", email="us@guild.example"
    )
    live_world.sequence()
    actions.withdraw(grant=live_world.grant(rows[0], "withdraw"), now=live_world.now)
    live_world.check()
    live_world.log.close()
    return live_world


def damage(what):
    if what == "tally":
        Tally.objects.filter(dimension="kind", key="person").update(n=7)
    elif what == "missing":
        Tally.objects.filter(dimension__in=["discipline", "ended"]).delete()
    elif what == "row":
        Signature.objects.filter(state="confirmed", kind="person").update(tallied="")
    else:
        PublishedCount.objects.update(people=700)


@pytest.mark.parametrize("what", ["tally", "missing", "row", "page"])
def test_damage_is_seen_and_repaired(signed_world, what):
    before = sorted(Tally.objects.filter(n__gt=0).values_list("statement", "dimension", "key", "n"))
    assert tallies.recount(signed_world.now) == []
    damage(what)
    assert tallies.recount(signed_world.now) != []
    assert "askfirst site recount" in alarm_words(Alarm.objects.first())["advice"]

    is_equal, lines = recount(repair=False)
    assert (is_equal, lines[-1]) == (False, DIFFER)
    is_equal, lines = recount(repair=True)
    assert (is_equal, "The tallies were written anew." in lines) == (True, True)
    assert recount(repair=False) == (True, numbers_of(signed_world))
    assert sorted(Tally.objects.values_list("statement", "dimension", "key", "n")) == before
    assert signed_world.counts() == (2, 1)
    signed_world.signed()
    signed_world.check()


def numbers_of(world):
    counts = f"statement {world.statement.pk}, makers-first: people 2, organisations 1; withdrawn 1, removed 0"
    return [counts, "Tallies, signatures and log agree."]


def test_command_says_it_and_ends_with_it(live, signed_world):
    damage("tally")
    found = [running.run(live, "recount", *more) for more in ((), ("--repair",), ())]
    assert [(one.returncode, one.stderr) for one in found] == [(1, ""), (0, ""), (0, "")]
    first = f"statement {signed_world.statement.pk}, kind person: tally 7, rows 2"
    assert found[0].stdout.splitlines()[0] == first
    assert found[0].stdout.splitlines()[-1] == DIFFER
    assert found[2].stdout.splitlines() == numbers_of(signed_world)


def test_repair_is_refused_while_a_sequencer_runs(live, signed_world):
    damage("tally")
    site = settings.ASKFIRST
    with Sequencer.of(site.log_folder, site.signer_state_file, site.log_key_file):
        refused = running.run(live, "recount", "--repair")
    assert (refused.returncode, len(refused.stderr.splitlines())) == (2, 1)
    assert "a sequencer runs" in refused.stderr
    assert Tally.objects.get(dimension="kind", key="person").n == 7


def test_what_rows_and_log_disagree_about_is_not_hidden(signed_world):
    Signature.objects.filter(state="confirmed", kind="organisation").update(tallied="", state="withdrawn")
    is_equal, lines = recount(repair=True)
    assert not is_equal
    assert f"statement {signed_world.statement.pk}, organisation: tally 0, log 1" in lines
    assert lines[-1].startswith("This cannot be repaired from the signatures")


def test_recount_minds_no_signatures_that_come_meanwhile(live, signed_world, monkeypatch):
    """It reads as of one moment: what the sequencer counts while it reads is no difference."""
    count_rows = tallies.count_rows

    def slowly():
        script = (
            "from datetime import UTC, datetime; from django.conf import settings;"
            "from askfirst_site.transparency.sequencer import Sequencer; s = settings.ASKFIRST;"
            "q = Sequencer.of(s.log_folder, s.signer_state_file, s.log_key_file); q.__enter__();"
            "assert q.step(datetime.now(UTC)) == 1"
        )
        done = running.run(live, "manage", "shell", "--no-imports", "--command", script)
        assert done.returncode == 0, done.stderr
        return count_rows()

    signed_world.signed()
    monkeypatch.setattr(tallies, "count_rows", slowly)
    assert tallies.compare() == []
    monkeypatch.undo()
    assert tallies.compare() == []
    assert tally_repair.numbers()[0].split(": ")[1].startswith("people 3")
    assert queries.count_facts(signed_world.statement).people == 3


def test_site_that_was_never_started_is_one_clear_line(tmp_path):
    result = running.run(running.environment(tmp_path / "site"), "recount")
    assert (result.returncode, len(result.stderr.splitlines())) == (2, 1)
