"""Every mail in every language: a subject, one code at most, the sentence, a way to say it was not me."""

import re
from pathlib import Path

import pytest
from django.template.loader import get_template

from askfirst_site.statement import mails

FOLDER = Path(mails.__file__).parent / "templates" / "statement" / "mail"
TEMPLATES = sorted(path.stem for path in FOLDER.glob("[a-z]*.txt"))
CONTEXT = {
    "sentence": "    The sentence.",
    "title": "Ask <first> & “then”",
    "name": "O'Neill & <b>Söhne</b>",
    "line": "O'Neill, poet",
    "organiser": "The Makers' Table",
    "organiser_email": "table@example.org",
    "page": "http://testserver/en/",
    "mine": "http://testserver/en/mine",
    "not_me": "http://testserver/en/not-me/1.x",
    "code": "ABCDEF",
    "code_url": "http://testserver/en/code?code=ABCDEF",
    "purpose": "somebody wants something:",
    "domain": "guild.example",
    "update_title": "We were heard",
    "update_body": "Something happened.",
    "stop_url": "http://testserver/en/updates/stop/1.x",
}


@pytest.mark.parametrize("language", ["en", "de", "nl"])
@pytest.mark.parametrize("template", TEMPLATES)
def test_mail_is_whole(site, template, language):
    subject, text = mails.render(template, language, CONTEXT)
    assert 5 < len(subject) < 120
    assert "{" not in subject + text
    assert "&amp;" not in subject + text
    assert "&lt;" not in subject + text
    assert text.count("http://testserver/en/not-me/1.x") == 1
    assert max(len(line) for line in text.splitlines() if "://" not in line) <= 76
    assert "\n\n\n" not in text
    assert len(re.findall(r"^    ABCDEF$", text, re.MULTILINE)) == (template in {"code", "reminder", "action"})


def test_all_templates_are_known():
    assert TEMPLATES == [
        "action", "already", "code", "held", "proof_lost", "rejected", "released", "reminder", "update",
    ]  # fmt: skip
    assert get_template("statement/mail/code.txt")


@pytest.mark.parametrize("name", ["X", "A" * 200, "محمد علي", "👩\u200d🎨", "Z" + "\u0301" * 4, "{{ 7*7 }}", "%(x)s"])
def test_mail_takes_every_name(site, name):
    subject, text = mails.render("code", "de", CONTEXT | {"name": name, "line": name})
    assert text.count(name) == 2
    assert "\n" not in subject
