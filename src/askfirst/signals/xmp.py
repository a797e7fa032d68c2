"""XMP packets: the Data Mining property of PLUS and IPTC, and the TDM reservation of PDF files.

Rights statements in words (`dc:rights`, `xmpRights:UsageTerms`) and licences (`cc:license`) are evidence for a
person; they say nothing here.
"""

from __future__ import annotations

import codecs
import re
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from askfirst.model import Gap, Signal
from askfirst.signals.reading import NOTHING, Reading, clip, joined, malformed
from askfirst.signals.vocabulary import PLUS_DATA_MINING, TDM_RESERVED, TDM_UNRESERVED

__all__ = ["read_xmp"]

XMP_SIZE_MAX = 2**20
"""Bytes that are read; a packet in a JPEG has 65 KiB, an extended one seldom more than some hundred."""

DEPTH_MAX = 100
"""Elements in elements. XMP nests structures in arrays in structures, hardly ever more than ten."""

ELEMENTS_MAX = 50_000
"""Elements of a packet; the largest that were seen, edit histories, have some thousands."""

_TDMREP = "http://www.w3.org/ns/tdmrep"  # with "#", "/" or nothing after it
_RDF_RESOURCE = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}resource"
_CODE = re.compile(r"(?:.*[/#])?(DMI-[A-Z-]+)", re.DOTALL)
_NOT_SET = frozenset({"false", "0", "no", "off"})
_CONDITIONS = frozenset({"otherconstraints", "embdencrightsexpr", "linkedencrightsexpr"})
"""Properties, in lower case, that a code can point to; they stand in the quote."""


def read_xmp(packet: bytes, *, source: str = "XMP") -> Reading:
    """Return what an XMP packet says about data mining.

    1. Parse the packet, whatever stands before and after its XML; document types and entities are refused.
    2. Take every property called `DataMining`, as attribute or element, in the namespace of PLUS or a wrong
       one, with its code as URI or bare; and properties whose name is a code (`Iptc4xmpExt:DMI-Prohibited`).
    3. Take `tdm:reservation`, which PDF files carry.

    Args:
        packet: The packet, with or without its wrapper, in UTF-8, UTF-16 or UTF-32. An empty one says nothing.
        source: What the signals name as their source.

    Returns:
        Signals with the protocols `iptc-plus` and `tdmrep`; a gap where the packet is not XML, is too large,
        or a property has an unknown value. Never raises.

    Cost:
        0.1 ms for a packet of a kilobyte, at worst 0.5 s.

    Source: PLUS Licence Data Format (namespace `http://ns.useplus.org/ldf/xmp/1.0/`); IPTC Photo Metadata
        2023.1; TDM Reservation Protocol, section 6.4.
    """
    if len(packet) > XMP_SIZE_MAX:
        return _gap("the XMP packet is larger than a megabyte", source)
    if not packet.strip(b"\0 \t\r\n"):
        return NOTHING
    collector = _Collector()
    parser = DefusedXMLParser(target=collector, forbid_dtd=True)
    try:  # 1
        parser.feed(_xml_of(packet))
        parser.close()
    except _TooMuchError:
        return _gap("the XMP packet has too many elements, or elements in elements", source)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        # ValueError: an encoding expat cannot use, or wrong UTF-16; LookupError: an encoding nobody knows.
        return _gap("the XMP packet is not valid XML", source)
    return _data_mining(collector, source)


def _gap(cause: str, source: str) -> Reading:
    return Reading(gaps=(malformed(cause, source, advice="get the file again, or ask its makers"),))


_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"<\0\0\0", "utf-32-le"),
    (b"\0\0\0<", "utf-32-be"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)
_SEGMENT_HEADER = b"http://ns.adobe.com/xap/1.0/\0"


