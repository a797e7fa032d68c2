"""The pool outlives its workers, and only the task that kills them is lost."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from askfirst.engines import Died, Workers, run
from askfirst.errors import InterruptedRunError


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


PREPARED = []


def note():
    PREPARED.append(os.getpid())


def who_prepared(_task):
    return PREPARED[0], os.getpid()


def test_workers_are_forked_from_one_process_that_is_prepared_once():
    source = Workers(f"{__name__}:note")
    pairs = list(run(who_prepared, range(40), workers=2, rescue=give_up, source=source))
    assert len({prepared for prepared, _worker in pairs}) == 1
    assert all(prepared != worker for prepared, worker in pairs)


def test_a_preparation_that_fails_ends_the_run_with_one_error():
    source = Workers(f"{__name__}:missing")
    with pytest.raises(InterruptedRunError, match="worker processes cannot be started"):
        list(run(double, range(3), workers=2, rescue=lambda task: task, source=source))


def test_workers_that_nobody_asked_for_are_gone_at_once():
    with Workers("time:sleep") as source:  # would fail, but is not waited for
        pass
    assert source.closed


def is_alive(process):
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def note_and_sleep(folder_and_number):
    folder, _number = folder_and_number
    (Path(folder) / str(os.getpid())).touch()
    time.sleep(600)


def test_a_killed_driver_leaves_no_worker_behind(tmp_path):
    code = (
        f"import sys; sys.path[:] = {sys.path!r}\n"
        f"from {__name__} import note_and_sleep, give_up\n"
        "from askfirst.engines import run\n"
        f"list(run(note_and_sleep, [({str(tmp_path)!r}, n) for n in range(2)], workers=2, rescue=give_up))"
    )
    with subprocess.Popen([sys.executable, "-c", code]) as driver:
        deadline = time.monotonic() + 60
        while len(list(tmp_path.iterdir())) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        workers = [int(file.name) for file in tmp_path.iterdir()]
        assert len(workers) == 2
        driver.kill()
    while any(map(is_alive, workers)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not any(map(is_alive, workers))
