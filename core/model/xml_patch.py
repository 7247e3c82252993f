"""XML Patch: https://www.rfc-editor.org/rfc/rfc5261, applied to FHIR's XML form.

Supported are elements and attributes, which are all that a resource has outside of its
narrative; a narrative is replaced as a whole. White space in the patch has no meaning.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass

from lxml import etree

from fyr.core.errors import Invalid, Issue, NotAcceptable, Refused
from fyr.core.model import xml
from fyr.core.model.budget import Budget
from fyr.core.model.json import Limits
from fyr.core.model.resource import Resource
from fyr.core.model.xml_names import FHIR, text_of
from fyr.core.model.xml_reading import parse_tree
from fyr.core.model.xml_selectors import Selector, read_selector

#: Attributes that each operation may have besides ``sel``.
_ATTRIBUTES = {
    "add": frozenset({"pos", "type"}),
    "replace": frozenset[str](),
    "remove": frozenset({"ws"}),
}
_POSITIONS = (None, "prepend", "before", "after")
#: Operations of one patch.
MAX_OPERATIONS = 1000


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: where, and the elements or the text that it brings."""

    kind: str
    selector: Selector
    elements: tuple[etree._Element, ...]
    text: str
    position: str | None = None
    new_attribute: str | None = None


@dataclass(frozen=True, slots=True)
class XmlPatch:
    """A patch document that was read and found well-formed."""

    operations: tuple[Operation, ...]
    limits: Limits

    @classmethod
    def read(cls, data: bytes, limits: Limits) -> "XmlPatch":
        """Read a document.

        :raises Invalid: not a list of operations; all problems at once.
        """
        root = parse_tree(data)
        if etree.QName(root).localname not in ("diff", "patch"):
            raise Invalid("an XML Patch is a <diff>")
        nodes = list(root.iterchildren(etree.Element))
        if not 0 < len(nodes) <= MAX_OPERATIONS:
            raise Invalid(f"a patch has from 1 to {MAX_OPERATIONS} operations")
        issues: list[Issue] = []
        found = []
        for number, node in enumerate(nodes):
            try:
                found.append(_operation(node))
            except Invalid as problem:
                issues += [
                    Issue(i.code, f"operation {number}: {i.diagnostics}")
                    for i in problem.issues
                ]
        if issues:
            raise Invalid(issues)
        return cls(tuple(found), limits)

    def apply(self, resource: Resource) -> Resource:
        """Give the patched resource.

        :raises Refused: an operation does not fit, or the result is not FHIR's XML.
        """
        try:
            root = xml.write_tree(resource)
        except NotAcceptable as problem:
            raise Refused(str(problem)) from None
        budget = Budget()
        for number, operation in enumerate(self.operations):
            try:
                _APPLY[operation.kind](operation, _target(operation, root, budget))
            except Refused as problem:
                text = (
                    f"operation {number}, {operation.kind} {operation.selector.text!r}"
                )
                raise Refused([Issue("processing", f"{text}: {problem}")]) from None
        try:
            return xml.read_tree(root, self.limits)
        except Invalid as problem:
            raise Refused(problem.issues) from None


def _operation(node: etree._Element) -> Operation:
    kind = str(etree.QName(node).localname)
    if kind not in _ATTRIBUTES:
        raise Invalid(f"<{kind}> is not one of {', '.join(_ATTRIBUTES)}")
    unknown = set(map(str, node.attrib)) - _ATTRIBUTES[kind] - {"sel"}
    if unknown or "sel" not in node.attrib:
        allowed = ", ".join(sorted(_ATTRIBUTES[kind] | {"sel"}))
        raise Invalid(f"<{kind}> needs sel, and takes {allowed}")
    selector = read_selector(str(node.attrib["sel"]), dict(node.nsmap))
    position, kind_of_node = node.get("pos"), node.get("type")
    if position not in _POSITIONS:
        raise Invalid("pos is prepend, before or after")
    if kind_of_node is not None and not kind_of_node.startswith("@"):
        raise Invalid("type is the name of an attribute after '@'")
    elements = tuple(map(_in_fhir, node.iterchildren(etree.Element)))
    text = text_of(node).strip()
    operation = Operation(
        kind,
        selector,
        elements,
        text,
        position,
        kind_of_node[1:] if kind_of_node else None,
    )
    _check_content(operation)
    return operation


def _check_content(operation: Operation) -> None:
    takes_text = operation.new_attribute or operation.selector.attribute
    if operation.kind == "remove":
        if operation.elements or operation.text:
            raise Invalid("<remove> is empty")
    elif takes_text:
        if operation.elements or not operation.text:
            raise Invalid("an attribute needs a text")
    elif not operation.elements:
        raise Invalid(f"<{operation.kind}> needs an element")
    if operation.kind == "replace" and len(operation.elements) > 1:
        raise Invalid("<replace> takes one element")
    if operation.kind == "add" and operation.selector.attribute:
        raise Invalid("an attribute is added by type='@name'")


def _in_fhir(node: etree._Element) -> etree._Element:
    """Copy an element; one without a namespace is meant to be FHIR's."""
    made = deepcopy(node)
    made.tail = None
    for each in made.iter(etree.Element):
        if etree.QName(each).namespace is None:
            each.tag = f"{{{FHIR}}}{each.tag}"
    return made


def _target(
    operation: Operation, root: etree._Element, budget: Budget
) -> etree._Element:
    found = operation.selector.elements(root, budget)
    if len(found) != 1:
        count = "nothing" if not found else f"{len(found)} elements"
        raise Refused(f"selects {count}, and must select one")
    attribute = operation.selector.attribute
    if attribute and attribute not in found[0].attrib:
        raise Refused(f"there is no attribute {attribute!r}")
    return found[0]


def _add(operation: Operation, target: etree._Element) -> None:
    if operation.new_attribute:
        if operation.new_attribute in target.attrib:
            raise Refused(f"the attribute {operation.new_attribute!r} is there already")
        target.set(operation.new_attribute, operation.text)
        return
    new = [deepcopy(node) for node in operation.elements]
    if operation.position == "prepend":
        target[0:0] = new
    elif operation.position is None:
        target.extend(new)
    else:
        parent = _parent(target)
        place = parent.index(target) + (operation.position == "after")
        parent[place:place] = new


def _replace(operation: Operation, target: etree._Element) -> None:
    if operation.selector.attribute:
        target.set(operation.selector.attribute, operation.text)
        return
    _parent(target).replace(target, deepcopy(operation.elements[0]))


def _remove(operation: Operation, target: etree._Element) -> None:
    if operation.selector.attribute:
        del target.attrib[operation.selector.attribute]
        return
    parent = _parent(target)
    parent.remove(target)
    while not len(parent) and not parent.attrib and parent.getparent() is not None:
        # FHIR has no empty elements: what held nothing else goes too.
        parent, empty = _parent(parent), parent
        parent.remove(empty)


def _parent(node: etree._Element) -> etree._Element:
    parent = node.getparent()
    if parent is None:
        raise Refused("the whole resource cannot be patched away")
    return parent


_APPLY: dict[str, Callable[[Operation, etree._Element], None]] = {
    "add": _add,
    "replace": _replace,
    "remove": _remove,
}
