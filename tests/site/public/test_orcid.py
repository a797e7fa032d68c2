"""A signer proves an ORCID iD by signing in at ORCID, which a server on loopback plays. Nobody is signed in here."""

import time
import urllib.error
import urllib.request
from dataclasses import replace
from datetime import timedelta

import orcid_server
import pytest
from allauth.socialaccount.models import SocialAccount, SocialToken
from allauth.socialaccount.providers.orcid.views import OrcidOAuth2Adapter
from django.core import signing
from django.test import Client

from askfirst_site.accounts.models import User
from askfirst_site.statement import actions
from askfirst_site.statement.actions.proofs import is_orcid
from askfirst_site.statement.errors import RefusedError
from askfirst_site.statement.models import Level, Proof, Signature


@pytest.fixture
def orcid(live, settings, monkeypatch):
    """ORCID on loopback, and a site that is registered with it."""
    with orcid_server.running() as server:
        app = {"client_id": server.client, "secret": server.secret}
        settings.ASKFIRST = replace(settings.ASKFIRST, orcid=(server.client, server.secret))
        settings.SOCIALACCOUNT_PROVIDERS = {"orcid": {"APPS": [app]}}
        monkeypatch.setattr(OrcidOAuth2Adapter, "authorize_url", f"{server.url}/oauth/authorize")
        monkeypatch.setattr(OrcidOAuth2Adapter, "access_token_url", f"{server.url}/oauth/token")
        monkeypatch.setattr(OrcidOAuth2Adapter, "profile_url", f"{server.url}/v3.0/%s/record")
        yield server


class Stay(urllib.request.HTTPRedirectHandler):
    """Follow no redirection: the browser of the test does."""

    def redirect_request(self, *_):
        return None


def visit(address):
    """Open ORCID's page, and return where it sends the browser."""
    try:
        urllib.request.build_opener(Stay).open(address, timeout=10)
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.headers["Location"].removeprefix("http://testserver")
    raise AssertionError(address)


def go(client, signature, action="prove"):
    """Press the button with a grant; return the answer."""
    sealed = actions.seal_grant(actions.Grant(signature, action))
    return client.post("/en/mine/prove", {"grant": sealed, "stage": "orcid"})


def there_and_back(client, signature):
    """Go all the way; return the answer to the way back, and the page that it leads to."""
    answer = client.get(visit(go(client, signature)["Location"]))
    return answer, client.get(answer["Location"])


def assert_nobody_is_signed_in(client):
    assert client.get("/staff/").status_code == 302
    assert "askfirst-staff" not in client.cookies or not client.cookies["askfirst-staff"].value
    assert (User.objects.count(), SocialAccount.objects.count(), SocialToken.objects.count()) == (1, 0, 0)


def test_signing_in_at_orcid_proves_the_signature(orcid, signed, sequence, client, now):
    signature = signed()
    sequence()
    answer, page = there_and_back(client, signature)
    assert (answer.status_code, answer["Location"], page.status_code) == (302, "/en/mine/orcid", 200)
    assert "Your ORCID iD is proven" in page.content.decode()
    assert orcid.orcid in page.content.decode()
    proof = Proof.objects.get()
    assert (proof.method, proof.subject, proof.token, proof.signature) == ("orcid", orcid.orcid, "", signature)
    assert timedelta(days=364) < proof.expires - now < timedelta(days=366)
    assert Signature.objects.get(pk=signature.pk).level == Level.DOMAIN
    assert orcid.asked == ["/oauth/authorize", "/oauth/token", f"/v3.0/{orcid.orcid}/record"]
    assert_nobody_is_signed_in(client)


def test_cookie_is_signed_short_lived_and_closed_to_scripts(orcid, signed, client):
    answer = go(client, signed())
    cookie = answer.cookies["askfirst-orcid"]
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Lax", 1800)
    client.cookies["askfirst-orcid"] = cookie.value[:-1] + ("A" if cookie.value[-1] != "A" else "B")
    assert client.get(visit(answer["Location"]))["Location"] == "/"
    assert Proof.objects.count() == 0


def test_grant_of_half_an_hour_ago_proves_nothing(orcid, signed, client, monkeypatch):
    answer = go(client, signed())
    value = answer.cookies["askfirst-orcid"].value
    state, now_s = signing.loads(value, salt="askfirst.orcid"), time.time()
    with monkeypatch.context() as earlier:
        earlier.setattr(time, "time", lambda: now_s - 1801)
        client.cookies["askfirst-orcid"] = signing.dumps(state, salt="askfirst.orcid")
    assert client.get(visit(answer["Location"]))["Location"] == "/"
    assert Proof.objects.count() == 0


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("access_denied", "You came back from ORCID without signing in"),
        ("server_error", "ORCID could not confirm who you are"),
        ("no-record", "ORCID could not confirm who you are"),
        ("no-orcid", "ORCID could not confirm who you are"),
    ],
)
def test_what_fails_comes_back_with_one_line_and_can_be_tried_again(orcid, signed, client, answer, words):
    orcid.answer = answer
    signature = signed()
    _answer, page = there_and_back(client, signature)
    assert (page.status_code, page.content.decode().count(words)) == (200, 1)
    assert "Prove my ORCID" in page.content.decode()
    assert Proof.objects.count() == 0
    assert_nobody_is_signed_in(client)
    orcid.answer = ""
    there_and_back(client, signature)
    assert Proof.objects.count() == 1


