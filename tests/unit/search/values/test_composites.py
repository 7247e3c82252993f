"""Values that belong together: found together."""

import urllib.parse
from typing import Any

import pytest

from fyr.core.clock import utc_now
from fyr.core.errors import Invalid, NotSupported
from fyr.core.model.definitions import RESOURCE_TYPES
from fyr.search.extraction.extract import Extractor
from fyr.search.extraction.places import Places, places_of
from fyr.search.extraction.spots import Node
from fyr.search.parameters import Parameters
from fyr.search.understanding.known import Known
from fyr.search.understanding.operands import Operands
from fyr.search.understanding.query import QueryParser
from fyr.search.understanding.reading import Reading

from .words import PRESSURES, UCUM, coded, component, measured, of


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("component-code-value-quantity=sys$150", "high"),
        ("component-code-value-quantity=sys$95", "crossed"),
        ("component-code-value-quantity=dia$95", "high"),
        ("component-code-value-quantity=http://loinc.org|sys$gt100", "high"),
        ("component-code-value-quantity=http://x|sys$gt100", ""),
        ("component-code-value-quantity=sys$lt100||mm[Hg]", "crossed"),
        ("component-code-value-quantity=dia$90|http://unitsofmeasure.org|mm[Hg]",
         "crossed"),
        ("component-code-value-quantity=dia$ge85|http://unitsofmeasure.org|mm[Hg]",
         "high crossed"),
        ("component-code-value-quantity=dia$12||kilopascal", "crossed"),
        ("component-code-value-quantity=dia$95,sys$95", "high crossed"),
        ("component-code-value-quantity=http://loinc.org|$150", "high"),
        ("component-code-value-quantity=w$72500", ""),
        ("component-code-value-quantity:missing=false", "high crossed"),
        ("component-code-value-quantity:missing=true",
         "weight concept text moment none"),
        ("component-code-value-concept=arm$left", "crossed"),
        ("component-code-value-concept=arm$http://sides|left", "crossed"),
        ("component-code-value-concept=arm$http://x|left", ""),
        ("component-code-value-concept=sys$left", ""),
        ("component-code-value-concept=arm$left,sys$right", "crossed weight"),
        ("code-value-quantity=w$72.5|http://unitsofmeasure.org|kg", "weight"),
        ("code-value-quantity=w2$gt72000", "weight"),
        ("code-value-quantity=bp$150", ""),
        ("code-value-quantity:missing=false", "weight"),
        ("code-value-quantity:missing=true", "high crossed concept text moment none"),
        ("code-value-concept=c$ja", "concept"),
        ("code-value-concept=c$no", ""),
        ("code-value-string=t$fine", "text"),
        (r"code-value-string=t$fine\, th", "text"),
        ("code-value-date=m$2024-05", "moment"),
        ("code-value-date=m$gt2024-06", ""),
        ("combo-code-value-quantity=sys$150", "high"),
        ("combo-code-value-quantity=sys$150,w$72500", "high weight"),
        ("combo-code-value-quantity:missing=false", "high crossed weight"),
        ("combo-code-value-concept=arm$left,c$yes", "crossed concept"),
        ("combo-code-value-concept:missing=true", "high text moment none"),
        ("subject:Patient._has:Observation:subject:code-value-concept=c$yes",
         "concept"),
        ("subject:Patient._has:Observation:subject:component-code-value-concept=arm$left",
         ""),
    ],
)  # fmt: skip
def test_values_that_belong_together_are_found_together(
    library: Any, query: str, found: str
) -> None:
    library.put(*PRESSURES, {"resourceType": "Patient", "id": "1"})

    assert library.ids("Observation", query) == found.split()


