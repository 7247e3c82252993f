"""Quantities, composites and positions, numbers and dates: https://hl7.org/fhir/R4/search.html."""

import urllib.parse
from typing import Any

import pytest

from fyr.core.clock import utc_now
from fyr.core.errors import Invalid, NotSupported
from fyr.core.model.definitions import RESOURCE_TYPES
from fyr.core.store.schema import INDEX_TABLES
from fyr.search.extraction.extract import Extractor
from fyr.search.extraction.places import Places, TypePlaces, places_of
from fyr.search.extraction.spots import Node
from fyr.search.parameters import Parameters
from fyr.search.understanding.known import Known
from fyr.search.understanding.operands import Operands
from fyr.search.understanding.query import QueryParser
from fyr.search.understanding.reading import Reading

UCUM = "http://unitsofmeasure.org"
LOINC = "http://loinc.org"


def coded(*codes: str, system: str = LOINC) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code} for code in codes]}


def measured(value: Any, code: str, **more: Any) -> dict[str, Any]:
    return {"value": value, "system": UCUM, "code": code, **more}


def observation(name: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Observation", "id": name, "status": "final", **more}


MEASURED: list[dict[str, Any]] = [
    observation("gram", valueQuantity=measured(0.0054, "g")),
    observation("milli", valueQuantity=measured(5.4, "mg", unit="milligram")),
    observation("kilo", valueQuantity=measured(72.5, "kg", unit="kg")),
    observation("written", valueQuantity={"value": 5.4, "unit": "mg"}),
    observation("unknown", valueQuantity=measured(5.4, "drips")),
    observation("small", valueQuantity=measured(0.1, "ng", comparator="<")),
    observation("warm", valueQuantity=measured(98.6, "[degF]")),
    observation(
        "samples",
        valueSampledData={
            "origin": measured(10, "g"),
            "period": 1,
            "factor": 2,
            "dimensions": 1,
            "data": "1 E 5 3",
        },
    ),
    observation(
        "clipped",
        valueSampledData={
            "origin": measured(0, "m"),
            "period": 1,
            "dimensions": 1,
            "data": "7 U",
        },
    ),
]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("5.4|http://unitsofmeasure.org|mg", "gram milli"),
        ("0.0054|http://unitsofmeasure.org|g", "gram milli"),
        ("5.40e-6|http://unitsofmeasure.org|kg", "gram milli"),
        ("5|http://unitsofmeasure.org|mg", "gram milli"),
        ("5.0|http://unitsofmeasure.org|mg", ""),
        ("ge5.4|http://unitsofmeasure.org|mg", "gram milli kilo samples"),
        ("gt5.4|http://unitsofmeasure.org|mg", "kilo samples"),
        ("lt5.4|http://unitsofmeasure.org|mg", "small"),
        ("le5.4|http://unitsofmeasure.org|mg", "gram milli small"),
        ("eb1|http://unitsofmeasure.org|kg", "gram milli small samples"),
        ("sa1|http://unitsofmeasure.org|kg", "kilo"),
        ("ap73|http://unitsofmeasure.org|kg", "kilo"),
        ("ne72.5|http://unitsofmeasure.org|kg", "gram milli small samples"),
        ("72500|http://unitsofmeasure.org|g", "kilo"),
        ("37.0|http://unitsofmeasure.org|Cel", "warm"),
        ("5.4|http://unitsofmeasure.org|drips", "unknown"),
        ("5.4||mg", "milli written"),
        ("5.4||milligram", "milli"),
        ("5.4||g", ""),
        ("5.4", "milli written unknown"),
        ("lt0.0001", "small"),
        ("0.0000054", ""),
        ("16|http://unitsofmeasure.org|g", ""),
        ("ge16|http://unitsofmeasure.org|g", "kilo samples"),
        ("gt20|http://unitsofmeasure.org|g", "kilo"),
        ("lt12|http://unitsofmeasure.org|g", "gram milli small"),
        ("gt1|http://unitsofmeasure.org|km", "clipped"),
        ("sa6|http://unitsofmeasure.org|m", "clipped"),
        ("72.5||kg,98.6||[degF]", "kilo warm"),
        ("72.5|http://unitsofmeasure.org|kg,5.4|http://unitsofmeasure.org|drips",
         "kilo unknown"),
    ],
)  # fmt: skip
def test_quantities_are_found_by_what_they_measure(
    library: Any, query: str, found: str
) -> None:
    library.put(*MEASURED)

    assert library.ids("Observation", f"value-quantity={query}") == found.split()


