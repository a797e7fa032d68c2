"""The long jobs, put together from the rooms below: build a register, audit a dataset, look at one thing."""

from askfirst.jobs.audit import AuditRequest, AuditResult, audit
from askfirst.jobs.build import build_register
from askfirst.jobs.look import find_item, fingerprint_file, match_file, read_manifest

__all__ = [
    "AuditRequest",
    "AuditResult",
    "audit",
    "build_register",
    "find_item",
    "fingerprint_file",
    "match_file",
    "read_manifest",
]
