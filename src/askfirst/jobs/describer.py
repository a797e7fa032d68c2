"""The model that a register's pictures were described with, as workers use it: opened once in each process."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from askfirst.errors import ConfigError
from askfirst.fingerprint.descriptor import DescriptorQuery
from askfirst.io.embedding import Embedder
from askfirst.jobs.descriptor import COLOUR_PX, Depth, describe_items
from askfirst.match.descriptor import check_model
from askfirst.register import Register

__all__ = ["MODES", "Describer", "check_mode", "open_embedder"]

MODES = ("fast", *(depth.value for depth in Depth))
"""How closely pictures are looked at: `fast` compares hashes alone and needs no model."""


def check_mode(model: Path | None, mode: str | None) -> str:
    """Return the mode that is meant.

    Raises:
        ConfigError: There is no such mode, or it needs a model.
    """
    mode = mode or ("fast" if model is None else Depth.STANDARD.value)
    if mode not in MODES:
        raise ConfigError(f"no mode is called {mode!r}", key="mode", value=mode, advice=f"known: {', '.join(MODES)}")
    if mode != "fast" and model is None:
        raise ConfigError(f"the mode {mode} needs a model", key="model", advice="add --model DIR, or use --mode fast")
    return mode


@lru_cache(maxsize=1)
def open_embedder(folder: Path) -> Embedder:
    """Return a model, open; it stays open."""
    return Embedder.load(folder)


@dataclass(frozen=True, slots=True)
class Describer:
    """A model beside a register."""

    embedder: Embedder
    register: Register
    depth: Depth

    @classmethod
    def of(cls, model: Path | None, mode: str, register: Register) -> Describer | None:
        """Return the describer for a mode; None where pictures are compared by their hashes alone.

        Raises:
            InputError: The register was built with another model, or with none.
        """
        if model is None or mode == "fast":
            return None
        embedder = open_embedder(model)
        check_model(embedder.model_id, register.manifest.model)
        return cls(embedder, register, Depth(mode))

    @property
    def colour_px(self) -> int:
        """Pixels on the shorter side for which colours are wanted."""
        return COLOUR_PX[self.depth]

    @property
    def level(self) -> int:
        """Level of an ordinary picture."""
        return self.embedder.level

    def describe(self, rgb: NDArray[np.uint8]) -> DescriptorQuery:
        """Return the codes under which a picture is looked up."""
        return describe_items([rgb], self.embedder, self.register.descriptors, self.depth)[0]
