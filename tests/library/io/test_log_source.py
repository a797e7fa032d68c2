"""Reading a log over http: everything the other side may do wrong, done by a real server on this machine."""

import gzip
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from askfirst.errors import FetchError, FormatError, InputError
from askfirst.io import log_source
from askfirst.io.log_source import FolderSource, UrlSource, open_log


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.seen.append((self.path, self.headers["Accept-Encoding"]))
        status, headers, body = self.server.answers.get(self.path, (404, {}, b""))
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            if value is not None:
                self.send_header(name, value)
        self.end_headers()
        for part in body if isinstance(body, list) else [body]:
            self.wfile.write(part)
            self.wfile.flush()

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """Say nothing: readers that go away are what is tested."""


@pytest.fixture
def server():
    with Server(("127.0.0.1", 0), Handler) as server:
        server.answers, server.seen = {}, []
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        server.url = f"http://127.0.0.1:{server.server_address[1]}/log"
        yield server
        server.shutdown()
        thread.join()


def read(server, path, limit_bytes=100):
    with UrlSource(server.url) as source:
        (data,) = source.read_many([(path, limit_bytes)])
        return data


def test_files_are_read_in_the_order_asked_for(server):
    server.answers = {f"/log/tile/{n}": (200, {}, b"%d" % n) for n in range(100)}
    with UrlSource(server.url + "/") as source:
        found = list(source.read_many((f"tile/{n}", 10) for n in range(120)))
    assert found == [b"%d" % n for n in range(100)] + [None] * 20


def test_no_more_files_are_asked_for_than_a_few_ahead(server):
    server.answers = {f"/log/tile/{n}": (200, {}, b"x") for n in range(100)}
    with UrlSource(server.url) as source:
        files = source.read_many((f"tile/{n}", 10) for n in range(10**9))
        assert [next(files), next(files)] == [b"x", b"x"]
    assert len(server.seen) <= 20


def test_checkpoint_is_text(server):
    with UrlSource(server.url) as source:
        assert source.checkpoint() is None
        server.answers["/log/checkpoint"] = (200, {}, "Prüfpunkt\n".encode())
        assert source.checkpoint() == "Prüfpunkt\n"
        server.answers["/log/checkpoint"] = (200, {}, b"\xff")
        with pytest.raises(FormatError, match="not text"):
            source.checkpoint()


def test_file_that_was_compressed_unasked_is_read(server):
    server.answers["/log/a"] = (200, {"Content-Encoding": "gzip"}, gzip.compress(b"tile" * 20))
    assert read(server, "a") == b"tile" * 20
    assert server.seen == [("/log/a", "gzip, identity")]


def test_file_that_unpacks_to_more_than_the_limit_is_refused(server):
    server.answers["/log/a"] = (200, {"Content-Encoding": "gzip"}, gzip.compress(bytes(100_000_000)))
    with pytest.raises(FormatError, match="longer than the 200,000 bytes"):
        read(server, "a", 200_000)


def test_file_that_is_not_the_gzip_it_claims_to_be_is_refused(server):
    server.answers["/log/a"] = (200, {"Content-Encoding": "gzip"}, b"plain")
    with pytest.raises(FetchError, match="gzip"):
        read(server, "a")


@pytest.mark.parametrize("length", [101, 10_000_000])
def test_file_longer_than_the_limit_is_refused(server, length):
    server.answers["/log/a"] = (200, {}, bytes(length))
    with pytest.raises(FormatError, match="longer than the 100 bytes"):
        read(server, "a")


def test_file_without_a_length_is_read_to_its_limit(server):
    server.answers["/log/a"] = (200, {"Content-Length": None, "Connection": "close"}, bytes(100))
    assert read(server, "a") == bytes(100)
    server.answers["/log/a"] = (200, {"Content-Length": None, "Connection": "close"}, [bytes(60)] * 1000)
    with pytest.raises((FormatError, FetchError)):
        read(server, "a")


def test_file_shorter_than_it_says_is_refused(server):
    server.answers["/log/a"] = (200, {"Content-Length": "90", "Connection": "close"}, bytes(10))
    with pytest.raises(FetchError, match="80 bytes early"):
        read(server, "a")


def test_file_that_never_ends_is_given_up(server, monkeypatch):
    monkeypatch.setattr(log_source, "FILE_TIMEOUT_S", -1.0)
    server.answers["/log/a"] = (200, {}, b"x")
    with pytest.raises(FetchError, match="did not end within"):
        read(server, "a")


@pytest.mark.parametrize("status", [403, 429, 500, 503])
def test_other_answers_are_no_answer(server, status):
    server.answers["/log/a"] = (status, {}, b"")
    with pytest.raises(FetchError, match=f"status {status}"):
        read(server, "a")


def test_file_that_is_gone_is_not_there(server):
    server.answers["/log/a"] = (410, {}, b"")
    assert read(server, "a") is None


def test_redirect_on_the_same_host_is_followed(server):
    server.answers = {"/log/a": (302, {"Location": "/log/b"}, b"moved"), "/log/b": (200, {}, b"here")}
    assert read(server, "a") == b"here"


@pytest.mark.parametrize(
    "location",
    ["", "http://localhost:1/a", "http://127.0.0.1:1/a", "https://127.0.0.1/a", "//example.org/a", "file:///a"],
)
def test_redirect_to_another_place_is_refused(server, location):
    server.answers["/log/a"] = (302, {"Location": location}, b"")
    with pytest.raises(FetchError, match="redirects to another place"):
        read(server, "a")


def test_redirect_without_end_is_given_up(server):
    server.answers["/log/a"] = (302, {"Location": "/log/a"}, b"")
    with pytest.raises(FetchError, match="without end"):
        read(server, "a")
    assert len(server.seen) == 4


def test_server_that_is_not_there_cannot_be_read(server):
    url = server.url
    server.shutdown()
    server.server_close()
    with UrlSource(url) as source, pytest.raises(FetchError, match="cannot be read"):
        source.checkpoint()


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/log",
        "http://127.0.0.1.example.org/log",
        "http://localhost.example.org/",
        "ftp://example.org/log",
        "file:///log",
        "https://",
        "https:///log",
        "https://user@example.org/log",
        "https://example.org/log?a=b",
        "https://example.org/log#a",
        "https://example.org:99999/log",
        "https://[::1/log",
    ],
)
def test_address_that_is_not_https_or_this_machine_is_refused(url):
    with pytest.raises(InputError, match="not the address of a log"):
        open_log(url)


def test_place_is_a_folder_or_an_address(tmp_path):
    assert isinstance(open_log(str(tmp_path)), FolderSource)
    assert isinstance(open_log("https://example.org/log"), UrlSource)
    with pytest.raises(InputError, match="there is no folder"):
        open_log(str(tmp_path / "nothing"))
