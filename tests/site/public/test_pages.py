"""What the public pages say, to whom, and what they refuse."""

import json
import re
from datetime import date, timedelta

import pytest

from askfirst_site.statement.models import Signature

FORM = {
    "kind": "person",
    "name": "Ada Example",
    "role": "drummer",
    "discipline": "music",
    "country": "NL",
    "email": "ada@example.org",
    "display": "full",
    "consent": "on",
}
READ = ("", "signatories", "numbers", "answers", "updates", "press", "paper", "privacy", "versions/1/", "embed", "mine")


@pytest.mark.parametrize("path", READ)
@pytest.mark.parametrize("language", ["en", "de", "nl"])
def test_page_is_there_in_its_language(campaign, client, language, path):
    answer = client.get(f"/{language}/{path}")
    assert (answer.status_code, answer["Content-Language"]) == (200, language)
    assert not answer.cookies


def test_sentence_is_the_heading_and_is_escaped(campaign, client):
    page = client.get("/en/").content.decode()
    assert re.search(r"<h1[^>]*>(.*?)</h1>", page)[1] == "Ask &lt;first&gt; &amp; pay."
    assert "<script>alert" not in page


def test_front_page_speaks_the_readers_language(campaign, client):
    assert "Erst fragen" in client.get("/", headers={"accept-language": "de-AT,de;q=0.9"}).content.decode()
    assert "Ask &lt;first&gt;" in client.get("/", headers={"accept-language": "fr"}).content.decode()


@pytest.mark.parametrize("path", ["/xx/", "/en/versions/2/", "/en/s/nothing/", "/en/nothing", "/en/receipt.tlog-proof"])
def test_what_is_not_there_is_404(campaign, client, path):
    assert client.get(path).status_code == 404


def test_statement_page_asks_as_many_queries_for_one_line_as_for_three(signed, sequence, client, count_queries):
    numbers = []
    for _ in range(2):
        signed()
        sequence()
        with count_queries() as queries:
            client.get("/en/")
        numbers.append(len(queries))
        signed()
    assert numbers[0] == numbers[1]


@pytest.mark.parametrize("field", ["name", "discipline", "email", "consent"])
def test_form_says_what_is_missing_beside_the_field(campaign, client, field):
    answer = client.post("/en/sign", {**FORM, field: ""})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert f'href="#{field}"' in page
    assert f'id="{field}_error"' in page
    assert Signature.objects.count() == 0


def test_answer_is_the_same_for_everybody(signed, client):
    signed(email="ada@example.org")
    answers = [client.post("/en/sign", {**FORM, "email": email}) for email in ("ada@example.org", "new@example.org")]
    seen = [(one.status_code, one["Location"], one.content, len(one.cookies["askfirst"].value)) for one in answers]
    assert seen[0] == seen[1]


def test_cookie_is_signed_and_closed_to_scripts(campaign, client):
    cookie = client.post("/en/sign", FORM).cookies["askfirst"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    client.cookies["askfirst"] = "made-up"
    assert 'id="email"' in client.get("/en/code").content.decode()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 303),
        ({"origin": "http://testserver"}, 303),
        ({"origin": "http://testserver", "sec-fetch-site": "same-origin"}, 303),
        ({"origin": "https://elsewhere.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"origin": "http://testserver", "sec-fetch-site": "same-site"}, 403),
    ],
)
def test_form_is_taken_from_our_pages_only(campaign, client, headers, status):
    assert client.post("/en/sign", FORM, headers=headers).status_code == status


def test_opening_the_mails_link_confirms_nothing(campaign, client):
    client.post("/en/sign", FORM)
    assert client.get("/en/code?code=ABCDEF").status_code == 200
    assert Signature.objects.get().state == "pending"


def test_wrong_code_is_refused_in_words(campaign, client):
    client.post("/en/sign", FORM)
    answer = client.post("/en/code", {"code": "AAAAAA"})
    assert (answer.status_code, 'id="code_error"' in answer.content.decode()) == (422, True)


def test_names_stay_away_from_search_engines(signed, sequence, client):
    signed("Grace Example")
    sequence()
    page = client.get("/en/").content.decode()
    assert re.search(r"<section[^>]*data-nosnippet>.*Grace Example", page, re.DOTALL)
    assert client.get("/en/signatories")["X-Robots-Tag"] == "noindex, nofollow, noarchive"


