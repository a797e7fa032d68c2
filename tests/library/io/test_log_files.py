"""A log on disk: the same bytes however it is appended, whatever stops it, and whoever signs it."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from askfirst.errors import AskFirstError, FormatError, InputError, ProofError
from askfirst.io.log_files import CheckpointSigner, LogFolder
from askfirst.tlog import (
    EMPTY_ROOT,
    Checkpoint,
    NoteSigner,
    check_consistency,
    check_inclusion,
    leaf_hash,
    open_note,
    root_of,
    sign_note,
)

SIGNER = NoteSigner.generate("example.org/log")


def entry(number):
    return b'{"entry":%d,"filler":"%s"}' % (number, b"x" * (number % 97))


def entries(start, stop):
    return [entry(number) for number in range(start, stop)]


def root(size):
    return root_of(map(leaf_hash, entries(0, size)))


def note(size, signer=SIGNER):
    return sign_note(Checkpoint(signer.name, size, root(size)).body(), [signer])


def public_files(folder):
    """Return all that a web server would publish, by path."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    names = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
    return {name: data for name, data in names.items() if not name.startswith(".")}


def needed_files(folder, size):
    """Return those public files that a reader of this size needs."""
    partial = set()
    level, nodes = 0, size
    while nodes:
        index, width = divmod(nodes, 256)
        partial |= {f"tile/{level}/{index:03}.p/{width}"} | (
            {f"tile/entries/{index:03}.p/{width}"} if not level else set()
        )
        level, nodes = level + 1, index
    files = public_files(folder).items()
    return {name: data for name, data in files if name in partial or (".p/" not in name and name != "checkpoint")}


def test_log_that_is_not_there_is_empty(tmp_path):
    log = LogFolder(tmp_path / "log")
    assert (log.size, log.root, log.checkpoint(), list(log.entries())) == (0, EMPTY_ROOT, None, [])
    assert not (tmp_path / "log").exists()


def test_log_has_the_files_of_the_specification(tmp_path):
    with LogFolder(tmp_path / "log") as log:
        log.append(entries(0, 70_000))
    names = public_files(tmp_path / "log")
    assert len(names["tile/0/272"]) == 8192
    assert len(names["tile/0/273.p/112"]) == 112 * 32
    assert len(names["tile/1/001.p/17"]) == 17 * 32
    assert len(names["tile/2/000.p/1"]) == 32
    assert len([name for name in names if name.startswith("tile/entries/")]) == 274
    assert names["tile/entries/000"].startswith(len(entry(0)).to_bytes(2) + entry(0))
    assert LogFolder(tmp_path / "log").root == root(70_000)


def test_log_of_256_entries_has_a_first_tile_above(tmp_path):
    with LogFolder(tmp_path / "log") as log:
        log.append(entries(0, 256))
    assert sorted(public_files(tmp_path / "log")) == ["tile/0/000", "tile/1/000.p/1", "tile/entries/000"]


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 600), max_size=6))
@example([428, 600, 1])
def test_log_is_the_same_in_any_batches(tmp_path_factory, steps):
    folder = tmp_path_factory.mktemp("batches")
    with LogFolder(folder / "many") as many, LogFolder(folder / "one") as one:
        for step in steps:
            many.append(entries(many.size, many.size + step))
        one.append(entries(0, sum(steps)))
        assert (many.size, many.root) == (one.size, one.root) == (sum(steps), root(sum(steps)))
        assert list(many.entries()) == entries(0, sum(steps))
    assert needed_files(folder / "many", sum(steps)) == needed_files(folder / "one", sum(steps))


def test_log_drops_unfinished_tiles_when_they_are_full_and_keeps_those_in_use(tmp_path):
    with LogFolder(tmp_path / "log") as log:
        for _ in range(5):
            log.append(entries(log.size, log.size + 60))
    assert sorted(public_files(tmp_path / "log")) == [
        "tile/0/000",
        "tile/0/001.p/44",
        "tile/1/000.p/1",
        "tile/entries/000",
        "tile/entries/001.p/44",
    ]


@pytest.fixture(scope="module")
def long_log(tmp_path_factory):
    with LogFolder(tmp_path_factory.mktemp("long") / "log") as log:
        log.append(entries(0, 66_000))
    return LogFolder(log.path)


@settings(deadline=None)
@given(st.data())
def test_log_proves_what_it_holds_at_every_size(long_log, data):
    size2 = data.draw(st.integers(1, long_log.size))
    size1, index = data.draw(st.integers(0, size2)), data.draw(st.integers(0, size2 - 1))
    root1, root2 = long_log.root_at(size1), long_log.root_at(size2)
    check_inclusion(leaf_hash(entry(index)), index, size2, long_log.prove_inclusion(index, size2), root2)
    check_consistency(size1, root1, size2, root2, long_log.prove_consistency(size1, size2))
    assert list(long_log.entries(index, index + 3)) == entries(index, min(index + 3, long_log.size))


