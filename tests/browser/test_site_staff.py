"""The staff pages in a real browser: for everybody, on a phone and a desk, by keyboard, without scripts."""

import re

import pytest
from site_browser import axe_path, running_site

PATHS = [
    "", "account/", "log/", "done/", "people/", "watched/", "statements/", "statements/new/", "{s}/",
    "{s}/versions/1/", "{s}/versions/1/de/", "{s}/versions/new/", "{s}/queue/", "{s}/queue/?lane=suspect",
    "{s}/queue/?lane=alike", "{s}/signatures/", "{s}/in-front/", "{s}/organisations/", "{s}/asked/", "{s}/asked/new/",
    "{s}/elsewhere/", "{s}/updates/", "{s}/updates/new/", "{s}/take-out/?look=yes&name_contains=a", "{s}/export/",
]  # fmt: skip
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("staff")
    with running_site(folder) as running:
        text = (folder / "site.log").read_text()
        running.account = re.search(r"Account of the organiser: (\S+)", text)[1]
        running.password = re.search(r"Its password, shown this once: (\S+)", text)[1]
        yield running


def signed_in(chromium, site, **options):
    page = chromium.new_context(**options).new_page()
    page.said = []
    page.on("console", lambda message: page.said.append(message.text))
    page.goto(f"{site.url}/staff/")
    page.fill("[name=login]", site.account)
    page.fill("[name=password]", site.password)
    page.click("main button")
    page.slug = page.locator("nav.side h2").first.text_content().strip()
    return page


def visit(page, site):
    for path in PATHS:
        answer = page.goto(f"{site.url}/staff/{path.format(s='s/' + page.slug)}")
        assert answer.status == 200, path
        yield path


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1440, "light")])
def test_staff_pages_are_for_everybody(chromium, site, width, scheme):
    options = {"viewport": {"width": width, "height": 800}, "color_scheme": scheme, "bypass_csp": True}
    page = signed_in(chromium, site, **options)
    wrong = []
    for path in visit(page, site):
        page.evaluate(axe_path().read_text())
        found = page.evaluate(f"axe.run(document, {{runOnly: {RULES}}})")["violations"]
        wrong += [(path, one["id"], one["nodes"][0]["html"][:120]) for one in found]
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            wrong.append((path, "wider than the window", ""))
    assert wrong == []


def test_staff_pages_keep_their_own_content_policy(chromium, site):
    page = signed_in(chromium, site)
    page.said.clear()
    assert len(list(visit(page, site))) == len(PATHS)
    assert page.said == []


def test_queue_is_worked_through_by_keyboard_and_without_scripts(chromium, site):
    for scripts, name in ((False, "Famous Fanny"), (True, "Famous Frits")):
        page = signed_in(chromium, site, java_script_enabled=scripts, viewport={"width": 360, "height": 740})
        page.goto(f"{site.url}/staff/watched/")
        page.fill("textarea", name)
        page.click("main form >> text=Watch these names")
        assert page.inner_text(".notes") == "1 name is watched."
        sign(chromium, site, name)
        page.goto(f"{site.url}/staff/")
        page.click("text=Menu")
        page.click("nav.side >> text=Queue")
        assert page.inner_text("[data-card] h2") == name
        if scripts:
            page.keyboard.press("j")
            page.keyboard.press("r")
        else:
            page.click("[data-card] button >> text=Release")
        page.wait_for_selector(".notes .success")
        assert page.inner_text(".notes") == "Release: 1 signature."
        assert page.locator("[data-card]").count() == 0


def sign(chromium, site, name):
    """Sign as anybody does, and type the code."""
    page = chromium.new_context(java_script_enabled=False).new_page()
    email = f"{name.split()[-1].lower()}@signers.example"
    page.goto(f"{site.url}/en/")
    page.fill("#name", name)
    page.fill("#role", "bookbinder")
    page.select_option("#discipline", "literature")
    page.fill("#email", email)
    page.check("#consent")
    page.locator("form.form button").click()
    page.wait_for_url("**/en/code")
    page.fill("#code", site.code_to(email))
    page.locator("form.form:has(#code) button").click()
    page.wait_for_url("**/en/receipt")
