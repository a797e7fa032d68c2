"""Pictures of one megapixel against a register of a million: ours, decoding alone, pdqhash, imagehash, faiss.

    python benchmarks/bench_images.py [--pictures 3000] [--runs 3] [--folder DIR]

Ours is the whole audit of a folder: read, digest, find embedded rights, decode, fingerprint in every orientation,
search, decide, write. The limit is decoding alone: the same files through simplejpeg, scaled and grey, in as many
processes.
"""

from __future__ import annotations

import argparse
import io
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from measure import Measured, askfirst, measure, medians, report, save
from registers import write_unrelated

REGISTERED = 1_000_000
SIDE_PX = 1000
SEED = 5
PEER_PICTURES = 150


def photographs() -> list[Path]:
    """Return the photographs that scikit-image ships."""
    spec = find_spec("skimage")
    assert spec is not None
    assert spec.submodule_search_locations
    folder = Path(next(iter(spec.submodule_search_locations))) / "data"
    return [
        folder / name
        for name in (
            "astronaut.png",
            "chelsea.png",
            "coffee.png",
            "rocket.jpg",
            "camera.png",
            "motorcycle_left.png",
            "hubble_deep_field.jpg",
        )
        if (folder / name).is_file()
    ]


def make_pictures(folder: Path, count: int) -> None:
    """Write JPEG files of one megapixel, cut from enlarged photographs at random places, quality 90."""
    from PIL import Image

    rng = np.random.default_rng(SEED)
    sources = [Image.open(p).convert("RGB").resize((1600, 1400), Image.Resampling.LANCZOS) for p in photographs()]
    (folder / "pictures").mkdir()
    for i in range(count):
        image = sources[i % len(sources)]
        x, y = int(rng.integers(0, 600)), int(rng.integers(0, 400))
        cut = image.crop((x, y, x + SIDE_PX, y + SIDE_PX))
        noise = rng.integers(-6, 7, (SIDE_PX // 4, SIDE_PX // 4, 3)).repeat(4, 0).repeat(4, 1)
        pixels = np.clip(np.asarray(cut).astype(np.int16) + noise, 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / "pictures" / f"{i:05d}.jpg", quality=90)


def make_register(folder: Path) -> None:
    """Write a register of a million pictures: random codes, as unrelated works have."""
    rng = np.random.default_rng(SEED)
    codes = rng.integers(0, 2**64 - 1, (REGISTERED, 4), dtype=np.uint64, endpoint=True)
    write_unrelated(folder / "register", "image", REGISTERED, codes=codes)


def decode_all(folder: Path) -> None:
    """Decode every picture scaled and grey, in two processes: the limit."""
    from multiprocessing import Pool

    files = sorted((folder / "pictures").iterdir())
    with Pool(2) as pool:
        pool.map(_decode, files, chunksize=32)


def _decode(file: Path) -> int:
    import simplejpeg

    return int(simplejpeg.decode_jpeg(file.read_bytes(), "GRAY", min_height=256, min_width=256, min_factor=1).size)


def rate(step: Callable[[bytes], object], files: list[bytes]) -> float:
    """Return pictures a second of processor time."""
    step(files[0])
    start = time.process_time()
    for data in files:
        step(data)
    return len(files) / (time.process_time() - start)


def peers(folder: Path) -> dict[str, float]:
    """Return pictures a second a core of every peer that is installed; fingerprints only, and the search by itself."""
    from PIL import Image

    files = [f.read_bytes() for f in sorted((folder / "pictures").iterdir())[:PEER_PICTURES]]
    rates = {}
    if find_spec("pdqhash"):
        import pdqhash

        rates["Pillow + pdqhash, one orientation"] = rate(
            lambda d: pdqhash.compute(np.asarray(Image.open(io.BytesIO(d)).convert("RGB"))), files
        )
    if find_spec("imagehash"):
        import imagehash

        rates["Pillow + imagehash.phash, one orientation"] = rate(
            lambda d: imagehash.phash(Image.open(io.BytesIO(d))), files
        )
    if find_spec("faiss"):
        import faiss

        rng = np.random.default_rng(SEED)
        index = faiss.IndexBinaryFlat(256)
        index.add(rng.integers(0, 256, (REGISTERED, 32), dtype=np.uint8))
        faiss.omp_set_num_threads(1)
        queries = rng.integers(0, 256, (256, 32), dtype=np.uint8)
        start = time.process_time()
        index.range_search(queries, 32)
        rates["faiss IndexBinaryFlat, look-ups"] = len(queries) / (time.process_time() - start)
    return rates


def search_rate(folder: Path) -> float:
    """Return look-ups a second a core of our own search."""
    from askfirst.register import Register

    images = Register.open(folder / "register").images
    rng = np.random.default_rng(SEED + 1)
    codes = rng.integers(0, 2**64 - 1, (4096, 4), dtype=np.uint64, endpoint=True)
    images.search(codes[:64], 31)
    start = time.process_time()
    for i in range(0, len(codes), 64):
        images.search(codes[i : i + 64], 31)
    return len(codes) / (time.process_time() - start)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pictures", type=int, default=3000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--side")
    arguments = parser.parse_args()
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="bench-images-"))
    if arguments.side:
        decode_all(folder)
        return
    if not (folder / "pictures").is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        make_pictures(folder, arguments.pictures)
    if not (folder / "register").is_dir():
        make_register(folder)
    for name in ("one", "two"):  # a unit for each worker, so that both start
        (folder / name).mkdir(exist_ok=True)
        shutil.copy(folder / "pictures" / "00000.jpg", folder / name)
    runs: dict[str, list[Measured]] = {"askfirst": [], "decoding alone": [], "askfirst, two pictures": []}
    for _ in range(arguments.runs):
        shutil.rmtree(folder / "out", ignore_errors=True)
        command = askfirst(
            "audit", str(folder / "pictures"), "--register", str(folder / "register"), "--out", str(folder / "out")
        )
        runs["askfirst"].append(measure(command))
        shutil.rmtree(folder / "out", ignore_errors=True)
        few = [*command[:4], str(folder / "one"), str(folder / "two"), *command[5:]]
        runs["askfirst, two pictures"].append(measure(few))
        runs["decoding alone"].append(measure([sys.executable, __file__, "--side", "decode", "--folder", str(folder)]))
    sides = {name: medians(measured) for name, measured in runs.items()}
    report("images: 1 MP JPEG, register of 1M", sides, arguments.pictures, "pictures")
    per_core = arguments.pictures / sides["askfirst"].cpu_s
    decode_per_core = arguments.pictures / sides["decoding alone"].cpu_s
    after_start = arguments.pictures / (sides["askfirst"].cpu_s - sides["askfirst, two pictures"].cpu_s)
    print(f"after the start, a core: ours {after_start:.0f}/s: {after_start / decode_per_core:.2f}x of decoding alone")
    print(f"a core: ours {per_core:.0f}/s, decoding alone {decode_per_core:.0f}/s: {per_core / decode_per_core:.2f}x")
    rates, searches = peers(folder), search_rate(folder)
    for name, speed in rates.items():
        ours = searches if "look-ups" in name else per_core
        print(f"{name}: {speed:,.0f}/s a core; ours {ours:,.0f}/s: {ours / speed:.1f}x")
    save(
        "images-per-core",
        {"ours_per_s": per_core, "decode_per_s": decode_per_core, "search_per_s": searches, "peers_per_s": rates},
    )
    if arguments.folder is None:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
