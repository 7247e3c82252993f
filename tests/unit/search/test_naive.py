"""SQL finds what a naive reading of the specification finds, over any resources.

The evaluator here knows nothing of the index: it looks at each resource, as
https://hl7.org/fhir/R4/search.html says, in the plainest words.
"""

import calendar
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SYSTEMS = ["http://a", "http://b"]
CODES = ["1", "2", "a,b", "a|b"]
NAMES = ["Sørensen", "Sorensen", "Søren", "MÜLLER", "muller", "Å", "Aa", "x" * 300]
DATES = ["2023", "2024", "2024-01", "2024-02", "2024-02-29", "2024-03-01", "2025-12-31"]
ORGANIZATIONS = ["Organization/1", "Organization/2", "http://far/Organization/1"]
PREFIXES = ["", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb"]


def optional(values: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries({}, optional=values)


IDENTIFIERS = st.lists(
    st.builds(
        lambda value, more: {"value": value, **more},
        st.sampled_from(CODES),
        optional({"system": st.sampled_from(SYSTEMS)}),
    ),
    min_size=1,
    max_size=2,
)
HUMAN_NAMES = st.lists(
    st.fixed_dictionaries({"family": st.sampled_from(NAMES)}), min_size=1, max_size=2
)
PATIENTS = st.lists(
    optional(
        {
            "identifier": IDENTIFIERS,
            "name": HUMAN_NAMES,
            "gender": st.sampled_from(["male", "female"]),
            "birthDate": st.sampled_from(DATES),
            "managingOrganization": st.fixed_dictionaries(
                {"reference": st.sampled_from(ORGANIZATIONS)}
            ),
        }
    ),
    max_size=8,
)

Resource = dict[str, Any]
Test = Callable[[Resource], bool]
#: name and value as in a URL, and what a resource must be
Criterion = tuple[str, str, Test]


def escape(text: str) -> str:
    for special in "\\,|$":
        text = text.replace(special, "\\" + special)
    return text


@st.composite
def tokens(draw: st.DrawFn) -> Criterion:
    system = draw(st.sampled_from([None, "", *SYSTEMS]))
    codes = draw(st.lists(st.sampled_from(CODES), min_size=1, max_size=2))
    only_system = bool(system) and draw(st.booleans())
    negated = draw(st.booleans())
    front = "" if system is None else f"{system}|"
    values = [front if only_system else front + escape(code) for code in codes]

    def meets(one: Resource) -> bool:
        in_system = system is None or one.get("system", "") == system
        return in_system and (only_system or one["value"] in codes)

    def test(resource: Resource) -> bool:
        return any(map(meets, resource.get("identifier", []))) != negated

    return "identifier:not" if negated else "identifier", ",".join(values), test


def letters(text: str) -> str:
    """Lower case, å as aa, and without the only accent that stays among NAMES."""
    return text.lower().replace("å", "aa").replace("ü", "u")


@st.composite
def strings(draw: st.DrawFn) -> Criterion:
    modifier = draw(st.sampled_from(["", "exact", "contains"]))
    name = draw(st.sampled_from(NAMES))
    wanted = name if modifier == "exact" else name[: draw(st.integers(1, 9))]
    compare: dict[str, Callable[[str], bool]] = {
        "": lambda found: letters(found).startswith(letters(wanted)),
        "exact": lambda found: found == wanted,
        "contains": lambda found: letters(wanted) in letters(found),
    }

    def test(resource: Resource) -> bool:
        families = [one["family"] for one in resource.get("name", [])]
        return any(map(compare[modifier], families))

    return f"family:{modifier}".rstrip(":"), escape(wanted), test


def span(text: str) -> tuple[datetime, datetime]:
    """First moment of a date, and the first after it."""
    year, month, day = [*map(int, text.split("-")), 0, 0][:3]
    start = datetime(year, month or 1, day or 1, tzinfo=UTC)
    if day:
        days = 1
    elif month:
        days = calendar.monthrange(year, month)[1]
    else:
        days = 366 if calendar.isleap(year) else 365
    return start, start + timedelta(days=days)


@st.composite
def dates(draw: st.DrawFn) -> Criterion:
    prefix, value = draw(st.sampled_from(PREFIXES)), draw(st.sampled_from(DATES))
    start, end = span(value)

    def test(resource: Resource) -> bool:
        if "birthDate" not in resource:
            return False
        low, high = span(resource["birthDate"])
        contained = start <= low and high <= end
        return {
            "": contained,
            "eq": contained,
            "ne": not contained,
            "gt": high > end,
            "lt": low < start,
            "ge": high > start,
            "le": low < end,
            "sa": low >= end,
            "eb": high <= start,
        }[prefix]

    return "birthdate", prefix + value, test


@st.composite
def references(draw: st.DrawFn) -> Criterion:
    wanted = draw(
        st.sampled_from([*ORGANIZATIONS, "1", "http://here/fhir/Organization/2"])
    )
    meant = {
        "1": "Organization/1",
        "http://here/fhir/Organization/2": "Organization/2",
    }.get(wanted, wanted)

    def test(resource: Resource) -> bool:
        found = resource.get("managingOrganization", {}).get("reference")
        return bool(found == meant)

    return "organization", wanted, test


@st.composite
def missings(draw: st.DrawFn) -> Criterion:
    name, element = draw(
        st.sampled_from(
            [
                ("identifier", "identifier"),
                ("family", "name"),
                ("gender", "gender"),
                ("birthdate", "birthDate"),
                ("organization", "managingOrganization"),
            ]
        )
    )
    missing = draw(st.booleans())
    text = "true" if missing else "false"
    return f"{name}:missing", text, lambda one: (element not in one) == missing


CRITERIA = st.lists(
    tokens() | strings() | dates() | references() | missings(), min_size=1, max_size=3
)


@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(PATIENTS, st.lists(CRITERIA, min_size=1, max_size=6))
def test_sql_finds_what_a_look_at_each_resource_finds(
    library: Any, contents: list[Resource], queries: list[list[Criterion]]
) -> None:
    library.empty()
    patients = [
        {"resourceType": "Patient", "id": f"p{number}", **content}
        for number, content in enumerate(contents)
    ]
    library.put(*patients)

    for criteria in queries:
        query = urlencode([(name, value) for name, value, _ in criteria])
        expected = [
            one["id"] for one in patients if all(test(one) for _, _, test in criteria)
        ]
        assert library.ids("Patient", query) == expected, query
        assert library.matched("Patient", query) == expected, query


#: What an observation refers to: the n-th patient inside of it, or one outside.
SUBJECTS = st.one_of(
    st.integers(0, 3).map("#{}".format),
    st.integers(0, 3).map("Patient/{}".format),
    st.none(),
)
OBSERVATIONS = st.lists(st.tuples(PATIENTS, SUBJECTS), max_size=5)


def patients_of(contents: list[Resource]) -> list[Resource]:
    return [
        {"resourceType": "Patient", "id": str(number), **content}
        for number, content in enumerate(contents)
    ]


def observation(number: int, inside: list[Resource], subject: str | None) -> Resource:
    made: Resource = {"resourceType": "Observation", "id": f"o{number}"}
    if inside:
        made["contained"] = patients_of(inside)
    if subject:
        made["subject"] = {"reference": subject}
    return made


def led_to(resource: Resource, outside: list[Resource]) -> list[Resource]:
    """Tell what the subject is, if it is there."""
    subject = resource.get("subject", {}).get("reference", "")
    known = {f"Patient/{one['id']}": one for one in outside}
    known |= {f"#{one['id']}": one for one in resource.get("contained", [])}
    return [known[subject]] if subject in known else []


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(PATIENTS, OBSERVATIONS, st.lists(CRITERIA, min_size=1, max_size=4))
def test_a_chain_finds_what_a_look_inside_finds(
    library: Any,
    outside: list[Resource],
    contents: list[tuple[list[Resource], str | None]],
    queries: list[list[Criterion]],
) -> None:
    library.empty()
    alone = patients_of(outside)
    observations = [
        observation(number, inside, subject)
        for number, (inside, subject) in enumerate(contents)
    ]
    library.put(*alone, *observations)

    for criteria in queries:
        query = urlencode(
            [(f"subject:Patient.{name}", value) for name, value, _ in criteria]
        )
        expected = [
            one["id"]
            for one in observations
            if all(any(map(test, led_to(one, alone))) for _, _, test in criteria)
        ]
        assert library.ids("Observation", query) == expected, query
        # With each criterion asked of one resource after another.
        assert library.ids("Observation", f"{query}&_sort=-_id") == expected[::-1]


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(PATIENTS, st.lists(PATIENTS, max_size=5), st.lists(CRITERIA, max_size=4))
def test_contained_resources_are_those_that_a_look_inside_finds(
    library: Any,
    outside: list[Resource],
    contents: list[list[Resource]],
    queries: list[list[Criterion]],
) -> None:
    library.empty()
    alone = patients_of(outside)
    containers = [observation(n, inside, None) for n, inside in enumerate(contents)]
    library.put(*alone, *containers)

    for criteria in [[], *queries]:

        def met(one: Resource, criteria: list[Criterion] = criteria) -> bool:
            return all(test(one) for _, _, test in criteria)

        each = {
            (one["id"], seat)
            for one in containers
            for seat, inside in enumerate(one.get("contained", []))
            if met(inside)
        }
        own = {(one["id"], None) for one in alone if met(one)}
        query = urlencode([(name, value) for name, value, _ in criteria])
        query += "&_count=100"

        assert found(library, f"{query}&_contained=true") == {
            (one, None) for one, _ in each
        }
        more = f"{query}&_contained=both&_containedType=contained"
        assert found(library, more) == own | each


def found(library: Any, query: str) -> set[tuple[str, int | None]]:
    page = library.page("Patient", query)
    ids = [one.id for one in page.matches]
    told = list(zip(ids, page.seats, strict=True))
    assert len(told) == len(set(told)) == page.total
    return set(told)
