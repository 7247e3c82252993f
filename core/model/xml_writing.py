"""Writes the JSON form as FHIR's XML: https://hl7.org/fhir/R4/xml.html."""

import html
import re
from decimal import Decimal
from typing import Any

from lxml import etree

from fyr.core.errors import NotAcceptable
from fyr.core.model.definitions import Element, TypeDefinition, definition
from fyr.core.model.resource import Resource
from fyr.core.model.xml_names import FHIR, XHTML, is_attribute

_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]*);")
_XML_ENTITIES = frozenset({"amp", "lt", "gt", "quot", "apos"})


def dump(resource: Resource, *, pretty: bool = False) -> bytes:
    """Write a resource as a document in UTF-8.

    :raises NotAcceptable: it holds what XML cannot: a control character, a narrative
        that is not well-formed, an element that R4 does not have.
    """
    tree = write_tree(resource)
    if pretty:
        _indent(tree, "\n")
    return etree.tostring(tree, encoding="UTF-8", xml_declaration=True)


def write_tree(resource: Resource) -> etree._Element:
    """Make the document's tree of a resource."""
    kind = resource["resourceType"]
    nsmap: Any = {None: FHIR}
    root = etree.Element(_name(kind), nsmap=nsmap)
    try:
        _write_fields(root, resource, definition(kind))
    except ValueError as error:
        raise NotAcceptable(f"{kind} cannot be written as XML: {error}") from None
    return root


def _name(local: str) -> str:
    return f"{{{FHIR}}}{local}"


def _write_fields(
    node: etree._Element, content: dict[str, Any], fields: TypeDefinition
) -> None:
    """Write members in the order of the definition, which the schemas ask for."""
    for key in content:
        if key != "resourceType" and key.removeprefix("_") not in fields.elements:
            raise ValueError(f"{fields.name} has no element {key!r}")
    names = {key.removeprefix("_") for key in content}
    for name, element in fields.elements.items():
        if name in names:
            value, extra = content.get(name), content.get("_" + name)
            if is_attribute(fields, name):
                node.set(name, _text(value))
            elif element.is_list:
                _write_list(node, element, value or [], extra or [])
            else:
                _write(node, element, value, extra)


def _write_list(
    node: etree._Element, element: Element, values: list[Any], extras: list[Any]
) -> None:
    for index in range(max(len(values), len(extras))):
        value = values[index] if index < len(values) else None
        extra = extras[index] if index < len(extras) else None
        _write(node, element, value, extra)


def _write(
    parent: etree._Element, element: Element, value: Any, extra: dict[str, Any] | None
) -> None:
    if element.type_code == "xhtml":
        parent.append(_xhtml(value))
        return
    node = etree.SubElement(parent, _name(element.name))
    if element.type_code == "Resource":
        kind = value["resourceType"]
        _write_fields(etree.SubElement(node, _name(kind)), value, definition(kind))
    elif element.primitive:
        if value is not None:
            node.set("value", _text(value))
        if extra is not None:
            _write_fields(node, extra, definition("Element"))
    elif element.children is not None:
        _write_fields(node, value, element.children)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return str(getattr(value, "text", value))
    return str(value)


def _xhtml(text: str) -> etree._Element:
    """Parse a narrative; HTML's entities become the characters that they stand for."""
    wrapped = f'<r xmlns="{XHTML}">{_ENTITY.sub(_character, text)}</r>'
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    try:
        wrapper = etree.fromstring(wrapped, parser)
    except etree.XMLSyntaxError:
        raise ValueError("its narrative is not well-formed XHTML") from None
    div = wrapper.find(f"{{{XHTML}}}div")
    if div is None:
        raise ValueError("its narrative is not a <div> of XHTML")
    div.tail = None
    return div


def _character(match: re.Match[str]) -> str:
    name = match[1]
    return match[0] if name in _XML_ENTITIES else html.unescape(match[0])


def _indent(node: etree._Element, margin: str) -> None:
    """Put each element on a line of its own; white space in narratives stays."""
    if not len(node) or etree.QName(node).namespace != FHIR:
        return
    deeper = margin + "  "
    node.text = deeper
    for child in node:
        _indent(child, deeper)
        child.tail = deeper
    node[-1].tail = margin
