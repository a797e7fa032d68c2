"""Every text of the site in every language it speaks: nothing missing, nothing fuzzy, nothing forgotten."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import polib
import pytest

import askfirst_site

PACKAGE = Path(askfirst_site.__file__).parent
LANGUAGES = ("de", "nl")
HOLES = re.compile(r"%\(\w+\)[sd]|\{\w+\}|<[^>]+>")


def catalogue(language, kind="po"):
    path = PACKAGE / "locale" / language / "LC_MESSAGES" / f"django.{kind}"
    return polib.pofile(path) if kind == "po" else polib.mofile(path)


def texts(entry):
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_missing_or_fuzzy(language):
    entries = catalogue(language)
    assert len(entries) > 700
    assert [entry.msgid for entry in entries if entry.fuzzy or not all(texts(entry))] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_compiled_catalogue_is_the_written_one(language):
    written = {(one.msgctxt, one.msgid): texts(one) for one in catalogue(language)}
    compiled = {(one.msgctxt, one.msgid): texts(one) for one in catalogue(language, "mo")}
    assert compiled == written


@pytest.mark.parametrize("language", LANGUAGES)
def test_holes_are_those_of_the_original(language):
    wrong = []
    for entry in catalogue(language):
        source = sorted(HOLES.findall(entry.msgid_plural or entry.msgid))
        if sorted(HOLES.findall(texts(entry)[-1])) != source:
            wrong.append(entry.msgid)
    assert wrong == []


def test_no_text_was_forgotten(tmp_path):
    """What `makemessages` finds in the sources is what the catalogues hold. Needs Debian's gettext."""
    if shutil.which("xgettext") is None:
        pytest.fail("no gettext: apt-get install gettext", pytrace=False)
    copy = tmp_path / "askfirst_site"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__", "*.mo"))
    command = ["django-admin", "makemessages", "--no-location", "--no-obsolete", "-v0"]
    for language in LANGUAGES:
        command += ["-l", language]
    script = "import sys; from django.core.management import execute_from_command_line as run; run(sys.argv)"
    done = subprocess.run(
        [sys.executable, "-c", script, *command[1:]], cwd=copy, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    for language in LANGUAGES:
        found = {one.msgid for one in polib.pofile(copy / "locale" / language / "LC_MESSAGES" / "django.po")}
        assert found == {one.msgid for one in catalogue(language)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_tone_is_the_one_we_chose(language):
    """German says Sie, Dutch says je."""
    wrong = {"de": r"\b(du|dich|dein\w*|euch)\b", "nl": r"\b(u|uw)\b"}[language]
    assert [text for one in catalogue(language) for text in texts(one) if re.search(wrong, text)] == []