def test_log_proves_nothing_beyond_its_end(long_log):
    for beyond in (lambda: long_log.root_at(66_001), lambda: long_log.prove_inclusion(0, 66_001)):
        with pytest.raises(InputError):
            beyond()
    with pytest.raises(InputError):
        long_log.prove_consistency(1, 66_001)
    assert list(long_log.entries(65_999, 70_000)) == entries(65_999, 66_000)


def test_entry_that_is_too_long_is_refused_and_nothing_appended(tmp_path):
    with LogFolder(tmp_path / "log") as log:
        with pytest.raises(InputError, match="65,535"):
            log.append([b"fine", bytes(65_536)])
        assert log.size == 0
        log.append([bytes(65_535), b""])
        assert list(log.entries()) == [bytes(65_535), b""]


def test_second_writer_is_refused_while_the_first_writes(tmp_path):
    with LogFolder(tmp_path / "log") as first, LogFolder(tmp_path / "log") as second:
        first.append(entries(0, 10))
        with pytest.raises(AskFirstError, match="another process writes"):
            second.append(entries(0, 10))
        first.close()
        second.append(entries(10, 20))
        assert second.root == root(20)


def test_checkpoint_is_published_only_of_this_log(tmp_path):
    with LogFolder(tmp_path / "log") as log:
        log.append(entries(0, 10))
        log.publish(note(10))
        assert log.checkpoint() == note(10)
        log.append(entries(10, 20))
        log.publish(note(20))
        wrong = sign_note(Checkpoint(SIGNER.name, 20, root(10)).body(), [SIGNER])
        for text in (note(21), wrong):
            with pytest.raises(InputError, match="not one of the log"):
                log.publish(text)
        assert log.checkpoint() == note(20)


def test_append_that_was_not_published_is_done_again_with_the_same_bytes(tmp_path):
    with LogFolder(tmp_path / "log") as log:
        log.append(entries(0, 300))
        log.publish(note(300))
        log.append(entries(300, 700))
        before = public_files(tmp_path / "log")
        log.truncate_ahead(300)
        assert (log.size, log.root) == (300, root(300))
        assert LogFolder(tmp_path / "log").root == root(300)
        assert list(log.entries(250)) == entries(250, 300)
        log.append(entries(300, 700))
        assert public_files(tmp_path / "log") == before
        assert log.root == root(700)


def test_append_that_was_not_published_may_become_another(tmp_path):
    with LogFolder(tmp_path / "log") as log:
        log.append(entries(0, 100))
        log.append(entries(100, 500))
        log.truncate_ahead(100)
        log.append(entries(1000, 1200))
        expected = entries(0, 100) + entries(1000, 1200)
        assert list(log.entries()) == expected
        assert log.root == LogFolder(tmp_path / "log").root == root_of(map(leaf_hash, expected))


def test_published_entries_are_not_forgotten(tmp_path):
    with LogFolder(tmp_path / "log") as log:
        log.append(entries(0, 300))
        log.publish(note(300))
        for size in (299, 301):
            with pytest.raises(InputError, match="cannot go back"):
                log.truncate_ahead(size)


def test_copy_of_the_public_files_is_the_log_of_its_checkpoint(tmp_path):
    with LogFolder(tmp_path / "log") as log:
        log.append(entries(0, 300))
        log.publish(note(300))
    (tmp_path / "log" / ".state").unlink()
    with LogFolder(tmp_path / "log") as copy:
        assert (copy.size, copy.root) == (300, root(300))
        copy.append(entries(300, 600))
        assert copy.root == root(600)


@pytest.mark.parametrize("name", ["tile/0/001.p/44", "tile/1/000.p/1"])
def test_tile_that_is_damaged_or_missing_is_noticed_when_the_log_is_opened(tmp_path, name):
    with LogFolder(tmp_path / "log") as log:
        log.append(entries(0, 300))
    path = tmp_path / "log" / name
    data = path.read_bytes()
    for bad in (b"\0" + data[1:], data[:-1], data + b"\0", b""):
        path.write_bytes(bad)
        with pytest.raises(FormatError):
            LogFolder(tmp_path / "log")
    path.unlink()
    with pytest.raises(FormatError, match="has no"):
        LogFolder(tmp_path / "log")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"size":1}', '{"size":"x","root":""}', '{"size":1,"root":"zz"}'])
def test_state_that_cannot_be_read_is_an_error(tmp_path, text):
    with LogFolder(tmp_path / "log") as log:
        log.append(entries(0, 3))
    (tmp_path / "log" / ".state").write_text(text)
    with pytest.raises(FormatError, match="state of the log"):
        LogFolder(tmp_path / "log")


