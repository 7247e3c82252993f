"""The concepts of a code system: which is a kind of which, and which a filter chooses.

https://hl7.org/fhir/R4/codesystem.html#hierarchy,
https://hl7.org/fhir/R4/valueset-filter-operator.html
"""

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any

from fyr.core.errors import Invalid
from fyr.core.model.resource import Resource

#: What filters call the concept itself.
_ITSELF = frozenset({"concept", "code"})
#: Properties of a concept that name others: what their definition's ``uri`` ends in.
_PARENT, _CHILD = "parent", "child"
_PROPERTY_URI = "http://hl7.org/fhir/concept-properties#"

Links = dict[str, set[str]]


class CodeSystem:
    """A CodeSystem resource that has all of its concepts."""

    def __init__(self, resource: Resource) -> None:
        """Read its concepts.

        :raises Invalid: it does not have all, or none.
        """
        self.url: str = resource.get("url", "")
        if resource.get("content") != "complete":
            raise Invalid(
                f"CodeSystem {self.url[:100]!r} is here with content"
                f" {resource.get('content')!r}: what its codes mean to each other can"
                " only be told of a complete one"
            )
        self._meaning: str = resource.get("hierarchyMeaning", "is-a")
        self._properties = {
            one["code"]: one.get("uri", "").removeprefix(_PROPERTY_URI)
            for one in resource.get("property", ())
        }
        self.concepts: dict[str, Resource] = {}
        self._nested: list[tuple[str, str]] = []
        self._read(resource.get("concept", ()))

    def _read(self, top: Iterable[Resource]) -> None:
        waiting: list[tuple[str | None, Resource]] = [(None, one) for one in top]
        while waiting:
            above, concept = waiting.pop()
            code = concept["code"]
            self.concepts[code] = concept
            if above is not None:
                self._nested.append((above, code))
            waiting += [(code, one) for one in concept.get("concept", ())]

    @cached_property
    def _children(self) -> Links:
        """Tell of each concept those right below it."""
        if self._meaning != "is-a":
            raise Invalid(
                f"in CodeSystem {self.url[:100]!r} what stands below a concept is no"
                f" kind of it: its hierarchy means {self._meaning!r}"
            )
        links: Links = {}
        for above, code in (*self._nested, *self._named()):
            links.setdefault(above, set()).add(code)
        return links

    def _named(self) -> Iterable[tuple[str, str]]:
        """Give the pairs, parent and child, that properties name."""
        for code, concept in self.concepts.items():
            for one in concept.get("property", ()):
                role = self._properties.get(one["code"]) or one["code"]
                if role == _PARENT:
                    yield _value(one), code
                elif role == _CHILD:
                    yield code, _value(one)

    @cached_property
    def _parents(self) -> Links:
        links: Links = {}
        for above, codes in self._children.items():
            for code in codes:
                links.setdefault(code, set()).add(above)
        return links

    def below(self, code: str) -> frozenset[str]:
        """Give a concept and all kinds of it.

        :raises Invalid: there is no such concept.
        """
        return self._reached(code, self._children)

    def above(self, code: str) -> frozenset[str]:
        """Give a concept and all that it is a kind of.

        :raises Invalid: there is no such concept.
        """
        return self._reached(code, self._parents)

    def _reached(self, code: str, links: Links) -> frozenset[str]:
        if code not in self.concepts:
            raise Invalid(f"CodeSystem {self.url[:100]!r} has no concept {code[:60]!r}")
        found, waiting = {code}, [code]
        while waiting:
            more = links.get(waiting.pop(), set()) - found
            found |= more
            waiting += more
        return frozenset(found)

    def chosen(self, criterion: Resource) -> frozenset[str]:
        """Give the codes that a ``ValueSet.compose.include.filter`` chooses.

        :raises Invalid: it is about what cannot be decided here.
        """
        prop, op = criterion.get("property", ""), criterion.get("op", "")
        value = criterion.get("value", "")
        if op in _BY_HIERARCHY and prop in _ITSELF:
            return _BY_HIERARCHY[op](self, value)
        test = _BY_VALUE.get(op)
        if test is None:
            raise Invalid(
                f"the filter {prop[:40]} {op[:40]} {value[:40]!r} on {self.url[:100]!r}"
                " cannot be decided here (decided:"
                f" {', '.join((*_BY_HIERARCHY, *_BY_VALUE))})"
            )
        return frozenset(
            code for code in self.concepts if test(self._values(code, prop), value)
        )

    def _values(self, code: str, prop: str) -> set[str]:
        """Give the values that a concept has of a property."""
        concept = self.concepts[code]
        if prop in _ITSELF:
            return {code}
        if prop == "display":
            return {concept["display"]} if "display" in concept else set()
        role = self._properties.get(prop, prop)
        if role == _PARENT:
            return self._parents.get(code, set())
        if role == _CHILD:
            return self._children.get(code, set())
        if prop not in self._properties:
            raise Invalid(
                f"CodeSystem {self.url[:100]!r} has no property {prop[:60]!r}"
            )
        return {
            _value(one) for one in concept.get("property", ()) if one["code"] == prop
        }


def _value(prop: Resource) -> str:
    """Write the value of a concept's property as filters write it."""
    value: Any = next(
        (one for name, one in prop.items() if name.startswith("value")), ""
    )
    if isinstance(value, dict):
        value = value.get("code", "")
    return str(value).lower() if isinstance(value, bool) else str(value)


def _listed(value: str) -> set[str]:
    return {one.strip() for one in value.split(",")}


#: Operators about the place of a concept among the others.
_BY_HIERARCHY: Mapping[str, Callable[[CodeSystem, str], frozenset[str]]] = {
    "is-a": CodeSystem.below,
    "descendent-of": lambda system, code: system.below(code) - {code},
    "is-not-a": lambda system, code: frozenset(system.concepts) - system.below(code),
    "generalizes": CodeSystem.above,
}
#: Operators about the values of a property.
_BY_VALUE: Mapping[str, Callable[[set[str], str], bool]] = {
    "=": lambda found, value: value in found,
    "in": lambda found, value: not found.isdisjoint(_listed(value)),
    "not-in": lambda found, value: found.isdisjoint(_listed(value)),
    "exists": lambda found, value: bool(found) == (value == "true"),
}
