"""Thirteen edits of a clip of ten seconds, films made of pictures, and films that are alike and are not copies.

Packages ship few films, so more are made: a camera wanders over pictures, a shot every few seconds, as in a
slide show with movement. Edits are FFmpeg's, encoded by x264 like everything else here.
"""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter, ImageFont

from suites import media
from suites.images import generator

CLIP_S = 10.0
MADE_S = 30.0
SIZE = (640, 360)
RATE = 25
X264 = ("-an", "-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p")
_EVEN = "scale=trunc(iw/2)*2:trunc(ih/2)*2"


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit.

    Args:
        name: Of the edit.
        filters: Of FFmpeg. `[1:v]` is a picture laid over, `[2:v]` one laid under, where they are used.
        quality: x264's constant rate factor; larger is worse.
        speed: How much faster than the work it runs.
    """

    name: str
    filters: str
    quality: int = 26
    speed: float = 1.0


def _crop(percent: int) -> Edit:
    kept = 1 - percent / 100
    return Edit(f"crop {percent} %", f"[0:v]crop=iw*{kept}:ih*{kept}")


EDITS: tuple[Edit, ...] = (
    Edit("re-encoded", "[0:v]null", 34),
    Edit("half size, 15 a second", "[0:v]scale=iw/2:ih/2,fps=15", 30),
    _crop(5),
    _crop(12),
    _crop(20),
    Edit("logo", "[1:v][0:v]scale2ref=h=ow/mdar:w=iw/5[l][v];[v][l]overlay=W-w-12:12"),
    Edit("caption", "[1:v][0:v]scale2ref=w=iw*0.9:h=ih/7[l][v];[v][l]overlay=(W-w)/2:H-h-8"),
    Edit("mirror", "[0:v]hflip"),
    Edit("letterbox", "[0:v]pad=iw:ih*1.34:0:(oh-ih)/2"),
    Edit("speed +5 %", "[0:v]setpts=PTS/1.05", speed=1.05),
    Edit("speed +25 %", "[0:v]setpts=PTS/1.25", speed=1.25),
    Edit(
        "on another picture, 60 %",
        "[2:v][0:v]scale2ref=w=iw:h=ih[b][v];[v]scale=iw*0.77:-2[s];[b][s]overlay=(W-w)/3:(H-h)/3:shortest=1",
    ),
    Edit("grey", "[0:v]hue=s=0"),
)


def run(*arguments: str | Path, feed: bytes | None = None) -> None:
    """Run FFmpeg."""
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *map(str, arguments)], input=feed, check=True)


def length_s(file: Path) -> float:
    """Return how long a film is."""
    command = ["ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", str(file)]
    return float(subprocess.run(command, check=True, capture_output=True).stdout)


def make(name: str, pictures: Sequence[Path], folder: Path, seconds: float = MADE_S) -> Path:
    """Make a film: a camera wanders over pictures, one shot each, of 2 to 7 seconds.

    Args:
        name: Seeds everything.
        pictures: Files; used in turn.
        folder: Where to write.
        seconds: Its length.
    """
    shown = hashlib.sha256(repr((name, seconds, [p.name for p in pictures])).encode()).hexdigest()[:8]
    out = folder / f"{name}-{shown}.mp4"
    if out.is_file():
        return out
    rng = generator("film", name)
    command = ["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{SIZE[0]}x{SIZE[1]}"]
    making = folder / f".{out.name}"
    command += ["-r", str(RATE), "-i", "pipe:0", *X264, "-crf", "23", str(making)]
    encoder = subprocess.Popen(command, stdin=subprocess.PIPE)
    assert encoder.stdin is not None
    left, shot = round(seconds * RATE), 0
    while left > 0:
        count = min(left, round(float(rng.uniform(2, 7)) * RATE))
        for frame in _shot(Image.open(pictures[shot % len(pictures)]).convert("RGB"), count, rng.uniform(0, 1, 6)):
            encoder.stdin.write(frame.tobytes())
        left, shot = left - count, shot + 1
    encoder.stdin.close()
    if encoder.wait():
        raise SystemExit(f"ffmpeg could not write {making}")
    making.rename(out)
    return out


def _shot(image: Image.Image, count: int, draws: Sequence[float]) -> list[Image.Image]:
    """Return frames of a window that moves and grows over a picture."""
    shape = SIZE[0] / SIZE[1]
    widest = min(image.width, image.height * shape)
    boxes = []
    for x, y, size in (draws[:3], draws[3:]):
        width = widest * (0.65 + 0.35 * size)
        left, top = x * (image.width - width), y * (image.height - width / shape)
        boxes.append((left, top, left + width, top + width / shape))
    out = []
    for k in range(count):
        part = k / max(1, count - 1)
        box = tuple(a + part * (b - a) for a, b in zip(*boxes, strict=True))
        out.append(image.resize(SIZE, Image.Resampling.BILINEAR, box=box, reducing_gap=2.0))
    return out


def start_of(name: str, whole_s: float, clip_s: float) -> float:
    """Return where in a work its clip begins; off the grid of whole and half seconds."""
    last = whole_s - clip_s - 0.3
    return round(float(generator("clip", name).uniform(0.2, last)) // 0.5 * 0.5 + 0.23, 2) if last > 1 else 0.0


def query(edit: Edit, name: str, film: Path, under: Path, folder: Path) -> tuple[Path, float]:
    """Write the clip of a film, edited; return the file and where in the work it begins.

    Args:
        edit: One of `EDITS`.
        name: Of the film.
        film: The work.
        under: A picture for a background.
        folder: Where to write.
    """
    whole_s = length_s(film)
    clip_s = min(CLIP_S, 0.8 * whole_s)
    start_s = start_of(name, whole_s, clip_s)
    mark = hashlib.sha256(repr((edit, str(film), str(under))).encode()).hexdigest()[:10]
    file = folder / f"{name}-{mark}.mp4"
    if file.is_file():
        return file, start_s
    making = file.with_name("." + file.name)
    cut = ["-ss", f"{start_s}", "-t", f"{clip_s}", "-i", film]
    if "[1:v]" in edit.filters or "[2:v]" in edit.filters:
        cut += ["-i", _mark(edit.name, folder)]
    if "[2:v]" in edit.filters:
        cut += ["-loop", "1", "-r", str(RATE), "-i", _background(under, folder)]
    joined = f"{edit.filters},{_EVEN}"
    run(*cut, "-filter_complex", joined, *X264, "-crf", str(edit.quality), making)
    making.rename(file)
    return file, start_s


def _mark(name: str, folder: Path) -> Path:
    """Return a logo or a caption, as a picture."""
    file = folder / f"mark-{name.split(maxsplit=1)[0]}.png"
    if not file.is_file():
        size = (600, 60) if name == "caption" else (160, 160)
        mark = Image.new("RGBA", size)
        pen = ImageDraw.Draw(mark)
        if name == "caption":
            pen.rectangle((0, 0, 599, 59), (0, 0, 0, 190))
            pen.text((300, 30), "and nobody ever asked them", "white", ImageFont.load_default(34), "mm")
        else:
            pen.ellipse((2, 2, 157, 157), (220, 40, 40, 230))
            pen.text((80, 80), "AB", "white", ImageFont.load_default(80), "mm")
        mark.save(file)
    return file


def _background(picture: Path, folder: Path) -> Path:
    file = folder / f"under-{picture.stem}.png"
    if not file.is_file():
        Image.open(picture).convert("RGB").resize((1280, 720)).filter(ImageFilter.GaussianBlur(2)).save(file)
    return file


# Films that are alike and are not copies -----------------------------------------------------------------------------


def _from_filters(names: Sequence[str], folder: Path) -> list[Path]:
    out = []
    for number, name in enumerate(names):
        file = folder / f"alike-{name.split('=')[0]}-{number}.mp4"
        if not file.is_file():
            run("-f", "lavfi", "-i", f"{name}{':' if '=' in name else '='}s=640x360:r=25", "-t", "12", *X264, file)
        out.append(file)
    return out


def _plain(folder: Path, _cache: Path) -> list[tuple[Path, Path]]:
    names = [f"color=c={c}" for c in ("black", "white", "gray", "navy", "darkgreen", "black@0.9")]
    return [(f, f) for f in _from_filters(names, folder)]


def _bars(folder: Path, _cache: Path) -> list[tuple[Path, Path]]:
    names = ("smptebars", "smptehdbars", "pal75bars", "pal100bars", "rgbtestsrc", "yuvtestsrc")
    return [(f, f) for f in _from_filters(names, folder)]


def _snow(folder: Path, _cache: Path) -> list[tuple[Path, Path]]:
    out = []
    for k in range(4):
        file = folder / f"alike-snow-{k}.mp4"
        if not file.is_file():
            noise = f"noise=all_seed={k + 1}:alls=90:allf=t"
            run("-f", "lavfi", "-i", "color=c=gray:s=640x360:r=25", "-vf", noise, "-t", "8", *X264, file)
        out.append((file, file))
    return out


def _after_one_leader(folder: Path, cache: Path) -> list[tuple[Path, Path]]:
    """Give other films after four seconds of black."""
    found = [p.file for p in media.pictures(cache) if p.group == "diverse"][3::11]
    out = []
    for k in range(6):
        film, file = make(f"alike-after-{k}", found[6 * k : 6 * k + 6], folder, 12), folder / f"alike-led-{k}.mp4"
        if not file.is_file():
            run("-i", film, "-vf", "tpad=start_duration=4", *X264, file)
        out.append((file, file))
    return out


def _one_camera(folder: Path, cache: Path) -> list[tuple[Path, Path]]:
    """Give a street from one fixed camera: the first half minute is the work, another is asked for."""
    street = next((f for f in media.films(cache) if f.stem == "vtest"), None)
    if street is None:
        return []
    files = [folder / f"alike-street-{k}.mp4" for k in (0, 1)]
    for start_s, file in zip((0, 45), files, strict=True):
        if not file.is_file():
            run("-ss", str(start_s), "-t", "30", "-i", street, *X264, file)
    return [(files[0], files[0]), (files[1], files[1])]


LOOK_ALIKES: dict[str, Callable[[Path, Path], list[tuple[Path, Path]]]] = {
    "black, white, plain colours": _plain,
    "test bars": _bars,
    "snow": _snow,
    "other films after four seconds of black": _after_one_leader,
    "one fixed camera, other times": _one_camera,
}
"""Works, and what is asked for; a work may be found by its own file, by no other of the set."""
