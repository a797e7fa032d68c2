import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest
import report_sample

from askfirst.errors import ConfigError
from askfirst.model import Regime, Use
from askfirst.report.html import render
from askfirst.report.summary import Example, GapGroup, Others, Passage, outcome_counts
from askfirst.report.words import LANGUAGES

VOID = {"meta", "link", "img", "br"}
ALLOWED = VOID | {
    *(
        "html",
        "head",
        "title",
        "style",
        "body",
        "div",
        "header",
        "main",
        "section",
        "nav",
        "article",
        "footer",
    ),
    *("h1", "h2", "h3", "h4", "p", "a", "span", "i", "strong", "bdi", "mark", "code", "blockquote"),
    *("ul", "ol", "li", "dl", "dt", "dd", "details", "summary"),
    *("table", "caption", "thead", "tbody", "tr", "th", "td"),
}


class Page(HTMLParser):
    """A page's elements and texts, in order; fails where an element is not closed in turn."""

    def __init__(self, source):
        super().__init__()
        self.elements, self.open, self.texts = [], [], []
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if data.strip() and self.open[-1] != "style":
            self.texts.append((self.open[-1], " ".join(data.split())))

    def all(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]

    def text(self):
        return " ".join(text for _, text in self.texts)


def _page(summary=None, examples=(), language="en"):
    return Page(render(summary or report_sample.summary(), examples, language))


def _headline(summary, language="en"):
    found = re.search(r"<h1[^>]*>(.*?)</h1>\s*<p class=\"lede\">(.*?)</p>", render(summary, [], language), re.DOTALL)
    return tuple(re.sub(r"</?strong>", "", part) for part in found.groups())


def _numbers(permitted=0, refused=0, unasked=0, unreadable=0, **more):
    outcomes = outcome_counts(permitted, refused, unasked, unreadable)
    changes = {
        "items": sum(outcomes.values()),
        "outcomes": outcomes,
        "opt_out_difference": unasked,
        "by_medium": {},
    }
    return report_sample.summary(**{**changes, **more})


@pytest.mark.parametrize(
    ("numbers", "headline", "lede"),
    [
        (
            _numbers(412, 200, 300, 88),
            "412 of 1,000 items may be used for training generative AI.",
            (
                "The other 588 may not, because there was a no, nobody was asked, or something could not be "
                "read. Silence is not consent."
            ),
        ),
        (
            _numbers(1, 0, 1),
            "1 of 2 items may be used for training generative AI.",
            "The other one may not, because nobody was asked. Silence is not consent.",
        ),
        (
            _numbers(0, 3, 0, 4),
            "None of the 7 items may be used for training generative AI.",
            "That is because there was a no or something could not be read. Silence is not consent.",
        ),
        (
            _numbers(0, 0, 1, use=Use.SEARCH),
            "The one item may not be used for search.",
            "That is because nobody was asked. Silence is not consent.",
        ),
        (
            _numbers(2_000, use=Use.AI_INPUT),
            "All 2,000 items may be used as input to an AI system.",
            "Somebody entitled said yes to every one of them.",
        ),
        (
            _numbers(1, use=Use.STYLE),
            "The one item may be used for imitating a maker’s style.",
            "Somebody entitled said yes to every one of them.",
        ),
        (
            _numbers(412, 200, 300, 88, regime=Regime.OPT_OUT, use=Use.MINE),
            "An opt-out rule would let 712 of 1,000 items through for text and data mining.",
            "Somebody entitled said yes to only 412 of all these items. Silence is not consent.",
        ),
        (
            report_sample.empty(),
            "No items were found in the sources.",
            "There was nothing to compare. Check that the sources are the ones you meant.",
        ),
    ],
)
def test_render_headline(numbers, headline, lede):
    assert _headline(numbers) == (headline, lede)


