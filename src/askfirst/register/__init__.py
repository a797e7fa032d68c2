"""The register snapshot: which works there are, how they are recognised, and what their makers said."""

from askfirst.register.format import MANIFEST_NAME, SCHEMA, FileEntry, RegisterManifest
from askfirst.register.reader import Register, verify_register
from askfirst.register.terms import Terms, parse_terms
from askfirst.register.writer import RegisterContents, write_register

__all__ = [
    "MANIFEST_NAME",
    "SCHEMA",
    "FileEntry",
    "Register",
    "RegisterContents",
    "RegisterManifest",
    "Terms",
    "parse_terms",
    "verify_register",
    "write_register",
]
