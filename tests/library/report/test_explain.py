import json

import pytest

from askfirst.errors import ConfigError, FormatError
from askfirst.model import MatchKind, Preference, Standing
from askfirst.report.explain import explain
from askfirst.report.words import LANGUAGES
from askfirst.verdict import decision_table

WORKS = {"w-1": {"title": "Night Ferry", "creator": "Mara Lindqvist", "terms": "all rights reserved"}}


def _match(
    says="refused",
    kind="image",
    work_id="w-1",
    where='{"transform":"mirrored","distance_bits":4}',
    score=0.98,
):
    return {
        "kind": "match", "name": kind, "says": says, "work_id": work_id, "score": score, "where": where,
        "quote": None,
    }  # fmt: skip


def _signal(says="disallowed", protocol="robots.txt", where="https://a.example/robots.txt", quote="Disallow: /"):
    return {
        "kind": "signal", "name": protocol, "says": says, "work_id": None, "score": None, "where": where,
        "quote": quote,
    }  # fmt: skip


def _gap(kind="corrupt", where="a.jpg", cause="the file ends early"):
    return {
        "kind": "gap", "name": kind, "says": None, "work_id": None, "score": None, "where": where,
        "quote": cause,
    }  # fmt: skip


def _row(rule, outcome, *evidence, **changes):
    values = {
        "item_id": "pictures/a.jpg", "source": "pictures", "url": None, "medium": "image",
        "digest": "ab" * 32, "outcome": outcome, "rule": rule, "basis": None, "work_id": None,
        "match_kind": None, "match_score": None, "unit": "image", "units": 1,
        "evidence": list(evidence), "detail": None,
    }  # fmt: skip
    return {**values, **changes}


def test_explain_refusal_in_full():
    row = _row("register-refusal", "refused", _match(), _signal("allowed"), _gap(), url="https://a.example/a.jpg")
    assert (
        explain(row, WORKS)
        == """\
pictures/a.jpg

  Found in  pictures
  Address   https://a.example/a.jpg
  Kind      image
  Amount    1 image
  Digest    abababababababababababababababababababababababababababababababab

Refused. Somebody entitled said no, or the rights are in dispute. It may not be
used.

What was weighed, in this order

  1. Recognised as “Night Ferry” by Mara Lindqvist (w-1).
     The same picture, or a changed copy of it. The copy is mirrored. 252 of 256
     bits of the two fingerprints agree. Score 0.98 of 1.
     The register says no to this use of it. Terms: all rights reserved
     → This decided.

  2. A gap: The file is damaged
     Found in a.jpg.
     The file ends early.
     → This did not decide: there is a no already. What could not be read cannot
     turn it into a yes.

  3. A notice: robots.txt (rules for visiting programs, at the top of a web
     site)
     Found in https://a.example/robots.txt.
     It says yes to this use.
     In its own words: “Disallow: /”
     → This did not decide: it allows the use, but allowing is not licensing.
     Only somebody entitled can say yes.

What you could do next

  Ask the maker. A no can become a yes on terms both sides agree on. Until then,
  leave the item out. The maker to ask: Mara Lindqvist."""
    )


def test_explain_silence_in_full():
    assert (
        explain(_row("silence", "unasked", source="", digest=None, units=None))
        == """\
pictures/a.jpg

  Kind  image

Unasked. Nobody was asked: there is no yes and no no. It may not be used.

What was weighed, in this order

  Nothing: no registered work was recognised, and no notice about rights was
  found.

  What decided: Nobody was asked: no yes and no no was found.

What you could do next

  Find out who made it, and ask. Until somebody entitled says yes, leave the
  item out."""
    )


def _blocks(row, works=None, language="en"):
    """The facts in their order: first line and last sentence of each."""
    lines = explain(row, works, language).split("\n")
    blocks, block = [], []
    for line in [*lines, ""]:
        if line.strip():
            block.append(line.strip())
        elif block:
            blocks.append(" ".join(block))
            block = []
    return [block.partition(". ")[2] for block in blocks if block[:1].isdigit()]


