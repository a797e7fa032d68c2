"""A register with descriptors: built with a model, audited with it and without, never with another one."""

import io
import json

import pytest
from cast import rows_of
from PIL import Image, ImageFilter
from tiny_network import blobs, matrix_network

from askfirst.api import make_policy
from askfirst.errors import ConfigError, InputError
from askfirst.jobs.audit import AuditRequest, audit
from askfirst.jobs.build import build_register
from askfirst.jobs.describer import Describer, check_mode
from askfirst.jobs.look import find_item, match_file
from askfirst.jobs.model import fit_model
from askfirst.register import Register


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A model, another one, and a register of five pictures."""
    folder = tmp_path_factory.mktemp("home")
    for name in ("background", "works", "dataset"):
        (folder / name).mkdir()
    for seed in range(70):
        Image.fromarray(blobs(1000 + seed)).save(folder / "background" / f"{seed}.png")
    for seed in (0, 1):
        (folder / f"{seed}.onnx").write_bytes(matrix_network(seed=seed))
        fit_model(folder / f"{seed}.onnx", sorted((folder / "background").iterdir()), folder / f"model-{seed}")
    for seed in range(5):
        Image.fromarray(blobs(seed, 300)).save(folder / "works" / f"{seed}.png")
    buffer = io.BytesIO()
    Image.fromarray(blobs(3, 300)).filter(ImageFilter.GaussianBlur(1)).save(buffer, "JPEG", quality=50)
    (folder / "dataset" / "copy.jpg").write_bytes(buffer.getvalue())
    Image.fromarray(blobs(77, 300)).save(folder / "dataset" / "other.png")
    build_register(folder / "works", folder / "register", model=folder / "model-0")
    build_register(folder / "works", folder / "plain")
    return folder


def run(home, out, register="register", **options):
    return audit(
        AuditRequest(
            sources=[str(home / "dataset")], register=home / register, out=out, policy=make_policy(), **options
        )
    )


def how(audited, item):
    evidence = find_item(audited.out, item)["evidence"]
    return {json.loads(fact["where"]).get("by", "hash") for fact in evidence if fact["kind"] == "match"}


@pytest.mark.parametrize("mode", ["standard", "deep"])
def test_copies_are_found_by_the_model_and_others_are_not(home, tmp_path, mode):
    audited = run(home, tmp_path / "out", model=home / "model-0", mode=mode)
    assert {name: row[0] for name, row in rows_of(audited).items()} == {
        "dataset/copy.jpg": "refused",
        "dataset/other.png": "unasked",
    }
    assert "descriptor" in how(audited, "dataset/copy.jpg")
    assert any(f"mode {mode}" in note for note in audited.summary.notes)


def test_without_the_model_the_report_says_what_was_left_out(home, tmp_path):
    audited = run(home, tmp_path / "out")
    assert how(audited, "dataset/copy.jpg") <= {"hash"}
    assert any("by their hashes only" in note for note in audited.summary.notes)


@pytest.mark.parametrize(("register", "model"), [("register", "model-1"), ("plain", "model-0")])
def test_another_model_is_refused_before_anything_is_read(home, tmp_path, register, model):
    with pytest.raises(InputError) as error:
        run(home, tmp_path / "out", register, model=home / model)
    assert error.value.kind == "other-model"
    assert not (tmp_path / "out").exists()


def test_a_mode_that_needs_a_model_says_so():
    with pytest.raises(ConfigError, match="needs a model"):
        check_mode(None, "deep")


def test_one_file_is_compared_by_the_model_too(home):
    register = Register.open(home / "register")
    describer = Describer.of(home / "model-0", "standard", register)
    found = match_file(home / "dataset" / "copy.jpg", register, make_policy(), describer)
    assert {match["where"].get("by") for match in found["matches"]} >= {"descriptor"}


def test_a_model_changes_the_root_and_fingerprints_are_made_again(home, tmp_path):
    plain = build_register(home / "works", tmp_path / "register").root
    described = build_register(home / "works", tmp_path / "register", model=home / "model-0", replace=True)
    assert described.root == Register.open(home / "register").manifest.root != plain
    assert build_register(home / "works", tmp_path / "register", replace=True).root == plain
