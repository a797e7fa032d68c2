"""Signing in a real browser: sentence, form, code, receipt, `askfirst verify`, withdrawal."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from playwright.sync_api import expect
from site_browser import LANGUAGES, running_site

PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1440, "height": 900}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with running_site(tmp_path_factory.mktemp("signing")) as running:
        yield running


@pytest.fixture
def open_page(chromium, site):
    """Open a browser of its own, with or without scripts; whatever it complains about fails the test."""
    contexts, complaints = [], []

    def opened(viewport, scripts=True, **more):
        context = chromium.new_context(
            viewport=viewport, java_script_enabled=scripts, base_url=site.url, accept_downloads=True, **more
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda one: complaints.append(one.text) if one.type in {"error", "warning"} else None)
        page.on("pageerror", lambda one: complaints.append(str(one)))
        page.on("request", lambda one: complaints.append(one.url) if not one.url.startswith(site.url) else None)
        return page

    yield opened
    for context in contexts:
        context.close()
    # 404 is what the waiting page hears until the receipt is there; 422 what a form with a mistake gets
    assert [one for one in complaints if "404" not in one and "422" not in one] == []


@pytest.fixture
def shoot(tmp_path, request):
    folder = Path(os.environ.get("ASKFIRST_SCREENSHOTS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)

    def take(page, step):
        name = request.node.name.replace("[", "-").replace("]", "").replace("/", "-")
        page.screenshot(path=folder / f"{name}-{step}.png", full_page=True)

    return take


def fill(page, name, email, scripts=True):
    page.fill("#name", name)
    page.fill("#role", "bookbinder")
    page.select_option("#discipline", "literature")
    page.select_option("#country", "NL")
    page.fill("#email", email)
    page.check("#consent")
    if scripts:  # people are slower than the small puzzle
        expect(page.locator("[name=solution]")).not_to_have_value("", timeout=30_000)


def verify(site, receipt, folder):
    """What `askfirst verify` says about a receipt, off-line."""
    (folder / "vkey").write_bytes(site.get("/log/vkey"))
    (folder / "statement.json").write_bytes(site.get("/statement.json"))
    command = ["verify", receipt, "--key", folder / "vkey", "--statement", folder / "statement.json", "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "askfirst", *command], capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, json.loads(done.stdout)


def ready_receipt(page):
    """Wait until the receipt can be downloaded; a reader without scripts presses the link."""
    link = page.locator("a.btn[download]").first
    for _ in range(60):
        if link.is_visible() and "receipt" in (link.get_attribute("href") or ""):
            return link
        page.wait_for_timeout(500)
        again = page.locator("p.no a")
        if page.locator("#waiting").is_visible() and again.count():
            page.goto(page.url)
    raise AssertionError("no receipt")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_sign_verify_withdraw(site, open_page, shoot, tmp_path, *, language, viewport, scripts):
    page = open_page(viewport, scripts, locale=language)
    email = f"{language}-{viewport['width']}-{scripts}@signers.example".lower()
    page.goto(f"/{language}/")
    fill(page, "Wilhelmina Testman", email, scripts)
    if scripts:
        expect(page.locator("#line")).to_have_text("Wilhelmina Testman, bookbinder")
    shoot(page, "1-form")
    started = time.time() - 1
    page.locator("form.form button").click()
    page.wait_for_url(f"**/{language}/code")
    if not scripts:
        expect(page.locator(".pre")).to_contain_text("Wilhelmina Testman")
    shoot(page, "2-code")
    page.fill("#code", site.code_to(email, started))
    page.locator("form.form:has(#code) button").click()
    page.wait_for_url(f"**/{language}/receipt")
    link = ready_receipt(page)
    shoot(page, "3-receipt")
    with page.expect_download() as download:
        link.click()
    receipt = tmp_path / download.value.suggested_filename
    download.value.save_as(receipt)
    code, said = verify(site, receipt, tmp_path)
    assert (code, said["good"]) == (0, True)
    assert said["findings"][0]["facts"]["shown"]["name"] == "Wilhelmina Testman"
    withdraw(site, page, language, email, shoot)


def withdraw(site, page, language, email, shoot):
    page.goto(f"/{language}/mine?action=withdraw")
    page.fill("#email", email)
    started = time.time() - 1
    page.locator("form.form button").click()
    page.fill("#code", site.code_to(email, started))
    page.locator("form.form button").click()
    shoot(page, "4-withdraw")
    people = count_now(site)
    page.locator("form.form button").click()
    expect(page.locator("h1")).to_be_visible()
    assert "/mine/withdraw" in page.url
    shoot(page, "5-withdrawn")
    for _ in range(40):
        if count_now(site) < people:
            return
        time.sleep(0.5)
    raise AssertionError("still counted")


def count_now(site):
    """Return the published count, past the copy that is kept for five seconds."""
    return json.loads(site.get(f"/count.json?{time.time()}"))["people"]


def test_sign_with_keys_only(site, open_page, shoot):
    page = open_page(DESKTOP)
    page.goto("/en/")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_class("v skip")
    for _ in range(60):  # to the form, in the order of the page
        if page.evaluate("document.activeElement.name") == "kind":
            break
        page.keyboard.press("Tab")
    typed = {
        "name": "Key Board",
        "role": "typist",
        "discipline": "m",
        "country": "Ger",
        "email": "keys@signers.example",
    }
    for name, text in typed.items():
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.name") == name
        page.keyboard.type(text)
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#line")).to_have_text("K. B., Music")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(page.locator("#consent")).to_be_checked()
    assert page.input_value("#country") == "DE"
    started = time.time() - 1
    shoot(page, "form")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/en/code")
    page.locator("#code").focus()
    page.keyboard.type(site.code_to("keys@signers.example", started))
    page.keyboard.press("Enter")
    page.wait_for_url("**/en/receipt")
    expect(page.locator(".pre")).to_contain_text("K. B., Music")


def test_errors_are_summed_up_and_focused(open_page, shoot):
    page = open_page(PHONE)
    page.goto("/de/")
    page.locator("form.form button").click()
    expect(page.locator("#errors")).to_be_focused()
    assert page.locator("#errors a").count() == 4  # name, discipline, e-mail, consent
    described = page.locator("#email").get_attribute("aria-describedby")
    assert page.locator(f"#{described}").inner_text() != ""
    shoot(page, "errors")
    page.locator("#errors a").first.click()
    expect(page.locator("#name")).to_be_focused()


def test_code_typed_in_another_browser_needs_the_address(site, open_page):
    page = open_page(PHONE)
    page.goto("/nl/")
    fill(page, "Andere Browser", "elsewhere@signers.example")
    started = time.time() - 1
    page.locator("form.form button").click()
    page.wait_for_url("**/nl/code")
    other = open_page(PHONE)
    other.goto("/nl/code")
    other.fill("#code", site.code_to("elsewhere@signers.example", started))
    other.fill("#email", "elsewhere@signers.example")
    other.locator("form.form:has(#code) button").click()
    other.wait_for_url("**/nl/receipt?of=*")
    assert ready_receipt(other)


def test_receipt_is_checked_in_the_browser(site, open_page, tmp_path, shoot):
    from askfirst.proof.receipt import close_fields

    page = open_page(DESKTOP)
    page.goto("/en/")
    fill(page, "Proof Reader", "proof@signers.example")
    started = time.time() - 1
    page.locator("form.form button").click()
    page.fill("#code", site.code_to("proof@signers.example", started))
    page.locator("form.form:has(#code) button").click()
    with page.expect_download() as download:
        ready_receipt(page).click()
    whole = Path(download.value.path()).read_text()
    closed = close_fields(whole, ["email", "country"])
    page.goto("/verify/")
    for name, text, good, has in (
        ("whole", whole, "true", "proof@signers.example"),
        ("closed", closed, "true", "Proof Reader"),
        ("cut", whole[:-20], "false", ""),
        ("other-index", whole.replace("index ", "index 1", 1), "false", ""),
        ("empty", "", "false", ""),
    ):
        path = tmp_path / f"{name}.tlog-proof"
        path.write_text(text)
        page.set_input_files("#file", path)
        page.locator("form button").click()
        expect(page.locator("#result[data-good]")).to_have_attribute("data-good", good)
        expect(page.locator("#result")).to_contain_text(has)
        page.evaluate("document.querySelector('#result').removeAttribute('data-good')")
    shoot(page, "checked")
    page.set_input_files("#file", tmp_path / "closed.tlog-proof")
    page.locator("form button").click()
    expect(page.locator("#result[data-good=true]")).to_be_visible()
    assert "proof@signers.example" not in page.locator("#result").inner_text()
    page.fill("#key", page.input_value("#key").replace("+A", "+B", 1))
    page.locator("form button").click()
    expect(page.locator("#result[data-good=false]")).to_be_visible()


def test_a_mail_scanner_confirms_nothing(site, open_page):
    """It opens every link of a mail, and posts every form it finds there."""
    page = open_page(DESKTOP)
    page.goto("/en/")
    fill(page, "Scanned Mail", "scanned@signers.example")
    started = time.time() - 1
    page.locator("form.form button").click()
    page.wait_for_url("**/en/code")
    mail = site.mail_to("scanned@signers.example", after=started)
    scanner = open_page(DESKTOP)
    for link in [word for word in mail.split() if word.startswith(site.url)]:
        scanner.goto(link)
        for number in range(scanner.locator("form[method=post]").count()):
            scanner.goto(link)
            with scanner.expect_navigation():
                scanner.locator("form[method=post]").nth(number).evaluate("(form) => form.submit()")
    page.fill("#code", site.code_to("scanned@signers.example", started))
    page.locator("form.form:has(#code) button").click()
    page.wait_for_url("**/en/receipt")
    assert ready_receipt(page)
