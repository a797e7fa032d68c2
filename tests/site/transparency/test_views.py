"""The published log as strangers fetch it."""

import pytest

from askfirst.io.log_files import LogFolder
from askfirst_site.page_cache import HEADER


@pytest.fixture
def log(site):
    log = LogFolder(site.log_folder)
    log.append([b"entry %d" % n for n in range(300)])
    (site.log_folder / "checkpoint").write_text("a note\n")
    yield log
    log.close()


def test_checkpoint_is_text_for_a_few_seconds(client, log):
    response = client.get("/log/checkpoint")
    assert (response.status_code, response.content) == (200, b"a note\n")
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response["Cache-Control"] == "public, max-age=2"
    assert response[HEADER] == "2"
    assert response["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("path", ["0/000", "0/001.p/44", "1/000.p/1", "entries/000", "entries/001.p/44"])
def test_tile_is_kept_for_ever(client, log, path):
    response = client.get(f"/log/tile/{path}")
    assert (response.status_code, response.content) == (200, (log.path / "tile" / path).read_bytes())
    assert response["Content-Type"] == "application/octet-stream"
    assert response["Cache-Control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/002", "tile/0/000.p/9", "tile/0/000/", "tile/", "tile/64/000", "tile/0/000.p/256", "tile/0/000.p/0",
        "tile/../.state", "tile/%2e%2e/.state", "tile/..%2f.state", ".state", ".lock", "tile/0", "tile/entries",
    ],
)  # fmt: skip
def test_nothing_else_is_served(client, log, path):
    assert client.get(f"/log/{path}").status_code == 404


def test_log_without_a_checkpoint_is_missing(client, site):
    assert client.get("/log/checkpoint").status_code == 404


def test_log_sets_no_cookie(client, log):
    assert client.get("/log/checkpoint").cookies == {}