def test_pairs_of_other_types_are_found_too(library: Any) -> None:
    library.put(
        {
            "resourceType": "DocumentReference",
            "id": "new",
            "relatesTo": [
                {"code": "replaces", "target": {"reference": "DocumentReference/old"}},
                {"code": "signs", "target": {"reference": "DocumentReference/other"}},
                {"code": "appends", "target": {"reference": "#inside"}},
            ],
        },
        {
            "resourceType": "Group",
            "id": "women",
            "characteristic": [
                {"code": coded("gender"), "valueCodeableConcept": coded("female")},
                {"code": coded("alive"), "valueBoolean": True},
            ],
        },
        {
            "resourceType": "ValueSet",
            "id": "children",
            "useContext": [
                {
                    "code": {"code": "age"},
                    "valueRange": {"low": measured(6, "mo"), "high": measured(2, "a")},
                },
                {"code": {"code": "gender"}, "valueCodeableConcept": coded("female")},
            ],
        },
        {
            "resourceType": "Measure",
            "id": "measure",
            "useContext": [
                {"code": {"code": "age"}, "valueQuantity": measured(1, "a")}
            ],
        },
    )

    def found(kind: str | None, query: str) -> list[str]:
        return list(library.ids(kind, query))

    replaces = "http://hl7.org/fhir/document-relationship-type|replaces"
    for pair in (
        "replaces$DocumentReference/old",
        f"{replaces}$old",
        "signs$http://here/fhir/DocumentReference/other",
    ):
        assert found("DocumentReference", f"relationship={pair}") == ["new"]
    for pair in ("signs$old", "replaces$Patient/old", "appends$inside"):
        assert found("DocumentReference", f"relationship={pair}") == []
    assert found("Group", "characteristic-value=gender$female") == ["women"]
    assert found("Group", "characteristic-value=alive$true") == ["women"]
    assert found("Group", "characteristic-value=alive$female") == []
    assert found("ValueSet", "context-type-value=gender$female") == ["children"]
    assert found("ValueSet", f"context-type-quantity=age$ge1|{UCUM}|a") == ["children"]
    assert found("ValueSet", f"context-type-quantity=age$sa1|{UCUM}|a") == []
    both = f"_type=ValueSet,Measure&context-type-quantity=age$gt0.9|{UCUM}|a"
    assert found(None, both) == ["children", "measure"]


def test_three_values_belong_together(library: Any) -> None:
    def sequence(name: str, *variants: tuple[int, int]) -> dict[str, Any]:
        return {
            "resourceType": "MolecularSequence",
            "id": name,
            "coordinateSystem": 0,
            "referenceSeq": {
                "chromosome": coded("12"),
                "referenceSeqId": coded("NC_12"),
                "windowStart": 100,
                "windowEnd": 200,
            },
            "variant": [{"start": start, "end": end} for start, end in variants],
        }

    library.put(sequence("one", (110, 115), (130, 150)), sequence("two", (110, 150)))

    def found(query: str) -> list[str]:
        return list(library.ids("MolecularSequence", query))

    assert found("chromosome-variant-coordinate=12$110$115") == ["one"]
    assert found("chromosome-variant-coordinate=12$110$150") == ["two"]
    assert found("chromosome-variant-coordinate=12$ge110$le150") == ["one", "two"]
    assert found("chromosome-variant-coordinate=11$110$115") == []
    assert found("referenceseqid-variant-coordinate=NC_12$lt130$gt140") == ["two"]
    assert found("chromosome-window-coordinate=12$100$200") == ["one", "two"]
    assert found("referenceseqid-window-coordinate=NC_12$gt100$200") == []
    assert found("chromosome-variant-coordinate:missing=true") == []


def test_every_composite_of_the_standard_is_answered() -> None:
    parameters = Parameters()
    composites = [
        one
        for kind in RESOURCE_TYPES
        for one in parameters.of(kind).values()
        if one.type == "composite"
    ]

    assert len(composites) == 72
    for one in composites:
        assert one.table == "idx_composite"
        made = places_of(one.resource_type, [one])
        for part in made.composites[one.name]:
            found = {number for number, _ in (*part.apart, *part.together)}
            assert found == set(range(len(one.components)))
            assert all(where.sources for _, where in part.apart), one
        assert all(pairs.nodes and all(map(leads, pairs.nodes)) for pairs in of(made))


def leads(node: Node) -> bool:
    """Whether anything is taken from an element or what is in it."""
    return bool(node.leaves) or any(map(leads, node.below.values()))


