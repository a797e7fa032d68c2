"""The report in a real browser: Chromium, headless, without a network of its own to talk to."""

import html
import json
import re
import shutil
import subprocess
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
import report_sample

from askfirst.report.html import render
from askfirst.report.words import LANGUAGES

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
MEASURE = """
<script>
addEventListener("load", () => {
  for (const more of document.querySelectorAll("details")) more.open = true;
  const wide = document.documentElement.clientWidth;
  const over = [...document.querySelectorAll("body *:not(.skip)")].filter(
    (e) => e.getBoundingClientRect().right > wide + 1 || e.getBoundingClientRect().left < -1);
  document.documentElement.dataset.measured = JSON.stringify({
    wide, scroll: document.documentElement.scrollWidth,
    over: over.map((e) => e.outerHTML.slice(0, 120)), hit: window.hit ?? null,
  });
});
</script>
"""


@pytest.fixture(scope="session")
def browser():
    """The program's path. Without it these tests fail: a report nobody looked at is not tested."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.fail("no browser: install Chromium (Debian: apt-get install chromium)", pytrace=False)
    return path


@pytest.fixture
def look(browser, tmp_path):
    """Open a page and return its elements as they are after loading."""

    def open_page(address, width=1280):
        profile = tmp_path / "profile"
        command = [
            browser,
            *FLAGS,
            f"--user-data-dir={profile}",
            f"--window-size={width},900",
            "--dump-dom",
            address,
        ]
        done = subprocess.run(command, capture_output=True, timeout=120, check=True)
        return done.stdout.decode("utf-8")

    return open_page


@pytest.fixture
def measured(look, tmp_path):
    """Lay a page out in a frame of some width and return what a script in a copy of it measured.

    The frame is there because a browser window can't be narrower than some 500 pixels. The copy has no
    content-security policy: that one would not let the script run.
    """

    def measure(page, width):
        copy = POLICY.sub("", page, count=1).replace("</head>", f"{MEASURE}</head>", 1)
        assert copy != page
        framed = (
            f'<!DOCTYPE html><meta charset="utf-8"><iframe id="page" width="{width}" height="900" '
            f'style="border: 0" srcdoc="{html.escape(copy)}"></iframe><script>'
            'addEventListener("load", () => { document.body.dataset.measured ='
            ' document.getElementById("page").contentDocument.documentElement.dataset.measured; });</script>'
        )
        file = tmp_path / "framed.html"
        file.write_text(framed, encoding="utf-8")
        found = re.search(r'<body data-measured="([^"]*)"', look(file.as_uri()))
        return json.loads(html.unescape(found.group(1)))

    return measure


@pytest.fixture
def server():
    """A server that keeps the paths it was asked for, and the pages to serve."""
    pages, asked = {}, []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            page = pages.get(self.path)
            self.send_response(200 if page else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(page or b"")

        def log_message(self, *args):
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as served:
        Thread(target=served.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{served.server_port}", pages, asked
        served.shutdown()


def _full(language):
    return render(report_sample.summary(), report_sample.examples(), language)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", [360, 768])
def test_report_never_scrolls_sideways(measured, language, width):
    found = measured(_full(language), width)
    assert (found["wide"], found["scroll"], found["over"]) == (width, width, [])


@pytest.mark.parametrize(
    "page",
    [
        render(report_sample.empty(), [], "de"),
        render(report_sample.silent(), [], "nl"),
        render(*report_sample.hostile()),
        render(*report_sample.largest(), "de"),
        _full("en").replace('dir="ltr"', 'dir="rtl"'),
    ],
    ids=["empty", "silent", "hostile", "largest", "right-to-left"],
)
def test_report_never_scrolls_sideways_whatever_is_in_it(measured, page):
    found = measured(page, 360)
    assert (found["wide"], found["scroll"], found["over"]) == (360, 360, [])


def test_measure_sees_what_is_too_wide(measured):
    """The test above can fail."""
    page = _full("en").replace("</main>", '<div style="width: 500px">wide</div></main>')
    assert measured(page, 360)["scroll"] > 360


def test_report_asks_for_nothing(look, server):
    address, pages, asked = server
    pages["/report.html"] = _full("en").encode()
    look(f"{address}/report.html")
    assert asked == ["/report.html"]


def test_report_policy_stops_requests_even_if_something_were_smuggled_in(look, server):
    """Scripts, pictures, frames and styles from elsewhere are written into the page; none may be fetched."""
    address, pages, asked = server
    smuggled = (
        f'<script src="{address}/a.js"></script><img src="{address}/b.png">'
        f'<iframe src="{address}/c"></iframe>'
        f'<link rel="stylesheet" href="{address}/d.css"><script>document.title = "hit"</script>'
    )
    pages["/report.html"] = _full("en").replace("</main>", f"{smuggled}</main>").encode()
    dom = look(f"{address}/report.html")
    assert asked == ["/report.html"]
    assert "<title>hit</title>" not in dom


def test_page_without_the_policy_would_have_asked(look, server):
    """The test above can fail."""
    address, pages, asked = server
    page = POLICY.sub("", _full("en")).replace("</main>", f'<img src="{address}/b.png"></main>')
    pages["/report.html"] = page.encode()
    look(f"{address}/report.html")
    assert sorted(asked) == ["/b.png", "/report.html"]


def test_report_elements_come_from_the_file_alone(look, tmp_path):
    file = tmp_path / "report.html"
    file.write_text(_full("en"), encoding="utf-8")
    dom = look(file.as_uri())
    assert re.findall(r"<(?:script|iframe|object|embed|form|base|video|audio|svg)\b", dom) == []
    assert set(re.findall(r'\b(?:src|srcset|poster|data)="([^"]{5})', dom)) == {"data:"}
    assert set(re.findall(r'<link[^>]*href="([^"]*)"', dom)) == {"data:,"}


def test_report_hostile_names_do_nothing(look, measured, tmp_path):
    page = render(*report_sample.hostile())
    file = tmp_path / "report.html"
    file.write_text(page, encoding="utf-8")
    assert re.findall(r"<script\b|<img src=\"?x|\son[a-z]+=\"", look(file.as_uri())) == []
    assert measured(page, 1024)["hit"] is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_report_prints_on_paper(browser, tmp_path, language):
    file, paper = tmp_path / "report.html", tmp_path / "report.pdf"
    file.write_text(_full(language), encoding="utf-8")
    command = [browser, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", "--no-pdf-header-footer"]
    subprocess.run([*command, f"--print-to-pdf={paper}", file.as_uri()], capture_output=True, timeout=120, check=True)
    from pypdf import PdfReader

    pages = PdfReader(paper).pages
    assert {(round(float(p.mediabox.width)), round(float(p.mediabox.height))) for p in pages} <= {
        (595, 842),
        (594, 842),
    }
    assert "4.127" in pages[0].extract_text().replace(",", ".")
    everything = " ".join(page.extract_text() for page in pages)
    assert "Kaito Moriyama" in everything  # a row that is folded away on the screen
