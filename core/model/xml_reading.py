"""Reads FHIR's XML into the JSON form: https://hl7.org/fhir/R4/xml.html.

A value that does not fit its type is kept as text, so that validation tells about it
with all the other problems.
"""

import re
from typing import Any

from lxml import etree

from fyr.core.errors import Invalid, Issue
from fyr.core.model.definitions import (
    RESOURCE_TYPES,
    Element,
    TypeDefinition,
    definition,
)
from fyr.core.model.json import DEFAULT_LIMITS, Limits, number
from fyr.core.model.resource import Resource
from fyr.core.model.xml_names import (
    BOOLEANS,
    DECIMALS,
    FHIR,
    INTEGERS,
    XHTML,
    is_attribute,
)

_DOCTYPE = re.compile(rb"<!DOCTYPE", re.IGNORECASE)
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_NUMBERS = {**dict.fromkeys(INTEGERS, _INTEGER), **dict.fromkeys(DECIMALS, _DECIMAL)}
_SCHEMA_INSTANCE = "{http://www.w3.org/2001/XMLSchema-instance}"


def parse(data: bytes, limits: Limits = DEFAULT_LIMITS) -> Resource:
    """Read one resource.

    :raises Invalid: not well-formed, a document type, unknown elements or attributes,
        text where none belongs, nested too deep; all problems at once where possible.
    """
    return read_tree(parse_tree(data), limits)


def parse_tree(data: bytes) -> etree._Element:
    """Read XML safely: no document type, no entities, no network, UTF-8 only."""
    if _DOCTYPE.search(data):
        raise Invalid("XML with a document type is not taken")
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
    )
    try:
        return etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Invalid([Issue("structure", f"not well-formed XML: {error}")]) from None


def read_tree(tree: etree._Element, limits: Limits = DEFAULT_LIMITS) -> Resource:
    """Read one resource from a parsed document."""
    reader = _Reader(limits)
    resource = reader.resource(tree, "", 0)
    if reader.issues:
        raise Invalid(reader.issues)
    return resource


def _elements(node: etree._Element) -> list[etree._Element]:
    """Give the child elements without comments and processing instructions."""
    return [child for child in node if isinstance(child.tag, str)]


def _local(node: etree._Element) -> str:
    return str(etree.QName(node).localname)