def _xml_of(packet: bytes) -> str | bytes:
    """Return the XML of a packet without the header of its segment, padding and zero bytes around it."""
    body = packet.removeprefix(_SEGMENT_HEADER)
    for mark, encoding in _MARKS:
        if body.startswith(mark):
            whole = len(body) - len(body) % (4 if "32" in encoding else 2)
            text = body[:whole].decode(encoding)
            return text[max(text.find("<"), 0) : text.rfind(">") + 1]
    return body[max(body.find(b"<"), 0) : body.rfind(b">") + 1]


class _TooMuchError(Exception):
    """A limit of the packet's shape was passed."""


class _Collector:
    """Receives the parts of a packet; keeps the properties that speak of data mining, in document order."""

    def __init__(self) -> None:
        self.properties: list[tuple[str, str]] = []
        self._depth = 0
        self._count = 0
        self._open: list[tuple[int, str, int]] = []  # depth, name, where its text begins
        self._texts: list[str] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._count += 1
        if self._depth > DEPTH_MAX or self._count > ELEMENTS_MAX:
            raise _TooMuchError
        for name, value in attributes.items():
            if kept := _kept_name(name):
                self.properties.append((kept, value.strip()))
        if kept := _kept_name(tag):
            if len(self._open) == 3:
                raise _TooMuchError
            self._open.append((self._depth, kept, len(self._texts)))
        if self._open:
            self._texts += ["\n", attributes.get(_RDF_RESOURCE, ""), "\n"]

    def data(self, text: str) -> None:
        if self._open:
            self._texts.append(text)

    def end(self, _tag: str) -> None:
        if self._open and self._open[-1][0] == self._depth:
            _, name, start = self._open.pop()
            lines = [line.strip() for line in "".join(self._texts[start:]).split("\n")]
            self.properties += [(name, line) for line in lines if line]
        if not self._open:
            self._texts.clear()
        self._depth -= 1

    def close(self) -> None:
        """Receive the end of the packet."""


def _kept_name(name: str) -> str:
    """Return the local name of a property that is of interest, or nothing."""
    namespace, _, local = name.rpartition("}")
    lowered = local.lower()
    if lowered in {"datamining", "dmi"} or lowered.startswith("dmi-") or lowered in _CONDITIONS:
        return local
    if lowered in {"reservation", "policy"} and namespace[1:].startswith(_TDMREP):
        return f"tdm:{lowered}"
    return ""


def _data_mining(found: _Collector, source: str) -> Reading:
    """Turn properties into signals, each distinct one once."""
    signals: list[Signal] = []
    gaps: list[Gap] = []
    conditions = [f"{name}: {value}" for name, value in found.properties if name.lower() in _CONDITIONS]
    policies = [f"{name}: {value}" for name, value in found.properties if name == "tdm:policy"]
    for name, value in found.properties:
        if name == "tdm:reservation":
            quote = clip("\n".join([f"{name}: {value}", *policies]))
            if value == "1":
                signals.append(Signal("tdmrep", TDM_RESERVED, source=source, quote=quote))
            elif value == "0":
                signals.append(Signal("tdmrep", frozenset(), TDM_UNRESERVED, source, quote))
            else:
                gaps.append(malformed(f"tdm:reservation is {value[:40]!r}; only 0 and 1 are defined", source))
        elif name != "tdm:policy" and name.lower() not in _CONDITIONS:
            code = _code_of(name, value)
            says = PLUS_DATA_MINING.get(code)
            if says is None and code:
                gaps.append(malformed(f"{name} is {value[:60]!r}, which is no code of PLUS", source))
            elif says is not None and (says.disallows or says.allows):
                pointed = conditions if "SEE" in code else []
                quote = clip("\n".join([f"{name}: {value}", *pointed]))
                signals.append(Signal("iptc-plus", says.disallows, says.allows, source, quote))
    return joined([Reading(tuple(signals), tuple(gaps))])


def _code_of(name: str, value: str) -> str:
    """Return the code a property means; something else where it means none, empty where it is not set."""
    coded = _CODE.fullmatch(value.upper())
    if coded:
        return coded[1]
    if name.lower().startswith("dmi-"):
        return "" if value.lower() in _NOT_SET else name.upper()
    return f"DMI-{value.upper()}" if value else ""
