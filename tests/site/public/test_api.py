"""The API: the same rules as the form, and an honest description of itself."""

import json

import pytest

SIGN = {"name": "Ada Example", "email": "ada@example.org", "role": "drummer", "discipline": "music", "consent": True}


def post(client, path, body):
    return client.post(path, json.dumps(body), content_type="application/json")


@pytest.mark.parametrize("name", ["statement", "count", "signatories", "charts", "addressees", "updates"])
def test_reading(signed, sequence, client, name):
    signed()
    sequence()
    assert client.get(f"/api/v1/{name}").status_code == 200
    assert client.get(f"/api/v1/{name}?slug=nothing").status_code == 404
    assert client.get(f"/api/v1/{name}?lang=%00").status_code == 422


def test_description_is_served(campaign, client):
    paths = client.get("/api/v1/openapi.json").json()["paths"]
    assert "/api/v1/sign" in paths


def test_signing_says_the_same_to_everybody(signed, client):
    signed(email="ada@example.org")
    answers = [post(client, "/api/v1/sign", SIGN | {"email": email}) for email in ("ada@example.org", "b@example.org")]
    assert [(one.status_code, one.json()) for one in answers] == [(202, {"next": "confirm"})] * 2


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"consent": False}, 422),
        ({"name": ""}, 422),
        ({"name": "x" * 401}, 422),
        ({"email": "none"}, 422),
        ({"kind": "x"}, 422),
    ],
)
def test_signing_refuses_what_the_form_refuses(campaign, client, change, status):
    assert post(client, "/api/v1/sign", SIGN | change).status_code == status


def test_confirming_with_a_wrong_code(campaign, client):
    post(client, "/api/v1/sign", SIGN)
    assert post(client, "/api/v1/confirm", {"code": "AAAAAA", "email": "ada@example.org"}).status_code == 400


def test_pages_of_names_are_small(campaign, client):
    assert client.get("/api/v1/signatories?limit=101").status_code == 422


def test_errors_do_not_repeat_what_was_typed(campaign, client):
    answer = post(client, "/api/v1/sign", SIGN | {"country": "secret-secret"})
    assert (answer.status_code, b"secret" in answer.content) == (422, False)
