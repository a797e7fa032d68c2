"""Tiles and bundles: where they lie, what is in them, and what is refused."""

import hashlib

import pytest

from askfirst.errors import FormatError
from askfirst.selftest import vectors
from askfirst.tlog import entry_bundle_path, leaf_hash, root_of, tile_path, tiles


def test_paths_of_the_published_vectors():
    for case in vectors("log_v1")["paths"]:
        level, index, width = case["level"], case["index"], case["width"]
        path = entry_bundle_path(index, width) if level is None else tile_path(level, index, width)
        assert path == case["path"]


def test_path_of_a_large_index_has_groups_of_three_digits():
    assert tile_path(0, 1234067) == "tile/0/x001/x234/067"
    assert entry_bundle_path(1000, 7) == "tile/entries/x001/000.p/7"
    assert tiles.full_path("tile/entries/x001/000.p/7") == "tile/entries/x001/000"
    assert tiles.full_path("tile/0/000") == "tile/0/000"


@pytest.mark.parametrize(("level", "index", "width"), [(64, 0, 256), (-1, 0, 1), (0, -1, 1), (0, 0, 0), (0, 0, 257)])
def test_path_of_a_tile_that_cannot_be_is_not_made(level, index, width):
    with pytest.raises(ValueError, match="no tile has"):
        tile_path(level, index, width)


def test_tiles_of_a_log_of_70000_entries_have_the_widths_of_the_specification():
    assert [tiles.tile_width(0, index, 70_000) for index in (0, 272, 273, 274)] == [256, 256, 112, 0]
    assert [tiles.tile_width(1, index, 70_000) for index in (0, 1, 2)] == [256, 17, 0]
    assert [tiles.tile_width(2, index, 70_000) for index in (0, 1)] == [1, 0]
    assert tiles.tile_width(1, 0, 256) == 1


def test_hash_in_tile_is_that_of_the_leaves_below():
    leaves = [leaf_hash(bytes([number])) for number in range(256)]
    tile = b"".join(leaves)
    for level in range(8):
        for index in range(256 >> level):
            expected = root_of(leaves[index << level : (index + 1) << level])
            assert tiles.hash_in_tile(tile, (level, index)) == expected
            assert tiles.tile_of_node((level, index + 512)) == (0, ((index + 512) << level) // 256)
    assert tiles.hash_of_tile(tile) == root_of(leaves)
    assert tiles.tile_of_node((8, 256)) == (1, 1)


def test_hash_beyond_the_end_of_a_tile_is_an_error():
    with pytest.raises(FormatError, match="ends before"):
        tiles.hash_in_tile(bytes(32 * 3), (1, 1))
    with pytest.raises(ValueError, match="full"):
        tiles.hash_of_tile(bytes(32))


def test_bundle_is_read_as_it_is_written():
    entries = [b"", b"a", bytes(65_535)]
    assert list(tiles.entries_of(tiles.bundle_of(entries), 3)) == entries
    with pytest.raises(OverflowError):
        tiles.bundle_of([bytes(65_536)])


BUNDLE = tiles.bundle_of([b"one", b"two"])


@pytest.mark.parametrize(
    ("bundle", "width"), [(BUNDLE, 1), (BUNDLE, 3), (BUNDLE[:-1], 2), (BUNDLE + b"\0", 2), (b"\0", 1), (b"", 1)]
)
def test_bundle_that_is_too_short_or_too_long_is_refused(bundle, width):
    with pytest.raises(FormatError):
        list(tiles.entries_of(bundle, width))


@pytest.mark.parametrize("size_bytes", [0, 31, 63, 65, 96])
def test_tile_of_another_length_is_refused(size_bytes):
    with pytest.raises(FormatError):
        tiles.hashes_of_tile(bytes(size_bytes), 2)


# SHA-256 of the tiles and bundles that another implementation (Tessera, Apache-2.0, its testdata/log at commit
# 1811ae1) wrote for these entries. The files themselves are not here: this one writes them again, byte for byte.
GOLDEN_ENTRIES = (
    b"one two three four five six seven eit nain ten ileven twelf threeten fourten fivten".split()  # as they spell them
)
GOLDEN = {
    "entries": [
        "217eb5c174b50240976ae2b9b7a2a213",
        "8d26204429edb13ff9b074af489a8e98",
        "17872b3223966b3b743f99f79fab73e8",
        "0f19d664a8c5a97ae47831b162c04ed6",
        "22c2e51f0b2aa8e6a9d3770d59942127",
        "51c4a9b199a7272c00d56d4f9e7346ca",
        "545bd03b5a0b5be95070fa06c2acd61b",
        "a4413f345504eb3637bcab7f9f188baa",
        "eda107446820475a7382b1f3c34e0cb6",
        "81330784e6e1b74137a76d17f894317e",
        "e4391087ee6b8f34bb4bdb292a590cbe",
        "cbb703dd472823ec9c87022906047436",
        "0a0c8b26118fd8cc64c942ce11580a96",
        "bb309a3d4f081ad2cafac932239a831a",
        "9ac6a9fc9012f2b4d67ac26041933c11",
    ],
    "0": [
        "ccfdec58d220e811be8903398a8867fd",
        "59e16c84b7f06104607760ad7916b953",
        "6168c234ffb69c4c34476551c18dfc60",
        "9959e95e8017bc56a4dbaa0afda926b2",
        "cde9addac215d77831b3c28a05c63ee8",
        "1ef4dd027e37c71ac19b68502238c107",
        "7294908b09b009d5a476bcd8c2086466",
        "92b3acf68d583ef1bfb61cf39bf9e89f",
        "0acd41c3ef3e5db1efbcf9952282808a",
        "6dcd13cc0a93d63bf0867206365aaf37",
        "a17105d6da8c53a8051d85b9fbe52dc8",
        "9b8621625e84f41ca91f60c2c9068eef",
        "e0e226249b7c08f78b9f20f1ec08dc2f",
        "014a1bdd661336c4d00606431741c06d",
        "93593af14d2cce39867d2e73fe4ca400",
    ],
}


def test_bundles_and_tiles_are_those_of_another_implementation():
    entries = GOLDEN_ENTRIES
    for size in range(1, len(entries) + 1):
        bundle = tiles.bundle_of(entries[:size])
        tile = b"".join(leaf_hash(entry) for entry in entries[:size])
        assert hashlib.sha256(bundle).hexdigest()[:32] == GOLDEN["entries"][size - 1]
        assert hashlib.sha256(tile).hexdigest()[:32] == GOLDEN["0"][size - 1]
