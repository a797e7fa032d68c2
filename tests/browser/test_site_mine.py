"""What signers do with their own signature, in a real browser on a telephone: show, export, erase, prove."""

import json
import time
from pathlib import Path

import pytest
import test_site_signing as signing
from playwright.sync_api import expect

site, open_page, shoot = signing.site, signing.open_page, signing.shoot


@pytest.fixture
def signer(site, open_page, request):
    """Sign in a browser of its own; `signer.allow(action)` types the code for an action, up to its page."""

    class Signer:
        def __init__(self, language, name):
            self.language, self.name = language, name
            self.email = f"{request.node.name.replace('_', '-')}@signers.example"
            self.page = open_page(signing.PHONE, scripts=False, locale=language)

        def sign(self):
            self.page.goto(f"/{self.language}/")
            signing.fill(self.page, self.name, self.email, scripts=False)
            self._press_and_type_code()
            self.page.wait_for_url(f"**/{self.language}/receipt")
            signing.ready_receipt(self.page)
            return self.page

        def allow(self, action):
            self.page.goto(f"/{self.language}/mine?action={action}")
            self.page.fill("#email", self.email)
            self._press_and_type_code()
            expect(self.page.locator("form.form [name=grant]")).to_have_count(1)
            assert self.page.evaluate("document.documentElement.scrollWidth") == signing.PHONE["width"]

        def _press_and_type_code(self):
            asked = time.time() - 0.05
            self.press()
            self.page.fill("#code", site.code_to(self.email, asked))
            self.page.locator("form.form:has(#code) button").click()

        def press(self):
            self.page.locator("form.form button").click()

        def lines(self, search):
            """What stands on the wall for a search."""
            self.page.goto(f"/{self.language}/signatories?q={search}")
            return [line.split(",")[0] for line in self.page.locator(".wall li:not(.hr)").all_inner_texts()]

    return Signer


def people(site):
    return json.loads(site.get(f"/count.json?{time.time()}"))["people"]


def until(condition):
    for _ in range(60):
        if condition():
            return
        time.sleep(0.25)
    raise AssertionError("not within 15 s")


def test_show_corrects_name_and_display(signer, shoot):
    mine = signer("nl", "Quirina Xylofon")
    page = mine.sign()
    mine.allow("show")
    assert page.input_value("#name") == "Quirina Xylofon"
    expect(page.locator(".pre")).to_contain_text("Quirina Xylofon, bookbinder")
    page.fill("#name", "")
    mine.press()
    expect(page.locator("#name_error")).to_be_visible()
    page.fill("#name", "Zwaan Xylofoon")
    page.check("[name=display][value=initials]")
    shoot(page, "1-changed")
    mine.press()
    expect(page.locator("h1")).to_have_text("Veranderd")
    until(lambda: mine.lines("Z+X") == ["Z. X."])
    shoot(page, "2-initials")
    assert mine.lines("Xylofo") == []
    page.goto("/nl/receipt")
    expect(page.locator(".pre")).to_contain_text("Z. X.")


def test_export_is_a_file_with_everything(site, signer, shoot, tmp_path):
    mine = signer("de", "Export Zeugin")
    page = mine.sign()
    mine.allow("export")
    shoot(page, "export")
    with page.expect_download() as download:
        mine.press()
    assert download.value.suggested_filename == "askfirst-my-data.json"
    held = json.loads(Path(download.value.path()).read_text())
    receipt = tmp_path / "receipt.tlog-proof"
    receipt.write_text(held["receipt"])
    code, said = signing.verify(site, receipt, tmp_path)
    assert (code, said["findings"][0]["facts"]["shown"]["name"]) == (0, "Export Zeugin")
    assert mine.email in json.dumps(held | {"receipt": ""})


def test_erase_leaves_nothing(site, signer, shoot):
    mine = signer("en", "Erasmus Gonefield")
    page = mine.sign()
    until(lambda: mine.lines("Gonefield") == ["Erasmus Gonefield"])
    assert page.request.get("/en/receipt.tlog-proof").status == 200
    before = people(site)
    mine.allow("erase")
    shoot(page, "1-question")
    assert people(site) == before
    mine.press()
    expect(page.locator("h1")).to_have_text("Everything about you is deleted")
    shoot(page, "2-erased")
    until(lambda: people(site) == before - 1)
    until(lambda: mine.lines("Gonefield") == [])
    assert page.request.get("/en/receipt.tlog-proof").status == 404
    page.goto("/en/receipt")
    expect(page.locator("h1")).to_have_text("No receipt here")


def test_prove_shows_record_and_file_and_says_kindly_what_is_missing(signer, shoot):
    mine = signer("de", "Beweis Dame")
    page = mine.sign()
    mine.allow("prove")
    page.fill("#domain", "not a domain")
    mine.press()
    expect(page.locator("#domain_error")).to_be_visible()
    page.fill("#domain", "https://www.unproven.example/")
    mine.press()
    asked = page.locator("dl.d dd").all_inner_texts()
    line = asked[2]
    assert line.startswith("askfirst-proof=")
    address = "https://unproven.example/.well-known/askfirst.txt"
    assert asked == ["_askfirst.unproven.example", "TXT", line, address, line]
    assert page.evaluate("document.documentElement.scrollWidth") == signing.PHONE["width"]
    shoot(page, "1-asked")
    mine.press()
    expect(page.locator("#failure")).to_contain_text("Wir haben es noch nicht gefunden.", timeout=30_000)
    expect(page.locator("#failure")).to_contain_text("unproven.example")
    assert page.locator("dl.d dd").all_inner_texts() == asked
    assert page.evaluate("document.documentElement.scrollWidth") == signing.PHONE["width"]
    shoot(page, "2-not-found")
