r"""Addresses: one normal form for every spelling of a web address, and a 64-bit key of it (`url_v0`).

Two addresses with one normal form count as the same address. Where the standards leave a choice, the rule
is the one that misses fewer refusals: spellings fall together when servers answer them with the same work.
The rules, in order, start from RFC 3986 section 6 and the WHATWG URL standard:

 1. More than 65,536 bytes are no address. Spaces and control characters around the address (to U+0020, and
    U+00A0, U+200B, U+3000, U+FEFF) are cut off; tabs and line ends inside are removed.
 2. The scheme is http, https, ftp or ftps and is dropped: they serve the same works. Without a scheme
    (`//host/...` or `host/...`) the host needs a dot, must not be an IP address, and no `@` stands before it.
 3. The authority ends at the first `/`, `\`, `?` or `#`. What stands before its last `@` is dropped.
 4. The host: percent-decoded; UTS 46 mapping and Punycode where it is not ASCII; lower case; one final dot
    dropped; at most 253 characters of `a-z 0-9 . _ -`, no empty label. A host whose last label is a number
    is an IPv4 address (WHATWG number forms), written as four decimals. IPv6 is eight groups of hexadecimal
    digits without leading zeros. Leading `www.` labels are dropped as long as two labels remain.
 5. The ports 80, 443, 21 and 990 are dropped whatever the scheme; others are kept, without leading zeros.
 6. The fragment is dropped, and so is a `?` with nothing after it.
 7. Path and query: percent-encoded bytes that mean themselves are decoded (unreserved and `!$'()*,:@`; in the
    path also `&+;=`, in the query also `/?`); every other byte that may not stand there (space, quotes,
    brackets, `^ | %`, controls, UTF-8) is encoded in upper case. Backslashes in the path are slashes.
 8. The path: `.` and `..` segments are resolved, double slashes kept; no path is `/`.
 9. The query: in its order, without the parameters that only follow readers around: `utm_*` and `TRACKING`.

The key of a text, be it a normal form, a folder or a host: start with 0. For each eight bytes, read as a
little-endian number, the last ones filled up with zeros: exclusive-or it, multiply by 0x9E3779B97F4A7C15
modulo 2**64, exclusive-or with the result's own high 32 bits. At the end exclusive-or with the number of bytes
and apply the finaliser of MurmurHash3 (`fmix64`). Keys propose; the texts are compared before anything matches.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from ipaddress import AddressValueError, IPv6Address
from typing import Any, NoReturn
from urllib.parse import unquote_to_bytes

import idna

from askfirst.errors import InputError
from askfirst.model import MatchKind, Medium

__all__ = [
    "DROPPED_PORTS",
    "EXTENSIONS",
    "MAX_HOST_CHARACTERS",
    "MAX_URL_BYTES",
    "PATH_BYTES",
    "PATH_DECODED",
    "QUERY_BYTES",
    "QUERY_DECODED",
    "TRACKING",
    "Entry",
    "NormalUrl",
    "medium_of",
    "normalise",
    "parse_entry",
    "url_key",
]

MAX_URL_BYTES = 65_536
MAX_HOST_CHARACTERS = 253
"""The longest name DNS can carry. Source: RFC 1035 section 2.3.4."""
DROPPED_PORTS = frozenset({21, 80, 443, 990})
_CLICKS = "fbclid gclid gclsrc dclid gbraid wbraid msclkid yclid igshid mc_cid mc_eid"
TRACKING = frozenset(_CLICKS.split())
"""Query parameters that name a reader or a click, never the work; so do all that begin with `utm_`."""

_UNRESERVED = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
PATH_BYTES = frozenset(_UNRESERVED + b"!$&'()*+,;=:@/")
"""Bytes that stand for themselves in a path. Source: RFC 3986 section 3.3."""
PATH_DECODED = PATH_BYTES - frozenset(b"/")
"""Bytes whose percent-encoding in a path is undone."""
QUERY_BYTES = PATH_BYTES | frozenset(b"?")
QUERY_DECODED = QUERY_BYTES - frozenset(b"&+;=")

EXTENSIONS: dict[str, Medium] = {
    extension: medium
    for medium, extensions in (
        (Medium.IMAGE, "jpg jpeg png gif webp bmp tif tiff avif svg heic"),
        (Medium.AUDIO, "mp3 wav flac ogg m4a opus aac"),
        (Medium.VIDEO, "mp4 webm mkv mov avi m4v"),
        (Medium.TEXT, "html htm txt pdf epub md docx xml json"),
    )
    for extension in extensions.split()
}
"""The medium that the end of a path promises; two to four characters."""

_MASK = (1 << 64) - 1
_TRIMMED = "".join(map(chr, range(0x21))) + "\u00a0\u200b\u3000\ufeff"
_TABS_AND_LINES = str.maketrans("", "", "\t\n\r")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+-]*):")  # a name with a dot before the colon is a host
_SCHEMES = frozenset({"http", "https", "ftp", "ftps"})
_HOST = re.compile(r"[a-z0-9._-]+")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PORT = re.compile(r"(?::([0-9]*))?")
_AUTHORITY_END = re.compile(r"[/\\?#]")


@dataclass(frozen=True, slots=True)
class NormalUrl:
    """An address in normal form.

    Args:
        host: Lower case, ASCII, without a port.
        path: Begins with `/`.
        query: Without its `?`; empty for none.
        port: 0 to 65535; None for the scheme's own.
    """

    host: str
    path: str
    query: str = ""
    port: int | None = None

    @property
    def text(self) -> str:
        """The normal form as one string: `example.org/a?b=1`."""
        port = "" if self.port is None else f":{self.port}"
        return f"{self.host}{port}{self.path}{'?' * bool(self.query)}{self.query}"


@dataclass(frozen=True, slots=True)
class Entry:
    """An address of a register.

    Args:
        kind: `URL` covers one address, `URL_PREFIX` a folder and `DOMAIN` a host with all below them.
        text: The normal form; of a prefix with its final `/`, of a domain the bare host.
    """

    kind: MatchKind
    text: str


def normalise(url: str) -> NormalUrl:
    """Return the normal form of an address.

    Args:
        url: The address as somebody wrote it. Bytes that are not UTF-8 may come as surrogate escapes.

    Raises:
        InputError: kind `not-a-url`, for everything that leads to no place on the web.

    Cost: about 8 microseconds.
    """
    try:
        size_bytes = len(url if url.isascii() else url.encode("utf-8", "surrogateescape"))
    except UnicodeEncodeError:
        _refuse(url, "has a broken character")
    if size_bytes > MAX_URL_BYTES:
        _refuse(url, f"is longer than {MAX_URL_BYTES:,} bytes")
    text = url.strip(_TRIMMED)
    if not text.isprintable():
        text = text.translate(_TABS_AND_LINES)
    rest, is_bare = _without_scheme(text)
    end = _AUTHORITY_END.search(rest)
    cut = end.start() if end else len(rest)
    _, at_sign, place = rest[:cut].rpartition("@")
    host, port = _host_and_port(place)
    if is_bare and (at_sign or "." not in host or _NUMBER.fullmatch(host.rpartition(".")[2])):
        _refuse(url, "has neither a scheme nor a host name with a dot")
    path, _, query = rest[cut:].partition("#")[0].partition("?")
    return NormalUrl(host, _normal_path(path), _normal_query(query), port)


def parse_entry(text: str, kind: MatchKind) -> Entry:
    """Return a register entry for an address as its maker wrote it; the scheme may be left out.

    Args:
        text: `https://example.org/photos/`, `example.org/photos`, for a domain also `*.example.org`.
        kind: `URL`, `URL_PREFIX` or `DOMAIN`.

    Raises:
        InputError: kind `not-a-url`; `not-a-prefix` for a prefix with a query; `not-a-domain` for a domain
            with a port, a path or a query; `public-suffix` for a domain under which strangers register.
    """
    text = text.strip(_TRIMMED)
    if kind is MatchKind.DOMAIN:
        text = text.removeprefix("*.")
    url = normalise(text if _SCHEME.match(text) or text.startswith("//") else f"http://{text}")
    if kind is MatchKind.URL:
        return Entry(kind, url.text)
    if kind is MatchKind.URL_PREFIX:
        if url.query:
            raise InputError(
                f"{_short(text)} is no folder", kind="not-a-prefix", advice="leave out the ? and what follows"
            )
        return Entry(kind, url.text if url.path.endswith("/") else f"{url.text}/")
    if kind is not MatchKind.DOMAIN:
        raise ValueError(f"{kind} is no kind of address")
    if url.text != f"{url.host}/":
        raise InputError(
            f"{_short(text)} is more than a domain",
            kind="not-a-domain",
            advice=f"register {url.host}, or the folder as a url_prefix",
        )
    if _is_public_suffix(url.host):
        raise InputError(
            f"{url.host} is not one maker's domain: others register names below it",
            kind="public-suffix",
            advice="register the name below it that is yours",
        )
    return Entry(kind, url.host)


def url_key(text: str) -> int:
    """Return the 64-bit key of a normal form, or of the host or folder with which one begins."""
    data = text.encode("ascii")
    state = 0
    for i in range(0, len(data), 8):
        state = ((state ^ int.from_bytes(data[i : i + 8], "little")) * 0x9E3779B97F4A7C15) & _MASK
        state ^= state >> 32
    state ^= len(data)
    state = ((state ^ state >> 33) * 0xFF51AFD7ED558CCD) & _MASK
    state = ((state ^ state >> 33) * 0xC4CEB9FE1A85EC53) & _MASK
    return state ^ state >> 33


def medium_of(url: NormalUrl) -> Medium:
    """Return the medium that the path's extension promises; `OTHER` where it promises none we know."""
    _, dot, extension = url.path.rpartition("/")[2].rpartition(".")
    return EXTENSIONS.get(extension.lower(), Medium.OTHER) if dot else Medium.OTHER


