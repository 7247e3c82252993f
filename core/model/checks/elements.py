"""Makes the check of one element: one value or a list, primitive, complex or resource.

https://hl7.org/fhir/R4/json.html says how each stands in JSON.
"""

from collections.abc import Callable
from typing import Any

from fyr.core.model.checks import narrative, primitives
from fyr.core.model.checks.targets import check_target
from fyr.core.model.checks.walk import Check, Object, ObjectCheck, Walk
from fyr.core.model.definitions import Element, TypeDefinition, codes_of, definition
from fyr.core.model.naming import did_you_mean, shown

#: Gives the check of an object by its type; compiled when it is first met.
Enter = Callable[[TypeDefinition], ObjectCheck]

#: Allowed codes that a problem lists in full.
_LISTED = 15
_CONCEPTS = frozenset({"CodeableConcept", "Coding"})


def check_for(element: Element, enter: Enter, resource: ObjectCheck) -> Check:
    """Make the check of an element's own member."""
    label = element.choice_of or element.name
    if element.primitive:
        one = _primitive(element)
        code = "value" if element.value_set is None else "code-invalid"
        if element.is_list:
            return _primitive_list(one, element.name, code)
        return _single_primitive(one, label, code)
    visit = resource if element.type_code == "Resource" else _complex(element, enter)
    return _list(visit, label) if element.is_list else _single(visit, label)


def extension_check_for(element: Element, enter: Enter) -> Check:
    """Make the check of the ``_`` member beside a primitive."""
    visit = _lazily(lambda: definition("Element"), enter)
    label = element.choice_of or element.name
    if element.is_list:
        return _extension_list(visit, element.name)
    return _single_extension(_single(visit, label), element.name, label)


def _single_primitive(one: primitives.Check, label: str, code: str) -> Check:
    def check(item: Any, holder: Object, path: str, walk: Walk) -> None:
        problem = one(item)
        if problem is not None:
            walk.add(_code_of(item, code), problem, f"{path}.{label}")

    return check


def _primitive_list(one: primitives.Check, name: str, code: str) -> Check:
    def check(items: Any, holder: Object, path: str, walk: Walk) -> None:
        if type(items) is not list or not items:
            _refuse_list(items, f"{path}.{name}", walk)
            return
        for index, item in enumerate(items):
            if item is None and _beside(holder, "_" + name, index) is not None:
                continue
            problem = one(item)
            if problem is not None:
                walk.add(_code_of(item, code), problem, f"{path}.{name}[{index}]")

    return check


def _single_extension(one: Check, name: str, label: str) -> Check:
    def check(item: Any, holder: Object, path: str, walk: Walk) -> None:
        one(item, holder, path, walk)
        if name not in holder:
            _refuse_lone_id(item, f"{path}.{label}", walk)

    return check


def _extension_list(visit: ObjectCheck, name: str) -> Check:
    def check(items: Any, holder: Object, path: str, walk: Walk) -> None:
        if type(items) is not list or not items:
            _refuse_list(items, f"{path}.{name}", walk)
            return
        values = holder.get(name)
        if type(values) is list and len(values) != len(items):
            text = f"_{name} has {len(items)} items and {name} {len(values)}"
            walk.add("structure", f"{text}; fill up with null", f"{path}.{name}")
        for index, item in enumerate(items):
            place = f"{path}.{name}[{index}]"
            if type(item) is dict:
                visit(item, place, walk)
                if _beside(holder, name, index) is None:
                    _refuse_lone_id(item, place, walk)
            elif item is not None:
                walk.add(
                    "structure",
                    f"must be an object or null, found {shown(item)}",
                    place,
                )
            elif _beside(holder, name, index) is None:
                walk.add("structure", "has neither a value nor extensions", place)

    return check


def _refuse_lone_id(item: Any, path: str, walk: Walk) -> None:
    """An id is for a value or for extensions: rule ele-1 of every element."""
    if type(item) is dict and item.keys() == {"id"}:
        walk.add("structure", "has an id and nothing else", path)


def _beside(holder: Object, name: str, index: int) -> Any:
    """Give what stands at the same place in the partner of a list."""
    partner = holder.get(name)
    if type(partner) is list and index < len(partner):
        return partner[index]
    return None


