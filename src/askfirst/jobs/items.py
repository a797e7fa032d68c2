"""From rows of a source to a batch that can be judged: files are read, pictures decoded, signals collected."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from itertools import pairwise
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from askfirst.audit import Batch, Coded
from askfirst.errors import InputError
from askfirst.fingerprint.audio import SoundQuery, query_peaks
from askfirst.fingerprint.descriptor import DescriptorQuery
from askfirst.fingerprint.image import ImageQuery, query_codes
from askfirst.fingerprint.video import FilmQuery, query_frames
from askfirst.io.files import read_file
from askfirst.io.tables import RowBatch
from askfirst.jobs.describer import Describer
from askfirst.jobs.media import Opened, gap_of, open_bytes, time_limit
from askfirst.model import MEDIA, Gap, Medium, Signal
from askfirst.signals import Reading
from askfirst.signals.headers import read_headers
from askfirst.signals.robots import read_robots

__all__ = ["ITEM_BYTES_MAX", "Prepared", "prepare"]

ITEM_BYTES_MAX = 256 << 20
"""A larger file is not read; the item is unreadable."""

T = TypeVar("T")

_CODE = {medium: code for code, medium in enumerate(MEDIA)}
_IMAGES_ONLY = "images"
TEXT_BYTES_MAX = 64 << 20
"""A longer text is not compared; the item is unreadable."""

_TOO_LONG = Gap("too-large", f"the text is longer than {TEXT_BYTES_MAX >> 20} MiB", "", "split it into documents")
_EMPTY = Gap("empty", "there is nothing in this item", "", "take the row out")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A batch, and the bytes of its pictures as long as they may be needed for a report."""

    batch: Batch
    pictures: Mapping[int, bytes]


@dataclass(slots=True)
class _Rows:
    """What is collected row by row while a batch is read."""

    medium: NDArray[np.uint8]
    describer: Describer | None = None
    gaps: dict[int, tuple[Gap, ...]] = field(default_factory=dict)
    signals: dict[int, tuple[Signal, ...]] = field(default_factory=dict)
    texts: dict[int, str] = field(default_factory=dict)
    digests: dict[int, bytes] = field(default_factory=dict)
    images: dict[int, ImageQuery] = field(default_factory=dict)
    descriptors: dict[int, DescriptorQuery] = field(default_factory=dict)
    sounds: dict[int, SoundQuery] = field(default_factory=dict)
    films: dict[int, FilmQuery] = field(default_factory=dict)
    pictures: dict[int, bytes] = field(default_factory=dict)


def prepare(
    rows: RowBatch,
    first: int,
    skip: Mapping[int, Gap],
    mark: Callable[[int], None],
    describer: Describer | None = None,
) -> Prepared:
    """Read what the rows hold, as far as it can be read.

    1. Read every item's bytes, one by one; a flaw is that item's gap.
    2. Digest the texts of a text column.
    3. Read the rights signals of the rows' other columns.

    Args:
        rows: Rows of one source.
        first: Number of the first row within its unit.
        skip: Gaps of rows that must not be opened, by number within the unit.
        mark: Called with a row's number within the unit before it is opened.
        describer: Describes pictures by a model, where there is one.
    """
    count = len(rows.item_ids)
    hint = Medium.TEXT if rows.text is not None else rows.medium_hint or Medium.OTHER
    state = _Rows(np.full(count, _CODE[hint], np.uint8), describer)
    for row, gap in rows.gaps.items():
        state.gaps[row] = (gap,)
    with time_limit() as begin_item:
        for row, name, load in _loaders(rows):
            if row in state.gaps:
                continue
            if first + row in skip:
                state.gaps[row] = (skip[first + row],)
                continue
            mark(first + row)
            begin_item(0)
            _take(state, row, name, partial(_measured, load, begin_item))
    texts = _take_texts(state, rows.text) if rows.text is not None else _document_texts(state, count)
    _take_signals(state, rows)
    digest_rows = np.array(sorted(state.digests), np.int32)
    image_rows, images = _by_row(state.images)
    described_rows, descriptors = _by_row(state.descriptors)
    sound_rows, sounds = _by_row(state.sounds)
    film_rows, films = _by_row(state.films)
    batch = Batch(
        item_ids=rows.item_ids,
        source=rows.source,
        medium=state.medium,
        signals=Coded.of(count, state.signals),
        gaps=Coded.of(count, state.gaps),
        urls=rows.url,
        texts=texts,
        digest_rows=digest_rows,
        digests=np.frombuffer(b"".join(state.digests[r] for r in digest_rows), np.uint8).reshape(-1, 32),
        image_rows=image_rows,
        images=images,
        described_rows=described_rows,
        descriptors=descriptors,
        sound_rows=sound_rows,
        sounds=sounds,
        film_rows=film_rows,
        films=films,
        by_url=rows.url is not None and rows.text is rows.media is rows.path is rows.files is None,
    )
    return Prepared(batch, state.pictures)


def _by_row(queries: Mapping[int, T]) -> tuple[NDArray[np.int32], tuple[T, ...]]:
    rows = sorted(queries)
    return np.array(rows, np.int32), tuple(queries[row] for row in rows)