WRITER = """
import sys
from askfirst.io.log_files import LogFolder
sys.path.insert(0, sys.argv[3])
from test_log_files import entries
with LogFolder(sys.argv[1]) as log:
    steps = [int(step) for step in sys.argv[2].split(",")]
    for step in steps:
        print(log.size, flush=True)
        log.append(entries(log.size, log.size + step))
    print(log.size, flush=True)
"""


def test_writer_killed_at_any_moment_leaves_a_log_that_goes_on_to_the_same_bytes(tmp_path):
    """Kill -9 a process that appends, again and again, and let the next go on from what is there."""
    chance, stopped, folder = random.Random(7), 0, tmp_path / "log"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    for _ in range(14):
        size = LogFolder(folder).size
        steps = ",".join(str(chance.choice([1, 3, 200, 257, 1000, 5000])) for _ in range(40))
        command = [sys.executable, "-c", WRITER, str(folder), steps, str(Path(__file__).parent)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as writer:
            assert writer.stdout.readline() == b"%d\n" % size
            time.sleep(chance.random() * 0.25)
            writer.send_signal(signal.SIGKILL)
            said = [size, *(int(line) for line in writer.stdout.read().split(b"\n")[:-1])]
        stopped += writer.returncode == -signal.SIGKILL
        log = LogFolder(folder)
        # Whatever `append` returned for is there: nothing that was said is lost.
        assert log.size >= said[-1]
        assert log.root == root(log.size)
    assert stopped >= 7
    with LogFolder(folder) as log, LogFolder(tmp_path / "straight") as straight:
        log.append(entries(log.size, log.size + 1000))
        straight.append(entries(0, log.size))
        assert log.size > 5000
        # A killed append may leave files beyond the log's end, which nobody is told of and the next ones replace.
        expected, found = needed_files(tmp_path / "straight", log.size), public_files(folder)
        assert {name: found[name] for name in expected} == expected
        assert list(log.entries()) == entries(0, log.size)
    assert not (folder / ".new" / "0").exists()


def sign(signer, log, size=None, origin="example.org/log"):
    size = log.size if size is None else size
    return signer.sign(size, log.root_at(size), origin, log.prove_consistency)


def test_signer_signs_a_log_that_grows_and_remembers_it(tmp_path):
    signer = CheckpointSigner(tmp_path / "signer", SIGNER)
    with LogFolder(tmp_path / "log") as log:
        assert Checkpoint.parse(open_note(sign(signer, log), [SIGNER.verifier]).body).size == 0
        for _ in range(3):
            log.append(entries(log.size, log.size + 100))
            text = sign(signer, log)
            assert text == note(log.size)
            assert sign(signer, log) == text
    assert CheckpointSigner(tmp_path / "signer", SIGNER).last() == Checkpoint("example.org/log", 300, root(300))
    assert (tmp_path / "signer").stat().st_mode & 0o077 == 0


def test_signer_refuses_a_log_that_was_rolled_back(tmp_path):
    signer = CheckpointSigner(tmp_path / "signer", SIGNER)
    with LogFolder(tmp_path / "log") as log:
        log.append(entries(0, 100))
        sign(signer, log)
        with pytest.raises(ProofError, match="has 99 entries and had 100") as raised:
            sign(signer, log, 99)
        assert raised.value.kind == "rolled-back"
        assert signer.last().size == 100


@pytest.mark.parametrize("size", [100, 101, 256, 300])
def test_signer_refuses_a_log_that_was_forked(tmp_path, size):
    signer = CheckpointSigner(tmp_path / "signer", SIGNER)
    with LogFolder(tmp_path / "log") as log, LogFolder(tmp_path / "fork") as fork:
        log.append(entries(0, 100))
        sign(signer, log)
        fork.append([*entries(0, 50), b"another", *entries(51, size)])
        with pytest.raises(ProofError) as raised:
            sign(signer, fork)
        assert raised.value.kind == "consistency"
        log.append(entries(100, 101))
        assert sign(signer, log) == note(101)


def test_signer_refuses_another_log(tmp_path):
    signer = CheckpointSigner(tmp_path / "signer", SIGNER)
    with LogFolder(tmp_path / "log") as log:
        sign(signer, log)
        with pytest.raises(ProofError, match="signs example"):
            sign(signer, log, origin="example.org/another")


def test_signer_without_its_memory_does_not_sign(tmp_path):
    (tmp_path / "signer").write_text("{")
    with LogFolder(tmp_path / "log") as log, pytest.raises(FormatError, match="cannot be read"):
        sign(CheckpointSigner(tmp_path / "signer", SIGNER), log)


def test_state_of_the_signer_is_what_it_says(tmp_path):
    with LogFolder(tmp_path / "log") as log:
        log.append(entries(0, 3))
        sign(CheckpointSigner(tmp_path / "signer", SIGNER), log)
    state = json.loads((tmp_path / "signer").read_text())
    assert state == {"origin": "example.org/log", "size": 3, "root": root(3).hex()}
