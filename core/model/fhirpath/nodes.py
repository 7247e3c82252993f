"""The elements of a resource as FHIRPath sees them, each knowing where it stands.

A primitive and the extensions beside it (``birthDate`` and ``_birthDate``) are one
element: https://hl7.org/fhir/R4/json.html#primitive.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fyr.core.model.definitions import (
    RESOURCE_TYPES,
    Element,
    TypeDefinition,
    definition,
)

#: Types that are a kind of another: https://hl7.org/fhir/R4/datatypes.html.
PARENT_TYPES = {
    **dict.fromkeys(("code", "id", "markdown"), "string"),
    **dict.fromkeys(("url", "canonical", "uuid", "oid"), "uri"),
    **dict.fromkeys(("positiveInt", "unsignedInt"), "integer"),
    **dict.fromkeys(
        ("Age", "Count", "Distance", "Duration", "MoneyQuantity", "SimpleQuantity"),
        "Quantity",
    ),
    **dict.fromkeys(("Bundle", "Binary", "Parameters"), "Resource"),
    "DomainResource": "Resource",
    "BackboneElement": "Element",
}


@dataclass(eq=False, slots=True)
class Node:
    """An element of a resource, or a value that an expression has computed.

    ``value`` is what JSON holds, ``None`` for a primitive that only has extensions;
    ``extra`` is what stands in the ``_`` member beside a primitive.
    """

    value: Any
    type: str
    extra: dict[str, Any] | None = None
    #: Where it stands: absent for a computed value and for the resource itself.
    parent: "Node | None" = None
    key: str = ""
    index: int | None = None
    element: Element | None = None
    fields: TypeDefinition | None = None

    @property
    def root(self) -> "Node":
        """The resource that this is an element of."""
        node = self
        while node.parent is not None:
            node = node.parent
        return node

    @property
    def path(self) -> str:
        """Where it stands, such as ``Patient.name[0].given[1]``."""
        if self.parent is None:
            return self.type
        place = "" if self.index is None else f"[{self.index}]"
        name = (self.element and self.element.choice_of) or self.key
        return f"{self.parent.path}.{name}{place}"

    def is_a(self, name: str) -> bool:
        """Whether its type is the one named, or a kind of it."""
        kind: str | None = self.type
        while kind is not None:
            if kind == name:
                return True
            kind = parent_type(kind)
        return False

    def holder(self) -> dict[str, Any]:
        """Give the JSON object that its own children stand in; changes change it."""
        if isinstance(self.value, dict):
            return self.value
        if self.extra is None:
            self.extra = {}
        return self.extra

    def children(self, name: str | None = None) -> Iterator["Node"]:
        """Give its elements, or those of one name; ``value`` means any ``value[x]``."""
        content = self.value if isinstance(self.value, dict) else self.extra
        if content is None or self.fields is None:
            return
        for json_name in content:
            key = json_name.removeprefix("_")
            if key != json_name and key in content:
                continue
            element = self.fields.elements.get(key)
            if element is None:
                continue
            if name is None or name == key or name == element.choice_of:
                yield from self._occurrences(content, key, element)

    def _occurrences(
        self, content: dict[str, Any], key: str, element: Element
    ) -> Iterator["Node"]:
        values, extras = content.get(key), content.get("_" + key)
        if not element.is_list:
            if values is not None or extras is not None:
                yield self._child(values, extras, key, None, element)
            return
        values, extras = values or [], extras or []
        for index in range(max(len(values), len(extras))):
            value = values[index] if index < len(values) else None
            extra = extras[index] if index < len(extras) else None
            if value is not None or extra is not None:
                yield self._child(value, extra, key, index, element)

    def _child(
        self,
        value: Any,
        extra: dict[str, Any] | None,
        key: str,
        index: int | None,
        element: Element,
    ) -> "Node":
        if element.type_code == "Resource":
            kind = resource_type(value)
            within = definition(kind) if kind in RESOURCE_TYPES else None
            return Node(value, kind, None, self, key, index, element, within)
        fields = definition("Element") if element.primitive else element.children
        return Node(value, element.type_code, extra, self, key, index, element, fields)


def resource_node(resource: dict[str, Any]) -> Node:
    """Start at a resource."""
    kind = resource_type(resource)
    within = definition(kind) if kind in RESOURCE_TYPES else None
    return Node(resource, kind, fields=within)


def resource_type(value: Any) -> str:
    """Tell the type of a nested resource; ``Resource`` when it does not say."""
    kind = value.get("resourceType") if isinstance(value, dict) else None
    return kind if isinstance(kind, str) and kind in RESOURCE_TYPES else "Resource"


def parent_type(kind: str) -> str | None:
    """Tell what a type is a kind of, if anything."""
    if kind in PARENT_TYPES:
        return PARENT_TYPES[kind]
    return "DomainResource" if kind in RESOURCE_TYPES else None
