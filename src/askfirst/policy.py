"""Policy: what is asked, and how sure a match must be. A value; nothing in it is read from anywhere else."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from askfirst.errors import ConfigError
from askfirst.model import Regime, Use

__all__ = ["POLICY_VERSION", "Policy"]

POLICY_VERSION = "policy_v0"


@dataclass(frozen=True, slots=True)
class Policy:
    """The question of an audit and its thresholds.

    Args:
        use: The use that is asked about.
        on: The day for which consent is asked; terms are valid from and until days.
        regime: `opt-in` asks who said yes; `opt-out` what a law that only looks for a no would let through.
        party: Who wants to use the items, as named in agreements; empty for nobody in particular.
        image_distance_bits: Two images are one work up to this Hamming distance of 256 bits.
            Source: the PDQ project's published operating point.
        descriptor_distance_bits: The same for a learned descriptor, of 512 bits, in a register of up to ten million.
        descriptor_review_bits: Up to this distance a person may want to look.
        video_distance_bits: Two frames of films begin to look alike at this distance of 256 bits.
        video_frames: Frames that must follow each other alike in two films before it counts.
        text_hits: Fingerprints that must agree on one alignment before a passage counts.
        text_hits_large: The same for a register of a million works and more.
        short_text_hits: The same for works too short for the ordinary density.
        audio_bits: Evidence that a sound holds a work, beyond log2 of the register's peaks
            and log2 of the sound's seconds. Source: unrelated music reaches 3 (356 windows
            of 30 s against 80 works).
        cover_min: Share of an item that permitted works must account for before the item is permitted.
            A refused work refuses at any share.
    """

    use: Use
    on: date
    regime: Regime = Regime.OPT_IN
    party: str = ""
    image_distance_bits: int = 31
    video_distance_bits: int = 31
    video_frames: int = 3
    descriptor_distance_bits: int = 140
    descriptor_review_bits: int = 170
    text_hits: int = 2
    text_hits_large: int = 3
    short_text_hits: int = 3
    audio_bits: int = 10
    cover_min: float = 0.9

    def __post_init__(self) -> None:
        """Refuse thresholds that would let everything or nothing match."""
        limits = {
            "image_distance_bits": (0, 63),
            "video_distance_bits": (0, 63),
            "video_frames": (2, 1000),
            "descriptor_distance_bits": (0, 180),
            "descriptor_review_bits": (0, 200),
            "text_hits": (1, 1000),
            "text_hits_large": (1, 1000),
            "short_text_hits": (1, 1000),
            "audio_bits": (0, 200),
            "cover_min": (0.5, 1.0),
        }
        for key, (low, high) in limits.items():
            value = getattr(self, key)
            if not low <= value <= high:
                raise ConfigError(f"{key} is {value}", key=key, value=str(value), advice=f"use {low} to {high}")

    def as_dict(self) -> dict[str, Any]:
        """Return the policy as plain JSON values, with its version."""
        values = asdict(self)
        values["on"] = self.on.isoformat()
        return {"version": POLICY_VERSION, **values}
