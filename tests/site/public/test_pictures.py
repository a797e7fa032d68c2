"""Charts, cards, colours: plain geometry."""

from datetime import date
from io import BytesIO

import pytest
from PIL import Image

from askfirst_site.public import accents, cards, charts
from askfirst_site.statement.countries import COUNTRIES, COUNTRY_CODES, choices


def test_card_has_the_size_that_readers_of_links_expect():
    png = cards.card("Ask first, in every language, whatever it is. " * 4, "More than 1,200 people have signed")
    assert Image.open(BytesIO(png)).size == (1200, 630)
    assert len(png) < 60_000


@pytest.mark.parametrize(("n", "kept"), [(0, 0), (7, 7), (42, 42), (319, 310), (53_214, 53_000), (999_999, 990_000)])
def test_rounded_keeps_two_digits(n, kept):
    assert cards.rounded(n) == kept


def test_long_names_and_sentences_stay_on_the_card():
    assert cards.personal_card("N" * 200, "word " * 300, "line")


@pytest.mark.parametrize("colour", ["#b3261e", "#ffff00", "#ffffff", "#000000", "#3366ff", "#00ff00"])
def test_accent_can_always_be_read(colour):
    for paper in (accents.PAPER, accents.NIGHT):
        assert accents.contrast(accents.readable(colour, paper), paper) >= 4.5


@pytest.mark.parametrize("bad", ["red", "#12", "url(x)", "#b3261e;}*{color:red"])
def test_accent_that_is_no_colour_is_the_sites(bad):
    assert accents.sheet(bad) == accents.sheet(accents.DEFAULT)


def test_longest_bar_fills_the_width():
    assert [bar.width for bar in charts.bars([("a", 50), ("b", 20), ("c", 0)])] == [100, 40, 0]


def test_growth_ends_at_the_top_right():
    line = charts.growth([(date(2026, 5, 1), 3, 3), (date(2026, 5, 2), 0, 3), (date(2026, 5, 3), 5, 8)])
    assert line.path == "M0 76L300 76L600 3"
    assert line.total == 8
    assert charts.growth([(date(2026, 5, 1), 3, 3)]) is None


def test_every_country_has_a_name_in_every_language():
    assert set(COUNTRIES) == COUNTRY_CODES
    assert all(all(names) and len(names) == 3 for names in COUNTRIES.values())
    assert [code for code, _name in choices("de")][:3] == ["AF", "EG", "AX"]
