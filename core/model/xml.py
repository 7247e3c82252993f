"""FHIR's XML form, to and from the JSON form: https://hl7.org/fhir/R4/xml.html.

Resources are kept as parsed JSON; XML is made of them and read into them. Comments and
processing instructions are dropped, as the page allows. Document types are refused,
and with them every entity of somebody's own.
"""

from fyr.core.model.resource import Resource
from fyr.core.model.xml_reading import parse, read_tree
from fyr.core.model.xml_writing import dump, write_tree

__all__ = ["Resource", "dump", "parse", "read_tree", "write_tree"]
