"""What a maker's terms say to one caller, for one use, on one day."""

from datetime import date

import pytest

from askfirst.errors import InputError
from askfirst.model import Standing, Use
from askfirst.policy import Policy
from askfirst.register.terms import parse_terms, standing_of

DAY = date(2026, 11, 22)


def asked(use=Use.TRAIN_GENERATIVE, party=""):
    return Policy(use, DAY, party=party)


def terms(**values):
    return parse_terms("t", values)


def test_no_terms_refuse():
    assert standing_of([], asked()) == Standing.REFUSED


def test_a_use_that_is_not_named_is_refused():
    assert standing_of([terms(permits=["search"])], asked()) == Standing.REFUSED


def test_permission_to_everybody_is_open_consent():
    assert standing_of([terms(permits=["train-generative"])], asked()) == Standing.OPEN_CONSENT


def test_an_open_licence_with_conditions_is_its_own_standing():
    licence = terms(permits=["train-generative"], licence="CC-BY-4.0")
    assert licence.conditions == ("attribution",)
    assert standing_of([licence], asked()) == Standing.OPEN_LICENCE


@pytest.mark.parametrize("mark", ["CC0-1.0", "PDM-1.0", "public-domain"])
def test_a_public_domain_mark_is_public_domain(mark):
    assert standing_of([terms(permits=["train-generative"], licence=mark)], asked()) == Standing.PUBLIC_DOMAIN


def test_a_refusal_beats_a_permission_to_everybody():
    both = [terms(permits=["train-generative"]), terms(refuses=["train-generative"])]
    assert standing_of(both, asked()) == Standing.REFUSED


def test_refusing_mining_refuses_training():
    assert standing_of([terms(permits=["train-generative"], refuses=["mine"])], asked()) == Standing.REFUSED


def test_an_agreement_beats_a_refusal_to_everybody():
    both = [terms(refuses=["train-generative"]), terms(permits=["train-generative"], party="Example Lab")]
    assert standing_of(both, asked(party="Example Lab")) == Standing.AGREEMENT


def test_an_agreement_with_somebody_else_is_nothing():
    other = [terms(permits=["train-generative"], party="Example Lab")]
    assert standing_of(other, asked()) == Standing.REFUSED
    assert standing_of(other, asked(party="Other Lab")) == Standing.REFUSED


@pytest.mark.parametrize(
    ("first", "last", "standing"),
    [
        ("2026-11-22", "2026-11-22", Standing.OPEN_CONSENT),
        ("2026-11-23", None, Standing.REFUSED),
        (None, "2026-11-21", Standing.REFUSED),
        (None, None, Standing.OPEN_CONSENT),
    ],
)
def test_terms_hold_from_their_first_to_their_last_day(first, last, standing):
    dated = parse_terms("t", {"permits": ["train-generative"], "from": first, "until": last})
    assert standing_of([dated], asked()) == standing


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "not an object"),
        ({"permit": ["search"]}, "unknown key 'permit'"),
        ({"permits": "search"}, "not a list of texts"),
        ({"permits": ["train"]}, "name the use 'train'"),
        ({"from": "tomorrow"}, "not a day"),
        ({"licence": "House-Licence"}, "without its conditions"),
        ({"title": 7}, "is not text"),
    ],
)
def test_terms_that_cannot_be_read_say_why(value, message):
    with pytest.raises(InputError, match=message):
        parse_terms("t", value)


def test_terms_written_and_read_are_the_same():
    value = {
        "title": "Choir, rehearsals",
        "permits": ["search", "train-generative"],
        "refuses": ["style"],
        "party": "Example Lab",
        "from": "2026-01-01",
        "until": "2027-01-01",
        "licence": "CC-BY-4.0",
        "conditions": ["attribution"],
    }
    assert parse_terms("t", value).to_dict() == value