def _without_scheme(text: str) -> tuple[str, bool]:
    """Return what follows the scheme and its slashes, and whether there was no scheme."""
    scheme = _SCHEME.match(text)
    if scheme:
        if scheme[1].lower() not in _SCHEMES:
            _refuse(text, "does not begin with http:// or https://")
        return text[scheme.end() :].lstrip("/\\"), False
    if text.startswith("//"):
        return text.lstrip("/"), True
    return text, True


def _host_and_port(authority: str) -> tuple[str, int | None]:
    """Return the normal host, and the port unless it is one that is dropped."""
    if authority.startswith("["):
        before, bracket, after = authority.partition("]")
        host = _normal_ipv6(before + bracket)
    else:
        before, colon, port = authority.partition(":")
        host, after = _normal_host(before), colon + port
    found = _PORT.fullmatch(after)
    if found is None:
        _refuse(authority, "has a port that is no number")
    digits = found[1] or ""
    number = int(digits.lstrip("0")[:6] or "0")
    if number > 65_535:
        _refuse(authority, "has a port above 65535")
    return host, number if digits and number not in DROPPED_PORTS else None


def _normal_host(host: str) -> str:
    """Return a host name or an IPv4 address in normal form."""
    if len(host) > MAX_HOST_CHARACTERS:
        _refuse(host, f"has a host longer than {MAX_HOST_CHARACTERS} characters")
    if "%" in host or not host.isascii():
        host = _ascii_host(host)
    host = host.lower().removesuffix(".")
    labels = host.split(".")
    if not _HOST.fullmatch(host) or "" in labels or len(host) > MAX_HOST_CHARACTERS:
        _refuse(host, "has no host that can exist")
    if _NUMBER.fullmatch(labels[-1]):
        return _normal_ipv4(labels)
    while labels[0] == "www" and len(labels) > 2:
        del labels[0]
    return ".".join(labels)


