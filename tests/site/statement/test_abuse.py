"""Work, networks and codes: what a robot cannot make up."""

from datetime import UTC, datetime, timedelta

import pytest

from askfirst.errors import FetchError
from askfirst_site.statement import abuse, codes, evidence_fetch

NOW = datetime(2026, 11, 22, 5, tzinfo=UTC)


@pytest.fixture
def easy(settings, site):
    settings.ASKFIRST_WORK_BITS = 6


def test_solved_challenge_is_work(easy):
    challenge = abuse.new_challenge(NOW)
    assert len(challenge) <= 64
    assert abuse.check_work(challenge, abuse.solve(challenge), NOW + timedelta(hours=1))


def test_challenge_is_stale_after_two_hours_and_not_from_the_future(easy):
    challenge = abuse.new_challenge(NOW)
    solution = abuse.solve(challenge)
    assert not abuse.check_work(challenge, solution, NOW + timedelta(hours=2, seconds=1))
    assert not abuse.check_work(challenge, solution, NOW - timedelta(hours=1))


def test_challenge_with_fewer_bits_is_not_ours(easy):
    head, _dot, tag = abuse.new_challenge(NOW).rpartition(".")
    cheap = f"{head.rsplit('.', 1)[0]}.0.{tag}"
    assert not abuse.check_work(cheap, "0", NOW)


@pytest.mark.parametrize("challenge", ["", "....", "1.2.3.4", "x" * 1000, "1.a.18.\ud800", "－1.2.3.4", "9" * 70])
@pytest.mark.parametrize("solution", ["", "0", "x" * 1000, "\x00", "\ud800"])
def test_made_up_challenges_are_no_work(site, challenge, solution):
    assert abuse.check_work(challenge, solution, NOW) is False


def test_network_is_told_apart_for_a_day_only(site):
    one = abuse.network_mac("192.0.2.1", NOW)
    assert one == abuse.network_mac("::ffff:192.0.2.1", NOW)
    assert one != abuse.network_mac("192.0.2.2", NOW)
    assert one != abuse.network_mac("192.0.2.1", NOW + timedelta(days=1))
    assert abuse.network_mac("2001:db8::1", NOW) == abuse.network_mac("2001:db8::ffff:1", NOW)
    assert abuse.network_mac("2001:db8::1", NOW) != abuse.network_mac("2001:db8:0:1::1", NOW)
    assert abuse.network_mac("not an address", NOW) is None


def test_codes_are_six_clear_characters_and_differ(site):
    made = {codes.make_code("confirm", seed.to_bytes(4, "big")) for seed in range(2000)}
    assert len(made) == 2000
    assert {len(code) for code in made} == {6}
    assert set("".join(made)) == set(codes.ALPHABET)
    assert not set("01IO") & set(codes.ALPHABET)
    assert codes.make_code("confirm", b"x") != codes.make_code("withdraw", b"x") != codes.make_code("withdraw", b"x", 1)


@pytest.mark.parametrize("domain", ["127.0.0.1", "localhost", "169.254.169.254", "[::1]", "10.0.0.1", "2130706433"])
def test_private_addresses_are_not_fetched(domain):
    with pytest.raises(FetchError):
        evidence_fetch.fetch_file(domain)
