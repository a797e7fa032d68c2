"""Back-up and restore: database, log and keys in one file."""

from __future__ import annotations

import io
import json
import os
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.db import connection

from askfirst.errors import AskFirstError, ConfigError, FormatError, InputError

__all__ = ["backup", "restore"]

_FORMAT = "askfirst-site-backup-v1"
_ABOUT = "about.json"
_SQLITE, _POSTGRESQL = "database.sqlite3", "database.dump"


def backup(out: Path) -> int:
    """Write a back-up while the site runs.

    Args:
        out: The file; replaced if it is there, as a whole.

    Returns:
        Its size in bytes.
    """
    # The order makes any moment consistent: what the signer remembers is never more than the log holds, and the log
    # never more than the database. A database that is ahead is what the sequencer catches up from.
    # 1. The keys, with the signer's memory. 2. The log: its state first, then the tiles. 3. The database.
    site = settings.ASKFIRST
    out = out.absolute()
    draft = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        with tempfile.TemporaryDirectory(prefix="askfirst-backup-") as folder, draft.open("wb") as stream:
            draft.chmod(0o600)
            with tarfile.open(fileobj=stream, mode="w:gz", compresslevel=3) as archive:
                about = {"format": _FORMAT, "made": datetime.now(UTC).isoformat(), "database": connection.vendor}
                _add_bytes(archive, _ABOUT, json.dumps(about).encode())
                for path in sorted(site.keys_folder.glob("*")):
                    if path.suffix != ".lock" and not path.name.startswith("."):
                        _add_bytes(archive, f"keys/{path.name}", path.read_bytes(), 0o600)
                for path in _log_files(site.log_folder):
                    _add_bytes(archive, f"log/{path.relative_to(site.log_folder)}", path.read_bytes())
                archive.add(_dump_database(Path(folder)), arcname=_SQLITE if _is_sqlite() else _POSTGRESQL)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(out)
    except OSError as error:
        raise InputError(f"{out} cannot be written: {error.strerror}", kind="unwritable") from error
    finally:
        draft.unlink(missing_ok=True)
    return out.stat().st_size


def restore(file: Path) -> Iterator[str]:
    """Restore a back-up into an empty data folder and an empty database; yield what was done, a line each.

    A signer's memory that is newer than the back-up is kept: it makes the log refuse to tell two stories.

    Raises:
        ConfigError: There is a database already, or the back-up is of the other kind of database.
        FormatError: The file is no back-up.
    """
    site = settings.ASKFIRST
    try:
        with tarfile.open(file, "r:gz") as archive:
            names = archive.getnames()
            about = json.load(archive.extractfile(_ABOUT)) if _ABOUT in names else {}  # type: ignore[arg-type]  # a file
            if about.get("format") != _FORMAT:
                raise FormatError(f"{file} is no back-up of a site", path=str(file), expected=_FORMAT)
            _check_target(str(about["database"]))
            site.data.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".restore-", dir=site.data) as folder:
                archive.extractall(folder, filter="data")
                yield from _put_in_place(Path(folder))
    except (OSError, tarfile.TarError) as error:
        raise FormatError(f"{file} cannot be restored: {error}", path=str(file)) from error
    yield f"Restored what was saved on {about['made'][:19]} (UTC). Start the site: `askfirst site up`."


def _put_in_place(folder: Path) -> Iterator[str]:
    site = settings.ASKFIRST
    site.keys_folder.mkdir(mode=0o700, exist_ok=True)
    for path in sorted((folder / "keys").iterdir()):
        target = site.keys_folder / path.name
        if path.name == site.signer_state_file.name and _signed_size(target) > _signed_size(path):
            yield (
                f"The log was signed at {_signed_size(target)} entries, the back-up has {_signed_size(path)}. The newer"
                " memory is kept: the sequencer will refuse to go on until a newer back-up is restored."
            )
            continue
        shutil.copy(path, target)
        target.chmod(0o600)
    shutil.rmtree(site.log_folder, ignore_errors=True)
    if (folder / "log").is_dir():
        shutil.copytree(folder / "log", site.log_folder)
    yield "Keys and log are in their places."
    if _is_sqlite():
        shutil.copy(folder / _SQLITE, connection.settings_dict["NAME"])
    else:
        _run_postgres("pg_restore", "--no-owner", "--exit-on-error", "--single-transaction", str(folder / _POSTGRESQL))
    yield "The database is restored."


def _check_target(kind: str) -> None:
    if kind != connection.vendor:
        raise ConfigError(
            f"the back-up is of {kind}, DATABASE_URL names {connection.vendor}",
            key="DATABASE_URL",
            advice="use the same",
        )
    if _is_sqlite():
        is_empty = not Path(connection.settings_dict["NAME"]).exists()
    else:
        is_empty = not connection.introspection.table_names()
    if not is_empty:
        raise ConfigError(
            "there is a database already, and a restore never overwrites one",
            key="DATABASE_URL",
            advice="move the old data folder away, or name an empty database",
        )


def _dump_database(folder: Path) -> Path:
    """Write a consistent copy of the database."""
    if _is_sqlite():
        target = folder / _SQLITE
        with (
            closing(sqlite3.connect(connection.settings_dict["NAME"])) as source,
            closing(sqlite3.connect(target)) as copy,
        ):
            source.backup(copy)
        return target
    target = folder / _POSTGRESQL
    _run_postgres("pg_dump", "--format=custom", "--no-owner", f"--file={target}")
    return target


def _run_postgres(program: str, *arguments: str) -> None:
    parameters = connection.get_connection_params()
    environment = {**os.environ, "PGPASSWORD": str(parameters.get("password") or "")}
    names = {"--host": "host", "--port": "port", "--username": "user", "--dbname": "dbname"}
    options = [f"{option}={parameters[name]}" for option, name in names.items() if parameters.get(name)]
    try:
        result = subprocess.run(  # noqa: S603  # PostgreSQL's own program
            [program, *options, *arguments], env=environment, capture_output=True, text=True, check=False
        )
    except FileNotFoundError as error:
        advice = "install PostgreSQL's client programs (Debian, Ubuntu: apt-get install postgresql-client)"
        raise AskFirstError(f"{program} is not installed", advice=advice) from error
    if result.returncode:
        raise AskFirstError(f"{program} failed: {' '.join(result.stderr.split())[:500]}")


def _log_files(folder: Path) -> Iterator[Path]:
    """Yield the log's files, its head and its state before the tiles; what is only half done is left out."""
    yield from (path for path in (folder / "checkpoint", folder / ".state") if path.is_file())
    for path in sorted((folder / "tile").rglob("*")):
        if path.is_file():
            yield path


def _add_bytes(archive: tarfile.TarFile, name: str, data: bytes, mode: int = 0o644) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = len(data), mode, int(datetime.now(UTC).timestamp())
    archive.addfile(member, io.BytesIO(data))


def _signed_size(path: Path) -> int:
    return int(json.loads(path.read_text())["size"]) if path.is_file() else -1


def _is_sqlite() -> bool:
    return connection.vendor == "sqlite"
