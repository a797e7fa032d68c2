"""Dictionaries of HTTP structured fields (RFC 9651), as far as preferences need them."""

from __future__ import annotations

import re

__all__ = ["read_dictionary"]

# RFC 9651, section 4.2. Every alternative begins with another character and nothing is given back (`*+`), so
# matching is linear.
_KEY = r"[a-z*][a-z0-9_\-.*]*+"
_NUMBER = r"-?(?:[0-9]{1,12}\.[0-9]{1,3}|[0-9]{1,15})(?![0-9.])"
_STRING = r'"(?:[ !#-\[\]-~]|\\["\\])*+"'
_WORD = r"[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*+"
_BYTES = r":[A-Za-z0-9+/]*+={0,2}:"
_DATE = r"@-?[0-9]{1,15}(?![0-9.])"
_DISPLAY = r'%"(?:[ !#$&-~]|%[0-9a-f]{2})*+"'
_BARE = rf"(?:{_WORD}|{_NUMBER}|{_STRING}|{_BYTES}|\?[01]|{_DATE}|{_DISPLAY})"
_PARAMETERS = rf"(?:; *{_KEY}(?:={_BARE})?)*+"
_ITEM = rf"{_BARE}{_PARAMETERS}"
_INNER_LIST = rf"\( *(?:{_ITEM}(?: ++{_ITEM})*+ *)?\)"

_MEMBER = re.compile(rf"({_KEY})(?:=({_BARE}|{_INNER_LIST}))?{_PARAMETERS}")
_COMMA = re.compile(r"[ \t]*+(,?)[ \t]*+")


def read_dictionary(field: str) -> dict[str, str] | None:
    """Parse a dictionary strictly.

    Args:
        field: The field's value; several fields of one name are joined with commas first.

    Returns:
        For every key the text of its last value without parameters: `y`, `?1`, `"text"`, `(a b)`. A key
        without a value has `?1`. None where the field does not follow the grammar: then it says nothing.

    Source: RFC 9651, sections 3.2 and 4.2.2. Not checked: that a byte sequence or display string decodes.
    """
    text = field.strip(" ")
    members: dict[str, str] = {}
    at = 0
    while at < len(text):
        member = _MEMBER.match(text, at)
        if member is None:
            return None
        members[member[1]] = member[2] or "?1"
        comma = _COMMA.match(text, member.end())
        if comma is None or (bool(comma[1]) == (comma.end() == len(text))):
            return None  # more text without a comma, or a comma without a member
        at = comma.end()
    return members
