"""Who a visitor is to the throttles, and where a post needs a token."""

import pytest
from django.test import Client

from askfirst_site.config.middleware import network_of


@pytest.mark.parametrize(
    ("remote", "forwarded", "proxies", "network"),
    [
        ("203.0.113.7", "", 0, "203.0.113.7"),
        ("203.0.113.7", "198.51.100.1", 0, "203.0.113.7"),  # nobody is trusted: the header is the visitor's own
        ("10.0.0.1", "198.51.100.1", 1, "198.51.100.1"),
        ("10.0.0.1", "1.2.3.4, 198.51.100.1", 1, "198.51.100.1"),  # what stands left was written by the visitor
        ("10.0.0.1", "198.51.100.1, 10.0.0.2", 2, "198.51.100.1"),
        ("10.0.0.1", "", 1, "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1", 2, "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "", 0, "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", "", 0, "203.0.113.7"),
        ("10.0.0.1", "nonsense", 1, ""),
        ("", "", 0, ""),
    ],
)
def test_network_of_a_visitor(remote, forwarded, proxies, network):
    assert network_of({"REMOTE_ADDR": remote, "HTTP_X_FORWARDED_FOR": forwarded}, proxies) == network


def test_staff_form_without_a_token_is_refused(db):
    response = Client(enforce_csrf_checks=True).post("/staff/login/login/", {"login": "a@example.org", "password": "x"})
    assert response.status_code == 403


def test_public_post_asks_for_no_token(db):
    response = Client(enforce_csrf_checks=True).post("/log/checkpoint")
    assert response.status_code == 405
