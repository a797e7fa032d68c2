"""The pool outlives its workers, and only the task that kills them is lost."""

import os
import signal
from pathlib import Path

import pytest

from askfirst.engines import Died, run


def double(number):
    return number * 2


def die_on_three(number):
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def die_once(folder_and_number):
    folder, number = folder_and_number
    marker = Path(folder) / "died"
    if number == 2 and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def fail(number):
    raise ValueError(f"task {number}")


def give_up(_task):
    return None


def test_results_come_in_the_order_of_the_tasks():
    assert list(run(double, range(20), workers=2, rescue=give_up)) == [2 * n for n in range(20)]


def test_no_tasks_no_results():
    assert list(run(double, [], workers=2, rescue=give_up)) == []


def test_only_the_task_that_kills_its_worker_is_lost():
    results = list(run(die_on_three, range(8), workers=2, rescue=give_up))
    assert results == [0, 1, 2, Died(3), 4, 5, 6, 7]


def test_rescue_offers_what_to_try_instead():
    results = list(run(die_on_three, range(5), workers=2, rescue=lambda task: task + 100))
    assert results == [0, 1, 2, 103, 4]


def test_a_worker_killed_once_costs_nothing(tmp_path):
    tasks = [(str(tmp_path), n) for n in range(6)]
    assert list(run(die_once, tasks, workers=2, rescue=give_up)) == list(range(6))


def test_an_error_of_the_function_is_raised_here():
    with pytest.raises(ValueError, match="task 0"):
        list(run(fail, range(3), workers=2, rescue=give_up))
