"""From matches, signals and gaps to facts, and from facts to verdicts, a column at a time.

The decision itself is the table in `askfirst.verdict`; here are only the facts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from askfirst.audit.batch import Batch, Found
from askfirst.audit.manifest import Ruling, manifest_table
from askfirst.match import Hits
from askfirst.match.audio import match_sounds
from askfirst.match.descriptor import match_descriptors
from askfirst.match.digest import match_digests
from askfirst.match.hits import KINDS
from askfirst.match.image import match_images
from askfirst.match.text import match_texts
from askfirst.match.url import match_urls
from askfirst.match.video import match_films
from askfirst.model import MEDIA, Gap, MatchKind, Medium, Preference, Standing
from askfirst.policy import Policy
from askfirst.register.reader import STANDINGS, Register
from askfirst.verdict import FACT_NAMES, decision_table

__all__ = ["Auditor", "Verdicts"]

_OTHER = MEDIA.index(Medium.OTHER)
_AUDIO, _VIDEO = KINDS.index(MatchKind.AUDIO), KINDS.index(MatchKind.VIDEO)
_FIRST_POSITIVE = STANDINGS.index(Standing.AGREEMENT)
_NOT_A_URL = Gap("not-a-url", "the address is missing or is not a URL", "url", "correct the address or remove the row")


@dataclass(frozen=True, slots=True)
class Verdicts:
    """The verdicts of one batch.

    Args:
        table: Rows of the manifest, `manifest.MANIFEST_SCHEMA`.
        ruling: Outcome, rule and basis of each row, as codes.
        found: What they stand on.
        decisive: i64[n], the match named in the manifest's columns, index into `found.hits`, or -1.
    """

    table: pa.Table
    ruling: Ruling
    found: Found
    decisive: NDArray[np.int64]


class Auditor:
    """A register and a policy, ready to judge batches.

    Args:
        register: The register.
        policy: The policy.
        level: Level of an ordinary picture, where a model describes pictures.
    """

    def __init__(self, register: Register, policy: Policy, level: int = 0) -> None:
        self.register = register
        self.policy = policy
        self.level = level
        self._standings = register.standings(policy)
        self._decisions = decision_table()

    def decide(self, batch: Batch) -> Verdicts:
        """Return the verdicts of a batch.

        1. Match every item by digest, image, sound, film, text and address; ask for the standing of every matched work.
        2. Reduce matches, signals and gaps to facts.
        3. Look the facts up in the decision table.
        4. Name for every row the match that decides.
        5. Write the manifest's rows, each with its evidence.

        Cost: linear in the batch; the same batch gives the same bytes.
        """
        found = self._match(batch)
        disallows = [
            any(s.preference(self.policy.use) == Preference.DISALLOWED for s in v) for v in batch.signals.values
        ]
        facts = self._facts(found, batch.signals.flags(disallows))
        ruling = Ruling.of(self._decisions, facts, batch.signals, found.gaps, self.policy.use)
        decisive = decisive_hits(found, len(batch))
        table = manifest_table(batch, found, ruling, decisive, self.register.work_ids)
        return Verdicts(table, ruling, found, decisive)

    def _match(self, batch: Batch) -> Found:
        register, policy = self.register, self.policy
        parts = [
            match_digests(batch.digest_rows, batch.digests, register.digests),
            match_images(batch.image_rows, batch.images, register.images, policy),
            match_descriptors(batch.described_rows, batch.descriptors, register.descriptors, self.level, policy),
            match_sounds(batch.sound_rows, batch.sounds, register.sounds, policy),
            match_films(batch.film_rows, batch.films, register.films, policy),
        ]
        medium, gaps, words, host_key = batch.medium, batch.gaps, None, None
        if batch.texts is not None:
            texts = match_texts(batch.texts, register.texts, policy, register.size, register.wholes)
            parts.append(texts.hits)
            words = texts.words
        if batch.urls is not None:
            urls = match_urls(batch.urls, register.urls)
            parts.append(urls.hits)
            host_key = urls.host_key
            if batch.by_url:
                medium = np.where(medium == _OTHER, urls.medium, medium)
                gaps = gaps.with_added(~urls.valid, _NOT_A_URL)
        hits = cover_films(Hits.concat(parts), batch.film_rows, batch.sound_rows)
        return Found(hits, self._standings.of(hits.work), gaps, medium, words, host_key)

    def _facts(self, found: Found, disallowed: NDArray[np.bool_]) -> NDArray[np.uint16]:
        """Return the facts of every row as bits, in the order of `FACT_NAMES`.

        A refused or contested work counts however small its part; a standing that permits counts only where
        one such work accounts for the whole item and no other recognised work has a lesser standing.
        """
        rows = len(disallowed)
        here = {s: _some(found.hits.row, found.standing == i, rows) for i, s in enumerate(STANDINGS)}
        permits = found.standing >= _FIRST_POSITIVE
        covers = found.hits.cover >= np.float32(self.policy.cover_min)
        refused = _some(found.hits.row, ~permits, rows)
        whole = _some(found.hits.row, permits & covers, rows) & ~refused
        other = _some(found.hits.row, found.standing != STANDINGS.index(Standing.AGREEMENT), rows)
        facts = {
            "agreement": here[Standing.AGREEMENT] & whole & ~other,
            "contested": here[Standing.CONTESTED],
            "register_refusal": here[Standing.REFUSED],
            "signal_refusal": disallowed,
            "gap": found.gaps.code >= 0,
            "open_consent": here[Standing.OPEN_CONSENT] & whole,
            "open_licence": here[Standing.OPEN_LICENCE] & whole,
            "public_domain": here[Standing.PUBLIC_DOMAIN] & whole,
            "own": here[Standing.OWN] & whole,
        }
        bits = np.zeros(rows, np.uint16)
        for i, name in enumerate(FACT_NAMES):
            bits |= facts[name].astype(np.uint16) << np.uint16(i)
        return bits


def cover_films(hits: Hits, films: NDArray[np.int32], sounds: NDArray[np.int32]) -> Hits:
    """Return the hits, those of films with what they account for of pictures *and* sound.

    A licensed song under somebody's film licenses no picture, and a licensed film no other sound: the sound alone
    accounts for nothing of a film, its pictures for as much as their own sound does, where there is one.

    Args:
        hits: Of a batch.
        films: i32[v], rows that are films.
        sounds: i32[a], rows with a sound, films among them.
    """
    if not len(films) or not len(hits):
        return hits
    of_film = np.isin(hits.row, films)
    heard = of_film & (hits.kind == _AUDIO)
    seen = of_film & (hits.kind == _VIDEO) & np.isin(hits.row, sounds)
    share = {
        (row, work): cover
        for row, work, cover in zip(hits.row[heard], hits.work[heard], hits.cover[heard], strict=True)
    }
    cover = hits.cover.copy()
    cover[heard] = 0
    pairs = zip(hits.row[seen], hits.work[seen], hits.cover[seen], strict=True)
    cover[seen] = [min(pictures, share.get((row, work), np.float32(0))) for row, work, pictures in pairs]
    return replace(hits, cover=cover)


def decisive_hits(found: Found, rows: int) -> NDArray[np.int64]:
    """Return for each row the match that decides: a contested work, then a refused one, then the largest cover.

    Returns:
        i64[rows], index into `found.hits`, or -1 where there is no match.
    """
    first = np.full(rows, -1, np.int64)
    hits = found.hits
    if len(hits):
        rank = np.minimum(found.standing, _FIRST_POSITIVE)
        order = np.lexsort((hits.work, hits.kind, -hits.score, -hits.cover, rank, hits.row))[::-1]
        # Assigned from the last to the first, so that the first of each row is what stays.
        first[hits.row[order]] = order
    return first


def _some(row: NDArray[np.int32], hits: NDArray[np.bool_], rows: int) -> NDArray[np.bool_]:
    """Return which rows have at least one of these hits."""
    flags = np.zeros(rows, bool)
    flags[row[hits]] = True
    return flags
