"""Every entry gets one position, in order and without gaps, and stands in the published log under a signature."""

import shutil
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction

from askfirst.errors import AskFirstError, InputError, ProofError
from askfirst.io.log_files import LogFolder
from askfirst.tlog import Checkpoint as Head
from askfirst.tlog import NoteVerifier, open_note
from askfirst_site.transparency import hooks
from askfirst_site.transparency.actions import add_entry, raise_alarm
from askfirst_site.transparency.models import Alarm, Checkpoint, Entry
from askfirst_site.transparency.sequencer import Sequencer

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def add(count=1, start=0):
    return [
        add_entry(payload={"v": 1, "type": "test", "n": n}, subject=f"test:{n}", now=NOW)
        for n in range(start, start + count)
    ]


def sequencer(**options):
    site = settings.ASKFIRST
    made = Sequencer.of(site.log_folder, site.signer_state_file, site.log_key_file)
    made.batch_limit = options.get("batch_limit", made.batch_limit)
    return made


def published():
    """Return the head that strangers see, its signature checked."""
    site = settings.ASKFIRST
    note = (site.log_folder / "checkpoint").read_text()
    return Head.parse(open_note(note, [NoteVerifier.parse(site.log_vkey)]).body)


def positions():
    return list(Entry.objects.order_by("id").values_list("position", flat=True))


@pytest.fixture
def hooked():
    """Collect what the hooks are told, and forget the hooks of this test."""
    told = {"positions": [], "published": []}
    before = hooks.POSITIONS[:], hooks.PUBLISHED[:]
    hooks.on_positions(lambda entries, now: told["positions"].append([entry.position for entry in entries]))
    hooks.on_published(lambda start, stop, log, note, now: told["published"].append((start, stop)))
    yield told
    hooks.POSITIONS[:], hooks.PUBLISHED[:] = before


@pytest.mark.on_both
def test_entries_get_positions_in_order(live, hooked):
    add(5)
    with sequencer() as one:
        assert one.step(NOW) == 5
        assert one.step(NOW) == 0
        add(2, 5)
        assert one.step(NOW) == 2
    assert positions() == list(range(7))
    assert published().size == 7
    assert [b'"n":%d' % n in entry for n, entry in enumerate(LogFolder(settings.ASKFIRST.log_folder).entries())] == [
        True
    ] * 7
    assert hooked == {"positions": [[0, 1, 2, 3, 4], [5, 6]], "published": [(0, 5), (5, 7)]}


@pytest.mark.on_both
def test_empty_log_is_signed_too(live):
    with sequencer() as one:
        assert one.step(NOW) == 0
    assert published().size == 0


@pytest.mark.on_both
def test_more_than_a_batch_takes_several_steps(live):
    add(7)
    with sequencer(batch_limit=3) as one:
        assert [one.step(NOW) for _ in range(4)] == [3, 3, 1, 0]
    assert positions() == list(range(7))


@pytest.mark.on_both
def test_entry_of_a_transaction_that_ended_badly_leaves_no_gap(live):
    add(1)
    with transaction.atomic():
        add(3)
        transaction.set_rollback(True)
    add(2)
    with sequencer() as one:
        one.step(NOW)
    assert positions() == [0, 1, 2]


@pytest.mark.on_both
def test_hook_that_fails_gives_no_positions(live, hooked):
    def fail(entries, now):
        raise InputError("no")

    add(2)
    hooks.on_positions(fail)
    with sequencer() as one:
        with pytest.raises(InputError):
            one.step(NOW)
        assert positions() == [None, None]
        hooks.POSITIONS.remove(fail)
        assert one.step(NOW) == 2
    assert positions() == [0, 1]


@pytest.mark.on_both
def test_published_hook_that_failed_is_told_again(live, hooked):
    def fail(*_):
        raise InputError("no")

    with sequencer() as one:
        add(2)
        hooks.PUBLISHED.insert(0, fail)
        with pytest.raises(InputError):
            one.step(NOW)
        add(1, 2)
        hooks.PUBLISHED.remove(fail)
        one.step(NOW)
    assert hooked["published"] == [(0, 3)]


@pytest.mark.on_both
def test_sequencer_that_ended_before_the_files_catches_up(live):
    add(3)
    with sequencer() as one:
        one.step(NOW)
        add(4, 3)
        one._give_positions(NOW)  # and then the power fails
    with sequencer() as again:
        again.step(NOW)
    assert positions() == list(range(7))
    assert published().size == 7


