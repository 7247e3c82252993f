"""Observations in short."""

from typing import Any

from fyr.search.extraction.places import TypePlaces

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


def of(made: TypePlaces) -> list[Any]:
    nodes, pairs = [made.root], []
    for node in nodes:
        nodes += node.below.values()
        pairs += [leaf for leaf in node.leaves.values() if hasattr(leaf, "nodes")]
    return pairs


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
