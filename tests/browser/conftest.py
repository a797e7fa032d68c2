"""The made-up audit of the report's tests, and the running site, are imported by their plain names."""

import sys
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "library" / "report"))
sys.path.insert(0, str(Path(__file__).parent))

from site_browser import FLAGS, browser_path


@pytest.fixture(scope="module")
def chromium():
    """A browser for the tests of one file."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path(), args=FLAGS)
        yield browser
        browser.close()
