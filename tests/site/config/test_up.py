"""`askfirst site up` as somebody types it: it serves, sequences, ends; what is missing is said in plain words."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import databases
import pytest
import running

ADD = (
    "from datetime import UTC, datetime; from askfirst_site.transparency.actions import add_entry;"
    "add_entry(payload={'v': 1, 'type': 'test'}, subject='test', now=datetime.now(UTC))"
)


def test_fresh_site_serves_sequences_and_ends(tmp_path):
    folder = tmp_path / "site"
    env = running.environment(folder)
    with running.up(env) as (port, process):
        assert running.health(port) == (200, {"database": "ok", "sequencer": "ok", "outbox": "ok"})
        assert running.get(port, "/log/checkpoint")[1].startswith(b"127.0.0.1:%d/log\n0\n" % port)
        again = running.run(env, "up", "--no-input", "--port", str(running.free_port()))
        assert (again.returncode, "runs already" in again.stderr) == (2, True)
        assert running.run(env, "manage", "shell", "--no-imports", "--command", ADD).returncode == 0
        running.wait_for(lambda: running.checkpoint_size(folder) == 1, "the entry is in the log")
        pids = running.children(process).values()
    assert process.returncode == 0
    assert [pid for pid in pids if running.is_alive(pid)] == []
    printed = (tmp_path / "site.up.log").read_text()
    assert len(re.findall("Its password, shown this once: .{20}", printed)) == 1
    with running.up(env):
        pass
    assert (tmp_path / "site.up.log").read_text().count("password") == 1


def test_child_that_dies_is_started_again(tmp_path):
    folder = tmp_path / "site"
    with running.up(running.environment(folder)) as (port, process):
        for word in ("sequencer", "mailer", "granian"):
            first = running.child(process, word)
            os.kill(first, signal.SIGKILL)
            running.wait_for(lambda first=first, word=word: running.child(process, word) != first, f"a new {word}")
        running.wait_for(lambda: running.health(port)[0] == 200, "the site is well again")


def test_workers_of_a_server_that_was_killed_end_too(tmp_path):
    with running.up(running.environment(tmp_path / "site")) as (_, process):
        server = running.child(process, "granian")
        workers = [int(pid) for pid in Path(f"/proc/{server}/task/{server}/children").read_text().split()]
        os.kill(server, signal.SIGKILL)
        running.wait_for(lambda: not any(map(running.is_alive, workers)), "the workers end")
    assert len(workers) >= 2


def test_site_on_postgresql(live_postgres):
    env = running.environment(live_postgres["ASKFIRST_DATA"], DATABASE_URL=live_postgres["DATABASE_URL"])
    with running.up(env) as (port, _):
        assert running.health(port)[0] == 200


def test_health_says_what_is_wrong(tmp_path, db, client, site):
    response = client.get("/health")
    assert response.status_code == 503
    assert response.json() == {
        "database": "ok",
        "sequencer": "the sequencer has not run yet",
        "outbox": "the mailer has not run yet",
    }
    for name, age_s in {"sequencer": 31, "mailer": 5}.items():
        (site.heartbeat_folder / name).touch()
        at = (site.heartbeat_folder / name).stat().st_mtime - age_s
        os.utime(site.heartbeat_folder / name, (at, at))
    assert client.get("/health").json()["sequencer"] == "the sequencer last ran 31 s ago"


def test_check_says_what_is_missing_and_writes_nothing(tmp_path):
    result = running.run(running.environment(tmp_path / "site"), "check")
    assert result.returncode == 1
    assert "was never started" in result.stdout
    assert result.stdout.splitlines()[-1].endswith("to do before going live.")
    assert not (tmp_path / "site").exists()


def test_check_of_a_site_that_was_started(tmp_path):
    folder = tmp_path / "site"
    env = running.environment(folder, ASKFIRST_URL="https://statement.example.org", ASKFIRST_TRUSTED_PROXIES="1")
    assert running.run(env, "manage", "migrate").returncode == 0
    lines = running.run(env, "check").stdout.splitlines()
    assert "ok       The site's address is https://statement.example.org." in lines
    assert "ok       The log is called statement.example.org/log." in lines
    assert "missing  No statement stands on the front page: write one under /staff/." in lines
    assert "missing  The mailer does not run: `askfirst site up` starts it." in lines


def test_check_names_keys_that_others_can_read(tmp_path):
    env = running.environment(tmp_path / "site")
    running.run(env, "manage", "migrate")
    (tmp_path / "site" / "keys" / "mac.key").chmod(0o644)
    assert "Others can read mac.key" in running.run(env, "check").stdout


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_backup_restores_to_the_same_site(tmp_path, kind):
    more = {"DATABASE_URL": f"{databases.postgres()}/{databases.make_empty()}"} if kind == "postgres" else {}
    env = running.environment(tmp_path / "one", **more)
    with running.up(env):
        for _ in range(3):
            running.run(env, "manage", "shell", "--no-imports", "--command", ADD)
        running.wait_for(lambda: running.checkpoint_size(tmp_path / "one") == 3, "three entries are in the log")
        saved = running.run(env, "backup", str(tmp_path / "saved.tar.gz"))
    assert saved.returncode == 0, saved.stderr
    assert oct((tmp_path / "saved.tar.gz").stat().st_mode)[-3:] == "600"
    refused = running.run(env, "restore", str(tmp_path / "saved.tar.gz"))
    assert (refused.returncode, "never overwrites" in refused.stderr) == (2, True)

    more = {"DATABASE_URL": f"{databases.postgres()}/{databases.make_empty()}"} if kind == "postgres" else {}
    second = running.environment(tmp_path / "two", **more)
    restored = running.run(second, "restore", str(tmp_path / "saved.tar.gz"))
    assert restored.returncode == 0, restored.stderr
    for name in ("field.key", "mac.key", "log.key", "log.signed"):
        assert (tmp_path / "two/keys" / name).read_bytes() == (tmp_path / "one/keys" / name).read_bytes()
    with running.up(second):
        assert running.checkpoint_size(tmp_path / "two") == 3
        running.run(second, "manage", "shell", "--no-imports", "--command", ADD)
        running.wait_for(lambda: running.checkpoint_size(tmp_path / "two") == 4, "the log goes on")


def test_restored_old_backup_does_not_tell_another_story(tmp_path):
    env = running.environment(tmp_path / "one")
    with running.up(env):
        running.run(env, "backup", str(tmp_path / "old.tar.gz"))
        running.run(env, "manage", "shell", "--no-imports", "--command", ADD)
        running.wait_for(lambda: running.checkpoint_size(tmp_path / "one") == 1, "the entry is in the log")
    (tmp_path / "one" / "site.sqlite3").rename(tmp_path / "gone.sqlite3")
    restored = running.run(env, "restore", str(tmp_path / "old.tar.gz"))
    assert "The newer memory is kept" in restored.stdout
    ended = running.run(env, "sequencer")
    assert ended.returncode == 3
    assert "the log has 1 entries and the database 0" in ended.stderr


def test_file_that_is_no_backup_is_refused(tmp_path):
    (tmp_path / "file").write_bytes(b"not a back-up")
    result = running.run(running.environment(tmp_path / "site"), "restore", str(tmp_path / "file"))
    assert (result.returncode, len(result.stderr.splitlines())) == (2, 1)


def test_bad_value_is_one_clear_line(tmp_path):
    env = running.environment(tmp_path / "site", ASKFIRST_MAIL_RATE="many")
    result = running.run(env, "up", "--no-input")
    assert result.returncode == 2
    line = "askfirst: the environment's ASKFIRST_MAIL_RATE='many' cannot be used: mails a second, such as 10 or 0.5\n"
    assert result.stderr == line


def test_missing_extra_is_one_clear_line(tmp_path):
    program = "import sys; sys.modules['django'] = None; from askfirst.cli import main; main(['site', 'check'])"
    result = subprocess.run(
        [sys.executable, "-c", program], env=running.environment(tmp_path), capture_output=True, text=True, check=False
    )
    assert result.returncode == 2
    assert result.stderr.endswith('install them with: pip install "askfirst[site]"\n')
    assert len(result.stderr.splitlines()) == 1
