"""An organiser writes a statement in three languages and freezes it; nobody changes a comma after that."""

import pytest
import staff_cast as cast
from django.urls import reverse
from staff_cast import url

from askfirst_site.accounts.models import StaffAction
from askfirst_site.statement.models import Statement, Text, TextVersion

FORM = {
    "organiser_name": "Yes First",
    "organiser_email": "hello@campaign.test",
    "canonical_language": "en",
    "accent": "#B3261E",
}
WORDS = {
    "title": "Ask first",
    "sentence": "Ask first.",
    "consent": "I agree.",
    "context": "",
    "translator": "",
    "reviewer": "",
}


@pytest.fixture
def client(db, site):
    return cast.signed_in(cast.organiser())


def test_from_nothing_to_a_frozen_statement_by_the_pages_alone(client):
    assert "Write the first statement" in client.get(reverse("staff:overview")).content.decode()
    made = client.post(reverse("staff:statement-new"), FORM | {"slug": "yes-first", "is_primary": "on"})
    assert made["Location"] == url("version", number=1)
    for language in ("en", "de", "nl"):
        more = {} if language == "en" else {"translator": "T", "reviewer": "R"}
        page = url("text", number=1, language=language)
        assert client.post(page, WORDS | more | {"do": "save"})["Location"] == url("version", number=1)
    look = client.get(url("freeze", number=1)).content.decode()
    assert "Not a comma can change afterwards" in look
    assert "This cannot be undone" in look
    assert TextVersion.objects.get().frozen_at is None
    client.post(url("freeze", number=1), {"sure": "yes"})
    assert TextVersion.objects.get().frozen_at is not None
    assert Statement.objects.get().is_primary
    assert "Frozen: this page only shows" in client.get(url("text", number=1, language="de")).content.decode()
    verbs = list(StaffAction.objects.order_by("id").values_list("verb", flat=True))
    assert verbs == ["save_statement", "save_text", "save_text", "save_text", "freeze_version"]


def test_freezing_needs_the_tick(client):
    cast.draft()
    client.post(url("freeze", number=1), {})
    assert TextVersion.objects.get().frozen_at is None


def test_a_version_without_the_original_cannot_be_frozen(client):
    cast.draft(languages=("de",))
    page = client.get(url("freeze", number=1)).content.decode()
    assert "It can be frozen when nothing above is red" in page
    client.post(url("freeze", number=1), {"sure": "yes"})
    assert TextVersion.objects.get().frozen_at is None


def test_the_freeze_page_names_what_is_missing(client):
    statement = cast.draft(languages=("en", "de"))
    Text.objects.filter(language="de").update(translator="", reviewer="")
    page = client.get(url("freeze", number=1)).content.decode()
    assert "Deutsch: No translator is named." in page
    assert "No text in Nederlands" in page
    assert cast.SENTENCES["de"] in page
    assert statement.versions.get().frozen_at is None


def test_a_text_of_a_frozen_version_stays_as_it_is(client):
    cast.campaign()
    client.post(url("text", number=1, language="en"), WORDS | {"do": "save"})
    assert Text.objects.get(language="en").sentence == cast.SENTENCES["en"]


def test_a_preview_saves_nothing(client):
    cast.draft(languages=("en",))
    page = client.post(url("text", number=1, language="de"), WORDS | {"sentence": "Vorschau.", "do": "preview"})
    assert "Vorschau." in page.content.decode()
    assert not Text.objects.filter(language="de").exists()


def test_markdown_of_the_context_cannot_run_anything(client):
    cast.draft()
    bad = "<script>alert(1)</script> [x](javascript:alert(1)) ![p](https://elsewhere.test/p.png) **good**"
    page = client.post(url("text", number=1, language="en"), WORDS | {"context": bad, "do": "preview"}).content.decode()
    preview = page.split("As it will stand on the page")[1]
    assert "<strong>good</strong>" in preview
    assert [part for part in ("<script>", 'href="javascript', "<img") if part in preview] == []


def test_dates_that_close_before_they_open_are_refused(client):
    cast.draft()
    page = client.post(url("statement"), {"do": "dates", "opens": "2027-01-02T10:00", "closes": "2027-01-01T10:00"})
    assert "It closes after it opens." in page.content.decode()
    assert Statement.objects.get().opens is None


def test_dates_are_set(client):
    cast.draft()
    client.post(url("statement"), {"do": "dates", "opens": "2027-01-02T10:00", "closes": ""})
    assert f"{Statement.objects.get().opens:%Y-%m-%dT%H:%M}" == "2027-01-02T10:00"


def test_a_new_version_copies_the_texts_and_says_so_first(client):
    cast.campaign()
    assert "Nothing public changes" in client.get(url("version-new")).content.decode()
    assert TextVersion.objects.count() == 1
    client.post(url("version-new"), {"sure": "yes"})
    assert TextVersion.objects.get(number=2).texts.count() == 3


def test_the_short_name_cannot_be_changed_by_the_form(client):
    cast.campaign()
    client.post(url("statement"), FORM | {"do": "statement", "slug": "other", "is_primary": "on"})
    assert Statement.objects.get().slug == "yes-first"


@pytest.mark.parametrize("count", [1, 3])
def test_the_lists_of_statements_and_versions_take_the_same_queries(client, count_queries, count):
    for number in range(count):
        cast.campaign("yes-first" if number == 0 else f"other-{number}")
    client.get(reverse("staff:statements"))
    with count_queries() as queries:
        client.get(reverse("staff:statements"))
    assert len(queries) == 7
