"""Searches for quantities, and for pairs with them, find what a look at each finds.

It knows nothing of the library of units: its few units have their sizes written down.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from .looks import (
    NUMBER,
    NUMBERS,
    PREFIXES,
    SETTINGS,
    Criterion,
    Resource,
    check,
    compare,
)

UCUM = "http://unitsofmeasure.org"
#: unit -> what it measures, and how much of it: base and size
SIZES = {
    "kg": ("mass", Fraction(1)),
    "g": ("mass", Fraction(1, 1000)),
    "mg": ("mass", Fraction(1, 1000000)),
    "m": ("length", Fraction(1)),
    "cm": ("length", Fraction(1, 100)),
    "[in_i]": ("length", Fraction(254, 10000)),
    "/min": ("frequency", Fraction(1, 60)),
    "/s": ("frequency", Fraction(1)),
    "mg/dL": ("density", Fraction(1, 100)),
    "g/L": ("density", Fraction(1)),
}
UNKNOWN = ["drips", "MG"]
QUANTITY = st.one_of(
    st.builds(
        lambda value, code, more: {
            "value": value,
            "system": UCUM,
            "code": code,
            **more,
        },
        NUMBER,
        st.sampled_from([*SIZES, *UNKNOWN]),
        st.fixed_dictionaries(
            {},
            optional={
                "unit": st.sampled_from(["kg", "gram"]),
                "comparator": st.sampled_from(["<", "<=", ">", ">="]),
            },
        ),
    ),
    st.builds(
        lambda value, unit: {"value": value, "unit": unit},
        NUMBER,
        st.sampled_from([*SIZES, "gram"]),
    ),
)


def bounds(quantity: dict[str, Any], size: Fraction) -> tuple[Any, Any]:
    exact = Fraction(quantity["value"].digits) * size
    comparator = quantity.get("comparator", "")
    return (
        None if comparator.startswith("<") else exact,
        None if comparator.startswith(">") else exact,
    )


@st.composite
def amounts(draw: st.DrawFn) -> tuple[str, Callable[[dict[str, Any]], bool]]:
    """A value of a quantity parameter, and what a quantity must be."""
    prefix, digits = draw(st.sampled_from(PREFIXES)), draw(st.sampled_from(NUMBERS))
    form = draw(st.sampled_from(["number", "unit", "system"]))
    code = draw(st.sampled_from([*SIZES, *UNKNOWN, "gram"]))

    def test(quantity: dict[str, Any]) -> bool:
        size = Fraction(1)
        if form == "unit" and code not in (quantity.get("code"), quantity.get("unit")):
            return False
        if form == "system":
            own = quantity.get("code", "")
            if quantity.get("system") != UCUM:
                return False
            if code in SIZES and own in SIZES:
                if SIZES[code][0] != SIZES[own][0]:
                    return False
                size = SIZES[code][1] / SIZES[own][1]
            elif code != own:
                return False
        return compare(prefix, digits, *bounds(quantity, Fraction(1)), size)

    tail = {"number": "", "unit": f"||{code}", "system": f"|{UCUM}|{code}"}[form]
    return prefix + digits + tail, test


CODES = ["1", "2", "a$b"]
CODE = st.lists(st.sampled_from(CODES), min_size=1, max_size=2).map(
    lambda codes: {
        "coding": [{"code": code, "system": f"http://{code[0]}"} for code in codes]
    }
)
COMPONENT = st.fixed_dictionaries(
    {"code": CODE},
    optional={"valueQuantity": QUANTITY},
) | st.fixed_dictionaries({"code": CODE, "valueCodeableConcept": CODE})
OBSERVATIONS = st.lists(
    st.builds(
        lambda one, more: {**one, **more},
        COMPONENT,
        st.fixed_dictionaries(
            {}, optional={"component": st.lists(COMPONENT, min_size=1, max_size=3)}
        ),
    ),
    max_size=6,
)


def escape(text: str) -> str:
    return text.replace("$", "\\$")


@st.composite
def quantities(draw: st.DrawFn) -> Criterion:
    asked = draw(st.lists(amounts(), min_size=1, max_size=2))
    where = draw(st.sampled_from(["value-quantity", "combo-value-quantity"]))

    def test(resource: Resource) -> bool:
        inside = resource.get("component", []) if where.startswith("combo") else []
        found = [
            one["valueQuantity"]
            for one in [resource, *inside]
            if "valueQuantity" in one
        ]
        return any(meets(one) for one in found for _, meets in asked)

    return where, ",".join(value for value, _ in asked), test


@st.composite
def tokens(draw: st.DrawFn) -> tuple[str, Callable[[dict[str, Any]], bool]]:
    code = draw(st.sampled_from(CODES))
    system = draw(st.sampled_from(["", "http://1|", "http://2|"]))

    def test(concept: dict[str, Any]) -> bool:
        return any(
            one["code"] == code and system in ("", f"{one['system']}|")
            for one in concept["coding"]
        )

    return system + escape(code), test


@st.composite
def pairs(draw: st.DrawFn) -> Criterion:
    where = draw(st.sampled_from(["", "component-", "combo-"]))
    kind = draw(st.sampled_from(["quantity", "concept"]))
    values = amounts() if kind == "quantity" else tokens()
    asked = draw(st.lists(st.tuples(tokens(), values), min_size=1, max_size=2))
    name = {"quantity": "valueQuantity", "concept": "valueCodeableConcept"}[kind]

    def test(resource: Resource) -> bool:
        elements = [] if where == "component-" else [resource]
        elements += [] if where == "" else resource.get("component", [])
        return any(
            is_code(one["code"]) and name in one and is_value(one[name])
            for one in elements
            for (_, is_code), (_, is_value) in asked
        )

    text = ",".join(f"{code}${value}" for (code, _), (value, _) in asked)
    return f"{where}code-value-{kind}", text, test


@st.composite
def missing_pairs(draw: st.DrawFn) -> Criterion:
    name, where = draw(
        st.sampled_from(
            [("code-value-quantity", 0), ("component-code-value-quantity", 1)]
        )
    )
    missing = draw(st.booleans())

    def test(resource: Resource) -> bool:
        elements = resource.get("component", []) if where else [resource]
        return any("valueQuantity" in one for one in elements) != missing

    return f"{name}:missing", str(missing).lower(), test


QUERIES = st.lists(
    st.lists(quantities() | pairs() | missing_pairs(), min_size=1, max_size=2),
    min_size=1,
    max_size=6,
)


@SETTINGS
@given(OBSERVATIONS, QUERIES)
def test_quantities_and_pairs_are_found_as_a_look_at_each_finds_them(
    library: Any, contents: list[Resource], queries: list[list[Criterion]]
) -> None:
    check(library, "Observation", contents, queries)