@pytest.mark.parametrize(("display", "shown"), [("full", "Grace Example"), ("initials", "G. E."), ("counted", "")])
def test_wall_shows_what_was_chosen(signed, sequence, client, display, shown):
    signed("Grace Example", display=display, email="grace@example.org")
    sequence()
    page = client.get("/en/signatories").content.decode()
    assert ("Grace Example" in page, "G. E." in page) == (shown == "Grace Example", shown == "G. E.")
    assert "grace@example.org" not in page


def test_count_json_is_exactly_the_contract(signed, sequence, client):
    signed()
    sequence()
    count = client.get("/count.json").json()
    assert list(count) == ["people", "organisations", "log_size", "as_of"]
    assert (count["people"], count["organisations"], count["log_size"]) == (1, 0, 2)


def test_statement_json_has_the_digest_that_was_frozen(campaign, client):
    from askfirst.tlog.entries import manifest_digest

    document = json.loads(client.get("/statement.json").content)
    assert manifest_digest(document) == campaign.versions.get().manifest_hash


def test_second_statement_has_the_same_pages(campaign, client):
    for path in ("", "numbers", "count.json", "card.png", "accent.css"):
        assert client.get(f"/en/s/ask/{path}").status_code == 200


def test_closed_statement_says_so_and_takes_nothing(campaign, client, now):
    campaign.closes = now
    campaign.save()
    assert "Signing has ended" in client.get("/en/").content.decode()
    assert client.post("/en/sign", FORM).status_code == 422


def test_personal_card_is_for_those_shown_by_name(signed, sequence, client):
    from django.core import signing

    for display, status in (("full", 200), ("initials", 404), ("counted", 404)):
        row = signed(f"Grace {display}", display=display)
        sequence()
        sealed = signing.dumps(row.pk, salt="askfirst.receipt")
        assert client.get(f"/en/my-card.png?of={sealed}").status_code == status
    assert client.get("/en/my-card.png").status_code == 404


@pytest.mark.parametrize(
    "name", ["Ж", "x" * 200, "שלום עולם", "e\u0301\u0327o\u0308", "👩‍🎨 Q", "O'Brien <b>&", "null"]
)
def test_any_name_can_be_shown(signed, sequence, client, name):
    signed(name)
    sequence()
    for path in ("", "signatories"):
        assert client.get(f"/en/{path}").status_code == 200


@pytest.mark.parametrize(
    "query", ["q=%00", "before=-1", "before=9" * 40, "country=%F0%9F%A4%96", "discipline='--", "around=x"]
)
def test_wall_minds_no_query(campaign, client, query):
    assert client.get(f"/en/signatories?{query}").status_code == 200


PROGRAMS = ("/", "/en", "/robots.txt", "/count.json", "/statement.json", "/work.json", "/log/vkey", "/verify/")
PICTURES = ("/card/en.png", "/en/count.svg", "/en/accent.css", "/en/paper/qr.svg")


@pytest.mark.parametrize(
    "path",
    [
        *PROGRAMS,
        *(f"/en/{path}" for path in READ),
        "/card/en.png",
        "/en/count.svg",
        "/en/accent.css",
        "/en/paper/qr.svg",
    ],
)
def test_head_is_get_without_the_body(campaign, client, path):
    got, asked = client.get(path), client.head(path)
    assert (asked.status_code, asked["Content-Type"], asked.content) == (got.status_code, got["Content-Type"], b"")
    assert client.put(path).status_code == 405


def hint(client):
    found = re.search(r'<p class="t bad">([^<]*)<a', client.get("/en/code").content.decode())
    return found and found[1].strip()


@pytest.mark.parametrize(
    ("domain", "said"),
    [("gmial.com", "We wrote to …@gmial.com. Did you mean gmail.com?"), ("gmail.com", None), ("firm.example", None)],
)
def test_typing_mistake_in_a_mail_domain_is_asked_about(campaign, client, domain, said):
    client.post("/en/sign", {**FORM, "email": f"ada@{domain}"})
    assert hint(client) == said


def test_typing_mistake_is_shown_to_the_browser_that_made_it_only(signed, client):
    signed(email="ada@gmial.com")
    client.post("/en/sign", {**FORM, "email": "ada@gmial.com"})
    assert hint(client) == "We wrote to …@gmial.com. Did you mean gmail.com?"  # the same for who has signed already
    client.cookies.clear()
    assert hint(client) is None


def sums(client):
    page = client.get("/en/numbers").content.decode()
    tables = re.findall(r"<table><caption>(?:The number|The log).*?</table>", page)
    return [[int(re.sub(r"\D", "", cell)) for cell in re.findall(r'class="num">(.*?)</td>', one)] for one in tables]


