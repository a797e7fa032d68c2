"""What is known of every item of the example because it was made here, and what an audit should conclude."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

__all__ = ["Note", "Notes", "Tables", "file_name", "works_of"]

Tables: TypeAlias = dict[str, Any]
"""`works.json`, or an object in it."""


@dataclass(frozen=True, slots=True)
class Note:
    """One item.

    Args:
        works: Works it hides; more than one where rights are contested.
        how: How it hides them.
        whole: Whether the works account for the whole item.
        says: A rights signal it carries.
        disallows: Whether that signal forbids the use.
        flaw: Why it cannot be read or judged.
    """

    works: tuple[str, ...] = ()
    how: str = ""
    whole: bool = True
    says: str = ""
    disallows: bool = False
    flaw: str = ""


@dataclass(slots=True)
class Notes:
    """The notes of all items, as expectations.

    Args:
        standing: For each work what its terms say to the party of the example: agreement, permitted, refused
            or contested. Written by hand in `works.json`, so that the program can be held against it.
    """

    standing: dict[str, str]
    counts: dict[str, int] = field(default_factory=dict)
    hidden: list[dict[str, str]] = field(default_factory=list)
    signals: list[dict[str, str]] = field(default_factory=list)
    unreadable: list[dict[str, str]] = field(default_factory=list)

    def add(self, part: str, item: str, note: Note) -> None:
        """Note one item of one part of the dataset."""
        self.counts[part] = self.counts.get(part, 0) + 1
        outcome = self._outcome(note)
        for work_id in note.works:
            self.hidden.append({"item": item, "work_id": work_id, "how": note.how, "outcome": outcome})
        if note.says:
            self.signals.append({"item": item, "says": note.says, "outcome": outcome})
        if note.flaw:
            self.unreadable.append({"item": item, "flaw": note.flaw, "outcome": outcome})

    def _outcome(self, note: Note) -> str:
        standings = {self.standing[work_id] for work_id in note.works}
        if standings == {"agreement"} and note.whole:
            return "permitted"
        if standings & {"contested", "refused"} or note.disallows:
            return "refused"
        if note.flaw:
            return "unreadable"
        return "permitted" if standings == {"permitted"} and note.whole else "unasked"


def works_of(work_id: str, tables: Tables) -> tuple[str, ...]:
    """Return the works that lie in the same file: more than one where rights are contested."""
    return (work_id, *(w["work_id"] for w in tables["works"] if w.get("same_file_as") == work_id))


def file_name(work: Tables, tables: Tables) -> str:
    """Return the name of a work's file, which another work may share; empty where it has none."""
    for other in tables["works"]:
        if "source" in other and other["work_id"] in (work["work_id"], work.get("same_file_as")):
            return f"{other['work_id']}{'.md' if other['medium'] == 'text' else '.png'}"
    return ""