class _Reader:
    """Reads one document and gathers its problems."""

    def __init__(self, limits: Limits) -> None:
        self.issues: list[Issue] = []
        self._limits = limits

    def resource(self, node: etree._Element, path: str, depth: int) -> Resource:
        name = _local(node)
        path = path or name
        if etree.QName(node).namespace != FHIR or name not in RESOURCE_TYPES:
            self._problem(f"<{name}> in {FHIR} is not a resource of R4", path)
            return {}
        self._refuse_attributes(node, (), path)
        return {
            "resourceType": name,
            **self._fields(node, definition(name), path, depth),
        }

    def _problem(self, text: str, path: str) -> None:
        self.issues.append(Issue("structure", text, (path,)))

    def _refuse_attributes(
        self, node: etree._Element, allowed: tuple[str, ...], path: str
    ) -> None:
        for name in node.attrib:
            if name not in allowed and not str(name).startswith(_SCHEMA_INSTANCE):
                self._problem(f"unknown attribute {str(name)!r}", path)

    def _refuse_text(self, node: etree._Element, path: str) -> None:
        texts = [node.text, *(child.tail for child in node)]
        if any(text and text.strip() for text in texts):
            self._problem("text where only elements belong", path)

    def _fields(
        self, node: etree._Element, fields: TypeDefinition, path: str, depth: int
    ) -> dict[str, Any]:
        """Read the children of a node into JSON members."""
        if depth > self._limits.max_depth:
            raise Invalid(
                f"nested deeper than {self._limits.max_depth}", expression=[path]
            )
        self._refuse_text(node, path)
        found: dict[str, Any] = {}
        for child in _elements(node):
            name = _local(child)
            element = fields.elements.get(name)
            namespace = etree.QName(child).namespace
            if element is None or is_attribute(fields, name):
                self._problem(f"unknown element <{name}>", f"{path}.{name}")
            elif namespace != (XHTML if element.type_code == "xhtml" else FHIR):
                self._problem(f"<{name}> is in another namespace", f"{path}.{name}")
            else:
                self._add(found, child, element, path, depth)
        return found

    def _add(
        self,
        found: dict[str, Any],
        node: etree._Element,
        element: Element,
        path: str,
        depth: int,
    ) -> None:
        name = element.name
        place = f"{path}.{element.choice_of or name}"
        if element.is_list:
            present = found.get(name) or found.get("_" + name) or ()
            place = f"{place}[{len(present)}]"
        elif name in found or "_" + name in found:
            self._problem(f"<{name}> more than once", place)
            return
        # As deep as in JSON, where a list is a level of its own.
        inside = depth + (2 if element.is_list else 1)
        value, extra = self._value(node, element, place, inside)
        if not element.is_list:
            if value is not None:
                found[name] = value
            if extra is not None:
                found["_" + name] = extra
            return
        _append(found, name, value, extra, element.primitive)

    def _value(
        self, node: etree._Element, element: Element, path: str, depth: int
    ) -> tuple[Any, dict[str, Any] | None]:
        """Read one occurrence: its JSON value, and what goes beside a primitive."""
        if element.type_code == "xhtml":
            return _xhtml(node), None
        if element.type_code == "Resource":
            return self._nested(node, path, depth), None
        if not element.primitive:
            return self._complex(node, element, path, depth), None
        self._refuse_attributes(node, ("value", "id"), path)
        extra = self._fields(node, definition("Element"), path, depth)
        if "id" in node.attrib:
            extra = {"id": str(node.attrib["id"]), **extra}
        text = node.attrib.get("value")
        value = None if text is None else self._primitive(str(text), element.type_code)
        if value is None and not extra:
            self._problem("neither a value nor extensions", path)
        return value, extra or None

    def _primitive(self, text: str, type_code: str) -> Any:
        if type_code in BOOLEANS and text in ("true", "false"):
            return text == "true"
        notation = _NUMBERS.get(type_code)
        if notation and notation.fullmatch(text):
            return number(text, self._limits.max_number_digits)
        return text

    def _complex(
        self, node: etree._Element, element: Element, path: str, depth: int
    ) -> dict[str, Any]:
        fields = element.children
        if fields is None:
            raise TypeError(f"{element.path} has no children")
        allowed = ("id", "url") if fields.name == "Extension" else ("id",)
        self._refuse_attributes(node, allowed, path)
        given = {
            name: str(node.attrib[name]) for name in allowed if name in node.attrib
        }
        return {**given, **self._fields(node, fields, path, depth)}

    def _nested(self, node: etree._Element, path: str, depth: int) -> dict[str, Any]:
        self._refuse_text(node, path)
        resources = _elements(node)
        if len(resources) != 1:
            self._problem("exactly one resource belongs here", path)
            return {}
        return self.resource(resources[0], path, depth)


def _append(
    found: dict[str, Any],
    name: str,
    value: Any,
    extra: dict[str, Any] | None,
    primitive: bool,
) -> None:
    """Add to a list and keep it as long as the list of extensions beside it."""
    partner = "_" + name
    length = len(found.get(name) or found.get(partner) or ())
    if value is not None or name in found:
        _padded(found, name, length).append(value)
    if primitive and (extra is not None or partner in found):
        _padded(found, partner, length).append(extra)


def _padded(found: dict[str, Any], name: str, length: int) -> list[Any]:
    """Give a list, or make it; not by ``setdefault``, which would make it each time."""
    if name not in found:
        found[name] = [None] * length
    made: list[Any] = found[name]
    return made


def _xhtml(node: etree._Element) -> str:
    return etree.tostring(node, encoding="unicode", with_tail=False)
