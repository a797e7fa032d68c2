"""Networks in ONNX files: which are taken, what goes in and comes out; and model folders that are not what they say."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import sys

import numpy as np
import pytest
from tiny_network import (
    blobs,
    external_network,
    field,
    matrix_network,
    means_network,
    model,
    unfit_networks,
    weights,
)

from askfirst.errors import InputError, SnapshotCorruptError, VersionUnsupportedError
from askfirst.fingerprint.descriptor import VIEWS
from askfirst.fingerprint.resize import resize_colour
from askfirst.io.embedding import Embedder, Network, model_id_of
from askfirst.io.onnx_file import refuse_external_data
from askfirst.jobs.model import fit_model

WHOLE = (0, 0, 96, 96)


def unit(numbers):
    return np.asarray(numbers, np.float64) / np.linalg.norm(np.asarray(numbers, np.float64))


def refusal(data, side=64):
    with pytest.raises(InputError) as error:
        Network.open(data, side)
    assert error.value.advice
    return error.value.kind, error.value.message


# --- networks ----------------------------------------------------------------------------------------------


def test_matrix_sees_the_square_as_it_is():
    network, picture = Network.open(matrix_network(side=16, dims=48), 288), blobs(1)
    square = resize_colour(picture, WHOLE, 16)
    assert (network.layout, network.side_px, network.dims) == ("uint8-nhwc", 16, 48)
    expected = square.reshape(-1).astype(np.float64) @ weights(16, 48, 0)
    assert np.allclose(network.run(square), expected, rtol=1e-3, atol=0.5)
    assert np.allclose(network.embed(picture), unit(expected), atol=1e-4)


@pytest.mark.parametrize("side", [16, 224])
def test_network_of_any_size_looks_at_the_size_that_is_asked_for(side):
    network = Network.open(means_network(), side)
    assert (network.layout, network.side_px, network.dims) == ("uint8-nhwc", side, 3)
    expected = resize_colour(blobs(2), WHOLE, side).mean(axis=(0, 1))
    assert np.allclose(network.embed(blobs(2)), unit(expected), atol=1e-5)


def test_floats_are_centred_as_over_imagenet():
    network = Network.open(means_network("float32-nchw"), 32)
    assert (network.layout, network.side_px, network.dims) == ("float32-nchw", 32, 3)
    means = resize_colour(blobs(3), WHOLE, 32).mean(axis=(0, 1)) / 255
    expected = (means - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    assert np.allclose(network.embed(blobs(3)), unit(expected), atol=1e-4)


def test_part_is_seen_as_a_picture_of_its_own():
    network, picture = Network.open(matrix_network(), 288), blobs(4)
    assert np.array_equal(network.embed(picture, (10, 20, 40, 50)), network.embed(picture[10:50, 20:70]))


def test_picture_of_which_nothing_is_seen_has_no_direction():
    assert not Network.open(means_network(), 32).embed(np.zeros((9, 9, 3), np.uint8)).any()


@pytest.mark.parametrize("name", unfit_networks())
def test_network_that_embeds_no_pictures_is_refused(name):
    kind, message = refusal(unfit_networks()[name])
    assert (kind, message.split(":")[0]) == ("network", "this is no network that embeds pictures")


@pytest.mark.parametrize("data", [b"", b"\x08", b"no ONNX file at all", matrix_network()[:-900], b"\xff" * 40])
def test_what_is_no_onnx_file_is_refused(data):
    assert refusal(data)[0] == "network"


def test_network_that_would_read_another_file_is_refused():
    said = ("network", "this ONNX file keeps its numbers in other files")
    assert refusal(external_network()) == said
    constant = field(5, field(1, "value") + field(5, field(13, field(1, "location") + field(2, "x"))) + field(20, 4))
    hidden = field(2, "embedding") + field(4, "Constant") + constant
    branch = field(4, "If") + field(5, field(1, "then_branch") + field(6, field(1, hidden)) + field(20, 5))
    assert refusal(model([hidden], [], [])) == said
    assert refusal(model([branch], [], [])) == said


def test_network_nested_without_end_is_refused():
    inner = b""
    for _ in range(200):
        inner = field(5, field(6, field(1, inner)))
    with pytest.raises(InputError, match="no ONNX file"):
        refuse_external_data(model([inner], [], []))


@pytest.mark.parametrize("side", [1, 5000])
def test_size_that_makes_no_sense_is_refused(side):
    assert refusal(means_network(), side) == ("network", f"a network that looks at {side} pixels")


def test_missing_onnxruntime_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert refusal(matrix_network()) == ("reader-missing", "onnxruntime, which runs networks, is not installed")


# --- model folders -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """A model folder with a gate, learnt from seventy pictures."""
    from PIL import Image

    folder = tmp_path_factory.mktemp("model")
    for seed in range(70):
        Image.fromarray(blobs(1000 + seed)).save(folder / f"{seed}.png")
    (folder / "teacher.onnx").write_bytes(matrix_network())
    (folder / "gate.onnx").write_bytes(matrix_network(noise=0.1))
    images = sorted(folder.glob("*.png"))
    fit_model(folder / "teacher.onnx", images, folder / "out", gate=folder / "gate.onnx")
    return folder / "out"


@pytest.fixture
def broken(fitted, tmp_path):
    """A copy of the folder, to be changed."""
    return shutil.copytree(fitted, tmp_path / "model")


def test_folder_opens_as_it_was_written(fitted):
    embedder = Embedder.load(fitted)
    assert embedder.model_id == hashlib.sha256((fitted / "model.json").read_bytes()).hexdigest()
    assert embedder.model_id == model_id_of((fitted / "model.json").read_bytes())
    assert (embedder.teacher.dims, embedder.gate.dims, embedder.background.shape) == (48, 48, (70, 8))
    assert np.array_equal(embedder.embed(blobs(5)), Network.open(matrix_network(), 16).embed(blobs(5)))


def test_picture_is_described_by_the_teacher_or_by_the_gate(fitted):
    embedder = Embedder.load(fitted)
    for use_gate, network, projection in (
        (False, embedder.teacher, embedder.projection),
        (True, embedder.gate, embedder.gate_projection),
    ):
        query = embedder.describe(blobs(6), use_gate=use_gate)
        assert query.codes.tolist() == projection.codes(network.embed(blobs(6))[None]).tolist()
        assert (query.views.tolist(), query.levels.shape) == ([0], (1,))


def test_every_view_is_described_in_turn(fitted):
    embedder, framed = Embedder.load(fitted), np.pad(blobs(7), ((30, 30), (0, 0), (0, 0)))
    query = embedder.describe(framed, tuple(range(len(VIEWS))))
    assert query.views.tolist() == list(range(11))
    assert query.codes[1].tolist() == embedder.describe(blobs(7)).codes[0].tolist()
    halved = embedder.describe(np.ascontiguousarray(framed[:, :48])).codes[0]
    assert query.codes[VIEWS.index("left half")].tolist() == halved.tolist()


def test_picture_without_borders_has_no_view_without_them(fitted):
    assert Embedder.load(fitted).describe(blobs(8), (0, 1, 2)).views.tolist() == [0, 2]


def test_part_with_little_detail_has_no_code(fitted):
    half = blobs(9)
    half[:, 48:] = 200
    query = Embedder.load(fitted).describe(half, (VIEWS.index("left half"), VIEWS.index("right half")))
    assert query.views.tolist() == [VIEWS.index("left half")]
    assert len(Embedder.load(fitted).describe(np.full((96, 96, 3), 9, np.uint8)).codes) == 0


@pytest.mark.parametrize(
    "name", ["teacher.onnx", "gate.onnx", "mean.npy", "matrix.npy", "background.npy", "gate_mean.npy"]
)
def test_file_that_is_not_the_one_that_was_written_is_refused(broken, name):
    data = bytearray((broken / name).read_bytes())
    data[-1] ^= 1
    (broken / name).write_bytes(data)
    with pytest.raises(SnapshotCorruptError) as error:
        Embedder.load(broken)
    assert (error.value.path, error.value.message) == (name, f"{name} of the model folder is not what it should be")
    assert error.value.advice == "fetch the model folder again, or make it again with `askfirst model fit`"


@pytest.mark.parametrize("name", ["model.json", "teacher.onnx", "matrix.npy"])
def test_missing_file_is_said(broken, name):
    (broken / name).unlink()
    with pytest.raises(SnapshotCorruptError) as error:
        Embedder.load(broken)
    assert (error.value.path, error.value.found) == (name, "missing")


def described(folder, change):
    """Change what `model.json` says."""
    text = json.loads((folder / "model.json").read_text("utf-8"))
    change(text)
    (folder / "model.json").write_text(json.dumps(text), "utf-8")


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.pop("files"),
        lambda text: text.pop("level"),
        lambda text: text["networks"].pop("teacher"),
        lambda text: text["networks"]["teacher"].update(side_px=32),
        lambda text: text["networks"]["teacher"].update(layout="float32-nchw"),
        lambda text: text["networks"]["gate"].update(file="nothing.onnx"),
        lambda text: text["files"].pop("mean.npy"),
        lambda text: text["files"].pop("gate_matrix.npy"),
        lambda text: text["files"].update({"mean.npy": "a digest"}),
        lambda text: text["files"].update({"../mean.npy": text["files"]["mean.npy"]}),
        lambda text: text.update(level="high"),
        lambda text: text.update(files=[1]),
        lambda text: text.update(networks="none"),
    ],
)
def test_description_that_does_not_fit_the_files_is_refused(broken, change):
    described(broken, change)
    with pytest.raises(SnapshotCorruptError) as error:
        Embedder.load(broken)
    assert error.value.advice


def test_arrays_that_do_not_fit_together_are_refused(broken):
    shutil.copy(broken / "mean.npy", broken / "matrix.npy")
    described(broken, lambda text: text["files"].update({"matrix.npy": text["files"]["mean.npy"]}))
    with pytest.raises(SnapshotCorruptError) as error:
        Embedder.load(broken)
    assert error.value.path == "matrix.npy"


def replaced(folder, name, data):
    """Put another file in the place of one, and name it."""
    (folder / name).write_bytes(data)
    described(folder, lambda text: text["files"].update({name: {"sha256": hashlib.sha256(data).hexdigest()}}))


@pytest.mark.parametrize("shape", [(3, 8), (70, 7), (560,)])
def test_background_of_another_shape_is_refused(broken, shape):
    out = io.BytesIO()
    np.save(out, np.zeros(shape, "<u8"))
    replaced(broken, "background.npy", out.getvalue())
    with pytest.raises(SnapshotCorruptError) as error:
        Embedder.load(broken)
    assert (error.value.path, error.value.found) == ("background.npy", f"<u8 {'x'.join(map(str, shape))}")


@pytest.mark.parametrize("data", [b"", b"\x93NUMPY", b"words", b"\x80\x04K\x01."])
def test_file_that_is_no_array_is_refused(broken, data):
    replaced(broken, "mean.npy", data)
    with pytest.raises(SnapshotCorruptError):
        Embedder.load(broken)


def test_network_that_was_put_in_anothers_place_is_refused(broken):
    replaced(broken, "teacher.onnx", matrix_network(dims=40))
    with pytest.raises(SnapshotCorruptError) as error:
        Embedder.load(broken)
    assert (error.value.path, error.value.found) == ("teacher.onnx", "('uint8-nhwc', 16, 40)")


def test_folder_of_another_version_is_refused(broken):
    described(broken, lambda text: text.update(algorithm="descriptor_v9"))
    with pytest.raises(VersionUnsupportedError) as error:
        Embedder.load(broken)
    assert error.value.found == "askfirst/model/v0, descriptor_v9"


@pytest.mark.parametrize("text", ["", "[]", "{}", "3", "{"])
def test_what_describes_no_model_is_refused(broken, text):
    (broken / "model.json").write_text(text, "utf-8")
    with pytest.raises(SnapshotCorruptError):
        Embedder.load(broken)
