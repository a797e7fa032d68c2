"""What is in SOURCE...: folders, files and glob patterns become a plan of units of work.

    SOURCE --_expand--> paths --_find--> files and tables --_cut--> units, numbered

The plan depends on the files alone, not on the machine or the number of workers. Row numbers are known before
rows are read: large tables of text are scanned once, for places where they can be cut.
"""

from __future__ import annotations

import errno
import glob
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from askfirst.errors import InputError
from askfirst.io.columns import ColumnChoice, dialect_of, find_roles, read_schema
from askfirst.io.files import COMPRESSED, LIMITS, Limits, Stream, file_error
from askfirst.io.names import free_name, printable
from askfirst.io.parts import open_parquet
from askfirst.io.records import UNCLOSED, Dialect, read_records
from askfirst.model import Gap

__all__ = ["FileEntry", "Plan", "Unit", "plan"]

_KINDS = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A file that is one item.

    Args:
        item_id: `<source>/<path inside>`.
        name: Its path inside the source, printable.
        path: Relative to `root`, as `read_file` takes it.
        root: The folder it may not leave.
        size_bytes: When the plan was made.
        gap: Why it cannot be read, where that is known.
    """

    item_id: str
    name: str
    path: str
    root: str
    size_bytes: int
    gap: Gap | None = None


@dataclass(frozen=True, slots=True)
class Unit:
    """A part of a source that one worker reads.

    Args:
        index: Position in the plan.
        kind: `files`, `parquet`, `csv` or `jsonl`.
        name: `<source>` of files, `<source>[/<path inside>]` of a table: where item ids begin.
        path: The table's file, or the folder of the files.
        start: First row group, byte or file.
        stop: The one after the last.
        first_row: Number of its first row within the file.
        files: The files, for `files`.
    """

    index: int
    kind: str
    name: str
    path: str
    start: int
    stop: int
    first_row: int
    files: tuple[FileEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that is to be read, in the order of the results.

    Args:
        units: Numbered from 0.
        sources: Their names.
        notes: What was left out, and what cannot be shared among workers, for people.
        total_bytes: Of all files, on disk.
    """

    units: tuple[Unit, ...]
    sources: tuple[str, ...]
    notes: tuple[str, ...]
    total_bytes: int


def plan(sources: Sequence[str], choice: ColumnChoice, limits: Limits = LIMITS) -> Plan:
    """Find out what there is to read, and cut it into units.

    1. Resolve patterns; refuse what is missing and what is named twice.
    2. Name every source after its file or folder; the second of a name is `name~2`.
    3. Find its files, sorted by the bytes of their paths.
    4. Cut: files in groups, Parquet between row groups, text between records.

    Args:
        sources: Folders, files and glob patterns.
        choice: Which columns hold what.
        limits: Sizes of units.

    Raises:
        InputError: A source is missing, empty or unreadable, or a table has no columns that can be used.

    Cost: one look at every file; one pass over each uncompressed text table of more than one unit.
    """
    units: list[Unit] = []
    names: dict[str, str] = {}
    notes: list[str] = []
    total_bytes = 0
    paths = [(path, ".json" in source.lower()) for source in sources for path in _expand(source)]  # step 1
    if not paths:
        raise InputError("there is nothing to read", kind="missing", advice="name a folder, a table or a pattern")
    for path, is_json_lines in paths:
        real = os.path.realpath(path)
        if real in names:
            raise InputError(f"{path} is named twice", kind="named-twice", advice="name each source once")
        base = Path(path).name
        name = free_name(printable(Path(real).name if base in ("", "..") else base), names.values())
        names[real] = name  # step 2
        try:
            found = _find(path, name, notes, is_json_lines=is_json_lines)  # step 3
        except OSError as error:
            raise file_error(error, path) from error
        units += _cut_source(name, found, choice, limits)  # step 4
        total_bytes += sum(file.size_bytes for file in found)
    large = (unit.name for unit in units if unit.stop == sys.maxsize and _size(unit.path) > limits.unit_bytes)
    notes += (f"{name} is read by one worker, because it is compressed or UTF-16" for name in large)
    numbered = tuple(replace(unit, index=index) for index, unit in enumerate(units))
    return Plan(numbered, tuple(names.values()), tuple(notes), total_bytes)


