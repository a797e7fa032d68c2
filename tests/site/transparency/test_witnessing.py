"""Witnesses cosign the newest checkpoint over HTTP; what they sign stands beside the log's own signature."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import running
from django.conf import settings

from askfirst.errors import ConfigError
from askfirst.io.log_files import LogFolder
from askfirst.tlog import CosignatureVerifier, NoteVerifier, open_note
from askfirst_site.transparency.actions import add_entry
from askfirst_site.transparency.models import Alarm, Checkpoint, Cosignature
from askfirst_site.transparency.queries import latest_cosignatures
from askfirst_site.transparency.sequencer import Sequencer
from askfirst_site.transparency.witnessing import collect_cosignatures, read_witnesses

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
def witness(live, tmp_path):
    """A real witness: `askfirst witness serve`. Gives the line of the file of witnesses."""
    state, port = tmp_path / "witness", running.free_port()
    command = [sys.executable, "-m", "askfirst", "witness"]
    vkey = subprocess.check_output([*command, "init", "--name", "guild.example.org", "--state", str(state)], text=True)
    serve = [*command, "serve", "--state", str(state), "--log", settings.ASKFIRST.log_vkey, "--port", str(port)]
    process = subprocess.Popen(serve, stderr=subprocess.DEVNULL)
    running.wait_for(lambda: running.get(port, "/") is not None, "the witness answers")
    yield f"{vkey.strip()} http://127.0.0.1:{port}"
    process.terminate()
    process.wait(10)


def grow(sequencer, count):
    for number in range(count):
        add_entry(payload={"v": 1, "type": "test", "n": number}, subject="test", now=NOW)
    sequencer.step(NOW)


def witnesses_of(tmp_path, *lines):
    path = tmp_path / "witnesses"
    path.write_text("# who watches\n\n" + "\n".join(lines) + "\n")
    return read_witnesses(path)


def open_sequencer():
    site = settings.ASKFIRST
    return Sequencer.of(site.log_folder, site.signer_state_file, site.log_key_file)


def test_witness_cosigns_each_checkpoint_that_continues_the_last(live, witness, tmp_path):
    site, asked = settings.ASKFIRST, witnesses_of(tmp_path, witness)
    with open_sequencer() as sequencer:
        for size in (3, 10):
            grow(sequencer, size - sequencer.log.size)
            cosigned = collect_cosignatures(LogFolder(site.log_folder), asked, NOW)
            assert sequencer.publish_cosigned(*cosigned)
            note = (site.log_folder / "checkpoint").read_text()
            known = [NoteVerifier.parse(site.log_vkey), CosignatureVerifier.parse(witness.split()[0])]
            assert len(open_note(note, known).signatures) == 2
            assert collect_cosignatures(LogFolder(site.log_folder), asked, NOW) is None
    assert [(one.witness, one.checkpoint.size) for one in latest_cosignatures()] == [("guild.example.org", 10)]
    assert Alarm.objects.count() == 0


def test_cosigned_checkpoint_does_not_replace_a_newer_one(live, witness, tmp_path):
    site = settings.ASKFIRST
    with open_sequencer() as sequencer:
        grow(sequencer, 2)
        cosigned = collect_cosignatures(LogFolder(site.log_folder), witnesses_of(tmp_path, witness), NOW)
        grow(sequencer, 1)
        assert not sequencer.publish_cosigned(*cosigned)
    assert (site.log_folder / "checkpoint").read_text().splitlines()[1] == "3"


def test_our_forgotten_size_is_learned_from_the_witness(live, witness, tmp_path):
    site, asked = settings.ASKFIRST, witnesses_of(tmp_path, witness)
    with open_sequencer() as sequencer:
        grow(sequencer, 4)
        collect_cosignatures(LogFolder(site.log_folder), asked, NOW)
        Cosignature.objects.all().delete()
        grow(sequencer, 4)
        collect_cosignatures(LogFolder(site.log_folder), asked, NOW)
    assert Cosignature.objects.get().checkpoint.size == 8


def test_log_that_was_rolled_back_raises_an_alarm(live, witness, tmp_path):
    site, asked = settings.ASKFIRST, witnesses_of(tmp_path, witness)
    with open_sequencer() as sequencer:
        grow(sequencer, 2)
        early = Checkpoint.objects.order_by("-size").first().pk
        grow(sequencer, 3)
        collect_cosignatures(LogFolder(site.log_folder), asked, NOW)
        Checkpoint.objects.exclude(pk=early).delete()
        collect_cosignatures(LogFolder(site.log_folder), asked, NOW)
    assert Alarm.objects.get().detail.startswith("the witness guild.example.org has seen 5 entries, the log has 2")


def test_witness_that_does_not_answer_is_left_out(live, witness, tmp_path):
    unreachable = f"{witness.split()[0]} http://127.0.0.1:1"
    with open_sequencer() as sequencer:
        grow(sequencer, 2)
        asked = witnesses_of(tmp_path, unreachable)
        size, note = collect_cosignatures(LogFolder(settings.ASKFIRST.log_folder), asked, NOW)
        assert (size, note) == (2, sequencer.log.checkpoint())
    assert Cosignature.objects.count() == 0


def test_no_file_of_witnesses_is_nobody():
    assert read_witnesses(None) == []


@pytest.mark.parametrize("line", ["nonsense", "a b c", "guild+00000000+AAAA http://127.0.0.1:1"])
def test_line_that_is_no_witness_is_named(tmp_path, line):
    with pytest.raises(ConfigError) as caught:
        witnesses_of(tmp_path, line)
    assert caught.value.key == "ASKFIRST_WITNESSES"
    assert Path(tmp_path / "witnesses").name in str(caught.value)
