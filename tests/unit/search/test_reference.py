"""The page of search parameters tells the truth."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from fyr.core.clock import utc_now
from fyr.core.errors import Invalid, NotSupported
from fyr.core.model.definitions import RESOURCE_TYPES
from fyr.search.extraction.places import Places
from fyr.search.parameters import Parameter, Parameters
from fyr.search.reference import LIMITS, modifiers, reference_page, support
from fyr.search.understanding.criteria import Criteria
from fyr.search.understanding.hierarchies import parents
from fyr.search.understanding.known import Known
from fyr.search.understanding.modifiers import MODIFIERS, no_modifier
from fyr.search.understanding.operands import Operands
from fyr.search.understanding.query import QueryParser

KNOWN = Known(Parameters(), Places(Parameters()), Operands(utc_now, str))
#: A value that means something, by type, and by modifier where it is of another type.
VALUES = {
    "token": "http://s|c",
    "string": "x",
    "reference": "http://x/1",
    "date": "2024",
    "number": "1",
    "quantity": "1",
    "uri": "http://x/y",
    "special": "55|12|1|km",
}
OF_MODIFIERS = {"missing": "true", "of-type": "a|b|c"}
#: They look at what is stored.
STORED = {"token": {"in", "not-in", "above", "below"}}
OWN = [
    one
    for kind in sorted(RESOURCE_TYPES)
    for name, one in KNOWN.parameters.of(kind).items()
    if not name.startswith("_")
]


def understand(one: Parameter, modifier: str) -> None:
    """Understand a value of a parameter with a modifier, as far as nothing is stored."""
    value = OF_MODIFIERS.get(modifier, VALUES.get(one.type, ""))
    if one.type == "composite" and modifier != "missing":
        value = "$".join(VALUES[part.type] for part in one.components)
    if one.type == "reference" and modifier in ("above", "below"):
        value = f"{next(iter(parents(KNOWN, [one])), 'Patient')}/1"
    name = f"{one.name}:{modifier}" if modifier else one.name
    Criteria(KNOWN).criterion([one.resource_type], name, value)


@pytest.fixture(scope="module")
def page() -> dict[str, dict[str, tuple[str, str, str]]]:
    """Type -> parameter -> its type, its modifiers and how far it is there."""
    found: dict[str, dict[str, tuple[str, str, str]]] = {}
    for section in reference_page().split("## ")[1:]:
        rows = re.findall(r"^\| `(.*?)` \| (.*?) \| (.*?) \| (.*?) \|$", section, re.M)
        found[section.partition("\n")[0]] = {name: (*more,) for name, *more in rows}  # type: ignore[misc]
    return found


def test_each_parameter_of_r4_is_told_once(page: dict[str, dict[str, object]]) -> None:
    told = [(kind, name) for kind in page for name in page[kind] if kind != "All types"]

    assert sorted(told) == sorted((one.resource_type, one.name) for one in OWN)
    assert {"_id", "_has", "_tag", "_query"} <= page["All types"].keys()


def test_what_is_told_to_be_there_is_understood_and_the_rest_refused(
    page: dict[str, dict[str, tuple[str, str, str]]],
) -> None:
    for one in OWN:
        type_, listed, supported = page[one.resource_type][one.name]
        assert (type_, supported) == (one.type, support(one))
        if not supported.startswith("yes"):
            with pytest.raises(NotSupported, match="not supported"):
                understand(one, "")
            continue
        assert listed == " ".join(f"`:{name}`" for name in modifiers(KNOWN, one))
        understand(one, "")


@pytest.mark.parametrize("kind", ["Observation", "Procedure", "ValueSet", "Patient"])
def test_the_modifiers_that_are_told_are_those_that_are_understood(kind: str) -> None:
    names = {name for offered in MODIFIERS.values() for name in offered}
    for one in [one for one in OWN if one.resource_type == kind]:
        told = set(modifiers(KNOWN, one))
        for name in names - STORED.get(one.type, set()):
            if name in told:
                understand(one, name)
            else:
                with pytest.raises(NotSupported):
                    understand(one, name)


def test_an_error_lists_what_the_page_lists() -> None:
    gender = KNOWN.parameters.of("Patient")["gender"]

    with pytest.raises(NotSupported) as refused:
        understand(gender, "exactly")

    assert str(refused.value) == str(
        no_modifier("gender", "exactly", modifiers(KNOWN, gender))
    )
    assert "text" not in modifiers(KNOWN, gender)


def test_the_page_in_the_docs_is_the_one_that_is_made() -> None:
    docs = Path(__file__).parents[3] / "docs" / "search-parameters.md"

    assert reference_page() in docs.read_text(encoding="utf-8")


Pairs = list[tuple[str, str]]
INCLUDES = [
    ("_revinclude", f"{one.resource_type}:{one.name}")
    for one in OWN
    if one.table == "idx_reference" and "Patient" in one.targets
]
#: what is limited -> a search for patients that holds so much of it
HOLDING: dict[str, Callable[[int], Pairs]] = {
    "criteria of a search": lambda most: [("gender", "male")] * most,
    "values of a criterion, parted by commas": lambda most: [
        ("gender", ",".join(["male"] * most))
    ],
    "values of all criteria together": lambda most: [
        *[("gender", ",".join(["male"] * (most // 10)))] * 10,
        *[("active", "true")] * (most % 10),
    ],
    "links of a chain, `_has` included": lambda most: [
        (f"organization.{'partof.' * (most - 1)}name", "x")
    ],
    "characters of a text that is searched for, but for `:exact`": lambda most: [
        ("family", "x" * most)
    ],
    "words and phrases in `_text` or `_content`": lambda most: [
        ("_content", " ".join(["word"] * most))
    ],
    "comparisons in a `_filter`": lambda most: [
        ("_filter", " or ".join(["gender eq male"] * most))
    ],
    "parentheses and brackets inside each other in a `_filter`": lambda most: [
        ("_filter", f"{'(' * most}gender eq male{')' * most}")
    ],
    "parameters in `_sort`": lambda most: [("_sort", ",".join(["gender"] * most))],
    "`_include` and `_revinclude`": lambda most: INCLUDES[:most],
}
#: They take what is stored, in the tests of terminology.
ELSEWHERE = {
    "codes of a ValueSet, or above or below a code",
    "ValueSets and CodeSystems that are read for these",
}


@pytest.mark.parametrize(
    ("what", "most"), [one for one in LIMITS if one[0] not in ELSEWHERE]
)
def test_a_search_may_hold_as_much_as_the_page_says_and_no_more(
    what: str, most: int
) -> None:
    known = Known(Parameters(), Places(Parameters()), KNOWN.operands, full_text=True)

    def parse(pairs: Pairs) -> None:
        parser = QueryParser(known, default_count=20, max_count=200)
        parser.parse(["Patient"], pairs, lenient=False)

    parse(HOLDING[what](most))
    with pytest.raises(Invalid, match=f"more than {most} "):
        parse(HOLDING[what](most + 1))