def test_render_headline_in_german_and_dutch():
    numbers = _numbers(412, 588)
    assert _headline(numbers, "de") == (
        "412 von 1.000 Stücken dürfen für das Training generativer KI verwendet werden.",
        "Die anderen 588 nicht, denn es gibt ein Nein. Schweigen ist keine Zustimmung.",
    )
    assert _headline(numbers, "nl") == (
        "412 van de 1.000 stukken mogen worden gebruikt voor het trainen van generatieve AI.",
        "De andere 588 niet, want er is een nee. Zwijgen is geen toestemming.",
    )


@pytest.mark.parametrize(
    ("unasked", "sentence"),
    [
        (0, "A rule that only looks for a no would have let nothing more through here."),
        (1, "A rule that only looks for a no would have let 1 more item through, "),
        (2, "A rule that only looks for a no would have let 2 more items through, "),
    ],
)
def test_render_what_an_opt_out_rule_would_have_taken(unasked, sentence):
    found = re.search(r'<p class="strong">(.*?)</p>', render(_numbers(3, 0, unasked), []))
    asked = "without anybody having been asked." if unasked else ""
    assert re.sub(r"</?strong>", "", found.group(1)) == sentence + asked


def test_render_opt_out_says_how_it_counts_the_unasked():
    page = _page(_numbers(1, 1, 1, regime=Regime.OPT_OUT))
    assert ("p", "Nobody was asked. An opt-out rule counts this as “not reserved”.") in page.texts


def test_render_unknown_language():
    with pytest.raises(ConfigError):
        render(report_sample.summary(), [], "fr")


