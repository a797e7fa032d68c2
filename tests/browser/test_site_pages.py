"""Every public page in a real browser: axe finds nothing, nothing sticks out or is asked of others; budgets hold."""

import gzip
import json
import os
import re
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import expect
from site_browser import LANGUAGES, axe_path, running_site

PAGES = (
    ("statement", ""),
    ("code", "code"),
    ("receipt", "receipt"),
    ("mine", "mine"),
    ("mine-code", "mine/code"),
    ("not-me", "not-me/1.x"),
    ("stop", "updates/stop/1.x"),
    ("wall", "signatories"),
    ("search", "signatories?q=a&discipline=music"),
    ("numbers", "numbers"),
    ("answers", "answers"),
    ("updates", "updates"),
    ("press", "press"),
    ("paper", "paper"),
    ("privacy", "privacy"),
    ("version", "versions/1/"),
    ("embed", "embed"),
    ("missing", "no-such-page"),
)
WIDTHS = (320, 1440)
KB = 1024
BUDGET_BYTES = {"html": 30 * KB, "css": 12 * KB, "js": 4 * KB, "fonts": 60 * KB}
AXE = """async () => {
  const { violations } = await axe.run(document, { resultTypes: ["violations"] });
  return violations.map((v) => `${v.id}: ${v.help}: ${v.nodes.map((n) => n.html.slice(0, 160)).join(" | ")}`);
}"""
WIDER = """() => {
  const wide = document.documentElement.clientWidth;
  const out = [...document.querySelectorAll("body *:not(.v):not(.v *):not(.hp):not(.hp *)")].filter((e) => {
    const box = e.getBoundingClientRect();
    return box.width && (box.right > wide + 1 || box.left < -1) && !e.closest(".x");
  });
  return out.map((e) => e.outerHTML.slice(0, 120));
}"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with running_site(tmp_path_factory.mktemp("pages")) as running:
        yield running


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    named = os.environ.get("ASKFIRST_SCREENSHOTS")
    path = Path(named) if named else tmp_path_factory.mktemp("screenshots")
    path.mkdir(parents=True, exist_ok=True)
    return path


def addresses(language):
    return [(name, f"/{language}/{path}") for name, path in PAGES] + [("verify", f"/verify/?lang={language}")]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_axe_finds_nothing_and_nothing_sticks_out(site, chromium, folder, language, width):
    context = chromium.new_context(viewport={"width": width, "height": 900}, bypass_csp=True, base_url=site.url)
    page = context.new_page()
    foreign = []
    page.on("request", lambda one: foreign.append(one.url) if not one.url.startswith(site.url) else None)
    found = {}
    for name, address in addresses(language):
        page.goto(address)
        page.screenshot(path=folder / f"{name}-{language}-{width}.png", full_page=True)
        page.add_script_tag(path=axe_path())
        found[name] = page.evaluate(AXE) + page.evaluate(WIDER)
    context.close()
    assert {name: problems for name, problems in found.items() if problems} == {}
    assert foreign == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_axe_finds_nothing_in_the_dark_and_in_a_refused_form(site, chromium, folder, language):
    context = chromium.new_context(
        viewport={"width": 390, "height": 900}, bypass_csp=True, base_url=site.url, color_scheme="dark"
    )
    page = context.new_page()
    for step in ("dark", "refused"):
        if step == "dark":
            page.goto(f"/{language}/")
        else:
            page.locator("form.form button").click()
            page.wait_for_selector("#errors")
        page.screenshot(path=folder / f"{step}-{language}.png", full_page=True)
        page.add_script_tag(path=axe_path())
        assert page.evaluate(AXE) + page.evaluate(WIDER) == []
    context.close()


def test_right_to_left_page_holds(site, chromium, folder):
    """No catalogue reads from right to left yet; the layout must already."""
    for width in (360, 1440):
        context = chromium.new_context(viewport={"width": width, "height": 900}, base_url=site.url)
        page = context.new_page()
        page.goto("/en/")
        page.evaluate("document.documentElement.dir = 'rtl'")
        page.screenshot(path=folder / f"right-to-left-{width}.png", full_page=True)
        assert page.evaluate(WIDER) == []
        context.close()


def test_statement_page_keeps_its_budgets(site, chromium):
    sizes = dict.fromkeys(BUDGET_BYTES, 0)
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, base_url=site.url)
    page = context.new_page()
    kinds = {"document": "html", "stylesheet": "css", "script": "js", "font": "fonts"}

    def weigh(answer):
        kind = kinds.get(answer.request.resource_type)
        if kind:
            sizes[kind] += len(answer.body())

    page.on("response", weigh)
    page.goto("/de/")
    page.locator("#name").focus()  # fetches the worker
    expect(page.locator("[name=solution]")).not_to_have_value("", timeout=30_000)
    page.wait_for_load_state("networkidle")
    html = page.content()
    worker = re.search(r'data-worker="([^"]+)"', html)[1]
    script = re.search(r'<script src="([^"]+)"', html)[1]
    sizes["js"] = len(site.get(worker)) + len(site.get(script))
    context.close()
    sizes["html"] = max(len(site.get(f"/{language}/")) for language in LANGUAGES)
    assert {kind: size for kind, size in sizes.items() if size > BUDGET_BYTES[kind]} == {}
    assert sizes["html"] > 15 * KB  # it is the whole page that was weighed


def test_statement_page_prints_on_paper(site, chromium, folder):
    context = chromium.new_context(base_url=site.url)
    page = context.new_page()
    for name, address in (("statement", "/de/"), ("paper", "/de/paper")):
        page.goto(address)
        pdf = page.pdf(path=folder / f"print-{name}.pdf", format="A4", prefer_css_page_size=True)
        assert pdf.startswith(b"%PDF")
        if name == "paper":
            assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 1
    page.emulate_media(media="print")
    page.goto("/de/")
    assert not page.locator("form.form").is_visible()
    assert page.locator("h1").is_visible()
    context.close()


def headers_of(site, path, **more):
    request = urllib.request.Request(site.url + path, headers=more)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return answer.headers


def test_public_pages_set_no_cookie_and_come_from_the_cache(site):
    for _name, address in addresses("en")[:-2]:
        assert headers_of(site, address).get("Set-Cookie") is None
    one, two = headers_of(site, "/en/"), headers_of(site, "/en/")
    assert one["ETag"] == two["ETag"]
    packed = urllib.request.Request(f"{site.url}/en/", headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(packed, timeout=20) as answer:
        assert b"<h1" in gzip.decompress(answer.read())


def test_pages_of_names_are_not_for_search_engines(site):
    assert headers_of(site, "/en/signatories")["X-Robots-Tag"] == "noindex, nofollow, noarchive"
    assert headers_of(site, "/en/").get("X-Robots-Tag") is None


def test_only_the_embed_may_be_framed(site):
    assert "frame-ancestors *" in headers_of(site, "/en/embed")["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers_of(site, "/en/")["Content-Security-Policy"]


def test_error_pages_are_pages(site):
    with pytest.raises(urllib.error.HTTPError) as caught:
        site.get("/de/no-such-page")
    assert caught.value.code == 404
    assert b"<h1>" in caught.value.read()


def test_count_says_the_four_things(site):
    assert set(json.loads(site.get("/count.json"))) == {"people", "organisations", "log_size", "as_of"}