def _decided(row):
    return [block.split("→ ")[1].partition(":")[0].rstrip(".") for block in _blocks(row)]


YES, NO = "This decided", "This did not decide"


@pytest.mark.parametrize(
    ("row", "decided"),
    [
        (_row("agreement", "permitted", _match("agreement"), _signal(), _gap()), [YES, NO, NO]),
        (_row("agreement", "permitted", _match("agreement"), _match("agreement", work_id="w-2")), [YES, YES]),
        (_row("register-contested", "refused", _match("refused"), _match("contested")), [YES, NO]),
        (_row("register-refusal", "refused", _signal(), _match("refused")), [YES, NO]),
        (_row("signal:robots.txt", "refused", _match("own"), _signal()), [YES, NO]),
        (_row("signal:tdmrep", "refused", _signal(), _signal(protocol="tdmrep")), [NO, YES]),
        (_row("gap:corrupt", "unreadable", _gap(), _match("public-domain")), [YES, NO]),
        (_row("gap:corrupt", "unreadable", _gap("encrypted"), _gap()), [NO, YES]),
        (_row("open-consent", "permitted", _match("open-consent"), _signal("allowed")), [YES, NO]),
        (_row("open-licence", "permitted", _match("open-consent"), _match("open-licence")), [NO, YES]),
        (_row("public-domain", "permitted", _match("public-domain")), [YES]),
        (_row("own", "permitted", _match("own")), [YES]),
        (_row("silence", "unasked", _match("own"), _match("agreement"), _signal("unknown")), [NO, NO, NO]),
    ],
)
def test_explain_says_which_fact_decided(row, decided):
    assert _decided(row) == decided


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (_row("silence", "unasked", _signal("allowed")), "it allows the use, but allowing is not licensing."),
        (_row("silence", "unasked", _signal("unknown")), "it says nothing about this use."),
        (_row("silence", "unasked", _match("open-licence")), "it accounts for only a part of the item,"),
        (_row("silence", "unasked", _match("agreement")), "it covers this work, but not the whole item."),
        (
            _row("register-refusal", "refused", _match("agreement")),
            "it covers this work, but not everything in",
        ),
        (
            _row("gap:corrupt", "unreadable", _match("own")),
            "where something could not be read, there may be a no.",
        ),
        (
            _row("agreement", "permitted", _match("refused")),
            "the agreement is weighed first, and covers this use.",
        ),
        (
            _row("agreement", "permitted", _signal()),
            "an agreement with the rightsholder goes before a notice to",
        ),
        (_row("signal:rsl", "refused", _signal()), "another no was weighed first."),
        (_row("own", "permitted", _match("open-consent")), "another yes holds for the whole item."),
        (_row("own", "permitted", _match(None)), "it did not change the outcome."),
    ],
)
def test_explain_says_why_a_fact_did_not_decide(row, why):
    assert [block.split("did not decide: ")[1].startswith(why) for block in _blocks(row)] == [True]