@pytest.mark.parametrize("language", LANGUAGES)
def test_render_is_deterministic(language):
    summary, examples = report_sample.summary(), report_sample.examples()
    assert render(summary, examples, language) == render(summary, list(examples), language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_render_leaves_no_placeholder_and_no_key(language):
    text = _page(examples=report_sample.examples(), language=language).text()
    assert re.findall(r"[{}]|\b(?:match|gap|how|why|optout|outcome|means)\.[a-z_]+", text) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_render_without_an_english_word_in_other_languages(language):
    """The words of the catalogues, not of the template: a German page has German headings."""
    page = _page(report_sample.silent(), language=language)
    headings = [text for tag, text in page.texts if tag in {"h2", "h3"}]
    known = set(LANGUAGES[language].values())
    assert [text for text in headings if text not in known] == []
    assert len(headings) == 6 + 3 + 3


@pytest.mark.parametrize("language", LANGUAGES)
def test_render_says_its_language(language):
    assert _page(language=language).all("html") == [{"lang": language, "dir": "ltr"}]


def test_render_sections_in_order():
    page = _page(examples=report_sample.examples())
    assert [attrs["id"] for attrs in page.all("section")] == [
        "answer",
        "optout",
        "where",
        "match",
        "gap",
        "why",
        "how",
    ]
    targets = [attrs["href"] for attrs in page.all("a")]
    assert targets == ["#answer", "#optout", "#where", "#match", "#gap", "#why", "#how"]


@pytest.mark.parametrize(
    "page",
    [
        _page(examples=report_sample.examples()),
        _page(report_sample.empty()),
        _page(report_sample.silent()),
        _page(*report_sample.hostile()),
    ],
    ids=["full", "empty", "silent", "hostile"],
)
class TestAccessible:
    def test_headings_go_down_one_level_at_a_time(self, page):
        levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
        assert levels.count(1) == 1
        assert levels[0] == 1
        assert all(below - above <= 1 for above, below in pairwise(levels))

    def test_every_table_header_has_a_scope(self, page):
        assert {attrs.get("scope") for attrs in page.all("th")} <= {"row", "col"}
        assert len(page.all("caption")) == len(page.all("table"))

    def test_every_image_has_an_alternative(self, page):
        assert all(attrs["alt"] for attrs in page.all("img"))

    def test_every_label_names_something_that_is_there(self, page):
        ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
        labels = [attrs["aria-labelledby"] for _, attrs in page.elements if "aria-labelledby" in attrs]
        assert len(ids) == len(set(ids))
        assert set(labels) <= set(ids)

    def test_only_elements_we_wrote(self, page):
        assert {tag for tag, _ in page.elements} <= ALLOWED

    def test_no_handler_and_no_address(self, page):
        for tag, attrs in page.elements:
            assert [name for name in attrs if name.startswith("on")] == []
            source = attrs.get("src") or (attrs.get("href") if tag == "link" else None)
            assert source is None or source.startswith("data:")
            assert re.sub(r"(?:inline-size:[\d.]+%|flex-grow:\d+)", "", attrs.get("style", "")) == ""


def test_render_policy_forbids_every_request():
    policies = [attrs["content"] for attrs in _page().all("meta") if "http-equiv" in attrs]
    assert policies == ["default-src 'none'; img-src data:; style-src 'unsafe-inline'"]


def test_style_asks_for_nothing():
    style = re.search(r"<style>(.*?)</style>", render(report_sample.empty(), []), re.DOTALL).group(1)
    assert re.findall(r"url\(|@import|@font-face|https?:", style) == []


def test_render_hostile_names_are_text():
    page = _page(*report_sample.hostile())
    evil = '"><script>parent.hit=1</script><img src=x onerror=hit()>{{7*7}}\ufffdgpj.\ufffd\ufffd'
    assert page.text().count(evil) > 20
    assert page.all("img")[0]["alt"] == f"Small picture of the item {evil}"


def test_render_can_be_written_whatever_the_names_are():
    assert render(*report_sample.hostile()).encode("utf-8")


def test_render_names_stand_apart_from_the_text_around_them():
    """A right-to-left name in a heading or a table must not turn what stands beside it."""
    page = _page(examples=report_sample.examples())
    names = {text for tag, text in page.texts if tag == "bdi"}
    assert {"יעל ברקוביץ׳", "منى الخطيب", "אור על המים"} <= names
    assert {attrs.get("dir") for attrs in page.all("blockquote")} == {"auto"}


def test_style_knows_no_left_and_right():
    style = re.search(r"<style>(.*?)</style>", render(report_sample.empty(), []), re.DOTALL).group(1)
    assert re.findall(r"(?:margin|padding|border|inset)-(?:left|right)|text-align: (?:left|right)|float:", style) == []


def test_render_rows_of_rightsholders():
    page = _page()
    names = [text for tag, text in page.texts if tag == "bdi"]
    shown = [name or "Not named in the register" for name in report_sample.NAMES]
    start = names.index(shown[0])
    assert names[start : start + len(shown) + 1] == [*shown, "212 others"]


def test_render_lower_bounds_say_so():
    assert ("td", "≥ 161") in _page().texts
    assert any(text.startswith("≥ means") for _, text in _page().texts)


def test_render_exact_counts_need_no_remark():
    summary = report_sample.summary(by_host=report_sample.summary().by_host[:3], other_hosts=Others())
    assert "≥" not in _page(summary).text()


def test_render_reasons_name_the_notice_and_explain_it():
    texts = _page().texts
    assert ("bdi", "A notice says no: robots.txt") in texts
    assert ("span", "rules for visiting programs, at the top of a web site") in texts


def test_render_gap_with_advice_and_without():
    gaps = (
        GapGroup("corrupt", "it ends early", "", 2, "a.jpg"),
        GapGroup("new-kind", "x", "mend it", 1, "b"),
    )
    texts = _page(report_sample.summary(gaps=gaps)).texts
    assert ("td", "Look at the file, then run the audit again.") in texts
    assert [text for _, text in texts if text in {"It ends early", "Mend it", "new-kind"}] == [
        "It ends early",
        "new-kind",
        "Mend it",
    ]


@pytest.mark.parametrize(
    ("summary", "sentence"),
    [
        (report_sample.silent(), "There is no pair to show: no item was recognised as a registered work."),
        (
            report_sample.summary(),
            "No pairs were kept for this report. `askfirst explain` shows any of them.",
        ),
        (report_sample.silent(), "Everything that had to be read could be read."),
        (report_sample.empty(), "There are no reasons to count, because there were no items."),
    ],
)
def test_render_what_is_not_there_in_a_sentence(summary, sentence):
    assert sentence in _page(summary).text()


def test_render_command_repeats_the_audit():
    policy = {**report_sample.POLICY, "party": "Models & Sons; rm -rf"}
    text = _page(report_sample.summary(policy=policy, use=Use.MINE, regime=Regime.OPT_OUT)).text()
    assert "askfirst audit SOURCE --register REGISTER --use mine --regime opt-out --as 'Models & Sons; rm -rf'" in text


def test_render_day_and_settings():
    texts = _page(language="de").texts
    assert ("p", "Training generativer KI · 22. November 2026") in texts
    assert ("bdi", "90,0 %") in texts


def _example(**changes):
    values = {
        "item_id": "a.txt", "source": "s", "url": "", "outcome": "refused", "rule": "register-refusal",
        "kind": "text", "work": None, "score": 1.0,
    }  # fmt: skip
    return Example(**{**values, **changes})


def test_render_work_that_is_not_at_hand():
    texts = _page(examples=report_sample.examples()[1:2]).texts
    kept = "The work itself is not in the register; its maker keeps it. Only its fingerprint was compared."
    assert ("p", kept) in texts


def test_render_both_passages_mark_what_they_share():
    passage = Passage("before ", "one two three four five", " after")
    other = Passage("", "zero one two three four six", "…")
    page = _page(examples=[_example(item_passage=passage, work_passage=other)])
    assert [text for tag, text in page.texts if tag == "mark"] == ["one two three four", "one two three four"]
    assert [text for tag, text in page.texts if tag == "span" and "…" in text] == ["… before", "after …", "…"]
    assert ("p", "Marked: the words both sides share.") in page.texts


def test_render_passage_alone_is_marked_whole():
    page = _page(examples=[_example(item_passage=Passage("a ", "one two", " b"))])
    assert [text for tag, text in page.texts if tag == "mark"] == ["one two"]
    assert ("p", "Marked: the passage that was recognised.") in page.texts


def test_render_example_without_a_work():
    texts = _page(examples=[_example()]).texts
    assert ("p", "No registered work decided here; the reason stands above.") in texts
    assert ("h3", "a.txt") not in texts  # names stand in an element of their own
    assert ("bdi", "a.txt") in texts


def test_render_example_says_how_alike_the_sides_are():
    example = _example(kind="image", score=0.984, where={"transform": "mirrored", "distance_bits": 4, "x": []})
    text = _page(examples=[example]).text()
    assert "The copy is mirrored. 252 of 256 bits of the two fingerprints agree. Score 0.98 of 1." in text


def test_render_shows_as_many_examples_as_fit():
    assert len(_page(examples=[_example()] * 30).all("article")) == 24


@pytest.mark.parametrize("language", LANGUAGES)
def test_render_largest_report_is_small(language):
    assert len(render(*report_sample.largest(), language).encode("utf-8")) <= 300_000


def _luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one, other):
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_style_contrast(scheme):
    """WCAG 2.2 AA: 4.5 for text (1.4.3), 3 for what is not text but tells something (1.4.11)."""
    style = re.search(r"<style>(.*?)</style>", render(report_sample.empty(), []), re.DOTALL).group(1)
    block = re.findall(r":root \{(.*?)\}", style, re.DOTALL)[scheme]
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", block))
    for ground in ("paper", "raised"):
        for text in ("ink", "soft", "accent"):
            assert _contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    assert _contrast(colours["ink"], colours["mark"]) >= 4.5
    for outcome in ("permitted", "refused", "unasked", "unreadable"):
        assert _contrast(colours[outcome], colours["paper"]) >= 3, outcome
