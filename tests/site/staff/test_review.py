"""The queue, single signatures, taking many out: previews first, addresses never unasked, everything recorded."""

import pytest
import staff_cast as cast
from django.urls import reverse
from staff_cast import url

from askfirst_site.accounts.models import StaffAction
from askfirst_site.statement import actions
from askfirst_site.statement.models import Invalidation, Signature, WatchedName


@pytest.fixture
def client(statement):
    return cast.signed_in(cast.organiser())


def state(signature):
    return Signature.objects.get(pk=signature.pk).state


def held(statement, name="Famous Person"):
    actions.watch_name(actor=cast.organiser(), name=name, now=cast.now())
    return cast.sign(statement, name)


def verbs():
    return list(StaffAction.objects.order_by("id").values_list("verb", flat=True))


@pytest.mark.on_both
def test_a_moderator_releases_a_held_signature_with_one_press(statement):
    signature = held(statement)
    client = cast.signed_in(cast.moderator())
    page = client.get(url("queue")).content.decode()
    assert "Famous Person" in page
    assert "a watched name" in page
    client.post(url("queue-act"), {"lane": "held", "one": f"release:{signature.pk}"})
    assert (signature.state, state(signature)) == ("held", "confirmed")


def test_rejecting_asks_first_and_wants_a_reason(statement, client):
    signature = held(statement)
    page = client.post(url("queue-act"), {"lane": "held", "one": f"reject:{signature.pk}"}).content.decode()
    assert "This cannot be undone" in page
    assert state(signature) == "held"
    again = {"lane": "held", "many": "reject", "pick": signature.pk, "sure": "yes"}
    client.post(url("queue-act"), again | {"reason": ""})
    assert state(signature) == "held"
    client.post(url("queue-act"), again | {"reason": "their agency says no"})
    assert state(signature) == "invalidated"
    assert StaffAction.objects.order_by("-id").first().detail == {"reason": "their agency says no"}


def test_many_at_once_ask_first_and_name_them(statement, client):
    one, two = held(statement), held(statement, "Loud Minister")
    many = {"lane": "held", "many": "release", "pick": [one.pk, two.pk]}
    page = client.post(url("queue-act"), many).content.decode()
    assert "Famous Person" in page
    assert "Loud Minister" in page
    assert (state(one), state(two)) == ("held", "held")
    client.post(url("queue-act"), many | {"sure": "yes"})
    assert (state(one), state(two)) == ("confirmed", "confirmed")


def test_what_no_longer_waits_is_left_alone(statement, client):
    signature = cast.sign(statement, "Anna Beispiel")
    answer = client.post(url("queue-act"), {"lane": "held", "one": f"release:{signature.pk}"}, follow=True)
    assert "Tick at least one that still waits here" in answer.content.decode()


def test_a_suspect_signature_gets_its_code_when_somebody_lets_it_through(statement, client):
    from askfirst_site.outbox.models import Mail

    signature = cast.sign(statement, "Bot", honeypot="x")
    assert Mail.objects.count() == 0
    assert "cannot see" in client.get(url("queue") + "?lane=suspect").content.decode()
    client.post(url("queue-act"), {"lane": "suspect", "one": f"let-through:{signature.pk}"})
    assert Mail.objects.get().kind == "code"


@pytest.mark.on_both
def test_look_alikes_stand_side_by_side_and_leave_the_queue_when_they_are_real(statement, client):
    first = cast.sign(statement, "Anna Beispiel", network="192.0.2.9")
    second = cast.sign(statement, "Anna Beispiels", network="192.0.2.9")
    assert second.flags[-1] == f"duplicate:{first.pk}"
    page = client.get(url("queue") + "?lane=alike").content.decode()
    assert "The other one:" in page
    client.post(url("queue-act"), {"lane": "alike", "one": f"fine:{second.pk}"})
    assert Signature.objects.get(pk=second.pk).flags == []
    assert "Nothing here waits for you" in client.get(url("queue") + "?lane=alike").content.decode()