def test_what_is_written_in_its_canonical_unit_has_one_row() -> None:
    extract = Extractor(Places(Parameters()))

    def rows(quantity: dict[str, Any]) -> int:
        return len(
            extract.rows(observation("x", valueQuantity=quantity))["idx_quantity"]
        )

    assert rows(measured(72.5, "kg", unit="kg")) == 1
    assert rows(measured(72500, "g", unit="g")) == 2
    assert rows(measured(5, "drips")) == 1
    assert rows({"value": 5, "unit": "mg"}) == 1


def test_all_that_has_a_unit_is_converted(library: Any) -> None:
    condition = {"resourceType": "Condition", "subject": {"reference": "Patient/1"}}
    age = {**condition, "id": "age", "onsetAge": measured(18, "mo")}
    ages = {
        **condition,
        "id": "range",
        "onsetRange": {"low": measured(1, "a"), "high": measured(2, "a")},
    }
    years = {
        **condition,
        "id": "years",
        "onsetRange": {"low": {"value": 30, "unit": "years"}, "high": {"value": 40}},
    }
    encounter = {
        "resourceType": "Encounter",
        "id": "long",
        "status": "finished",
        "class": {"code": "AMB"},
        "length": measured(90, "min"),
    }
    invoice = {
        "resourceType": "Invoice",
        "id": "paid",
        "status": "issued",
        "totalNet": {"value": 10.5, "currency": "EUR"},
    }
    library.put(age, ages, years, encounter, invoice)

    assert library.ids("Condition", f"onset-age=1.5|{UCUM}|a") == ["age"]
    assert library.ids("Condition", f"onset-age=le24|{UCUM}|mo") == ["age", "range"]
    assert library.ids("Condition", "onset-age=lt41||years") == ["years"]
    assert library.ids("Condition", "onset-age=gt41||years") == []
    assert library.ids("Encounter", f"length=1.5|{UCUM}|h") == ["long"]
    assert library.ids("Invoice", "totalnet=10.5|urn:iso:std:iso:4217|EUR") == ["paid"]
    assert library.ids("Invoice", "totalnet=gt10||EUR") == ["paid"]


def component(code: str, value: Any) -> dict[str, Any]:
    name = "valueQuantity" if "value" in value else "valueCodeableConcept"
    return {"code": coded(code), name: value}


PRESSURES: list[dict[str, Any]] = [
    observation(
        "high",
        code=coded("bp"),
        component=[
            component("sys", measured(150, "mm[Hg]")),
            component("dia", measured(95, "mm[Hg]")),
        ],
    ),
    observation(
        "crossed",
        code=coded("bp"),
        component=[
            component("sys", measured(95, "mm[Hg]")),
            component("dia", measured(12, "kPa", unit="kilopascal")),
            component("arm", coded("left", system="http://sides")),
        ],
    ),
    observation(
        "weight",
        code=coded("w", "w2"),
        valueQuantity=measured(72500, "g"),
        component=[component("sys", coded("right", system="http://sides"))],
    ),
    observation(
        "concept",
        code=coded("c"),
        valueCodeableConcept=coded("yes", "ja"),
        subject={"reference": "Patient/1"},
    ),
    observation("text", code=coded("t"), valueString="Fine, thanks"),
    observation("moment", code=coded("m"), valueDateTime="2024-05-01T10:00:00Z"),
    observation("none", code=coded("sys")),
]


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


def of(made: TypePlaces) -> list[Any]:
    nodes, pairs = [made.root], []
    for node in nodes:
        nodes += node.below.values()
        pairs += [leaf for leaf in node.leaves.values() if hasattr(leaf, "nodes")]
    return pairs


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


def location(name: str, latitude: float, longitude: float) -> dict[str, Any]:
    position = {"latitude": latitude, "longitude": longitude}
    return {"resourceType": "Location", "id": name, "position": position}


