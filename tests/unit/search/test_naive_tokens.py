"""Modifiers of tokens and URIs find what a naive reading of them finds.

The evaluator here knows nothing of the index, and lists no codes: it looks at each
resource, and asks of each of its codes whether it is meant.
"""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

Resource = dict[str, Any]
Test = Callable[[Resource], bool]
#: name and value as in a URL, and what a resource must be
Criterion = tuple[str, str, Test]

KNOWN, OTHER = "http://known", "http://other"
#: Those of the known system, and one that it does not have.
CODES = [*(f"c{number}" for number in range(4)), "stray"]
TEXTS = ["Blood", "BLOOD", "Blood pressure", "Årlig", "aarlig", "pressure"]
URLS = [
    "http://a",
    "http://a/",
    "http://a/b",
    "http://a/b|1",
    "http://a/b/c/",
    "http://a/bc",
    "http://b",
]


def optional(values: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries({}, optional=values)


CODINGS = st.builds(
    lambda coding, more: {**coding, **more},
    st.fixed_dictionaries(
        {
            "system": st.sampled_from([KNOWN, OTHER]),
            "code": st.sampled_from(CODES),
        }
    ),
    optional({"display": st.sampled_from(TEXTS)}),
)
CONCEPTS = optional(
    {
        "coding": st.lists(CODINGS, min_size=1, max_size=2),
        "text": st.sampled_from(TEXTS),
    }
)
IDENTIFIERS = optional(
    {"value": st.sampled_from(["1", "a|b"]), "system": st.just(KNOWN), "type": CONCEPTS}
)
LIBRARIES = st.lists(
    optional(
        {
            "topic": st.lists(CONCEPTS, min_size=1, max_size=2),
            "identifier": st.lists(IDENTIFIERS, min_size=1, max_size=2),
            "url": st.sampled_from(URLS),
        }
    ),
    min_size=3,
    max_size=8,
)


@st.composite
def code_systems(draw: st.DrawFn) -> Resource:
    """Concepts that are a kind of one or two before them, told in both ways."""
    made: dict[str, Resource] = {}
    top: list[Resource] = []
    for number, code in enumerate(CODES[:-1]):
        concept: Resource = {"code": code}
        above = draw(
            st.lists(st.sampled_from(CODES[:number] or [""]), max_size=2, unique=True)
        )
        parents = [one for one in above if one]
        if parents:
            made[parents[0]].setdefault("concept", []).append(concept)
        else:
            top.append(concept)
        if parents[1:]:
            concept["property"] = [{"code": "parent", "valueCode": parents[1]}]
        made[code] = concept
    return {
        "resourceType": "CodeSystem",
        "id": "known",
        "url": KNOWN,
        "content": "complete",
        "concept": top,
    }


def is_kind(system: Resource, code: str, of: str) -> bool:
    """Whether a concept is another, or below it."""
    return code == of or any(
        is_kind(system, parent, of) for parent in parents_of(system["concept"], code)
    )


def parents_of(concepts: list[Resource], code: str) -> list[str]:
    found = []
    for one in concepts:
        below = one.get("concept", [])
        if one["code"] == code:
            found += [each["valueCode"] for each in one.get("property", [])]
        if any(each["code"] == code for each in below):
            found.append(one["code"])
        found += parents_of(below, code)
    return found


@st.composite
def parts(draw: st.DrawFn, before: int) -> Resource:
    """An include or exclude; it may be made of value sets that were made before."""
    kinds = ["whole", "concepts", "filter", *(["sets", "both"] if before else [])]
    kind = draw(st.sampled_from(kinds))
    part: Resource = {}
    if kind in ("sets", "both"):
        numbers = st.integers(0, before - 1)
        chosen = draw(st.lists(numbers, min_size=1, max_size=2))
        part["valueSet"] = [f"http://sets/{number}" for number in chosen]
    if kind != "sets":
        part["system"] = draw(st.sampled_from([KNOWN, OTHER]))
    if kind == "concepts":
        codes = draw(st.lists(st.sampled_from(CODES), min_size=1, max_size=3))
        part["concept"] = [{"code": code} for code in codes]
    if kind == "filter":
        part["system"] = KNOWN
        part["filter"] = draw(st.lists(filters(), min_size=1, max_size=2))
    return part


def filters() -> st.SearchStrategy[Resource]:
    return st.fixed_dictionaries(
        {
            "property": st.just("concept"),
            "op": st.sampled_from(["is-a", "descendent-of", "is-not-a", "=", "in"]),
            "value": st.sampled_from(CODES[:-1]),
        }
    )


@st.composite
def value_sets(draw: st.DrawFn) -> list[Resource]:
    return [
        {
            "resourceType": "ValueSet",
            "id": str(number),
            "url": f"http://sets/{number}",
            "compose": {
                "include": draw(st.lists(parts(number), min_size=1, max_size=2)),
                "exclude": draw(st.lists(parts(number), max_size=1)),
            },
        }
        for number in range(3)
    ]


class Terms:
    """Says of a code whether it is in a value set, as it is written."""

    def __init__(self, system: Resource, sets: list[Resource]) -> None:
        self.system = system
        self.sets = {one["url"]: one["compose"] for one in sets}

    def inside(self, url: str, coding: Resource) -> bool:
        compose = self.sets[url]
        included = any(self._part(one, coding) for one in compose["include"])
        excluded = any(self._part(one, coding) for one in compose["exclude"])
        return included and not excluded

    def _part(self, part: Resource, coding: Resource) -> bool:
        return (
            all(self.inside(url, coding) for url in part.get("valueSet", []))
            and coding["system"] == part.get("system", coding["system"])
            and coding["code"] in [one["code"] for one in part.get("concept", [coding])]
            and all(self._filter(one, coding["code"]) for one in part.get("filter", []))
        )

    def _filter(self, one: Resource, code: str) -> bool:
        kind = is_kind(self.system, code, one["value"])
        return (
            code != "stray"
            and {
                "is-a": kind,
                "descendent-of": kind and code != one["value"],
                "is-not-a": not kind,
                "=": code == one["value"],
                "in": code == one["value"],
            }[one["op"]]
        )


def topics(resource: Resource) -> list[Resource]:
    return [
        coding
        for concept in resource.get("topic", [])
        for coding in concept.get("coding", [])
    ]


def escape(text: str) -> str:
    for special in "\\,|$":
        text = text.replace(special, "\\" + special)
    return text


def letters(text: str) -> str:
    """Lower case, å as aa, and no spaces at the end."""
    return text.lower().replace("å", "aa").strip()


@st.composite
def texts(draw: st.DrawFn) -> Criterion:
    wanted = draw(st.sampled_from(TEXTS))[: draw(st.integers(1, 9))]
    of_identifier = draw(st.booleans())

    def found(resource: Resource) -> list[str]:
        if of_identifier:
            types = [one.get("type", {}) for one in resource.get("identifier", [])]
            return [one["text"] for one in types if "text" in one]
        concepts = resource.get("topic", [])
        named = [*concepts, *topics(resource)]
        return [one[key] for one in named for key in ("text", "display") if key in one]

    def test(resource: Resource) -> bool:
        return any(letters(one).startswith(letters(wanted)) for one in found(resource))

    return f"{'identifier' if of_identifier else 'topic'}:text", escape(wanted), test


@st.composite
def types(draw: st.DrawFn) -> Criterion:
    system, code = draw(st.sampled_from([KNOWN, OTHER])), draw(st.sampled_from(CODES))
    value = draw(st.sampled_from(["1", "a|b"]))

    def typed(identifier: Resource) -> bool:
        kinds = identifier.get("type", {}).get("coding", [])
        return identifier.get("value") == value and any(
            (one["system"], one["code"]) == (system, code) for one in kinds
        )

    return (
        "identifier:of-type",
        f"{system}|{code}|{escape(value)}",
        lambda resource: any(map(typed, resource.get("identifier", []))),
    )


@st.composite
def memberships(draw: st.DrawFn, terms: Terms) -> Criterion:
    urls = draw(st.lists(st.sampled_from(sorted(terms.sets)), min_size=1, max_size=2))
    negated = draw(st.booleans())

    def test(resource: Resource) -> bool:
        return negated != any(
            terms.inside(url, coding) for url in urls for coding in topics(resource)
        )

    return f"topic:{'not-in' if negated else 'in'}", ",".join(urls), test


@st.composite
def kinds(draw: st.DrawFn, terms: Terms) -> Criterion:
    wanted, below = draw(st.sampled_from(CODES[:-1])), draw(st.booleans())

    def meant(coding: Resource) -> bool:
        pair = (coding["code"], wanted) if below else (wanted, coding["code"])
        return coding["system"] == KNOWN and is_kind(terms.system, *pair)

    return (
        f"topic:{'below' if below else 'above'}",
        f"{KNOWN}|{wanted}",
        lambda resource: any(map(meant, topics(resource))),
    )


@st.composite
def missings(draw: st.DrawFn) -> Criterion:
    """A text alone is a value; in a filter and as a modifier."""
    name, missing = draw(st.sampled_from(["topic", "identifier"])), draw(st.booleans())

    def there(one: Resource) -> bool:
        if name == "topic":
            return "text" in one or "coding" in one
        # A value, a system, or the text of a type; its codes are of some value.
        return "value" in one or "system" in one or "text" in one.get("type", {})

    def test(resource: Resource) -> bool:
        return any(map(there, resource.get(name, []))) != missing

    if draw(st.booleans()):
        return "_filter", f"{name} pr {str(not missing).lower()}", test
    return f"{name}:missing", str(missing).lower(), test


def steps(url: str) -> list[str]:
    return re.findall(r"[/|][^/|]+", url)


@st.composite
def urls(draw: st.DrawFn) -> Criterion:
    wanted, below = draw(st.sampled_from(URLS)), draw(st.booleans())

    def test(resource: Resource) -> bool:
        if "url" not in resource:
            return False
        pair = steps(wanted), steps(resource["url"])
        start, whole = pair if below else pair[::-1]
        return whole[: len(start)] == start

    return f"url:{'below' if below else 'above'}", escape(wanted), test


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(LIBRARIES, code_systems(), value_sets(), st.data())
def test_sql_finds_what_a_look_at_each_code_finds(
    library: Any,
    contents: list[Resource],
    system: Resource,
    sets: list[Resource],
    data: st.DataObject,
) -> None:
    library.empty()
    libraries = [
        {"resourceType": "Library", "id": f"l{number}", **content}
        for number, content in enumerate(contents)
    ]
    library.put(system, *sets, *libraries)
    terms = Terms(system, sets)
    coded = memberships(terms) | kinds(terms)
    one = texts() | types() | missings() | coded | coded | urls()

    for criteria in data.draw(
        st.lists(st.lists(one, min_size=1, max_size=2), min_size=4, max_size=10)
    ):
        query = urlencode([(name, value) for name, value, _ in criteria])
        expected = [
            one["id"] for one in libraries if all(test(one) for _, _, test in criteria)
        ]
        assert library.ids("Library", query) == expected, query
        assert library.matched("Library", query) == expected, query
