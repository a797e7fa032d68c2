"""Transparency logs: the tree, signed notes, checkpoints, cosignatures, tiles, proofs, entries. No files here."""

from askfirst.tlog.checkpoint import Checkpoint
from askfirst.tlog.cosignature import CosignatureSigner, CosignatureVerifier, add_cosignature
from askfirst.tlog.note import NoteSigner, NoteVerifier, OpenedNote, open_note, sign_note
from askfirst.tlog.proof_file import TlogProof, encode_proof, parse_proof
from askfirst.tlog.tiles import entry_bundle_path, tile_path
from askfirst.tlog.tree import (
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

__all__ = [
    "EMPTY_ROOT",
    "Checkpoint",
    "CosignatureSigner",
    "CosignatureVerifier",
    "NoteSigner",
    "NoteVerifier",
    "OpenedNote",
    "TlogProof",
    "add_cosignature",
    "check_consistency",
    "check_inclusion",
    "encode_proof",
    "entry_bundle_path",
    "leaf_hash",
    "node_hash",
    "open_note",
    "parse_proof",
    "prove_consistency",
    "prove_inclusion",
    "root_at",
    "root_of",
    "sign_note",
    "tile_path",
]
