"""What workers are forked from: a process that has loaded everything. Nothing is imported here before it must be."""

from __future__ import annotations

import resource
from contextlib import suppress

from askfirst.engines.lean import do_without

__all__ = ["MEMORY_MAX_BYTES", "PREPARE", "prepare_worker"]

PREPARE = "askfirst.jobs.prepare:prepare_worker"
"""For `engines.Workers`."""

MEMORY_MAX_BYTES = 6 << 30
"""What one worker may allocate, memory maps of the register aside: a decoder that wants more gets an error."""


def prepare_worker() -> None:
    """Load what every worker needs, and limit what one may allocate.

    numba loads SciPy where it is installed, and Arrow pandas: half a second for nothing. Arrow's own pools keep
    memory that is free; the system's gives it back.
    """
    do_without("pandas", "scipy")
    import pyarrow as pa  # noqa: PLC0415  # not before the line above

    from askfirst.jit import load_compiler  # noqa: PLC0415

    load_compiler()
    pa.set_memory_pool(pa.system_memory_pool())
    _soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    with suppress(ValueError, OSError):  # a machine with a lower limit keeps its own
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_MAX_BYTES, hard))
