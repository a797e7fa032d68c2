"""HTML, Markdown and subtitles: the words a reader sees."""

from __future__ import annotations

import html
import re

from markdown_it import MarkdownIt
from markdown_it.token import Token
from selectolax.lexbor import LexborHTMLParser, LexborNode

from askfirst.errors import TooLargeError
from askfirst.io.flow import DocumentLimits, Flow

__all__ = ["add_xhtml", "html_text", "markdown_text", "subtitle_text"]


def _names(words: str) -> frozenset[str]:
    return frozenset(words.split())


_UNSEEN = _names("head script style noscript template iframe noembed noframes object svg canvas audio video datalist")
"""Elements whose text no reader sees, or that belongs to a picture."""

_BLOCKS = _names(
    "address article aside blockquote body caption center dd details dialog dir div dl dt fieldset figcaption"
    " figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr html legend li main menu nav ol optgroup option p"
    " pre search section summary table tbody textarea tfoot thead tr ul"
)
"""Elements that begin and end a line. Source: HTML Standard, section 15.3 (rendering)."""

_CELLS = _names("td th")
_VERBATIM = _names("pre textarea listing xmp plaintext")

_VOID = _names("area base br col embed hr img input link meta source track wbr")
_END_TAG_IS_OPTIONAL = _names(
    "html head body p li dt dd tr td th tbody thead tfoot colgroup caption option optgroup rt rp"
)

# Always matches at a "<" and a letter, so that one pass over the page is linear. A quotation mark that is
# never closed counts as a letter; there is at most one of each kind in a page.
_TAG = re.compile(r"""<(/?)([a-zA-Z][^\s/>]*+)((?:[^"'>]++|"[^"]*+"|'[^']*+'|["'])*+)""")
_ATTRIBUTE_PARTS = re.compile(r"""[\s/"'<=]+[^\s/"'<=]""")
_LONG_TAG_SIZE = 1024

_HARMLESS_PAGE_SIZE = 2**16
"""Characters below which no page costs more than half a second: measured on `<div>` and on attributes."""

# XHTML may close these in one tag; an HTML parser would take the rest of the book for a title or a script.
_SELF_CLOSED_RAW = re.compile(
    r"<((?:\w+:)?(title|script|style|textarea|iframe|noscript|xmp|noembed|noframes|template|object|canvas|audio"
    r"|video|svg|datalist)\b[^<>]*?)/>",
    re.IGNORECASE,
)


def html_text(page: str, limits: DocumentLimits) -> str:
    """Return the visible text of an HTML page, one line for every block.

    Scripts, styles, `noscript`, templates, the head and pictures are left out; hidden elements are not known
    to be hidden, since style sheets are not read.

    Raises:
        TooLargeError: The page, its nesting or its text is beyond a limit.

    Cost:
        30 to 300 ms for a megabyte; at worst 7 s for a page of 9 MB.
    """
    flow = Flow(limits)
    add_html(flow, page, limits)
    return flow.text()


def add_html(flow: Flow, page: str, limits: DocumentLimits) -> None:
    """Add the visible text of one page to a flow; see `html_text`."""
    if len(page) > limits.html_size_bytes:
        raise TooLargeError(f"the page is larger than {limits.html_size_bytes:,} bytes", limit=limits.html_size_bytes)
    _check_work(page, limits.html_work)
    root = LexborHTMLParser(page).root
    if root is not None:
        _walk(root, flow)


def add_xhtml(flow: Flow, page: str, limits: DocumentLimits) -> None:
    """Add the visible text of an XHTML page to a flow.

    Read as HTML, because one unclosed tag must not cost a chapter; only what HTML would misread is mended.
    """
    add_html(flow, _SELF_CLOSED_RAW.sub(r"<\1></\2>", page), limits)


def _check_work(page: str, limit: int) -> None:
    """Refuse pages whose tree costs more than a limit to build: the parser's cost is quadratic in two places.

    It looks through all open elements at many tags, and through all attributes of a tag at each of them.
    """
    if len(page) < _HARMLESS_PAGE_SIZE:
        return
    work = depth = 0
    open_by_name: dict[str, int] = {}
    for closing, raw_name, rest in _TAG.findall(page):
        name = raw_name.lower()
        if len(rest) > _LONG_TAG_SIZE:
            work += len(_ATTRIBUTE_PARTS.findall(rest)) ** 2
        if name not in _VOID and name not in _END_TAG_IS_OPTIONAL:
            count = open_by_name.get(name, 0)
            if not closing:
                open_by_name[name] = count + 1
                depth += 1
            elif count:
                open_by_name[name] = count - 1
                depth -= 1
        work += depth
        if work > limit:
            raise TooLargeError(
                "the page has elements in elements, or attributes, beyond all measure",
                limit=limit,
                kind="too-deep",
            )


