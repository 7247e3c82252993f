"""Names that both directions of XML share: https://hl7.org/fhir/R4/xml.html."""

from typing import Final

from lxml import etree

from fyr.core.model.definitions import RESOURCE_TYPES, TypeDefinition

FHIR: Final = "http://hl7.org/fhir"
XHTML: Final = "http://www.w3.org/1999/xhtml"

#: Primitive types whose JSON form is not a string.
BOOLEANS = frozenset({"boolean"})
INTEGERS = frozenset({"integer", "positiveInt", "unsignedInt"})
DECIMALS = frozenset({"decimal"})


def is_attribute(fields: TypeDefinition, name: str) -> bool:
    """Whether an element stands in an attribute: ``id`` of elements, an extension's ``url``."""
    if name == "id":
        return fields.name not in RESOURCE_TYPES
    return name == "url" and fields.name == "Extension"


def text_of(node: etree._Element) -> str:
    """Give all text in an element and below it."""
    return "".join(str(part) for part in node.itertext())
