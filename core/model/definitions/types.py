"""What a type is made of: its elements, as JSON names them."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True, eq=False)
class Element:
    """One element of a type; ``value[x]`` is one of these for each type it may have."""

    #: name in JSON: ``birthDate``, ``valueQuantity``
    name: str
    #: path in the definition: ``Patient.birthDate``, ``Observation.value[x]``
    path: str
    #: ``string``, ``Quantity``, ``BackboneElement``, ``Resource``, ``xhtml``
    type_code: str
    is_list: bool
    min: int
    primitive: bool
    #: part of ``_summary=true``
    summary: bool
    #: changes the meaning of what holds it
    modifier: bool
    #: ``value`` for ``valueQuantity``; ``None`` where there is no choice
    choice_of: str | None
    #: types that a reference may lead to; empty, or ``Resource`` in it: any
    targets: frozenset[str]
    #: URL of the value set that is required and small enough to be checked here
    value_set: str | None
    lookup_codes: Callable[[str], frozenset[str]] = field(repr=False)
    lookup_type: Callable[[], "TypeDefinition"] = field(repr=False)

    @property
    def codes(self) -> frozenset[str] | None:
        """The codes allowed here, when the binding is required and small."""
        return self.lookup_codes(self.value_set) if self.value_set else None

    @property
    def children(self) -> "TypeDefinition | None":
        """What stands inside of it; ``None`` for primitives and whole resources."""
        if self.primitive or self.type_code == "Resource":
            return None
        return self.lookup_type()


@dataclass(slots=True, eq=False)
class TypeDefinition:
    """A resource type, a complex type, or what is nested in one."""

    #: ``Patient``, ``HumanName``; ``BackboneElement`` or ``Element`` where nested
    name: str
    #: ``Patient``, ``Patient.contact``
    path: str
    #: ``resource``, ``complex-type``, ``nested``
    kind: str
    #: what the type is a kind of: ``DomainResource``, ``Element``
    base: str
    #: by JSON name, in the order of the definition
    elements: dict[str, Element] = field(default_factory=dict, repr=False)
    #: names of each choice by its base: ``{"value": ("valueQuantity", …)}``
    choices: dict[str, tuple[str, ...]] = field(default_factory=dict, repr=False)

    def close(self) -> None:
        """Gather the choices once all elements are there."""
        for element in self.elements.values():
            if element.choice_of is not None:
                names = self.choices.get(element.choice_of, ())
                self.choices[element.choice_of] = (*names, element.name)