def _expand(source: str) -> list[str]:
    """Return the paths that a source stands for, those of a pattern sorted by their bytes."""
    if os.path.lexists(source):
        return [source]
    if not glob.has_magic(source):
        raise InputError(f"{source or repr('')} does not exist", kind="missing", advice="check the path")
    # Not pathlib: its patterns match hidden files, and `**` differs between versions of Python.
    matches = sorted(glob.glob(source, recursive=True), key=os.fsencode)  # noqa: PTH207
    once = {os.path.realpath(match): match for match in reversed(matches)}  # a link may lead to another match
    if "__pycache__" not in source:
        once = {real: match for real, match in once.items() if "__pycache__" not in match}
    if "**" in source:
        once = {real: match for real, match in once.items() if not Path(real).is_dir()}
    if not once:
        raise InputError(f"nothing matches {source}", kind="missing", advice="check the pattern, and quote it")
    return list(reversed(once.values()))


def _size(path: str) -> int:
    return Path(path).stat().st_size


@dataclass(frozen=True, slots=True)
class _Found:
    """A file, as `FileEntry` says; `kind` as in `Unit`, but empty for a file that is one item."""

    root: str
    path: str
    name: str
    item_id: str
    kind: str = ""
    size_bytes: int = 0
    gap: Gap | None = None


def _kind_of(name: str, *, is_json_lines: bool = False) -> str:
    stem, suffix = os.path.splitext(name.lower())  # noqa: PTH122  # pathlib sees no suffix in `.csv`
    if suffix in COMPRESSED:
        kind = _kind_of(stem, is_json_lines=is_json_lines)
        return "" if kind == "parquet" else kind
    return _KINDS.get(suffix, "jsonl" if is_json_lines and suffix == ".json" else "")


def _find(path: str, source: str, notes: list[str], *, is_json_lines: bool) -> list[_Found]:
    """Return the files of a path, sorted."""
    real = Path(os.path.realpath(path))
    status = real.stat()
    if stat.S_ISDIR(status.st_mode):
        found = sorted(_walk(str(real), source, notes), key=lambda file: os.fsencode(file.path))
        if not found:
            raise InputError(f"{path} has no files", kind="empty", advice="name a folder with files in it")
        return found
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EISDIR, "")
    with real.open("rb"):  # whoever may not read it is told now
        pass
    if status.st_size == 0:
        raise InputError(f"{path} is empty", kind="empty", advice="get the file again")
    kind = _kind_of(path, is_json_lines=is_json_lines)
    place = Path(path).absolute() if kind else real  # a table may be a link with another suffix than its file
    return [_Found(str(place.parent), place.name, printable(Path(path).name), source, kind, status.st_size)]


def _walk(root: str, source: str, notes: list[str]) -> Iterator[_Found]:
    """Yield the files below a folder, in any order; links are followed only to files inside it."""
    skipped: dict[str, list[str]] = {}
    folders = [""]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(Path(root, folder)) as entries:
                listed = [entry for entry in entries if entry.name[0] != "." and entry.name != "__pycache__"]
        except OSError as error:
            if not folder:
                raise
            yield _with_error(error, root, folder, source)
            continue
        for entry in listed:
            path = f"{folder}/{entry.name}" if folder else entry.name
            try:
                mode = entry.stat().st_mode
                problem = _link_problem(root, entry, mode) if entry.is_symlink() else ""
            except OSError as error:
                if error.errno != errno.ELOOP:
                    yield _with_error(error, root, path, source)
                    continue
                problem = "lead in a circle"
            if problem:
                skipped.setdefault(problem, []).append(path)
            elif stat.S_ISDIR(mode):
                folders.append(path)
            else:
                yield _entry(root, path, source, entry.stat())
    for problem, paths in sorted(skipped.items()):
        first = printable(min(paths, key=os.fsencode))
        notes.append(f"{source}: skipped symbolic links that {problem}: {len(paths)}, first {first}")


def _entry(root: str, path: str, source: str, status: os.stat_result) -> _Found:
    if not stat.S_ISREG(status.st_mode):
        return _with_error(OSError(errno.EISDIR, ""), root, path, source)
    name = printable(path)
    return _Found(root, path, name, f"{source}/{name}", _kind_of(name), status.st_size)


def _link_problem(root: str, entry: os.DirEntry[str], mode: int) -> str:
    real = os.path.realpath(entry.path)
    if os.path.commonpath([real, root]) != root:
        return "leave the folder"
    return "lead to folders that are in it anyway" if stat.S_ISDIR(mode) else ""


def _with_error(error: OSError, root: str, path: str, source: str) -> _Found:
    name = printable(path)
    flaw = file_error(error, f"{source}/{name}")
    return _Found(root, path, name, f"{source}/{name}", gap=_gap(flaw, f"{source}/{name}"))