def _walk(root: LexborNode, flow: Flow) -> None:
    """Visit all nodes in order without recursion; a page may be nested as deep as it likes."""
    node: LexborNode | None = root
    verbatim_depth = 0
    while node is not None:
        tag = (node.tag or "").rpartition(":")[2]
        if tag == "-text":
            add = flow.add_verbatim if verbatim_depth else flow.add
            add(node.text_content or "")
        else:
            _mark(tag, flow)
            verbatim_depth += int(tag in _VERBATIM)
        child = None if tag in _UNSEEN else node.first_child
        if child is not None:
            node = child
            continue
        while node is not None:  # leave every element that ends here
            verbatim_depth -= int(_leave(node, flow))
            if node.mem_id == root.mem_id:
                return
            following = node.next
            if following is not None:
                node = following
                break
            node = node.parent


def _mark(tag: str, flow: Flow) -> None:
    if tag == "br":
        flow.end_line(always=True)
    elif tag in _BLOCKS:
        flow.end_line()
    elif tag in _CELLS:
        flow.space()


def _leave(node: LexborNode, flow: Flow) -> bool:
    """End the line of a block; tell whether it was verbatim."""
    tag = (node.tag or "").rpartition(":")[2]
    if tag in _BLOCKS:
        flow.end_line()
    return tag in _VERBATIM


# --- Markdown

MARKDOWN_SIZE_MAX = 2 * 2**20
"""Characters above which the markup is left in the text: hostile lists take 18 s for a megabyte."""

_INLINE_MARKS_MAX = 200
"""Marks in one paragraph above which they are left in it: the parser's cost is quadratic in them."""

_INLINE_MARK = re.compile(r"[\[\]*_!<&`]")


def markdown_text(source: str, limits: DocumentLimits) -> str:
    """Return the text of a Markdown document (CommonMark and tables), without its markup.

    1. Find blocks; their cost is linear.
    2. Resolve emphasis and links inside each block, except where somebody wrote hundreds of marks into one.
    3. Render to HTML and take its text, so that HTML inside Markdown is treated as HTML.

    Raises:
        TooLargeError: The text is beyond the limit.

    Cost:
        0.1 s for a megabyte of prose, 2 s where every line holds a link; at worst 30 s.
    """
    if len(source) > MARKDOWN_SIZE_MAX:
        return source
    parser = MarkdownIt("commonmark", {"html": True}).enable("table").disable("inline")
    environment: dict[str, object] = {}
    tokens = parser.parse(source, environment)  # 1
    for token in tokens:  # 2
        if token.type == "inline":
            token.children = []
            if len(_INLINE_MARK.findall(token.content)) <= _INLINE_MARKS_MAX:
                parser.inline.parse(token.content, parser, environment, token.children)
            else:
                token.children.append(Token("text", "", 0, content=token.content))
    page = parser.renderer.render(tokens, parser.options, environment)  # 3
    return html_text(page, limits)


# --- Subtitles

_TIMES = re.compile(r"\s*(?:\d+:)?\d{1,2}:\d{2}[,.]\d{1,3}\s*-->")
_CUE_TAG = re.compile(r"</?(?:[bicuv]|ruby|rt|lang|font)\b[^<>]{0,200}>|<\d[\d:.]*>|\{\\[^{}]{0,100}\}")
_VTT_BLOCK = re.compile(r"(?:WEBVTT|NOTE|STYLE|REGION)\b")


def subtitle_text(source: str, limits: DocumentLimits) -> str:
    """Return the spoken lines of SRT or WebVTT subtitles, without times, numbers and tags."""
    flow = Flow(limits)
    for block in re.split(r"\n[ \t]*\n", source.replace("\r\n", "\n")):
        lines = block.strip("\n").split("\n")
        if _VTT_BLOCK.match(lines[0]):
            continue
        spoken = lines
        for number, line in enumerate(lines[:2]):  # a cue may be named on the line before its times
            if _TIMES.match(line):
                spoken = lines[number + 1 :]
        for line in spoken:
            flow.add(html.unescape(_CUE_TAG.sub("", line)))
            flow.end_line()
    return flow.text()
