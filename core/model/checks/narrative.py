"""What a narrative may hold: https://hl7.org/fhir/R4/narrative.html#xhtml.

One ``<div>`` of well-formed XHTML with formatting only. Elements and attributes are
told apart by lists of what is allowed, so that nothing active gets through.
"""

import re
from typing import Any, NoReturn
from xml.parsers import expat

from fyr.core.model.naming import shown

XHTML = "http://www.w3.org/1999/xhtml"
#: Deeper than this the readers of XML give up.
MAX_DEPTH = 100

#: HTML 4.0, chapters 7 to 11 and 15, with links and images.
ELEMENTS = frozenset(
    "a abbr acronym address area b bdo big blockquote br caption center cite code col"
    " colgroup dd del dfn div dl dt em h1 h2 h3 h4 h5 h6 hr i img ins kbd li map ol p"
    " pre q s samp small span strike strong sub sup table tbody td tfoot th thead tr tt"
    " u ul var".split()
)
ATTRIBUTES = frozenset(
    "abbr accesskey align alt axis bgcolor border cellpadding cellspacing char charoff"
    " charset cite class clear color colspan compact coords datetime dir frame headers"
    " height href hreflang id ismap lang longdesc name noshade nowrap rel rev rowspan"
    " rules scope shape span src start style summary tabindex title type usemap valign"
    " value width".split()
)
_XML_ATTRIBUTES = frozenset({"lang", "space", "base", "id"})
_XML = "http://www.w3.org/XML/1998/namespace "
_LINKS = frozenset({"href", "src", "cite", "longdesc", "usemap"})
#: What a browser leaves out before it reads the scheme of a link.
_IGNORED = re.compile(r"[\x00-\x20\x7f-\xa0]+")
_SCHEME = re.compile(r"([a-z][a-z0-9+.\-]*):")
_ACTIVE_STYLE = re.compile(
    r"expression\s*\(|javascript:|vbscript:|@import|-moz-binding|behavior\s*:|\\"
)
_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]*);")
_XML_ENTITIES = frozenset({"amp", "lt", "gt", "quot", "apos"})


class _Refused(Exception):
    """The narrative holds what it may not."""


def problem(text: Any) -> str | None:
    """Say in one sentence what is wrong with a narrative; nothing when it is good."""
    if type(text) is not str:
        return f"must be a string of XHTML, found {shown(text)}"
    reader = _Reader()
    try:
        reader.read(text)
    except _Refused as refused:
        return str(refused)
    except expat.ExpatError as error:
        return f"is not well-formed XHTML: {expat.ErrorString(error.code)} in line {error.lineno}"
    except UnicodeEncodeError:
        return "holds half of a surrogate pair"
    return None


class _Reader:
    """Reads one narrative and stops at what is not allowed."""

    def __init__(self) -> None:
        self._depth = 0
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.StartDoctypeDeclHandler = self._refuse_doctype
        self._parser.ProcessingInstructionHandler = self._refuse_instruction

    def read(self, text: str) -> None:
        # HTML's named characters are unknown to XML; they stand for text only.
        self._parser.Parse(_ENTITY.sub(_plain, text), True)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        namespace, _, local = name.rpartition(" ")
        if namespace != XHTML:
            _refuse(f"<{local}> is not in the namespace {XHTML}")
        if not self._depth and local != "div":
            _refuse(f"must be a <div>, found <{local}>")
        if local not in ELEMENTS:
            _refuse(f"<{local}> is not allowed in a narrative")
        self._depth += 1
        if self._depth > MAX_DEPTH:
            _refuse(f"is nested deeper than {MAX_DEPTH}")
        for attribute, value in attributes.items():
            if attribute not in ATTRIBUTES and not _is_xml(attribute):
                _refuse(f"the attribute {attribute} of <{local}> is not allowed")
            if attribute in _LINKS:
                _check_link(local, attribute, value)
            elif attribute == "style" and _ACTIVE_STYLE.search(value.lower()):
                _refuse(f"active content in the style of <{local}>")

    def _end(self, name: str) -> None:
        self._depth -= 1

    def _refuse_doctype(self, *_: Any) -> NoReturn:
        _refuse("must not have a document type")

    def _refuse_instruction(self, *_: Any) -> NoReturn:
        _refuse("must not have processing instructions")


def _refuse(sentence: str) -> NoReturn:
    raise _Refused(sentence)


def _is_xml(attribute: str) -> bool:
    return attribute.startswith(_XML) and attribute[len(_XML) :] in _XML_ATTRIBUTES


def _check_link(element: str, attribute: str, value: str) -> None:
    """Scripts hide behind links; data are taken for images, without SVG's scripts."""
    target = _IGNORED.sub("", value).lower()
    scheme = _SCHEME.match(target)
    if scheme is None:
        return
    name = scheme[1]
    if name == "data" and element == "img" and not target.startswith("data:image/svg"):
        return
    if name in ("javascript", "vbscript", "data", "file", "blob"):
        _refuse(f"the {attribute} of <{element}> must not be a {name}: link")


def _plain(match: re.Match[str]) -> str:
    return match[0] if match[1] in _XML_ENTITIES else "x"
