"""``_filter`` against a naive reading of filters."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fyr.search.understanding.filters import (
    Comparison,
    Expression,
    Joined,
    Negation,
    Step,
    Value,
    written,
)

from .found import Resource, found

FAMILIES = ["alpha", "beta", "beta gamma", "Alpha"]
PATIENTS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "name": st.lists(
                st.sampled_from(FAMILIES).map(lambda one: {"family": one}),
                min_size=1,
                max_size=2,
            ),
            "gender": st.sampled_from(["male", "female"]),
            "birthDate": st.sampled_from(["1980-01-01", "1990-01-01", "2000-01-01"]),
            # Of observations of this patient.
            "_statuses": st.lists(st.sampled_from(["final", "draft"]), max_size=2),
        },
    ),
    max_size=5,
)
STRINGS = st.builds(
    Comparison,
    st.just((Step("family"),)),
    st.sampled_from("eq ne co sw ew gt lt ge le".split()),
    st.sampled_from(["alpha", "beta", "a", "ma", "gamma"]).map(Value),
)
TOKENS = st.builds(
    Comparison,
    st.just((Step("gender"),)),
    st.sampled_from(["eq", "ne"]),
    st.sampled_from(["male", "female"]).map(Value),
)
DATES = st.builds(
    Comparison,
    st.just((Step("birthdate"),)),
    st.sampled_from("eq ne gt lt ge le sa eb po".split()),
    st.sampled_from(["1980-01-01", "1990-01-01"]).map(Value),
)
PRESENT = st.builds(
    Comparison,
    st.sampled_from(["family", "gender", "birthdate"]).map(lambda one: (Step(one),)),
    st.just("pr"),
    st.sampled_from(["true", "false"]).map(Value),
)
STATUSES = ["final", "draft"]
REFERRED = st.builds(
    Comparison,
    st.just((Step("_has:Observation:subject"), Step("status"))),
    st.sampled_from(["eq", "ne"]),
    st.sampled_from(STATUSES).map(Value),
)
FILTERS: st.SearchStrategy[Expression] = st.recursive(
    STRINGS | TOKENS | DATES | PRESENT | REFERRED,
    lambda inner: (
        st.builds(
            Joined,
            st.sampled_from(["and", "or"]),
            st.lists(inner, min_size=2, max_size=3).map(tuple),
        )
        | st.builds(Negation, inner)
    ),
    max_leaves=6,
)


def values(resource: Resource, name: str) -> list[str]:
    if name == "_has:Observation:subject":
        return [str(one) for one in resource.get("_statuses", ())]
    if name == "family":
        return [one["family"].lower() for one in resource.get("name", [])]
    element = {"gender": "gender", "birthdate": "birthDate"}[name]
    return [resource[element]] if element in resource else []


def meets(value: str, operator: str, wanted: str) -> bool:
    return {
        "eq": value == wanted,
        "po": value == wanted,
        "ne": value != wanted,
        "co": wanted in value,
        "sw": value.startswith(wanted),
        "ew": value.endswith(wanted),
        "gt": value > wanted,
        "sa": value > wanted,
        "lt": value < wanted,
        "eb": value < wanted,
        "ge": value >= wanted,
        "le": value <= wanted,
    }[operator]


def holds(expression: Expression, resource: Resource) -> bool:
    match expression:
        case Comparison(((Step(name)), *_), operator, Value(wanted)):
            there = values(resource, name)
            if operator == "pr":
                return bool(there) == (wanted == "true")
            return any(meets(one, operator, wanted) for one in there)
        case Joined(word, parts):
            told = [holds(one, resource) for one in parts]
            return all(told) if word == "and" else any(told)
        case Negation(part):
            return not holds(part, resource)
    raise AssertionError(expression)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(PATIENTS, st.lists(FILTERS, min_size=1, max_size=4))
def test_a_filter_finds_what_a_look_at_each_resource_finds(
    library: Any, contents: list[Resource], expressions: list[Expression]
) -> None:
    library.empty()
    patients = [
        {"resourceType": "Patient", "id": f"p{number}", **content}
        for number, content in enumerate(contents)
    ]
    observations = [
        {
            "resourceType": "Observation",
            "id": f"{one['id']}-{number}",
            "status": status,
            "subject": {"reference": f"Patient/{one['id']}"},
        }
        for one in patients
        for number, status in enumerate(one.get("_statuses", ()))
    ]
    library.put(*patients, *observations)

    for expression in expressions:
        expected = [one["id"] for one in patients if holds(expression, one)]
        text = written(expression)
        assert found(library, "Patient", text) == expected, text