def _ascii_host(host: str) -> str:
    """Return a host with percent-encoding or letters beyond ASCII in its ASCII form."""
    try:
        decoded = unquote_to_bytes(host.encode("utf-8", "surrogateescape")).decode("utf-8")
        mapped = idna.uts46_remap(decoded, std3_rules=False)
    except UnicodeError:  # of which idna.IDNAError is one
        _refuse(host, "has a host with characters that no host may have")
    # Unlike IDNA 2008 this keeps emoji: such hosts exist, and answer.
    return ".".join(
        label if label.isascii() else f"xn--{label.encode('punycode').decode('ascii')}" for label in mapped.split(".")
    )


def _normal_ipv4(labels: list[str]) -> str:
    """Return an IPv4 address as four decimals. Source: WHATWG URL, "IPv4 parser"."""
    try:
        numbers = [_ipv4_number(label) for label in labels]
    except ValueError:
        _refuse(".".join(labels), "ends in a number and is no IPv4 address")
    room = 256 ** (5 - len(numbers)) if len(numbers) <= 4 else 0
    if numbers[-1] >= room or any(number > 255 for number in numbers[:-1]):
        _refuse(".".join(labels), "ends in a number and is no IPv4 address")
    value = numbers[-1] + sum(number << (24 - 8 * i) for i, number in enumerate(numbers[:-1]))
    return ".".join(str(byte) for byte in value.to_bytes(4, "big"))


