"""Items in, verdicts out: batches of a dataset against a register, as columns. Nothing here reads a file."""

from askfirst.audit.batch import Batch, Coded
from askfirst.audit.decide import Auditor, Verdicts
from askfirst.audit.manifest import MANIFEST_SCHEMA

__all__ = ["MANIFEST_SCHEMA", "Auditor", "Batch", "Coded", "Verdicts"]