def _loaders(rows: RowBatch) -> Iterator[tuple[int, str, Callable[[], bytes]]]:
    """Yield row, name and a way to get the bytes of every item that has bytes."""
    if rows.text is not None:
        return
    if rows.files is not None:
        for row, entry in enumerate(rows.files):
            yield row, entry.name, partial(read_file, entry.path, entry.root, ITEM_BYTES_MAX)
        return
    media, path = rows.media, rows.path
    for row in range(len(rows.item_ids)) if media is not None or path is not None else ():
        name = path[row].as_py() if path is not None else None
        if media is not None and media[row].is_valid:
            yield row, name or "", media[row].as_py
        elif name:
            yield row, name, partial(read_file, name, rows.root, ITEM_BYTES_MAX)
        else:
            yield row, "", lambda: b""


def _measured(load: Callable[[], bytes], begin_item: Callable[[int], None]) -> bytes:
    data = load()
    begin_item(len(data))
    return data


def _take(state: _Rows, row: int, name: str, load: Callable[[], bytes]) -> None:
    """Open one item; whatever goes wrong is this item's gap and nothing else's."""
    try:
        data = load()
        describer = state.describer
        opened = open_bytes(data, name, colour_px=describer.colour_px if describer else 0)
        if opened.grey is not None:
            state.images[row] = query_codes(opened.grey)
        if describer and opened.rgb is not None:
            state.descriptors[row] = describer.describe(opened.rgb)
        if opened.sound is not None:
            sound = query_peaks(opened.sound)
            if len(sound.peaks.frame):  # silence is nobody's
                state.sounds[row] = sound
        if opened.film is not None:
            state.films[row] = query_frames(opened.film.frames, opened.film.seconds)
    except InputError as error:
        state.gaps[row] = (gap_of(error, name),)
        return
    except Exception as error:  # noqa: BLE001  # the engine's worker: an item must not end a run of millions
        cause = f"the reader failed ({type(error).__name__}: {str(error)[:120]})"
        state.gaps[row] = (Gap("reader-failed", cause, name, "report it, and take the item out"),)
        return
    _keep(state, row, opened, data)


def _keep(state: _Rows, row: int, opened: Opened, data: bytes) -> None:
    state.medium[row] = _CODE[opened.medium]
    state.digests[row] = opened.digest
    if opened.text is not None:
        state.texts[row] = opened.text
    state.signals[row] = opened.signals
    if opened.gaps:
        state.gaps[row] = opened.gaps
    if row in state.images:
        state.pictures[row] = data


def _document_texts(state: _Rows, rows: int) -> pa.LargeStringArray | None:
    if not state.texts:
        return None
    clean = {row: text.encode(errors="replace").decode() for row, text in state.texts.items()}
    return pa.array([clean.get(row) for row in range(rows)], pa.large_string())


def _take_texts(state: _Rows, texts: pa.LargeStringArray) -> pa.LargeStringArray:
    """Digest every text of a column; return the texts without those that are empty or too long, which are gaps."""
    too_long = pc.fill_null(pc.greater(pc.binary_length(texts), TEXT_BYTES_MAX), False)
    if pc.any(too_long).as_py():
        for row in np.flatnonzero(too_long.to_numpy(zero_copy_only=False)).tolist():
            state.gaps[row] = (_TOO_LONG,)
        texts = pc.if_else(too_long, pa.scalar(None, pa.large_string()), texts)
    view = memoryview(texts.buffers()[2] or b"")
    offsets = np.frombuffer(texts.buffers()[1], np.int64)[texts.offset : texts.offset + len(texts) + 1].tolist()
    sha256 = hashlib.sha256
    state.digests = {
        row: sha256(view[start:end]).digest() for row, (start, end) in enumerate(pairwise(offsets)) if end > start
    }
    if len(state.digests) < len(texts):
        for row in set(range(len(texts))) - state.digests.keys():
            state.gaps.setdefault(row, (_EMPTY,))
    return texts


def _take_signals(state: _Rows, rows: RowBatch) -> None:
    """Add what robots and headers columns say to each row."""
    texts = rows.robots.to_pylist() if rows.robots is not None else None
    blocks = rows.headers.to_pylist() if rows.headers is not None else None
    if texts is None and blocks is None:
        return
    urls = rows.url.to_pylist() if rows.url is not None else [None] * len(rows.item_ids)
    for row, url in enumerate(urls):
        readings = []
        if texts is not None and texts[row]:
            readings.append(read_robots(texts[row], url or ""))
        if blocks is not None and blocks[row]:
            readings.append(_headers(blocks[row]))
        for reading in readings:
            binding = tuple(s for s in reading.signals if _binds(s, MEDIA[state.medium[row]]))
            state.signals[row] = state.signals.get(row, ()) + binding
            if reading.gaps:
                state.gaps[row] = state.gaps.get(row, ()) + reading.gaps


@lru_cache(maxsize=4096)
def _headers(block: str) -> Reading:
    return read_headers(block)


def _binds(signal: Signal, medium: Medium) -> bool:
    """Return whether a signal speaks about this medium; where the medium is not known, it does."""
    return signal.scope != _IMAGES_ONLY or medium in (Medium.IMAGE, Medium.OTHER)
