"""In front, who is asked, counts from elsewhere, updates, exports, accounts, alarms: what an organiser does."""

import csv
import io
import json

import pyarrow.parquet as pq
import pytest
import staff_cast as cast
from django.urls import reverse
from staff_cast import url

from askfirst_site.accounts.models import StaffAction, User
from askfirst_site.outbox.models import Mail
from askfirst_site.statement import actions
from askfirst_site.statement.models import Addressee, ImportedCount, Notable, Update
from askfirst_site.transparency.actions import raise_alarm
from askfirst_site.transparency.models import Alarm


@pytest.fixture
def client(statement):
    return cast.signed_in(cast.organiser())


def front(statement, name, rank):
    signature = cast.sign(statement, name)
    actions.mark_notable(actor=cast.organiser(), signature=signature, rank=rank, provenance="phone", now=cast.now())
    return signature


def test_nobody_stands_in_front_without_saying_how_they_are_known(statement, client):
    signature = cast.sign(statement, "Anna Beispiel")
    page = url("notable", signature_id=signature.pk)
    client.post(page, {"do": "save", "rank": "5", "provenance": ""})
    assert not Notable.objects.exists()
    client.post(page, {"do": "save", "rank": "5", "provenance": "phoned her agency"})
    row = Notable.objects.get()
    assert (row.rank, row.provenance, row.by) == (5, "phoned her agency", cast.organiser())
    client.post(page, {"do": "remove"})
    assert not Notable.objects.exists()


@pytest.mark.on_both
def test_the_order_in_front_is_the_order_of_the_numbers(statement, client):
    first, second, third = (front(statement, name, 10 * n) for n, name in enumerate(("A A", "B B", "C C"), 1))
    client.post(url("notables"), {f"rank-{third.pk}": "1", f"rank-{first.pk}": "2", f"rank-{second.pk}": "x"})
    assert list(Notable.objects.values_list("signature_id", flat=True)) == [third.pk, first.pk, second.pk]


def test_somebody_is_asked_and_their_answer_is_recorded(client):
    new = {
        "name": "Big Model Company",
        "asked_on": "2026-10-01",
        "request": "License it.",
        "document_url": "x.test/l.pdf",
    }
    client.post(url("addressee-new"), new)
    asked = Addressee.objects.get()
    assert asked.document_url == "https://x.test/l.pdf"
    client.post(url("addressee", addressee_id=asked.pk), new | {"request": "Ask first."})
    answer = {"on": "2026-10-05", "status": "replied", "summary": "No.", "document_url": ""}
    client.post(url("answer", addressee_id=asked.pk), answer)
    asked.refresh_from_db()
    assert (asked.request, asked.status, asked.answers.get().summary) == ("Ask first.", "replied", "No.")


def test_an_address_that_is_none_is_refused_in_the_form(client):
    new = {"name": "X", "asked_on": "2026-10-01", "request": "Y", "document_url": "javascript:alert(1)"}
    assert "Enter a valid URL" in client.post(url("addressee-new"), new).content.decode()
    assert not Addressee.objects.exists()


def test_a_count_from_elsewhere_is_replaced_by_its_source_and_removed(client):
    for n in ("5000", "6000"):
        client.post(url("imports"), {"source": "Guild", "n": n, "as_of": "2026-10-01", "evidence_url": ""})
    row = ImportedCount.objects.get()
    assert row.n == 6000
    client.post(url("import-remove", import_id=row.pk))
    assert not ImportedCount.objects.exists()


@pytest.mark.on_both
def test_an_update_is_seen_by_nobody_before_it_is_published_and_mailed_once(statement, client):
    reader = cast.sign(statement, "Anna Beispiel", updates=True)
    cast.sign(statement, "Jan Voorbeeld")
    cast.sequence()
    draft = {"language": "en", "title": "Ten thousand", "body": "We are **many**.", "mail": "on"}
    assert "<strong>many</strong>" in client.post(url("update-new"), draft | {"do": "preview"}).content.decode()
    assert not Update.objects.exists()
    client.post(url("update-new"), draft | {"do": "save"})
    update = Update.objects.get()
    assert (update.published, update.by) == (None, cast.organiser())
    look = client.get(url("update-publish", update_id=update.pk)).content.decode()
    assert "1 person asked for news in this language" in look
    client.post(url("update-publish", update_id=update.pk), {"sure": "yes"})
    before = Mail.objects.count()
    for _press in range(3):
        client.post(url("update-mail", update_id=update.pk))
    mails = Mail.objects.filter(pk__gt=0).order_by("id")[before:]
    assert [mail.reference for mail in mails] == [f"signature:{reader.pk}"]
    page = client.get(url("update", update_id=update.pk)).content.decode()
    assert 'max="1" value="1"' in page


def test_a_published_update_does_not_change(statement, client):
    update = actions.save_update(
        actor=cast.organiser(),
        statement=statement,
        update=None,
        language="en",
        title="A",
        body="B",
        mail=False,
        now=cast.now(),
    )
    actions.publish_update(actor=cast.organiser(), update=update, now=cast.now())
    client.post(url("update", update_id=update.pk), {"language": "en", "title": "Z", "body": "Z", "do": "save"})
    assert Update.objects.get().title == "A"