def test_no_page_shows_an_address_unless_somebody_asks_and_the_look_is_recorded(statement, client):
    signature = cast.sign(statement, "Anna Beispiel", email="anna@very-secret.test")
    cast.sequence()
    pages = [reverse("staff:overview"), url("signatures"), url("signatures") + "?email=anna@very-secret.test"]
    pages += [url("signature", signature_id=signature.pk), url("queue"), url("organisations"), url("notables")]
    for page in pages:
        assert "anna@very-secret.test" not in client.get(page).content.decode().replace(
            'value="anna@very-secret.test"', ""
        )
    assert verbs()[-1] == "search_by_email"
    shown = client.post(url("signature-email", signature_id=signature.pk)).content.decode()
    assert "anna@very-secret.test" in shown
    last = StaffAction.objects.order_by("-id").first()
    assert (last.actor, last.verb, last.subject) == (cast.organiser(), "look_at_email", f"signature:{signature.pk}")


@pytest.mark.on_both
def test_search_finds_by_name_and_by_mailbox(statement, client):
    cast.sign(statement, "Anna Beispiel", email="anna@one.test")
    cast.sign(statement, "Jan Voorbeeld", email="jan@two.test")
    by_name = client.get(url("signatures") + "?name=anna").content.decode()
    by_mail = client.get(url("signatures") + "?email=Jan%2Btag@two.test").content.decode()
    assert ("Anna Beispiel" in by_name, "Jan Voorbeeld" in by_name) == (True, False)
    assert ("Anna Beispiel" in by_mail, "Jan Voorbeeld" in by_mail) == (False, True)


def test_a_line_goes_off_the_wall_and_back(statement, client):
    signature = cast.sign(statement, "Anna Beispiel")
    client.post(url("signature-do", signature_id=signature.pk), {"do": "hide", "reason": "rude role"})
    assert Signature.objects.get(pk=signature.pk).hidden
    client.post(url("signature-do", signature_id=signature.pk), {"do": "show"})
    assert not Signature.objects.get(pk=signature.pk).hidden


def test_a_proof_by_hand_needs_a_reason_and_lifts_the_level(statement, client):
    signature = cast.sign(statement, "Anna Beispiel")
    page = url("signature-do", signature_id=signature.pk)
    client.post(page, {"do": "prove", "reason": " "})
    assert Signature.objects.get(pk=signature.pk).level == 0
    client.post(page, {"do": "prove", "reason": "phoned her agency"})
    assert Signature.objects.get(pk=signature.pk).level == 1


def test_only_what_fits_the_state_is_done(statement, client):
    signature = cast.sign(statement, "Anna Beispiel", confirm=False)
    page = client.post(url("signature-do", signature_id=signature.pk), {"do": "hide", "reason": "x"}, follow=True)
    assert "cannot be done" in page.content.decode()
    assert not Signature.objects.get(pk=signature.pk).hidden


def test_a_signature_of_another_statement_is_not_found(statement, client):
    other = cast.campaign("other")
    signature = cast.sign(other, "Anna Beispiel")
    assert client.get(url("signature", signature_id=signature.pk)).status_code == 404


@pytest.mark.on_both
def test_taking_many_out_shows_first_and_does_it_with_a_reason(statement, client):
    bots = [cast.sign(statement, f"Robert {n}", email=f"b{n}@bots.test") for n in range(3)]
    real = cast.sign(statement, "Anna Beispiel", email="anna@bots.test")
    actions.prove_by_hand(actor=cast.organiser(), signature=real, how="phone", now=cast.now())
    cast.sequence()
    page = client.get(url("invalidate") + "?look=yes&email_domain=bots.test").content.decode()
    assert "3 signatures would be taken out" in page
    assert "Anna Beispiel" in page  # spared
    assert Invalidation.objects.count() == 0
    asked = {"email_domain": "bots.test", "expected": "3"}
    refused = client.post(url("invalidate-do"), asked | {"reason": ""}, follow=True).content.decode()
    assert "Everybody will read the reason" in refused
    client.post(url("invalidate-do"), asked | {"reason": "scripted, one domain"})
    assert [state(one) for one in [*bots, real]] == ["invalidated"] * 3 + ["confirmed"]
    assert Invalidation.objects.get().reason == "scripted, one domain"
    restore = {"do": "restore", "reason": "was real"}
    cast.sequence()
    client.post(url("signature-do", signature_id=bots[0].pk), restore)
    assert state(bots[0]) == "confirmed"


def test_many_more_than_were_shown_are_not_taken_out(statement, client):
    for n in range(14):
        cast.sign(statement, f"Robert {n}", email=f"b{n}@bots.test")
    page = client.post(
        url("invalidate-do"), {"email_domain": "bots.test", "expected": "2", "reason": "scripted"}, follow=True
    )
    assert "Many more fit now than you were shown" in page.content.decode()
    assert Invalidation.objects.count() == 0


