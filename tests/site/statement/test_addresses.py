"""Which addresses reach one mailbox, and which reach none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from askfirst_site.statement import addresses
from askfirst_site.statement.addresses import BadAddressError


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        ("Ada.Example+tag@GMail.com", "adaexample@gmail.com"),
        ("a.da@googlemail.com", "ada@gmail.com"),
        ("ada+x@firm.example", "ada@firm.example"),
        ("a.da@firm.example", "a.da@firm.example"),
        ("ada-news@yahoo.com", "ada@yahoo.com"),
        ("ada-news@firm.example", "ada-news@firm.example"),
        ("+@firm.example", "+@firm.example"),
        ("ada@pm.me", "ada@proton.me"),
    ],
)
def test_canonical_email(typed, canonical):
    assert addresses.canonical_email(addresses.clean_email(typed)) == canonical


@pytest.mark.parametrize(
    ("typed", "address"),
    [(" ada@FIRM.example ", "ada@firm.example"), ("<ada@firm.example>", "ada@firm.example"),
     ("Ada@bücher.example", "Ada@xn--bcher-kva.example")],
)  # fmt: skip
def test_clean_email(typed, address):
    assert addresses.clean_email(typed) == address


NOT_ADDRESSES = [
    "", "@", "a@", "@b.example", "a b@c.example", "a@b", "a@[127.0.0.1]", "a@b.example\nBcc: x@y.example",
    "a@b..example",
    '"a b"@c.example', "a" * 300 + "@b.example", "ä@b.example", "a@" + "b" * 300 + ".example", "a@b@c.example",
    "\x00@b.example",
]  # fmt: skip


@pytest.mark.parametrize("typed", NOT_ADDRESSES)
def test_clean_email_refuses(typed):
    with pytest.raises(BadAddressError):
        addresses.clean_email(typed)


@given(st.text(max_size=80))
def test_any_text_is_an_address_or_refused(text):
    try:
        address = addresses.clean_email(f"{text}@firm.example")
    except BadAddressError:
        return
    assert "\n" not in address
    assert addresses.canonical_email(addresses.canonical_email(address)) == addresses.canonical_email(address)


@pytest.mark.parametrize(
    ("typed", "domain"),
    [("https://www.Guild.example/about?x", "guild.example"), ("guild.example:8080", "guild.example"), ("", ""),
     ("bücher.example", "xn--bcher-kva.example")],
)  # fmt: skip
def test_clean_website(typed, domain):
    assert addresses.clean_website(typed) == domain


@pytest.mark.parametrize(
    "typed", ["guild", "gmail.com", "http://", "127.0.0.1", "[::1]", "a b.example", "169.254.169.254/x"]
)
def test_clean_website_refuses(typed):
    if typed == "http://":
        assert addresses.clean_website(typed) == ""
        return
    with pytest.raises(BadAddressError):
        addresses.clean_website(typed)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("gmial.com", "gmail.com"), ("gmai.com", "gmail.com"), ("gmaill.com", "gmail.com"), ("gmsil.com", "gmail.com"),
        ("GMAIL.CON", "gmail.com"), ("gmail.co", "gmail.com"),
        ("hotnail.com", "hotmail.com"), ("yaho.com", "yahoo.com"),
        ("t-onlien.de", "t-online.de"), ("wbe.de", "web.de"), ("gxm.net", "gmx.net"), ("zigo.nl", "ziggo.nl"),
        ("gmail.com", None), ("mail.com", None), ("ymail.com", None), ("gmx.at", None), ("wed.de", None),
        ("hotmail.be", None), ("firm.example", None), ("gmaiil.con", None), ("", None), ("com", None), (".", None),
    ],
)  # fmt: skip
def test_likely_domain(typed, meant):
    assert addresses.likely_domain(typed) == meant


@given(st.text(max_size=30))
def test_likely_domain_takes_any_text(text):
    assert addresses.likely_domain(text) in {None, *addresses._COMMON}
