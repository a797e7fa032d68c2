"""The sequencer's hook: many entries, few queries; and a recount that notices."""

import pytest

from askfirst_site.statement import tallies
from askfirst_site.statement.models import Signature, Tally
from askfirst_site.transparency.models import Alarm

pytestmark = pytest.mark.on_both


def test_batch_takes_the_same_queries_whatever_its_size(world, count_queries):
    counted = []
    for size in (1, 3, 9):
        for _one in range(size):
            world.signed(name="Ada Example")
        with count_queries() as asked:
            world.sequence()
        counted.append(len([query for query in asked if "checkpoint" not in query["sql"]]))
    assert counted[1] == counted[2]
    world.check()


@pytest.mark.parametrize("wrong", ["tally", "row", "missing"])
def test_recount_raises_an_alarm(world, wrong):
    world.signed()
    world.signed()
    world.check()
    if wrong == "tally":
        Tally.objects.filter(dimension="kind").update(n=3)
    elif wrong == "row":
        Signature.objects.filter(pk=Signature.objects.first().pk).update(tallied="")
    else:
        Tally.objects.filter(dimension="discipline").delete()
    assert tallies.recount(world.now) != []
    assert Alarm.objects.filter(kind="recount", cleared=None).exists()


def test_recount_of_a_healthy_site_raises_nothing(world):
    world.signed()
    world.check()
    assert tallies.recount(world.now) == []
    assert not Alarm.objects.exists()


def test_count_is_not_ahead_of_the_checkpoint(world):
    world.signed()
    assert world.counts() == (0, 0)
    world.sequence()
    assert world.counts() == (1, 0)
