"""A model folder is learnt from pictures, and finds their copies: from files to matches."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json

import numpy as np
import pytest
from PIL import Image
from tiny_network import blobs, matrix_network, means_network

from askfirst.errors import InputError
from askfirst.fingerprint.descriptor import VIEWS
from askfirst.io.embedding import Embedder
from askfirst.io.images import open_image
from askfirst.jobs.descriptor import Depth, describe_items, match_pictures
from askfirst.jobs.model import IMAGES_MIN, fit_model
from askfirst.model import Use
from askfirst.policy import Policy
from askfirst.register.descriptor_index import DescriptorIndex, build

POLICY = Policy(use=Use.TRAIN_GENERATIVE, on=dt.date(2026, 1, 1))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Seventy pictures, and two networks that see nearly the same."""
    folder = tmp_path_factory.mktemp("pictures")
    for seed in range(70):
        Image.fromarray(blobs(1000 + seed)).save(folder / f"{seed}.png")
    (folder / "teacher.onnx").write_bytes(matrix_network())
    (folder / "gate.onnx").write_bytes(matrix_network(noise=0.1))
    return folder


def pictures_in(folder):
    return sorted(folder.glob("*.png"))


@pytest.fixture(scope="module")
def embedder(folder):
    fit_model(folder / "teacher.onnx", pictures_in(folder), folder / "out", gate=folder / "gate.onnx")
    return Embedder.load(folder / "out")


# --- learning ----------------------------------------------------------------------------------------------


def test_folder_says_what_it_was_made_of(folder, embedder):
    text = (folder / "out" / "model.json").read_bytes()
    said = json.loads(text)
    names = {path.name for path in (folder / "out").iterdir()}
    assert set(said["files"]) == names - {"model.json"}
    assert set(said["files"]) == {
        "teacher.onnx",
        "gate.onnx",
        *(f"{name}.npy" for name in ("background", "gate_matrix", "gate_mean", "matrix", "mean")),
    }
    for name, entry in said["files"].items():
        data = (folder / "out" / name).read_bytes()
        assert entry == {"sha256": hashlib.sha256(data).hexdigest(), "size_bytes": len(data)}
    digests = sorted(hashlib.sha256(path.read_bytes()).digest() for path in pictures_in(folder))
    assert said["images"] == {"count": 70, "sha256": hashlib.sha256(b"".join(digests)).hexdigest()}
    assert (said["schema"], said["algorithm"]) == ("askfirst/model/v0", "descriptor_v0")
    assert said["networks"] == {
        name: {"file": f"{name}.onnx", "layout": "uint8-nhwc", "side_px": 16, "dims": 48}
        for name in ("teacher", "gate")
    }
    assert embedder.model_id == hashlib.sha256(text).hexdigest()


def test_order_and_copies_of_the_pictures_count_nothing(folder, tmp_path):
    files = pictures_in(folder)
    (tmp_path / "copy.png").write_bytes(files[3].read_bytes())
    one = fit_model(folder / "teacher.onnx", files, tmp_path / "one")
    two = fit_model(folder / "teacher.onnx", [*files[::-1], tmp_path / "copy.png"], tmp_path / "two")
    assert (one.model_id, one.images, one.skipped) == (two.model_id, 70, 0)
    assert two.skipped == 1
    assert Embedder.load(tmp_path / "two").gate is None


def test_what_is_no_picture_or_has_no_detail_is_skipped(folder, tmp_path):
    (tmp_path / "words.png").write_bytes(b"words")
    Image.new("RGB", (90, 90), "grey").save(tmp_path / "flat.png")
    files = [*pictures_in(folder), *tmp_path.glob("*.png"), tmp_path / "missing.png"]
    made = fit_model(folder / "teacher.onnx", files, tmp_path / "out")
    assert (made.images, made.skipped) == (70, 3)


def test_too_few_pictures_are_refused(folder, tmp_path):
    with pytest.raises(InputError) as error:
        fit_model(folder / "teacher.onnx", pictures_in(folder)[: IMAGES_MIN - 1], tmp_path / "out")
    assert (error.value.kind, error.value.message) == (
        "few-images",
        "63 pictures are too few to learn from, 0 files were left out",
    )
    assert list(tmp_path.iterdir()) == []


def test_network_that_sees_all_pictures_alike_is_refused(folder, tmp_path):
    (tmp_path / "means.onnx").write_bytes(means_network())
    with pytest.raises(InputError, match="these pictures are all alike to this network"):
        fit_model(tmp_path / "means.onnx", pictures_in(folder), tmp_path / "out")


def test_folder_that_holds_something_is_left_alone(folder, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InputError) as error:
        fit_model(folder / "teacher.onnx", pictures_in(folder), tmp_path)
    assert (error.value.kind, [path.name for path in tmp_path.iterdir()]) == ("exists", ["mine.txt"])


def test_empty_folder_is_filled(folder, tmp_path):
    (tmp_path / "out").mkdir()
    fit_model(folder / "teacher.onnx", pictures_in(folder), tmp_path / "out")
    assert Embedder.load(tmp_path / "out").teacher.dims == 48
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


# --- from pictures to matches ------------------------------------------------------------------------------


def registered(embedder, seeds):
    codes = np.concatenate([embedder.describe(blobs(seed)).codes for seed in seeds])
    return DescriptorIndex.from_arrays(build(codes, np.arange(len(codes), dtype=np.uint32)))


def as_jpeg(array, quality=60):
    out = io.BytesIO()
    Image.fromarray(array).save(out, "JPEG", quality=quality)
    return open_image(out.getvalue(), colour_px=480).rgb


def found(pictures, embedder, index, depth=Depth.STANDARD):
    hits = match_pictures(np.arange(len(pictures), dtype=np.int32), pictures, embedder, index, POLICY, depth)
    return [
        (row, work, json.loads(where)["view"])
        for row, work, where in zip(hits.row.tolist(), hits.work.tolist(), hits.where.to_pylist(), strict=True)
    ]


def test_copies_are_found_and_strangers_are_not(embedder):
    items = [as_jpeg(blobs(3)), as_jpeg(blobs(5)), *(as_jpeg(blobs(seed)) for seed in range(100, 160))]
    assert found(items, embedder, registered(embedder, range(8))) == [(0, 3, "whole"), (1, 5, "whole")]


def test_half_of_a_picture_is_found_where_one_looks_deeper(embedder):
    item = np.concatenate([blobs(200), blobs(2)], axis=1)
    index = registered(embedder, range(8))
    assert found([item], embedder, index) == []
    assert found([item], embedder, index, Depth.DEEP) == [(0, 2, "right half")]


def test_teacher_is_asked_only_where_the_gate_lets_pass(embedder):
    index = registered(embedder, range(8))
    near, far = describe_items([blobs(3), blobs(300)], embedder, index, Depth.STANDARD)
    assert near.codes.tolist() == index.codes()[3:4].tolist()
    assert len(far.codes) == 0


def test_without_a_gate_the_teacher_looks_at_everything(embedder, folder, tmp_path):
    fit_model(folder / "teacher.onnx", pictures_in(folder), tmp_path / "out")
    alone = Embedder.load(tmp_path / "out")
    index = registered(alone, range(8))
    queries = describe_items([blobs(3), blobs(300)], alone, index, Depth.DEEP)
    assert [len(query.codes) for query in queries] == [len(VIEWS) - 1] * 2
    assert found([blobs(300)], alone, index) == []
