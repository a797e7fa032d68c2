"""The manifest: one row for every item, with its verdict and the evidence it stands on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from askfirst.audit.batch import Batch, Coded, Found
from askfirst.match.hits import KINDS
from askfirst.model import MEDIA, Basis, Gap, Medium, Outcome, Preference, Signal, Use
from askfirst.register.reader import STANDINGS
from askfirst.verdict import Decision

__all__ = ["EVIDENCE_TYPE", "MANIFEST_SCHEMA", "OUTCOMES", "REPEATING", "Ruling", "manifest_table"]

OUTCOMES: tuple[Outcome, ...] = tuple(Outcome)
"""Outcomes in the order of their codes: `OUTCOMES[code]`."""

_BASES: tuple[Basis, ...] = tuple(Basis)
_WORD = pa.dictionary(pa.int32(), pa.string())
_EVIDENCE_KINDS = ("match", "signal", "gap")
_UNIT_OF = {Medium.TEXT: "word", Medium.IMAGE: "image"}
_UNITS = ("item", "word", "image")

EVIDENCE_TYPE = pa.list_(
    pa.struct(
        [
            ("kind", pa.string()),
            ("name", pa.string()),
            ("says", pa.string()),
            ("work_id", pa.string()),
            ("score", pa.float32()),
            ("where", pa.string()),
            ("quote", pa.string()),
        ]
    )
)

MANIFEST_SCHEMA = pa.schema(
    [
        ("item_id", pa.string()),
        ("source", _WORD),
        ("url", pa.string()),
        ("medium", _WORD),
        ("digest", pa.string()),
        ("outcome", _WORD),
        ("rule", _WORD),
        ("basis", _WORD),
        ("work_id", pa.string()),
        ("match_kind", _WORD),
        ("match_score", pa.float32()),
        ("unit", _WORD),
        ("units", pa.int64()),
        ("evidence", EVIDENCE_TYPE),
        ("detail", _WORD),
    ]
)
"""Columns of the manifest; `docs/formats/manifest.md` has them in words. Dictionaries are written as plain text."""


REPEATING = (
    *(field.name for field in MANIFEST_SCHEMA if field.type == _WORD),
    "work_id",
    *(f"evidence.list.element.{name}" for name in ("kind", "name", "says", "work_id")),
)
"""Columns with few distinct values; looking for repeated ones among addresses and digests is lost time."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """Outcome, rule and basis of every row.

    Args:
        outcome: u8[n], index into `OUTCOMES`.
        rule: i32[n], index into `rules`.
        rules: Names of the rules, with protocol or flaw where a signal or a gap decides.
        basis: i32[n], index into `tuple(Basis)`, or -1.
        gap: bool[n], whether a gap decides.
        use: The use that was asked about.
    """

    outcome: NDArray[np.uint8]
    rule: NDArray[np.int32]
    rules: tuple[str, ...]
    basis: NDArray[np.int32]
    gap: NDArray[np.bool_]
    use: Use

    @classmethod
    def of(
        cls,
        decisions: Sequence[Decision],
        facts: NDArray[np.uint16],
        signals: Coded[Signal],
        gaps: Coded[Gap],
        use: Use,
    ) -> Ruling:
        """Look the facts up in the decision table and name the rules.

        Args:
            decisions: `verdict.decision_table()`.
            facts: u16[n], bits of facts.
            signals: Signals of each row; the first that disallows names the rule.
            gaps: Gaps of each row; the first names the rule.
            use: The use that is asked about.
        """
        names: dict[str, int] = {}

        def code(name: str) -> int:
            return names.setdefault(name, len(names))

        of_facts = np.array([code(d.rule) for d in decisions], np.int32)
        of_signals = [code(f"signal:{_speaker(values, use)}") for values in signals.values]
        of_gaps = [code(f"gap:{values[0].kind}") for values in gaps.values]
        rule = of_facts[facts]
        by_signal, by_gap = rule == names["signal"], rule == names["gap"]
        rule[by_signal] = np.array([*of_signals, 0], np.int32)[signals.code[by_signal]]
        rule[by_gap] = np.array([*of_gaps, 0], np.int32)[gaps.code[by_gap]]
        return cls(
            np.array([OUTCOMES.index(d.outcome) for d in decisions], np.uint8)[facts],
            rule,
            tuple(names),
            np.array([_BASES.index(d.basis) if d.basis else -1 for d in decisions], np.int32)[facts],
            by_gap,
            use,
        )


def manifest_table(
    batch: Batch,
    found: Found,
    ruling: Ruling,
    decisive: NDArray[np.int64],
    work_ids: pa.StringArray,
) -> pa.Table:
    """Return the manifest's rows of one batch, `MANIFEST_SCHEMA`."""
    rows = len(batch)
    hits = found.hits
    matched = decisive >= 0
    index = pa.array(decisive, mask=~matched)
    score = pa.array(hits.score, pa.float32()).take(index)
    kinds = hits.kind[decisive].astype(np.int32) if len(hits) else np.full(rows, -1, np.int32)
    unit_of_medium = np.array([_UNITS.index(_UNIT_OF.get(m, "item")) for m in MEDIA], np.int32)
    units = np.ones(rows, np.int64)
    if found.words is not None:
        units = np.where(found.medium == MEDIA.index(Medium.TEXT), found.words, 1).astype(np.int64)
    hit_works = work_ids.take(pa.array(hits.work))
    columns = [
        batch.item_ids,
        _coded(np.zeros(rows, np.int32), (batch.source,)),
        batch.urls if batch.urls is not None else pa.nulls(rows, pa.string()),
        _coded(found.medium, MEDIA),
        _digest_column(batch),
        _coded(ruling.outcome, OUTCOMES),
        _coded(ruling.rule, ruling.rules),
        _coded(ruling.basis, _BASES),
        hit_works.take(index),
        _coded(np.where(matched, kinds, -1), KINDS),
        score,
        _coded(unit_of_medium[found.medium], _UNITS),
        pa.array(units),
        _evidence(batch, found, hit_works, ruling.use),
        _coded(np.where(ruling.gap, found.gaps.code, -1), [values[0].cause for values in found.gaps.values]),
    ]
    return pa.Table.from_arrays(columns, schema=MANIFEST_SCHEMA)