def test_composites_of_others_are_answered_when_a_row_can_hold_them() -> None:
    def composite(name: str, *components: tuple[str, str]) -> dict[str, Any]:
        return {
            "resourceType": "SearchParameter",
            "url": f"http://own/{name}",
            "code": name,
            "base": ["Patient"],
            "type": "composite",
            "expression": "Patient.contact",
            "component": [
                {"definition": url, "expression": path} for url, path in components
            ],
        }

    standard = "http://hl7.org/fhir/SearchParameter/"
    gender = (f"{standard}individual-gender", "gender")
    period = ("http://own/during|1.0", "period")
    during = {
        **composite("during"),
        "type": "date",
        "expression": "Patient.contact.period",
    }
    known = Parameters(
        [during, composite("both", gender, period), composite("dates", period, period)]
    )

    both, dates = known.of("Patient")["both"], known.of("Patient")["dates"]
    assert [one.type for one in both.components] == ["token", "date"]
    assert both.table == "idx_composite"
    assert dates.table is None
    contact = {
        "gender": "female",
        "period": {"start": "1970-01-01", "end": "1970-01-01"},
    }
    patient = {"resourceType": "Patient", "id": "x", "contact": [contact]}
    (row,) = Extractor(Places(known)).rows(patient)["idx_composite"]
    assert (row[1], row[5:]) == ("female", (0.0, 86_399_999.0))


def test_what_is_found_apart_costs_no_rows() -> None:
    parameters = Parameters().of("Observation").values()
    plain = [one for one in parameters if one.type != "composite"]
    resource = {
        **PRESSURES[2],
        "component": [component("a", measured(1, "g")), component("b", coded("x"))],
    }

    def rows(of: Any) -> dict[str, int]:
        known = Parameters()
        known.of = lambda kind: {one.name: one for one in of}  # type: ignore[method-assign]
        found = Extractor(Places(known)).rows(resource)
        return {table: len(each) for table, each in found.items()}

    # A row for each pair within a component, and one for the unit that was converted.
    assert rows(parameters) == {**rows(plain), "idx_composite": 3}


@pytest.mark.parametrize(
    ("kind", "query", "says"),
    [
        ("Observation", "code-value-quantity=a", "2 values with"),
        ("Observation", "code-value-quantity=a$1$2", "2 values with"),
        ("Observation", "code-value-quantity=a$", "2 values with"),
        ("Observation", "code-value-quantity=a$x", "not a number"),
        ("Observation", "code-value-quantity=a$1|mg", "number"),
        ("Observation", "code-value-string=a$" + "x" * 300, "characters"),
        ("Location", "near=1", "latitude"),
        ("Location", "near=91|0", "latitude '91'"),
        ("Location", "near=0|181", "longitude"),
        ("Location", "near=0|nan", "longitude"),
        ("Location", "near=0|0|-1", "less than nothing"),
        ("Location", "near=0|0|1|mi", "mi_us"),
        ("Location", "near=0|0|1|kg", "length"),
        ("Location", "near=0|0|inf", "distance"),
        ("Location", "near=0|0|1|km|5", "latitude"),
    ],
)
def test_a_value_that_means_nothing_is_told(
    library: Any, kind: str, query: str, says: str
) -> None:
    with pytest.raises(Invalid, match=says):
        library.page(kind, query)


@pytest.mark.parametrize(
    ("kind", "query", "says"),
    [
        ("Observation", "code-value-quantty=a$1", "did you mean 'code-value-quantity'"),
        ("Observation", "code-value-quantity:exact=a$1", "supported: :missing"),
        ("Observation", "_sort=code-value-quantity", "nothing can be sorted by"),
        ("Location", "_sort=near", "nothing can be sorted by"),
        ("Location", "near:exact=0|0", "supported: :missing"),
    ],
)
def test_what_is_not_offered_is_named(
    library: Any, kind: str, query: str, says: str
) -> None:
    with pytest.raises(NotSupported, match=says):
        library.page(kind, query)


def test_a_composite_and_a_measure_can_be_explained(library: Any) -> None:
    asked = f"combo-code-value-quantity=a$5.4|{UCUM}|mg"
    pairs = urllib.parse.parse_qsl(asked)
    known = Known(Parameters(), Places(Parameters()), Operands(utc_now, str))
    query = QueryParser(known, default_count=20, max_count=200).parse(
        ["Observation"], pairs, lenient=False
    )

    told = "\n".join(Reading(known.places, query, values=True).lines())

    assert "Observation.combo-code-value-quantity" in told
    assert "Observation.combo-code-value-quantity:canonical" in told
    assert "canonical=True" in told
    assert "#" not in told