@pytest.mark.on_both
def test_sequencer_that_ended_before_the_signature_signs(live):
    add(3)
    with sequencer() as one:
        one.step(NOW)
        add(1, 3)
        one.log.append([bytes(entry.payload) for entry in one._give_positions(NOW)])
    with sequencer() as again:
        again.step(NOW)
    assert published().size == 4
    assert Checkpoint.objects.filter(announced=True).count() == 2


@pytest.mark.on_both
def test_second_sequencer_is_refused(live):
    with sequencer(), pytest.raises(AskFirstError, match="another process writes the log"), sequencer():
        pass
    with sequencer() as one:
        assert one.step(NOW) == 0


def test_second_sequencer_with_another_folder_is_refused_by_postgresql(live_postgres, tmp_path):
    from django.db import connections

    site = settings.ASKFIRST
    with sequencer():
        own = connections["default"]
        del connections["default"]  # as another process has a connection of its own
        try:
            other = Sequencer.of(tmp_path / "log", tmp_path / "state", site.log_key_file)
            with pytest.raises(AskFirstError, match="another sequencer runs on this database"), other:
                pass
        finally:
            connections["default"].close()
            connections["default"] = own


@pytest.mark.on_both
def test_database_from_an_old_backup_is_refused(live):
    add(5)
    with sequencer() as one:
        one.step(NOW)
    with connection.cursor() as cursor:
        for line in (
            ["DROP TRIGGER transparency_entry_no_delete"]
            if connection.vendor == "sqlite"
            else ["ALTER TABLE transparency_entry DISABLE TRIGGER USER"]
        ):
            cursor.execute(line)
        cursor.execute("DELETE FROM transparency_entry WHERE position >= 3")
    with sequencer() as again, pytest.raises(ProofError, match="the log has 5 entries and the database 3"):
        again.step(NOW)
    assert published().size == 5
    assert Alarm.objects.get().kind == "log"


@pytest.mark.on_both
def test_log_folder_that_was_lost_is_made_again(live):
    add(300)
    with sequencer() as one:
        one.step(NOW)
    root = published().root
    shutil.rmtree(settings.ASKFIRST.log_folder)
    with sequencer() as again:
        again.step(NOW)
    assert (published().size, published().root) == (300, root)


@pytest.mark.on_both
def test_other_tree_is_never_signed(live):
    add(3)
    with sequencer() as one:
        one.step(NOW)
    shutil.rmtree(settings.ASKFIRST.log_folder)
    with LogFolder(settings.ASKFIRST.log_folder) as other:
        other.append([b"other"] * 3)
    with sequencer() as again, pytest.raises(ProofError):
        again.step(NOW)
    assert not (settings.ASKFIRST.log_folder / "checkpoint").exists()
    assert Alarm.objects.get().kind == "log"


@pytest.mark.on_both
def test_clock_that_goes_back_changes_nothing(live):
    with sequencer() as one:
        add(2)
        one.step(NOW)
        add(2, 2)
        one.step(NOW - timedelta(days=400))
        add(1, 4)
        one.step(NOW)
    assert positions() == list(range(5))
    assert published().size == 5


@pytest.mark.on_both
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE transparency_entry SET payload = 'x'",
        "UPDATE transparency_entry SET subject = 'x'",
        "UPDATE transparency_entry SET kind = 'x'",
        "UPDATE transparency_entry SET position = position + 1",
        "UPDATE transparency_entry SET position = NULL",
        "DELETE FROM transparency_entry",
    ],
)
def test_entry_is_never_changed(db, change):
    (entry,) = add(1)
    Entry.objects.filter(pk=entry.pk).update(position=0)
    with pytest.raises(DatabaseError, match="entries of the log are never changed"), transaction.atomic():
        connection.cursor().execute(change)


@pytest.mark.parametrize("payload", [{"type": "x", "n": 1.5}, {"type": "x", "text": "a" * 5000}, {"type": "x", "ü": 1}])
def test_payload_that_the_log_cannot_hold_is_refused(db, payload):
    with pytest.raises(InputError):
        add_entry(payload=payload, subject="test", now=NOW)


def test_alarm_is_raised_once(db):
    first = raise_alarm(kind="log", detail="the same", now=NOW)
    assert raise_alarm(kind="log", detail="the same", now=NOW + timedelta(hours=1)).pk == first.pk
    assert raise_alarm(kind="log", detail="another", now=NOW).pk != first.pk


def test_staff_action_is_never_changed(db):
    from askfirst_site.accounts.actions import record

    action = record(actor=None, verb="test", subject="x", now=NOW)
    for change in (lambda: type(action).objects.update(verb="y"), action.delete):
        with pytest.raises(DatabaseError, match="staff actions are never changed"), transaction.atomic():
            change()