def test_numbers_add_up(campaign, signed, sequence, client, now):
    """What the page says is what anybody counts from the log's files."""
    from django.conf import settings

    from askfirst.io.log_files import LogFolder
    from askfirst.proof.recount import recount
    from askfirst_site.accounts.models import User
    from askfirst_site.statement import actions

    rows = [signed(email=f"ada{n}@{'bots' if n > 3 else 'mail'}.example").pk for n in range(6)]
    sequence()
    gone, changed = (Signature.objects.get(pk=pk) for pk in rows[:2])
    actions.withdraw(grant=actions.Grant(gone, "withdraw"), now=now)
    values = {name: getattr(changed, name) for name in ("role", "affiliation", "discipline", "country", "display")}
    actions.correct(grant=actions.Grant(changed, "show"), name="Grace Example", **values, now=now)
    actions.invalidate(
        actor=User.objects.get(),
        statement=campaign,
        criteria=actions.Criteria(email_domain="bots.example"),
        reason="one network",
        now=now,
    )
    sequence()
    (signs, withdrawn, removed, total, people, organisations), log = sums(client)
    count = client.get("/count.json").json()
    counted = recount(LogFolder(settings.ASKFIRST.log_folder).entries())[campaign.slug]
    assert (signs, withdrawn, removed) == (counted.signed, counted.withdrawn, counted.invalidated) == (6, 1, 2)
    assert (people, organisations) == (counted.people, counted.organisations)
    assert signs - withdrawn - removed == total == people + organisations == count["people"]
    assert log == [6, 1, 2, 1, 1, 1, 12]
    assert sum(log[:-1]) == log[-1] == count["log_size"]


def test_sum_waits_for_the_checkpoint(signed, sequence, client):
    from askfirst_site.statement.models import PublishedCount

    signed()
    sequence()
    assert len(sums(client)) == 2
    PublishedCount.objects.update(log_size=1)
    assert sums(client) == []


def test_growth_is_marked_with_what_happened(campaign, signed, sequence, client, now):
    from askfirst_site.accounts.models import User
    from askfirst_site.statement import actions
    from askfirst_site.statement.models import Tally, Update

    user = User.objects.get()
    signed()
    sequence()
    Tally.objects.create(statement=campaign, dimension="day", key=f"{now - timedelta(days=40):%Y-%m-%d}", n=5)
    for days, title in ((50, "Before"), (30, "A <day> later"), (0, "Today")):
        update = Update(statement=campaign, language="en", title=title, body="…", by=user)
        actions.publish_update(actor=user, update=update, now=now - timedelta(days=days))
    asked = actions.add_addressee(
        actor=user, statement=campaign, name="Lettercase", asked_on=now.date(), request="Pay.", now=now
    )
    for days, status in ((20, "acknowledged"), (10, "licensed")):
        on = now.date() - timedelta(days=days)
        actions.record_answer(actor=user, addressee=asked, on=on, status=status, summary="…", now=now)
    page = client.get("/en/numbers").content.decode()
    chart = page[page.index("<figure>") : page.index("</figure>")]
    titles = ["A &lt;day&gt; later", "Lettercase: acknowledged", "Today"]
    assert [title.partition(": ")[2] for title in re.findall(r"<title>(.*?)</title>", chart)] == titles
    assert [float(x) for x in re.findall(r'cx="([^"]+)%"', chart)] == [25, 50, 100]
    assert re.findall(r"<td>([^<]+)</td></tr>", page[page.index("What happened") :]) == titles


def test_growth_is_not_crowded():
    from askfirst_site.public.charts import growth
    from askfirst_site.statement.events import Event

    start = date(2026, 1, 1)
    rows = [(start + timedelta(days=n), 1, n + 1) for n in range(101)]
    events = [Event(start + timedelta(days=n), f"{n}") for n in (0, 4, 5, 9, 90, 103)]
    drawn = growth(rows, events)
    assert [[event.title for event in mark.events] for mark in drawn.marks] == [["0", "4"], ["5", "9"], ["90"], ["103"]]
    assert [mark.x for mark in drawn.marks] == ["0.00", "4.85", "87.38", "100.00"]
    assert [mark.shift for mark in drawn.marks] == [-10, -10, 20, 20]
    assert (drawn.total, len(drawn.days), drawn.days[90].events) == (101, 104, ("90",))
    assert growth(rows).marks == ()
