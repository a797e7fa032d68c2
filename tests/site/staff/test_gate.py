"""Every staff page is behind the gate: nobody without an account, nothing of an organiser's for a moderator."""

import pytest
import staff_cast as cast
from django.test import Client
from django.urls import reverse

from askfirst_site.staff import urls

MODERATORS_OWN = {"overview", "account", "queue", "queue-act"}
WRITES = {
    "alarm-close", "unwatch", "queue-act", "signature-email", "signature-do", "answer", "import-remove", "update-mail",
    "invalidate-do", "export",
}  # fmt: skip
"""Pages that are only ever posted to."""
VALUES = {
    "slug": "yes-first",
    "number": 1,
    "language": "en",
    "form": "csv",
    "alarm_id": 1,
    "user_id": 1,
    "watched_id": 1,
    "signature_id": 1,
    "addressee_id": 1,
    "import_id": 1,
    "update_id": 1,
}
PAGES = [pattern.name for pattern in urls.urlpatterns]


def address(name):
    pattern = next(pattern for pattern in urls.urlpatterns if pattern.name == name)
    wanted = pattern.pattern.converters
    return reverse(f"staff:{name}", kwargs={key: VALUES[key] for key in wanted})


def test_there_are_as_many_pages_as_names():
    assert len(PAGES) == len(set(PAGES)) == 40


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_stranger_is_sent_to_the_sign_in_page(db, client, name, method):
    response = getattr(client, method)(address(name))
    assert response.status_code == 302
    assert response["Location"] == f"{reverse('account_login')}?next={address(name)}"


@pytest.mark.parametrize("name", sorted(set(PAGES) - MODERATORS_OWN))
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_moderator_gets_nothing_of_an_organisers(db, site, name, method):
    cast.sign(cast.campaign(), "Anna Beispiel", email="anna@mail.test")
    response = getattr(cast.signed_in(cast.moderator()), method)(address(name))
    assert response.status_code == 403
    assert "anna" not in response.content.decode().lower()


@pytest.mark.parametrize("name", sorted(MODERATORS_OWN - WRITES))
def test_a_moderator_sees_overview_queue_and_account(db, site, name):
    cast.campaign()
    assert cast.signed_in(cast.moderator()).get(address(name)).status_code == 200


@pytest.mark.parametrize("name", PAGES)
def test_an_account_that_is_not_staff_gets_nothing(db, name):
    user = cast.User.objects.create_user("someone@else.test")
    assert cast.signed_in(user).get(address(name)).status_code == 403


@pytest.mark.parametrize("name", PAGES)
def test_a_closed_account_gets_nothing(db, name):
    user = cast.organiser()
    client = cast.signed_in(user)
    user.is_active = False
    user.save()
    assert client.get(address(name)).status_code == 302


@pytest.mark.parametrize("name", PAGES)
def test_a_post_without_the_token_is_refused(db, name):
    cast.campaign()
    client = cast.signed_in(cast.organiser(), enforce_csrf_checks=True)
    assert client.post(address(name), {"sure": "yes"}).status_code == 403


@pytest.mark.parametrize("name", sorted(WRITES))
def test_what_changes_something_is_not_done_by_following_a_link(db, site, name):
    cast.campaign()
    assert cast.signed_in(cast.organiser()).get(address(name)).status_code in (404, 405)


@pytest.mark.parametrize("name", sorted(set(PAGES) - WRITES))
def test_no_page_is_kept_by_a_cache_or_found_by_a_search_engine(db, site, name):
    statement = cast.campaign()
    cast.sign(statement, "Anna Beispiel")
    response = cast.signed_in(cast.organiser()).get(address(name))
    if response.status_code == 404:  # there is no such addressee or update in this campaign
        assert name in {"addressee", "update", "update-publish"}
    else:
        assert "no-store" in response["Cache-Control"]


def test_on_a_live_site_nobody_gets_further_without_a_second_factor(db, site, settings):
    from dataclasses import replace

    cast.campaign()
    settings.ASKFIRST = replace(site, url="https://statement.test")
    client = cast.signed_in(cast.organiser())
    response = client.get(reverse("staff:overview"))
    assert (response.status_code, response["Location"]) == (302, reverse("mfa_index"))
    from allauth.mfa.models import Authenticator

    Authenticator.objects.create(user=cast.organiser(), type=Authenticator.Type.TOTP, data={"secret": "x"})
    assert client.get(reverse("staff:overview")).status_code == 200


def test_signing_in_with_a_password_leads_to_the_page_that_was_asked_for(db, site):
    cast.campaign()
    user = cast.organiser()
    user.set_password(cast.PASSWORD)
    user.save()
    client = Client()
    asked = client.get(reverse("staff:deeds"))["Location"]
    page = client.get(asked)
    assert "Signing the statement needs no account" in page.content.decode()
    answer = client.post(
        reverse("account_login"), {"login": user.email, "password": cast.PASSWORD, "next": reverse("staff:deeds")}
    )
    assert (answer.status_code, answer["Location"]) == (302, reverse("staff:deeds"))


def test_nobody_signs_up(db, client):
    assert "closed" in client.get(reverse("account_signup")).content.decode().lower()