LOCATIONS: list[dict[str, Any]] = [
    location("copenhagen", 55.6761, 12.5683),
    location("malmoe", 55.6050, 13.0038),
    location("taveuni", -16.85, 179.97),
    location("beyond", -16.85, -179.97),
    location("pole", 89.99, 0),
    location("across", 89.99, 180),
    {"resourceType": "Location", "id": "nowhere"},
]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("55.6761|12.5683", "copenhagen malmoe"),
        ("55.6761|12.5683|20|km", "copenhagen"),
        ("55.6761|12.5683|20", "copenhagen"),
        ("55.6761|12.5683|29", "copenhagen malmoe"),
        ("55.6761|12.5683|18|[mi_us]", "copenhagen malmoe"),
        ("55.6761|12.5683|17|[mi_us]", "copenhagen"),
        ("55.6761|12.5683|1|m", "copenhagen"),
        ("55.6761|12.5683|0", "copenhagen"),
        ("55.6762|12.5683|11|m", ""),
        ("55.6762|12.5683|12|m", "copenhagen"),
        ("-16.85|179.99|5|km", "taveuni beyond"),
        ("-16.85|-179.99|5|km", "taveuni beyond"),
        ("90|77|2|km", "pole across"),
        ("89.99|90|2|km", "pole across"),
        ("55.6761|12.5683|20,-16.85|179.97|1", "copenhagen taveuni"),
        ("0|0|30000|km", "copenhagen malmoe taveuni beyond pole across"),
    ],
)
def test_places_are_found_by_how_far_they_are(
    library: Any, query: str, found: str
) -> None:
    library.put(*LOCATIONS)

    assert library.ids("Location", f"near={query}") == found.split()


def test_places_without_a_position_are_told_apart(library: Any) -> None:
    library.put(*LOCATIONS)

    assert library.ids("Location", "near:missing=true") == ["nowhere"]


def test_composites_and_near_are_told_to_clients(library: Any) -> None:
    def told(kind: str) -> dict[str, str]:
        return {one.name: one.type for one in library.engine.parameters(kind)}

    assert told("Observation")["combo-code-value-quantity"] == "composite"
    assert told("MolecularSequence")["chromosome-variant-coordinate"] == "composite"
    assert told("Location")["near"] == "special"


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


TIMINGS: list[dict[str, Any]] = [
    {
        "resourceType": "ServiceRequest",
        "id": name,
        "status": "active",
        "intent": "order",
        "subject": {"reference": "Patient/1"},
        "occurrenceTiming": timing,
    }
    for name, timing in {
        "events": {"event": ["2024-05-03T08:00:00Z", "2024-05-01T08:00:00Z"]},
        "bounds": {"repeat": {"boundsPeriod": {"start": "2024-05-02"}, "period": 1}},
        "often": {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}},
    }.items()
]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("2024-05", "events"),
        ("2024-05-01", ""),
        ("ge2024-05-02", "events bounds"),
        ("gt2024-05-04", "bounds"),
        ("lt2024-05-02", "events"),
        ("le2024-05-03", "events bounds"),
        ("sa2024-05-01", "bounds"),
        ("eb2024-05-04", "events"),
    ],
)
def test_a_timing_is_its_outer_limits(library: Any, query: str, found: str) -> None:
    library.put(*TIMINGS)

    assert library.ids("ServiceRequest", f"occurrence={query}") == found.split()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("2024-05-01T10:00:00Z", "second fraction"),
        ("2024-05-01T10:00:00.250Z", "fraction"),
        ("2024-05-01T10:00:00.25Z", "fraction"),
        ("2024-05-01T10:00:00.2509Z", "fraction"),
        ("2024-05-01T10:00:00", "second fraction"),
        ("2024-05-01T12:00:00%2B02:00", "second fraction"),
        ("2024-05-01T10:00Z", "second fraction minute"),
        ("2024-05-01", "second fraction minute day"),
        ("gt2024-05-01T10:00:00Z", "minute day year"),
        ("gt2024-05-01T10:00:30Z", "minute day year"),
        ("ge2024-05-01T10:00:00Z", "second fraction minute day year"),
        ("lt2024-05-01T10:00:00.250Z", "second minute day year"),
        ("ne2024-05-01", "year"),
        ("sa2024-04", "second fraction minute day"),
        ("eb2025", "second fraction minute day year"),
        ("ap2023", "year"),
        ("ap2024-05-01", "second fraction minute day year"),
    ],
)
def test_times_are_as_exact_as_they_are_written(
    library: Any, query: str, found: str
) -> None:
    for name, moment in {
        "second": "2024-05-01T10:00:00Z",
        "fraction": "2024-05-01T12:00:00.250+02:00",
        "minute": "2024-05-01T10:00Z",
        "day": "2024-05-01",
        "year": "2024",
    }.items():
        library.put(observation(name, effectiveDateTime=moment))

    assert library.ids("Observation", f"date={query}") == found.split()


@pytest.mark.parametrize("table", ["idx_composite", "idx_position"])
def test_rows_of_what_is_gone_are_gone(library: Any, table: str) -> None:
    assert table in INDEX_TABLES
    stored = library.put(PRESSURES[0], LOCATIONS[0])
    for one in stored:
        library.change(None, one)

    assert library.database.rows(f"SELECT pid FROM {table}") == []