def test_explain_orders_facts_as_the_table_weighs_them():
    evidence = [
        _signal("unknown"), _match("own"), _match("public-domain"), _match("open-licence"),
        _match("open-consent"), _gap(), _signal(), _match("refused"),
        _match("contested"), _match("agreement"),
    ]  # fmt: skip
    text = explain(_row("silence", "unasked", *evidence))
    marks = [
        "There is an agreement", "in dispute.\n     →", "The register says no", "It says no", "A gap:",
        "says yes to everybody", "open licence", "public domain", "belongs to whoever asked",
        "says nothing about",
    ]  # fmt: skip
    places = [text.index(mark) for mark in marks]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("kind", "where", "says"),
    [
        (
            "text",
            '{"item":[410,1790],"work":[12020,12405],"letters":214,"hits":1}',
            "1 fingerprint agrees. Letters 410 to 1,790 of the item, 12,020 to 12,405 of",
        ),
        ("url", "https://a.example/1", "The same web address. Registered address: https://a.example/1"),
        ("domain", "a.example", "On a registered web site. Registered address: a.example"),
        ("digest", None, "The same file, bit for bit."),
        ("image", '{"transform":"none","distance_bits":0}', "copy of it. 256 of 256 bits of the two"),
        ("image", '{"distance_bits":"many","item":7}', "The same picture, or a changed copy of it. It"),
        ("image", "[1,", "copy of it. Registered address: [1,"),
    ],
)  # fmt: skip
def test_explain_says_what_matched(kind, where, says):
    row = _row("own", "permitted", _match("own", kind, where=where, score=1.0))
    assert [says in block for block in _blocks(row)] == [True]


def test_explain_work_that_is_not_known():
    text = explain(_row("register-refusal", "refused", _match()), {"w-2": WORKS["w-1"]})
    assert "Recognised as the work w-1." in text
    assert "Mara" not in text


def test_explain_says_the_detail_once():
    row = _row("gap:corrupt", "unreadable", _gap(), detail="the file ends early")
    assert explain(row).lower().count("the file ends early") == 1
    assert "  Note      of its own" in explain({**row, "detail": "of its own"})


@pytest.mark.parametrize(("unit", "units", "amount"), [("word", 1_204, "1,204 words"), ("item", 1, "1 item")])
def test_explain_says_the_amount(unit, units, amount):
    assert f"  Amount    {amount}\n" in explain(_row("silence", "unasked", unit=unit, units=units))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("decision", sorted({(d.rule, d.outcome) for d in decision_table()}))
def test_explain_every_rule_with_every_fact(language, decision):
    rule, outcome = decision
    evidence = [
        *(_match(standing, kind) for standing in Standing for kind in MatchKind),
        *(_signal(preference) for preference in Preference),
        _gap(),
    ]
    text = explain(_row(rule, outcome, *evidence), WORKS, language)
    assert text.count("→ ") == len(evidence)
    assert max(map(len, text.split("\n"))) <= 80
    assert LANGUAGES[language]["explain.next"] in text.split("\n")
    assert ("\n  " + LANGUAGES[language]["explain.rule"].partition("{")[0] in text) == (rule == "silence")


def test_explain_takes_a_row_as_parquet_gives_it():
    row = _row("silence", "unasked")
    assert explain({**row, "evidence": None}) == explain(row)
    assert explain(json.loads(json.dumps(row))) == explain(row)


def test_explain_hostile_names_do_not_act_on_the_terminal():
    evil = "a\x1b[31m\n  Permitted. \u202eIt may be used.\ud800"
    works = {evil: {"title": evil, "creator": evil, "terms": evil}}
    evidence = [
        _match(work_id=evil, where=evil),
        _signal(protocol=evil, where=evil, quote=evil),
        _gap(evil, evil, evil),
    ]
    row = _row(
        "register-refusal",
        "refused",
        *evidence,
        item_id=evil,
        source=evil,
        url=evil,
        medium=evil,
        detail=evil,
    )
    text = explain(row, works)
    assert [c for c in "\x1b\u202e\ud800" if c in text] == []
    assert [line for line in text.split("\n") if line.startswith("Permitted")] == []
    assert text.encode("utf-8")


def test_explain_long_quote_loses_its_middle():
    text = explain(_row("signal:rsl", "refused", _signal(protocol="rsl", quote="x" * 600)))
    assert max(map(len, text.split("\n"))) < 520


def test_explain_rule_of_another_version():
    with pytest.raises(FormatError):
        explain(_row("vote", "permitted"))


def test_explain_unknown_language():
    with pytest.raises(ConfigError):
        explain(_row("silence", "unasked"), None, "fr")