def test_orcid_that_does_not_answer_is_a_failure_in_words(orcid, signed, client, monkeypatch):
    monkeypatch.setattr(OrcidOAuth2Adapter, "access_token_url", "http://127.0.0.1:1/oauth/token")
    _answer, page = there_and_back(client, signed())
    assert "ORCID could not confirm who you are" in page.content.decode()


def test_without_a_grant_nothing_happens(orcid, signed, client):
    address = visit(go(client, signed())["Location"])
    del client.cookies["askfirst-orcid"]
    assert client.get(address)["Location"] == "/"
    assert client.get("/en/mine/orcid").status_code == 409
    assert Proof.objects.count() == 0
    assert_nobody_is_signed_in(client)


@pytest.mark.parametrize("query", ["", "?code=abc&state=made-up", "?error=access_denied", "?code=abc"])
def test_way_back_without_a_way_there_does_nothing(orcid, campaign, client, query):
    answer = client.get(f"/orcid/callback{query}")
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert_nobody_is_signed_in(client)


def test_way_back_of_another_browser_does_nothing(orcid, signed, client):
    address = visit(go(client, signed())["Location"])
    other = Client()
    assert other.get(address)["Location"] == "/"
    assert Proof.objects.count() == 0


def test_way_back_works_once(orcid, signed, client):
    address = visit(go(client, signed())["Location"])
    client.get(address)
    assert client.get(address)["Location"] == "/"
    assert Proof.objects.count() == 1


def test_organiser_with_an_account_at_orcid_is_not_signed_in_by_it(orcid, signed, client):
    """Even an account that was once joined with an ORCID, with the mail address that ORCID names, opens nothing."""
    user = User.objects.get()
    SocialAccount.objects.create(user=user, provider="orcid", uid=orcid.orcid)
    there_and_back(client, signed())
    assert client.get("/staff/").status_code == 302
    assert SocialToken.objects.count() == 0


def test_organiser_who_is_signed_in_stays_so(orcid, signed, client):
    client.force_login(User.objects.get(), backend="allauth.account.auth_backends.AuthenticationBackend")
    there_and_back(client, signed())
    assert client.session["_auth_user_id"] == str(User.objects.get().pk)
    assert SocialAccount.objects.count() == 0


@pytest.mark.parametrize("action", ["show", "withdraw", "erase", "vouch"])
def test_code_for_something_else_proves_nothing(orcid, signed, client, action):
    assert go(client, signed(), action).status_code == 409
    assert orcid.asked == []


def test_button_is_there_for_people_and_policy_lets_it_lead_to_orcid(orcid, signed, client):
    person = signed()
    guild = signed("Guild", kind="organisation", affiliation="Grace Example", website="guild.example")
    pages = []
    for row in (person, guild):
        sealed = actions.seal_grant(actions.Grant(row, "prove"))
        pages.append(client.post("/en/mine/prove", {"grant": sealed, "domain": ""}))
    assert ["Prove my ORCID" in page.content.decode() for page in pages] == [True, False]
    policies = [page["Content-Security-Policy"] for page in pages]
    assert [f"form-action 'self' {orcid.url}" in policy for policy in policies] == [True, False]
    assert "Prove my domain or my ORCID iD" in client.get("/en/mine").content.decode()


def test_site_without_orcid_offers_none(signed, client):
    signature = signed()
    sealed = actions.seal_grant(actions.Grant(signature, "prove"))
    page = client.post("/en/mine/prove", {"grant": sealed, "domain": ""})
    assert "ORCID" not in page.content.decode()
    assert go(client, signature).status_code == 404
    assert client.get("/orcid/callback").status_code == 404


def test_orcid_of_another_signature_is_refused_in_words(orcid, signed, client):
    there_and_back(client, signed("Ada Example"))
    _answer, page = there_and_back(client, signed("Grace Example"))
    assert "This ORCID iD proves another signature already." in page.content.decode()
    assert Proof.objects.count() == 1


@pytest.mark.parametrize("orcid", ["0000-0002-1825-0098", "0000-0002-1825-009", "", "ORCID", "0000-0002-1825-009７"])
def test_what_is_no_orcid_is_refused(signed, now, orcid):
    grant = actions.Grant(signed(), "prove")
    with pytest.raises(RefusedError, match="not an ORCID iD"):
        actions.prove_orcid(grant=grant, orcid=orcid, now=now)
    assert Proof.objects.count() == 0


@pytest.mark.parametrize("orcid", ["0000-0002-1825-0097", "0000-0001-5109-3700", "0000-0002-1694-233X"])
def test_check_digit_is_the_one_of_the_standard(orcid):
    assert is_orcid(orcid)
    assert [digit for digit in "0123456789X" if is_orcid(orcid[:-1] + digit)] == [orcid[-1]]


def test_proof_ends_after_a_year_and_is_renewed(signed, now):
    grant = actions.Grant(signed(), "prove")
    level = lambda: Signature.objects.get().level  # noqa: E731
    for year in (0, 2):
        actions.prove_orcid(grant=grant, orcid="0000-0002-1825-0097", now=now + timedelta(days=365 * year))
        assert (level(), Proof.objects.count()) == (Level.DOMAIN, 1)
        actions.recheck_proofs(now=now + timedelta(days=365 * year + 366))
        assert level() == Level.EMAIL


def test_organisation_proves_no_orcid(signed, now):
    guild = signed("Guild", kind="organisation", affiliation="Grace Example", website="guild.example")
    with pytest.raises(RefusedError, match="organisation proves its domain"):
        actions.prove_orcid(grant=actions.Grant(guild, "prove"), orcid="0000-0002-1825-0097", now=now)