def _gap(error: InputError, source: str) -> Gap:
    return Gap(error.kind, error.message, source, error.advice)


def _cut_source(name: str, found: list[_Found], choice: ColumnChoice, limits: Limits) -> list[Unit]:
    """Return the units of a source: its files in groups, then its tables one after the other.

    A table of a folder that cannot be used is one unreadable item; only where there is nothing else, it is
    the whole source that cannot be used.
    """
    files: list[FileEntry] = []
    tables: list[Unit] = []
    errors: list[InputError] = []
    for file in found:
        gap = file.gap
        if file.kind and gap is None:
            try:
                tables += _cut_table(file, choice, limits)
                continue
            except InputError as error:
                if file.item_id == name:
                    raise
                errors.append(error)
                gap = _gap(error, file.item_id)
        files.append(FileEntry(file.item_id, file.name, file.path, file.root, file.size_bytes, gap))
    if not tables and len(errors) == len(files) and errors[0].kind in ("no-column", "wrong-type"):
        raise errors[0]
    return [*_cut_files(name, files, limits), *tables]


def _cut_files(name: str, files: list[FileEntry], limits: Limits) -> Iterator[Unit]:
    start = size = 0
    for stop, file in enumerate(files):
        if stop > start and (stop - start == limits.unit_files or size + file.size_bytes > limits.unit_file_bytes):
            yield Unit(0, "files", name, file.root, start, stop, start, tuple(files[start:stop]))
            start, size = stop, 0
        size += file.size_bytes
    if files:
        yield Unit(0, "files", name, files[0].root, start, len(files), start, tuple(files[start:]))


def _cut_table(file: _Found, choice: ColumnChoice, limits: Limits) -> list[Unit]:
    """Return the units of a table.

    Raises:
        InputError: It cannot be read, or has no columns that can be used.
    """
    path = str(Path(file.root, file.path))
    if file.kind == "parquet":
        parquet = open_parquet(path, file.item_id)
        find_roles(parquet.schema_arrow, choice, file.item_id)
        groups = [parquet.metadata.row_group(group) for group in range(parquet.metadata.num_row_groups)]
        cuts = _cut_groups([(group.num_rows, group.total_byte_size) for group in groups], limits)
    else:
        with Stream(path, file.item_id) as stream:
            find_roles(read_schema(stream, file.kind, choice, limits), choice, file.item_id)
            stop = file.size_bytes if stream.is_direct else sys.maxsize
            cuts = [(0, stop, 0)]
            if stream.is_direct and stop > limits.unit_bytes:
                cuts = _cut_text(stream, stop, dialect_of(stream, file.kind, choice), limits)
    return [Unit(0, file.kind, file.item_id, path, *cut) for cut in cuts]


def _cut_groups(groups: list[tuple[int, int]], limits: Limits) -> list[tuple[int, int, int]]:
    """Return (first row group, the one after the last, first row), from rows and bytes of all row groups."""
    cuts = [(0, 0)]
    rows = size = all_rows = 0
    for group, (group_rows, group_bytes) in enumerate(groups):
        is_full = rows + group_rows > limits.unit_rows or size + group_bytes > limits.unit_bytes
        if is_full and group > cuts[-1][0]:
            cuts.append((group, all_rows))
            rows = size = 0
        rows, size, all_rows = rows + group_rows, size + group_bytes, all_rows + group_rows
    stops = [*(start for start, _row in cuts[1:]), len(groups)]
    return [(start, stop, row) for (start, row), stop in zip(cuts, stops, strict=True)]


def _cut_text(stream: Stream, size: int, dialect: Dialect, limits: Limits) -> list[tuple[int, int, int]]:
    """Return (first byte, the one after the last, first row); one range where a quote is never closed."""
    cuts = [(0, 0)]
    row = -1 if dialect.delimiter else 0  # the header is no row
    for records in read_records(stream, stream.start, size, dialect, limits):
        if UNCLOSED in records.flags:
            return [(0, size, 0)]
        while (at := int(np.searchsorted(records.offsets, cuts[-1][0] + limits.unit_bytes))) < len(records.offsets):
            cuts.append((int(records.offsets[at]), row + at))
        row += len(records.offsets)
    stops = [*(start for start, _row in cuts[1:]), size]
    return [(start, stop, first) for (start, first), stop in zip(cuts, stops, strict=True)]
