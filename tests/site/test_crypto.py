"""Addresses at rest: encrypted under one key, found again under another."""

import pytest

from askfirst.errors import ProofError
from askfirst_site.crypto import decrypt, encrypt, mac


@pytest.mark.parametrize("value", [b"", b"ada@example.org", bytes(range(256)) * 40])
def test_encrypted_value_opens_again(value):
    assert decrypt(encrypt(value)) == value


def test_equal_values_look_different():
    assert encrypt(b"ada@example.org") != encrypt(b"ada@example.org")


@pytest.mark.parametrize("at", [0, 1, 12, 13, -1])
def test_changed_value_does_not_open(at):
    sealed = bytearray(encrypt(b"ada@example.org"))
    sealed[at] ^= 1
    with pytest.raises(ProofError):
        decrypt(bytes(sealed))


@pytest.mark.parametrize("value", [b"", b"\x01", b"\x01" + b"0" * 12])
def test_cut_value_does_not_open(value):
    with pytest.raises(ProofError):
        decrypt(value)


def test_value_of_another_site_does_not_open(site, tmp_path):
    from django.test import override_settings

    from askfirst_site.config.environment import prepare, read_site

    sealed = encrypt(b"ada@example.org")
    other = read_site({"ASKFIRST_DATA": str(tmp_path / "other")})
    prepare(other)
    with override_settings(ASKFIRST=other), pytest.raises(ProofError):
        decrypt(sealed)


def test_mac_depends_on_purpose_and_value():
    macs = {mac("code", "ab"), mac("code", "abc"), mac("codea", "b"), mac("email", "ab")}
    assert len(macs) == 4
    assert mac("code", "ab") == mac("code", b"ab")
    assert {len(one) for one in macs} == {32}