def _speaker(signals: Sequence[Signal], use: Use) -> str:
    """Return the protocol of the first signal that disallows the use."""
    for signal in signals:
        if signal.preference(use) == Preference.DISALLOWED:
            return signal.protocol
    return ""


def _coded(code: NDArray[np.integer], words: Sequence[str]) -> pa.DictionaryArray:
    """Return a column of words from codes; a negative code is null."""
    indices = pa.array(code.astype(np.int32), mask=np.asarray(code < 0) if code.dtype.kind == "i" else None)
    return pa.DictionaryArray.from_arrays(indices, pa.array([str(w) for w in words], pa.string()))


def _digest_column(batch: Batch) -> pa.StringArray:
    rows = len(batch)
    if not len(batch.digest_rows):
        return pa.nulls(rows, pa.string())
    blob = batch.digests.tobytes().hex()
    words = pa.StringArray.from_buffers(
        len(batch.digests),
        pa.py_buffer(np.arange(0, len(blob) + 1, 64, dtype=np.int32)),
        pa.py_buffer(blob.encode()),
    )
    index = np.full(rows, -1, np.int64)
    index[batch.digest_rows] = np.arange(len(batch.digest_rows))
    return words.take(pa.array(index, mask=index < 0))


def _evidence(batch: Batch, found: Found, hit_works: pa.StringArray, use: Use) -> pa.ListArray:
    """Return the evidence of every row: matches, then signals, then gaps.

    1. Lay all matches, signals and gaps end to end, with the row each belongs to.
    2. Sort by row, keeping their order within one.
    3. Cut the result into lists.
    """
    hits = found.hits
    signal_row, signal, signals = batch.signals.expanded()
    gap_row, gap, gaps = found.gaps.expanded()
    row = np.concatenate([hits.row.astype(np.int64), signal_row, gap_row])
    order = pa.array(np.argsort(row, kind="stable"))
    kinds = np.repeat(np.arange(3), [len(hits), len(signal_row), len(gap_row)])
    others = len(signal_row) + len(gap_row)

    def column(of_hits: pa.Array, of_signals: Sequence[str | None], of_gaps: Sequence[str | None]) -> pa.Array:
        parts = [
            of_hits,
            pa.array(of_signals, pa.string()).take(pa.array(signal)),
            pa.array(of_gaps, pa.string()).take(pa.array(gap)),
        ]
        return pa.concat_arrays(parts).take(order)

    none = pa.nulls(len(hits), pa.string())
    fields = [
        pa.array(_EVIDENCE_KINDS).take(pa.array(kinds)).take(order),
        column(_plain(hits.kind, KINDS), [s.protocol for s in signals], [g.kind for g in gaps]),
        column(_plain(found.standing, STANDINGS), [s.preference(use) for s in signals], [None] * len(gaps)),
        column(hit_works, [None] * len(signals), [None] * len(gaps)),
        pa.concat_arrays([pa.array(hits.score, pa.float32()), pa.nulls(others, pa.float32())]).take(order),
        column(hits.where, [s.source for s in signals], [g.source for g in gaps]),
        column(none, [s.quote for s in signals], [g.cause for g in gaps]),
    ]
    struct = pa.StructArray.from_arrays(fields, fields=list(EVIDENCE_TYPE.value_type))
    offsets = np.zeros(len(batch) + 1, np.int32)
    np.cumsum(np.bincount(row, minlength=len(batch)), out=offsets[1:])
    return pa.ListArray.from_arrays(pa.array(offsets), struct, type=EVIDENCE_TYPE)


def _plain(code: NDArray[np.uint8], words: Sequence[str]) -> pa.StringArray:
    return pa.array([str(w) for w in words], pa.string()).take(pa.array(code))
