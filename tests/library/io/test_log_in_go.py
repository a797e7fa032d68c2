"""Our log read by somebody else's program: Go's code for checksum databases, as Debian packages it."""

import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from askfirst.io.log_files import CheckpointSigner, LogFolder
from askfirst.tlog import NoteSigner, open_note
from askfirst.tlog.keys import encode_base64

PROGRAM = Path(__file__).parents[2] / "data" / "sumdb" / "check.go"
PACKAGES = "golang-go golang-golang-x-mod-dev"
MODULE = Path("/usr/share/gocode/src/golang.org/x/mod/sumdb/tlog")
SIGNER = NoteSigner.generate("example.org/log")


@pytest.fixture(scope="module")
def check(tmp_path_factory):
    if not shutil.which("go") or not MODULE.is_dir():
        pytest.fail(f"this test needs Go and its module x/mod: apt-get install {PACKAGES}", pytrace=False)
    folder = tmp_path_factory.mktemp("go")
    environment = {**os.environ, "GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOCACHE": str(folder / "cache")}
    built = subprocess.run(
        ["go", "build", "-o", folder / "check", PROGRAM], env=environment, capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr

    def run(*arguments):
        command = [folder / "check", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    return run


def log_of(folder, count):
    with LogFolder(folder) as log:
        for start in range(0, count, 7_001):
            log.append([b"entry %d" % number for number in range(start, min(count, start + 7_001))])
        signer = CheckpointSigner(folder.with_name("signer"), SIGNER)
        log.publish(signer.sign(log.size, log.root, SIGNER.name, log.prove_consistency))
    return log


def proofs_of(log, count):
    """Write proofs made by us for Go to check."""
    chance, lines = random.Random(11), []
    for _ in range(count):
        size = chance.randint(1, log.size)
        index, old = chance.randrange(size), chance.randint(1, size)
        lines.append(("I", index, size, log.prove_inclusion(index, size)))
        lines.append(("C", old, size, log.prove_consistency(old, size)))
    text = [f"{kind} {first} {size} {' '.join(map(encode_base64, proof))}\n" for kind, first, size, proof in lines]
    (log.path / "proofs").write_text("".join(text))


@pytest.mark.parametrize("count", [1, 2, 255, 256, 257, 1000, 66_000])
def test_go_reads_our_tiles_and_checks_our_proofs(check, tmp_path, count):
    log = log_of(tmp_path / "log", count)
    proofs_of(log, 100)
    result = check(log.path, SIGNER.verifier.vkey, 50)
    assert (result.stderr, result.stdout) == ("", f"{count} 200\n")


def test_go_refuses_a_proof_of_ours_with_one_hash_changed(check, tmp_path):
    log = log_of(tmp_path / "log", 1000)
    proof = log.prove_inclusion(5, 1000)
    words = " ".join(map(encode_base64, [bytes(32), *proof[1:]]))
    (log.path / "proofs").write_text(f"I 5 1000 {words}\n")
    assert check(log.path, SIGNER.verifier.vkey, 1).returncode == 1


def test_go_loads_our_signing_key_and_signs_the_same_note(check, tmp_path):
    log = log_of(tmp_path / "log", 10)
    proofs_of(log, 1)
    result = check(log.path, SIGNER.verifier.vkey, 1, SIGNER.dump())
    assert result.stdout == "10 2\n" + log.checkpoint()
    assert open_note(result.stdout.partition("\n")[2], [SIGNER.verifier]).signatures == [(SIGNER.name, SIGNER.key_id)]