def _code_of(item: Any, code: str) -> str:
    """Tell the wrong kind of value from a value that is wrong."""
    return "structure" if item is None or type(item) in (list, dict) else code


def _single(visit: ObjectCheck, label: str) -> Check:
    def check(item: Any, holder: Object, path: str, walk: Walk) -> None:
        if type(item) is dict:
            visit(item, f"{path}.{label}", walk)
        else:
            one = (
                "one object is allowed here"
                if type(item) is list
                else "must be an object"
            )
            walk.add("structure", f"{one}, found {shown(item)}", f"{path}.{label}")

    return check


def _list(visit: ObjectCheck, label: str) -> Check:
    def check(items: Any, holder: Object, path: str, walk: Walk) -> None:
        if type(items) is not list or not items:
            _refuse_list(items, f"{path}.{label}", walk)
            return
        for index, item in enumerate(items):
            if type(item) is dict:
                visit(item, f"{path}.{label}[{index}]", walk)
            else:
                text = f"must be an object, found {shown(item)}"
                walk.add("structure", text, f"{path}.{label}[{index}]")

    return check


def _refuse_list(items: Any, path: str, walk: Walk) -> None:
    if items == []:
        walk.add("structure", "a list must not be empty", path)
    else:
        walk.add("structure", f"must be a list, found {shown(items)}", path)


def _primitive(element: Element) -> primitives.Check:
    if element.type_code == "xhtml":
        return narrative.problem
    form = primitives.check_for(element.type_code)
    if element.type_code != "code" or element.value_set is None:
        return form
    return _code(element.value_set, element.codes or frozenset(), form)


def _code(
    value_set: str, codes: frozenset[str], form: primitives.Check
) -> primitives.Check:
    """Check a code against the few that are allowed."""

    def check(value: Any) -> str | None:
        if type(value) is str and value in codes:
            return None
        problem = form(value)
        if problem is not None:
            return problem
        return (
            f"{shown(value)} is not allowed here; {_allowed(value_set, codes, value)}"
        )

    return check


def _allowed(value_set: str, codes: frozenset[str], value: str) -> str:
    if len(codes) <= _LISTED:
        return f"allowed are {', '.join(sorted(codes))}"
    hint = did_you_mean(value, codes)
    return f"allowed are the {len(codes)} codes of {value_set}{hint}"


def _complex(element: Element, enter: Enter) -> ObjectCheck:
    visit = _lazily(lambda: element.children, enter)
    if element.type_code == "Reference":
        return _reference(element, visit)
    if element.value_set is not None and element.type_code in _CONCEPTS:
        return _concept(element.value_set, visit)
    return visit


def _lazily(fields: Callable[[], TypeDefinition | None], enter: Enter) -> ObjectCheck:
    """Compile a type when its first object comes: most are never met."""
    visit: ObjectCheck | None = None

    def check(value: Object, path: str, walk: Walk) -> None:
        nonlocal visit
        if visit is None:
            found = fields()
            if found is None:
                raise TypeError(f"{path} has no elements")
            visit = enter(found)
        visit(value, path, walk)

    return check


def _reference(element: Element, visit: ObjectCheck) -> ObjectCheck:
    targets = frozenset() if "Resource" in element.targets else element.targets

    def check(value: Object, path: str, walk: Walk) -> None:
        visit(value, path, walk)
        check_target(value, targets, path, walk)

    return check


def _concept(value_set: str, visit: ObjectCheck) -> ObjectCheck:
    """A required concept has a coding of the value set."""
    allowed = codes_of(value_set)
    codes = frozenset().union(*allowed.values())

    def is_allowed(coding: Any) -> bool:
        if type(coding) is not dict:
            return False
        system, code = coding.get("system"), coding.get("code")
        return (
            type(system) is str
            and type(code) is str
            and code in allowed.get(system, ())
        )

    def check(value: Object, path: str, walk: Walk) -> None:
        visit(value, path, walk)
        codings = value.get("coding", [value])
        if type(codings) is list and not any(map(is_allowed, codings)):
            systems = ", ".join(allowed)
            listed = ", ".join(sorted(codes)[:_LISTED])
            text = f"has no code of {systems}, which is required; allowed are {listed}"
            walk.add("code-invalid", text, path)

    return check