def _ipv4_number(label: str) -> int:
    """Return one part of an IPv4 address: decimal, octal after 0, hexadecimal after 0x."""
    if not _NUMBER.fullmatch(label):
        raise ValueError(label)
    if label.startswith("0x"):
        return int(label[2:] or "0", 16)
    return int(label, 8 if label.startswith("0") else 10)


def _normal_ipv6(bracketed: str) -> str:
    """Return an IPv6 address as eight groups: one spelling that no library's version can change."""
    try:
        packed = IPv6Address(bracketed[1:-1]).packed
    except AddressValueError:
        _refuse(bracketed, "is no IPv6 address")
    if "%" in bracketed or not bracketed.endswith("]"):
        _refuse(bracketed, "is no IPv6 address")
    return "[" + ":".join(f"{packed[i] << 8 | packed[i + 1]:x}" for i in range(0, 16, 2)) + "]"


def _coder(kept: frozenset[int], decoded: frozenset[int]) -> Any:
    """Return a function that brings the percent-encoding of one part of an address into normal form."""
    odd = re.compile(rb"%[0-9A-Fa-f]{2}|[^" + re.escape(bytes(sorted(kept))) + rb"]")

    def replaced(match: re.Match[bytes]) -> bytes:
        found = match[0]
        if len(found) == 1:
            return b"%%%02X" % found[0]
        value = int(found[1:], 16)
        return bytes((value,)) if value in decoded else found.upper()

    return lambda part: odd.sub(replaced, part.encode("utf-8", "surrogateescape")).decode("ascii")


_coded_path = _coder(PATH_BYTES, PATH_DECODED)
_coded_query = _coder(QUERY_BYTES, QUERY_DECODED)


def _normal_path(path: str) -> str:
    """Return a path with its percent-encoding in normal form and its dot segments resolved."""
    coded: str = _coded_path(path.replace("\\", "/"))
    if "/." not in coded:
        return coded or "/"
    kept: list[str] = []
    segments = coded.split("/")[1:]
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in {".", ".."}:
        kept.append("")
    return "/" + "/".join(kept)


def _normal_query(query: str) -> str:
    """Return a query with its percent-encoding in normal form and without tracking parameters."""
    return "&".join(part for part in _coded_query(query).split("&") if not _is_tracking(part))


def _is_tracking(parameter: str) -> bool:
    name = parameter.partition("=")[0].lower()
    return name.startswith("utm_") or name in TRACKING


def _is_public_suffix(host: str) -> bool:
    """Return whether strangers register names right below this host."""
    if host.startswith("[") or host.replace(".", "").isdigit():  # an IP address has nothing below it
        return False
    below = f"a.{host}"  # finds `kawasaki.jp`, where a rule makes every name below it a public suffix
    return "." not in host or any(not _suffix_list().extract_str(name).domain for name in (host, below))


@cache
def _suffix_list() -> Any:
    """Return the public-suffix list that ships with tldextract; neither network nor cache is touched."""
    import tldextract  # noqa: PLC0415  0.2 s with its network library, and only building a register needs it

    return tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=True)


def _refuse(text: str, why: str) -> NoReturn:
    advice = "write the address as in https://example.org/photos/"
    raise InputError(f"{_short(text)} {why}", kind="not-a-url", advice=advice)


def _short(text: str) -> str:
    """Return a text as it can be shown on one line."""
    return ascii(text if len(text) <= 80 else f"{text[:77]}...")
