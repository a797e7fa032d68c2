"""`photos/`: registered pictures as they turn up in datasets, unregistered pictures, and broken files."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, TypeAlias

from PIL import Image, ImageOps

from askfirst.demo.notes import Note, Notes, Tables, file_name, works_of
from askfirst.demo.sources import read_picture

__all__ = ["write_photos"]

Photo: TypeAlias = tuple[str, bytes, Note]
"""Ending of the name, bytes, note."""

_TURN = Image.Transpose
_STEPS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "mirrored": ImageOps.mirror,
    "upside down": ImageOps.flip,
    "turned left": lambda p: p.transpose(_TURN.ROTATE_90),
    "turned right": lambda p: p.transpose(_TURN.ROTATE_270),
    "turned round": lambda p: p.transpose(_TURN.ROTATE_180),
    "half size": lambda p: ImageOps.scale(p, 0.5, Image.Resampling.LANCZOS),
    "three quarters size": lambda p: ImageOps.scale(p, 0.75, Image.Resampling.LANCZOS),
    "cropped by 1 %": lambda p: ImageOps.crop(p, max(p.size) // 200),
    "in grey": ImageOps.grayscale,
}
_ENDINGS = {"JPEG": ".jpg", "PNG": ".png", "WebP": ".webp"}

_XMP = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    'xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/"><plus:DataMining>http://ns.useplus.org/ldf/vocab/{code}'
    '</plus:DataMining></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
)
"""A packet with nothing but the data-mining property. Source: IPTC Photo Metadata Standard 2023.1, PLUS."""


def write_photos(dataset: Path, works: Path, tables: Tables, notes: Notes) -> None:
    """Write the photographs in mixed order under names that tell nothing."""
    photos = [*_registered(works, tables), *_unrelated(tables), *_broken(tables)]
    Random(tables["seed"]).shuffle(photos)
    for number, (ending, data, note) in enumerate(photos, 1):
        name = f"photos/photo-{number:03}{ending}"
        (dataset / name).write_bytes(data)
        notes.add("photos", name, note)


def _registered(works: Path, tables: Tables) -> Iterator[Photo]:
    for work in tables["works"]:
        for how in work.get("variants", ()):
            note = Note(works_of(work["work_id"], tables), how)
            if how.startswith("exact copy"):
                ending = ".jpg" if how.endswith("named .jpg") else ".png"
                yield ending, (works / file_name(work, tables)).read_bytes(), note
            else:
                yield _photo(read_picture(work["source"], work.get("box", ())), how, note)


def _unrelated(tables: Tables) -> Iterator[Photo]:
    for entry in tables["pictures"]:
        whole = read_picture(entry["source"], entry["box"])
        columns, rows = entry["grid"]
        width, height = whole.width // columns, whole.height // rows
        for i, how in enumerate(entry["variants"]):
            left, top = i % columns * width, i // columns * height
            yield _photo(whole.crop((left, top, left + width, top + height)), how, Note())


def _broken(tables: Tables) -> Iterator[Photo]:
    for entry in tables["broken"]:
        ending, data, note = _photo(read_picture(entry["source"]), "JPEG quality 90", Note(flaw=entry["flaw"]))
        yield ending, data[: int(len(data) * entry["share"])], note


def _photo(picture: Image.Image, how: str, note: Note) -> Photo:
    """Carry out the steps that `how` names, separated by commas; a signal goes into the note as well."""
    form = "JPEG"
    options: dict[str, Any] = {"quality": 85}
    for step in how.split(", "):
        name, _, value = step.rpartition(" ")
        if step in _STEPS:
            picture = _STEPS[step](picture)
        elif step in _ENDINGS:
            form = step
        elif name == "JPEG quality":
            options["quality"] = int(value)
        elif value == "torn":
            options["xmp"] = _XMP[: len(_XMP) * 2 // 3].encode()
            note = replace(note, flaw="XMP cut off")
        else:
            options["xmp"] = _XMP.format(code=value).encode()
            note = replace(note, says=value, disallows="PROHIBITED" in value)
    sink = io.BytesIO()
    picture.save(sink, form, **options)
    return _ENDINGS[form], sink.getvalue(), note
