"""Commands about models that describe pictures."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["model_group"]


@click.group("model")
def model_group() -> None:
    """Prepare a network that describes pictures."""


@model_group.command("fit")
@click.argument("network", type=click.Path(path_type=Path))
@click.option("--images", type=click.Path(path_type=Path), required=True, help="Folder of pictures to learn from.")
@click.option("--gate", type=click.Path(path_type=Path), help="A smaller ONNX network, asked first.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the model.")
def fit_command(network: Path, images: Path, gate: Path | None, out: Path) -> int:
    """Learn from many pictures how a NETWORK (ONNX) tells works apart, and write a model folder.

    The pictures should be of all kinds, some thousands, and no works of the register. Nothing of them is stored but
    numbers of two thousand of them. Give the folder to `register build`, `audit` and `match` as --model.
    """
    from askfirst.errors import InputError
    from askfirst.jobs.model import fit_model

    if not images.is_dir():
        raise InputError(f"{images} is not a folder", advice="give a folder of pictures as --images")
    fitted = fit_model(network, (p for p in sorted(images.rglob("*")) if p.is_file()), out, gate=gate)
    click.echo(f"{fitted.images:,} pictures learnt, {fitted.skipped:,} files left out")
    click.echo(f"model {fitted.model_id} in {out}")
    return 0
