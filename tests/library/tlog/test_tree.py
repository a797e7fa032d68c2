"""The tree: one root for one list of entries, and proofs that hold for it and for nothing else (RFC 6962)."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from askfirst.errors import ProofError
from askfirst.selftest import vectors
from askfirst.tlog import (
    EMPTY_ROOT,
    check_consistency,
    check_inclusion,
    leaf_hash,
    node_hash,
    prove_consistency,
    prove_inclusion,
    root_at,
    root_of,
)

# The eight entries with which logs of certificates have been tested since 2013, and the roots everybody gets.
ENTRIES = [
    bytes.fromhex(each)
    for each in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
LEAVES = [leaf_hash(entry) for entry in ENTRIES]


def hashes_over(leaves):
    """Return the hashes of nodes from the definition in RFC 6962, 2.1: nothing is shared with what is tested."""

    def top(part):
        if len(part) == 1:
            return part[0]
        middle = 1
        while middle * 2 < len(part):
            middle *= 2
        return hashlib.sha256(b"\x01" + top(part[:middle]) + top(part[middle:])).digest()

    return lambda nodes: [top(leaves[index << level : (index + 1) << level]) for level, index in nodes]


def many(size):
    return [leaf_hash(b"entry %d" % index) for index in range(size)]


BIG = many(400)
GET = hashes_over(BIG)


def test_root_of_the_eight_entries_is_what_everybody_gets():
    assert [root_of(LEAVES[:size]).hex() for size in range(9)] == ROOTS
    assert [root_at(hashes_over(LEAVES), size).hex() for size in range(9)] == ROOTS


def test_leaf_and_node_are_hashed_apart():
    assert leaf_hash(b"").hex() == ROOTS[1]
    assert node_hash(LEAVES[0], LEAVES[1]).hex() == ROOTS[2]
    assert EMPTY_ROOT.hex() == ROOTS[0]


def test_root_over_any_size_follows_the_definition():
    for size in range(1, 130):
        assert root_of(BIG[:size]) == root_at(GET, size)


def test_proofs_of_the_published_vectors_are_made_and_hold():
    tree = vectors("log_v1")["tree"]
    for case in tree["inclusion"]:
        index, size, proof = case["index"], case["size"], [bytes.fromhex(each) for each in case["proof"]]
        assert prove_inclusion(hashes_over(LEAVES), index, size) == proof
        check_inclusion(LEAVES[index], index, size, proof, bytes.fromhex(ROOTS[size]))
    for case in tree["consistency"]:
        size1, size2, proof = case["size1"], case["size2"], [bytes.fromhex(each) for each in case["proof"]]
        assert prove_consistency(hashes_over(LEAVES), size1, size2) == proof
        check_consistency(size1, bytes.fromhex(ROOTS[size1]), size2, bytes.fromhex(ROOTS[size2]), proof)


def test_inclusion_holds_for_every_entry_of_every_small_tree():
    for size in range(1, 34):
        root = root_of(BIG[:size])
        for index in range(size):
            check_inclusion(BIG[index], index, size, prove_inclusion(GET, index, size), root)


def test_consistency_holds_for_every_two_small_trees():
    roots = [root_of(BIG[:size]) for size in range(34)]
    for size2 in range(34):
        for size1 in range(size2 + 1):
            check_consistency(size1, roots[size1], size2, roots[size2], prove_consistency(GET, size1, size2))


sizes = st.integers(1, len(BIG))


@given(sizes, sizes)
def test_consistency_holds_for_any_two_sizes(one, other):
    size1, size2 = sorted((one, other))
    check_consistency(size1, root_of(BIG[:size1]), size2, root_of(BIG[:size2]), prove_consistency(GET, size1, size2))


@given(sizes, st.data())
def test_inclusion_fails_for_any_other_entry_position_size_or_root(size, data):
    index = data.draw(st.integers(0, size - 1))
    proof, root = prove_inclusion(GET, index, size), root_of(BIG[:size])
    other_index = data.draw(st.integers(0, size + 2).filter(lambda each: each != index))
    wrong = [
        (leaf_hash(b"another"), index, size, proof, root),
        (BIG[index], other_index, size, proof, root),
        (BIG[index], index, size, proof, leaf_hash(root)),
        (BIG[index], index, size, [*proof, root], root),
        (BIG[index], index, size, [root, *proof], root),
        (root, index, size, [], root) if size > 1 else (leaf_hash(b"another"), 0, 1, [], root),
    ]
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        flipped = bytes([proof[at][0] ^ 1]) + proof[at][1:]
        wrong += [
            (BIG[index], index, size, [*proof[:at], flipped, *proof[at + 1 :]], root),
            (BIG[index], index, size, proof[:-1], root),
            (BIG[index], index, size, proof[:at] + proof[at + 1 :], root),
            (BIG[index], index, size, [proof[0][:31], *proof[1:]], root),
        ]
    for arguments in wrong:
        with pytest.raises(ProofError) as raised:
            check_inclusion(*arguments)
        assert raised.value.kind == "inclusion"


@given(sizes, sizes, st.data())
def test_consistency_fails_for_any_change(one, other, data):
    size1, size2 = sorted((one, other))
    root1, root2 = root_of(BIG[:size1]), root_of(BIG[:size2])
    proof = prove_consistency(GET, size1, size2)
    wrong = [
        (size1, leaf_hash(root1), size2, root2, proof),
        (size1, root1, size2, leaf_hash(root2), proof),
        (size1, root1, size2, root2, [*proof, root1]),
        (size1, root1, size2, root2, [root1, *proof]),
        (size2 + 1, root2, size2, root2, proof),
        (0, root1, size2, root2, []),
        (size1, root1[:31], size2, root2, proof),
    ]
    if size1 != size2:
        wrong += [(size1, root2, size2, root1, proof), (size1, root1, size1, root2, [])]
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        flipped = bytes([proof[at][0] ^ 128]) + proof[at][1:]
        wrong += [
            (size1, root1, size2, root2, [*proof[:at], flipped, *proof[at + 1 :]]),
            (size1, root1, size2, root2, proof[:at] + proof[at + 1 :]),
            (size1, root1, size2, root2, []),
        ]
    for arguments in wrong:
        with pytest.raises(ProofError) as raised:
            check_consistency(*arguments)
        assert raised.value.kind == "consistency"


def test_consistency_with_the_empty_tree_needs_its_root_and_no_proof():
    check_consistency(0, EMPTY_ROOT, 0, EMPTY_ROOT, [])
    check_consistency(0, EMPTY_ROOT, 8, root_of(LEAVES), [])
    with pytest.raises(ProofError):
        check_consistency(0, EMPTY_ROOT, 8, root_of(LEAVES), [LEAVES[0]])
    with pytest.raises(ProofError):
        check_consistency(0, LEAVES[0], 0, LEAVES[0], [])


@pytest.mark.parametrize(("index", "size"), [(8, 8), (-1, 8), (0, 0), (2**63, 2**64)])
def test_inclusion_of_what_is_not_there_is_not_proved(index, size):
    with pytest.raises(ProofError):
        prove_inclusion(hashes_over(LEAVES), index, size)
    with pytest.raises(ProofError):
        check_inclusion(LEAVES[0], index, size, [], LEAVES[0])


def test_consistency_with_a_larger_tree_is_not_proved():
    with pytest.raises(ProofError, match="cannot continue"):
        prove_consistency(hashes_over(LEAVES), 8, 7)