def test_taking_out_needs_something_they_have_in_common(statement, client):
    cast.sign(statement, "Anna Beispiel")
    page = client.get(url("invalidate") + "?look=yes").content.decode()
    assert "Say which signatures are meant." in page


@pytest.mark.on_both
def test_a_flag_finds_those_that_have_it(statement, client):
    cast.sign(statement, "Bot", honeypot="x")
    cast.sign(statement, "Anna Beispiel")
    page = client.get(url("invalidate") + "?look=yes&flag=honeypot").content.decode()
    assert "1 signature would be taken out" in page


def test_watched_names_come_as_a_list(db, site):
    client = cast.signed_in(cast.organiser())
    page = reverse("staff:watched")
    client.post(page, {"names": "Ada Example\n\n  Ben Sample \nAda Example\nhttps://spam.test", "note": "agency"})
    assert sorted(WatchedName.objects.values_list("name", flat=True)) == ["Ada Example", "Ben Sample"]
    client.post(reverse("staff:unwatch", args=[WatchedName.objects.get(name="Ada Example").pk]))
    assert [row.name for row in WatchedName.objects.all()] == ["Ben Sample"]


def test_hostile_names_are_shown_as_text(statement, client):
    signature = cast.sign(statement, "<script>alert(1)</script>", role='"><img src=x onerror=alert(1)>')
    for page in (
        url("signatures"),
        url("signature", signature_id=signature.pk),
        url("invalidate") + "?look=yes&name_contains=script",
    ):
        text = client.get(page).content.decode()
        assert "&lt;script&gt;" in text
        assert ("<script>alert" in text, "<img src" in text) == (False, False)


LISTS = {
    "queue": lambda n: url("queue"),
    "suspect": lambda n: url("queue") + "?lane=suspect",
    "alike": lambda n: url("queue") + "?lane=alike",
    "signatures": lambda n: url("signatures"),
    "organisations": lambda n: url("organisations"),
    "removal": lambda n: url("invalidate") + "?look=yes&name_contains=e",
    "notables": lambda n: url("notables"),
    "overview": lambda n: reverse("staff:overview"),
    "watched": lambda n: reverse("staff:watched"),
    "deeds": lambda n: reverse("staff:deeds"),
    "people": lambda n: reverse("staff:colleagues"),
    "addressees": lambda n: url("addressees"),
    "imports": lambda n: url("imports"),
    "updates": lambda n: url("updates"),
    "log": lambda n: reverse("staff:log"),
}


def populate(statement, number):
    now, actor = cast.now(), cast.organiser()
    held(statement, f"Famous {'ABC'[number]}")
    cast.sign(statement, f"Bot {number}", honeypot="x")
    cast.sign(statement, "Anna Beispiel", network=f"192.0.2.{number + 1}")
    cast.sign(statement, "Anna Beispiels", network=f"192.0.2.{number + 1}")
    union = {"kind": "organisation", "affiliation": "Chair", "website": f"union{number}.test"}
    organisation = cast.sign(statement, f"Union {number}", email=f"a@union{number}.test", **union)
    actions.prove_by_hand(actor=actor, signature=organisation, how="phone", now=now)
    front = cast.sign(statement, f"Front {number}")
    actions.mark_notable(actor=actor, signature=front, rank=number + 1, provenance="phone", now=now)
    asked = actions.add_addressee(
        actor=actor, statement=statement, name=f"Company {number}", asked_on=now.date(), request="Ask.", now=now
    )
    actions.record_answer(actor=actor, addressee=asked, on=now.date(), status="replied", summary="No.", now=now)
    actions.import_count(actor=actor, statement=statement, source=f"Guild {number}", n=5, as_of=now.date(), now=now)
    cast.organiser(f"more{number}@campaign.test")
    cast.sequence()


@pytest.mark.parametrize("name", LISTS)
def test_a_list_takes_the_same_queries_with_one_row_and_with_three(statement, client, count_queries, name):
    found = []
    populate(statement, 0)
    for number in (1, 2, 3):
        if number in (2, 3):
            populate(statement, number - 1)
        if number in (1, 3):
            client.get(LISTS[name](number))
            with count_queries() as queries:
                assert client.get(LISTS[name](number)).status_code == 200
            found.append(len(queries))
    assert found[0] == found[1]
