"""`askfirst verify` as somebody uses it: yes, no, or one clear line about what was given."""

import json
from dataclasses import dataclass

import pytest
from scene import HOUR, LOG, OTHER_LOG, STATEMENT, WITNESSES, entries_of, lines, publish, receipt_of

from askfirst.cli import main
from askfirst.proof.receipt import close_fields
from askfirst.tlog.entries import Withdraw


@dataclass
class Result:
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def verify(capsys):
    def run(*arguments):
        with pytest.raises(SystemExit) as exited:
            main(["verify", *map(str, arguments)])
        said = capsys.readouterr()
        return Result(exited.value.code, said.out, said.err)

    return run


def answer(result, code):
    assert result.returncode == code, result.stdout + result.stderr
    assert result.stderr == ""
    return result.stdout.splitlines()


def the_line(result, code=2):
    assert result.returncode == code, result.stdout + result.stderr
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    return line


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    log = publish(home / "log", entries_of(30), WITNESSES[:2])
    (home / "mine.tlog-proof").write_text(receipt_of(log, 7))
    (home / "closed.tlog-proof").write_text(close_fields(receipt_of(log, 7), ["email", "name"]))
    (home / "statement.json").write_text(json.dumps(STATEMENT))
    (home / "log.key").write_text(f"# the log's key\n{LOG.verifier.vkey}\n")
    (home / "witnesses").write_text("".join(f"{witness.verifier.vkey}\n" for witness in WITNESSES[:2]))
    return home


def test_receipt_is_verified_with_keys_in_files(verify, home):
    said = answer(
        verify(
            home / "mine.tlog-proof",
            "--key",
            home / "log.key",
            "--witness",
            home / "witnesses",
            "--statement",
            home / "statement.json",
        ),
        0,
    )
    assert said[0] == "yes"
    assert said[-1] == "  ok   the words signed are: Fragt zuerst."


def test_receipt_without_a_key_is_a_no(verify, home):
    said = answer(verify(home / "mine.tlog-proof"), 1)
    assert said[0] == "no"
    assert said[1].startswith("  no   without the log's key nobody can say whose log this is")


def test_closed_receipt_says_what_is_not_shown(verify, home):
    said = answer(verify(home / "closed.tlog-proof", "--key", LOG.verifier.vkey), 0)
    assert said[-1] == "  note the holder did not show: email, name"


def test_receipt_of_another_log_is_a_no(verify, home):
    said = answer(verify(home / "mine.tlog-proof", "--key", OTHER_LOG.verifier.vkey, "--json"), 1)
    value = json.loads(said[0])
    assert (value["good"], value["findings"][0]["facts"]["failed"]) == (False, "signature")


def test_damaged_receipt_is_a_no(verify, home):
    text = (home / "mine.tlog-proof").read_text()
    (home / "damaged").write_text(text[:-9])
    assert answer(verify(home / "damaged", "--key", home / "log.key"), 1)[0] == "no"


def test_log_is_counted_and_the_checkpoint_remembered(verify, home, tmp_path):
    seen = tmp_path / "seen"
    first = answer(verify("--log", home / "log", "--key", home / "log.key", "--since", seen), 0)
    assert "  ok   ask-first: 24 people and 5 organisations have signed" in first
    assert seen.read_text() == (home / "log" / "checkpoint").read_text()
    again = answer(verify("--log", home / "log", "--key", home / "log.key", "--since", seen), 0)
    assert "  ok   the checkpoint of last time, of 30 entries, is the beginning of this log" in again


def test_log_that_was_forked_is_a_no_and_what_was_seen_is_kept(verify, home, tmp_path):
    seen = tmp_path / "seen"
    seen.write_text((home / "log" / "checkpoint").read_text())
    publish(tmp_path / "fork", [*entries_of(29), *lines(Withdraw(7, HOUR))])
    before = seen.read_text()
    said = answer(verify("--log", tmp_path / "fork", "--key", home / "log.key", "--since", seen), 1)
    assert said[0] == "no"
    assert said[-1].startswith("  no   forked:")
    assert seen.read_text() == before


def test_receipt_and_log_together(verify, home):
    said = answer(verify(home / "mine.tlog-proof", "--log", home / "log", "--key", home / "log.key"), 0)
    assert said[-1] == "  ok   the signature of entry 7 is in this log and counts"


def test_receipt_that_is_not_good_is_not_looked_for_in_a_log(verify, home):
    said = answer(verify(home / "mine.tlog-proof", "--log", home / "log"), 1)
    assert len(said) == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "there is nothing to check"),
        (["nothing-there", "--key", "KEY"], "nothing-there cannot be read"),
        (["log.key", "--key", "KEY"], "log.key is nothing that can be checked"),
        (["log", "--key", "KEY"], "log cannot be read"),
        (["mine.tlog-proof", "--key", "a+b+c"], "this is not a verifier key"),
        (["mine.tlog-proof", "--key", "nothing-there"], "nothing-there cannot be read"),
        (["mine.tlog-proof", "--key", "statement.json"], "this is not a verifier key"),
        (["mine.tlog-proof", "--key", "KEY", "--witness", "KEY"], "this is not a verifier key of the right type"),
        (["mine.tlog-proof", "--key", "KEY", "--quorum", "1"], "1 witnesses cannot be asked for"),
        (["mine.tlog-proof", "--key", "KEY", "--statement", "log.key"], "log.key is not JSON"),
        (["mine.tlog-proof", "--key", "KEY", "--since", "seen"], "--since needs a log"),
        (["--log", "nothing-there", "--key", "KEY"], "there is no folder nothing-there"),
        (["--log", "http://example.org/log", "--key", "KEY"], "http://example.org/log/ is not the address of a log"),
        (
            ["--log", "log", "--key", "KEY", "--since", "statement.json"],
            "statement.json holds no checkpoint of this log",
        ),
    ],
)
def test_bad_input_is_one_clear_line(verify, home, arguments, words, monkeypatch):
    monkeypatch.chdir(home)
    given = [LOG.verifier.vkey if argument == "KEY" else argument for argument in arguments]
    assert the_line(verify(*given)).startswith(f"askfirst: {words}")


def test_log_that_cannot_be_reached_could_not_be_finished(verify):
    assert the_line(verify("--log", "http://127.0.0.1:9/", "--key", LOG.verifier.vkey), 3).startswith(
        "askfirst: http://127.0.0.1:9/checkpoint cannot be read"
    )
