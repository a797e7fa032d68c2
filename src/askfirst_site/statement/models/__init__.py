"""The nouns of a statement, a file each: what is signed, who signed, what is asked."""

from __future__ import annotations

from askfirst_site.statement.models.campaign import Addressee, Answer, ImportedCount, Notable, Update
from askfirst_site.statement.models.review import Invalidation, WatchedName
from askfirst_site.statement.models.signature import (
    Consent,
    Discipline,
    Display,
    Kind,
    Level,
    MailedCode,
    Proof,
    PublishedCount,
    Signature,
    SignatureState,
    Tally,
    Vouch,
    WallWord,
)
from askfirst_site.statement.models.text import ConsentText, Statement, Text, TextVersion

__all__ = [
    "Addressee",
    "Answer",
    "Consent",
    "ConsentText",
    "Discipline",
    "Display",
    "ImportedCount",
    "Invalidation",
    "Kind",
    "Level",
    "MailedCode",
    "Notable",
    "Proof",
    "PublishedCount",
    "Signature",
    "SignatureState",
    "Statement",
    "Tally",
    "Text",
    "TextVersion",
    "Update",
    "Vouch",
    "WallWord",
    "WatchedName",
]
