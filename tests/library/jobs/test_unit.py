"""An item that kills its reader costs one row."""

import os
import signal
from functools import partial

import pytest
from cast import prose, register_in

from askfirst.api import make_policy
from askfirst.engines import Died, run
from askfirst.io.columns import ColumnChoice
from askfirst.io.sources import plan
from askfirst.jobs import items
from askfirst.jobs.media import open_bytes
from askfirst.jobs.unit import Settings, Task, culprit, is_done, part_name, process_unit, read_report


def open_or_die(data, name, **options):
    """Stand in for a decoder with a fault: one file ends the process that opens it."""
    if name.endswith("poison.txt"):
        os.kill(os.getpid(), signal.SIGKILL)
    return open_bytes(data, name, **options)


def process_with_a_faulty_decoder(settings, task):
    items.open_bytes = open_or_die
    return process_unit(settings, task)


@pytest.fixture
def settings(tmp_path):
    work = tmp_path / "out" / ".work"
    for name in ("manifest", "permitted", "done", "at"):
        (work / name).mkdir(parents=True)
    return Settings(register_in(tmp_path), work, make_policy(), ColumnChoice())


@pytest.fixture
def unit(tmp_path):
    folder = tmp_path / "files"
    folder.mkdir()
    for name in ("a", "b", "poison", "z"):
        (folder / f"{name}.txt").write_text(prose(100 + len(name), 200))
    return plan([str(folder)], ColumnChoice()).units[0]


def test_a_poisoned_item_is_one_unreadable_row_and_the_rest_is_judged(settings, unit):
    function = partial(process_with_a_faulty_decoder, settings)
    assert list(run(function, [Task(unit)], workers=1, rescue=partial(culprit, settings.work))) == [None]
    report = read_report(settings.work, unit)
    assert report.tally.outcomes() == {"permitted": 0, "refused": 0, "unasked": 3, "unreadable": 1}
    assert [(key[0], value) for key, value in report.tally.gaps.items()] == [("reader-died", [1, "files/poison.txt"])]
    assert read_report(settings.work, unit).tally.items == 4


def test_without_a_culprit_the_unit_is_given_up(settings, unit):
    function = partial(process_with_a_faulty_decoder, settings)
    (result,) = run(function, [Task(unit)], workers=1, rescue=lambda _task: None)
    assert result == Died(Task(unit))
    assert not is_done(settings.work, unit)
    assert not (settings.work / "manifest" / f"{part_name(unit)}.parquet").exists()


def test_the_same_culprit_is_not_tried_twice(settings, unit):
    function = partial(process_with_a_faulty_decoder, settings)
    list(run(function, [Task(unit)], workers=1, rescue=lambda _task: None))
    once = culprit(settings.work, Task(unit))
    assert list(once.skip) == [2]
    assert culprit(settings.work, once) is None