FORMULAS = ("=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "|calc", "=cmd|' /C calc'!A0")


def test_no_cell_of_the_csv_is_a_formula(statement, client):
    for number, formula in enumerate(FORMULAS):
        signature = cast.sign(statement, f"Anna {number}")
        type(signature).objects.filter(pk=signature.pk).update(role=formula, affiliation=formula)
    cast.sequence()
    response = client.post(url("export", form="csv"))
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == len(FORMULAS)
    starts = {row[name][:1] for row in rows for name in row}
    assert starts & set("=+-@|\t\r") == set()


@pytest.mark.on_both
def test_all_exports_hold_the_same_signatures_and_no_address(statement, client):
    cast.sign(statement, "Anna Beispiel", email="anna@very-secret.test")
    cast.sign(statement, "نورا الكاتبة", email="nora@very-secret.test")
    cast.sign(statement, "Waiting Wanda", email="wanda@very-secret.test", confirm=False)
    cast.sequence()
    files = {
        form: b"".join(client.post(url("export", form=form)).streaming_content) for form in ("csv", "json", "parquet")
    }
    names = {"Anna Beispiel", "نورا الكاتبة"}
    assert {row["name"] for row in csv.DictReader(io.StringIO(files["csv"].decode("utf-8-sig")))} == names
    assert {row["name"] for row in json.loads(files["json"])["signatures"]} == names
    assert set(pq.read_table(io.BytesIO(files["parquet"]))["name"].to_pylist()) == names
    assert [form for form, data in files.items() if b"very-secret" in data] == []


def test_who_withdrew_or_asked_not_to_be_shown_is_in_no_export_by_name(statement, client):
    cast.sign(statement, "Hidden Hanna", email="h@mail.test", display="counted", affiliation="Secret Society")
    gone = cast.sign(statement, "Gone Gustav", email="g@mail.test")
    cast.sequence()
    actions.withdraw(grant=actions.Grant(gone, "withdraw"), now=cast.now())
    cast.sequence()
    data = json.loads(b"".join(client.post(url("export", form="json")).streaming_content))
    assert [(row["name"], row["role"], row["affiliation"]) for row in data["signatures"]] == [("", "", "")]


def test_an_export_is_recorded_before_it_is_sent(statement, client):
    client.post(url("export", form="json"))
    last = StaffAction.objects.order_by("-id").first()
    assert (last.verb, last.subject, last.detail) == ("export", f"statement:{statement.pk}", {"format": "json"})


def test_there_is_no_other_export(client):
    assert client.post(url("export", form="xlsx")).status_code == 404


def test_somebody_gets_access_and_loses_it(db, site):
    client = cast.signed_in(cast.organiser())
    page = client.post(reverse("staff:colleagues"), {"email": "New@campaign.test", "name": "New", "role": "moderator"})
    made = User.objects.get(name="New")
    password = page.content.decode().split("<strong>")[1].split("</strong>")[0]
    assert (made.check_password(password), made.is_superuser) == (True, False)
    assert password not in client.get(reverse("staff:colleague", args=[made.pk])).content.decode()
    theirs = cast.signed_in(made)
    one = reverse("staff:colleague", args=[made.pk])
    client.post(one, {"do": "organiser"})
    assert theirs.get(reverse("staff:deeds")).status_code == 200
    client.post(one, {"do": "reset"})
    assert theirs.get(reverse("staff:deeds")).status_code == 302
    client.post(one, {"do": "close"})
    made.refresh_from_db()
    assert (made.is_active, made.check_password(password)) == (False, False)
    verbs = list(StaffAction.objects.order_by("id").values_list("verb", flat=True))
    assert verbs == ["add_colleague", "change_role", "reset_access", "close_account"]


def test_two_accounts_cannot_have_one_address(db, site):
    client = cast.signed_in(cast.organiser())
    page = client.post(reverse("staff:colleagues"), {"email": "OLGA@campaign.test", "name": "", "role": "organiser"})
    assert "There is an account with this address already." in page.content.decode()
    assert User.objects.count() == 1


def test_nobody_changes_their_own_access(db, site):
    me = cast.organiser()
    for deed in ("moderator", "close", "reset"):
        cast.signed_in(me).post(reverse("staff:colleague", args=[me.pk]), {"do": deed})
    me.refresh_from_db()
    assert (me.is_superuser, me.is_active) == (True, True)


def test_an_alarm_stands_on_the_overview_until_somebody_closes_it(db, site):
    alarm = raise_alarm(kind="recount", detail="tally 41, log 40", now=cast.now())
    client = cast.signed_in(cast.organiser())
    assert "tally 41, log 40" in client.get(reverse("staff:overview")).content.decode()
    client.post(reverse("staff:alarm-close", args=[alarm.pk]))
    assert Alarm.objects.get().cleared_by == cast.organiser()
    assert "tally 41" not in client.get(reverse("staff:overview")).content.decode()


def test_the_overview_says_what_to_do_first(db, site):
    page = cast.signed_in(cast.organiser()).get(reverse("staff:overview")).content.decode()
    assert "There is no statement yet" in page
    cast.draft()
    page = cast.signed_in(cast.organiser()).get(reverse("staff:overview")).content.decode()
    assert "No version is frozen yet: nobody can sign." in page
    assert "No names are watched" in page


def test_the_pages_speak_the_language_of_the_account(db, site):
    client = cast.signed_in(cast.organiser())
    client.post(reverse("staff:account"), {"name": "Olga", "language": "nl"})
    assert '<html lang="nl"' in client.get(reverse("staff:account")).content.decode()
