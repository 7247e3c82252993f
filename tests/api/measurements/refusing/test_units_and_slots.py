"""``$submit-measurement``: units against reference ranges, labels against slots."""

import pytest

EHEALTH = "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-"
UCUM = "http://unitsofmeasure.org"
ALARMS = "urn:oid:1.2.208.184.100.1"
#: The slot of the regimes here on the day of the measurements.
SLOT = ("2026-01-08T08:00:00+01:00", "2026-01-08T10:00:00+01:00")


def quantity(value, code, system=UCUM, unit="unit"):
    found = {"value": value, "unit": unit, "system": system, "code": code}
    return {name: one for name, one in found.items() if one}


def alarm(make, low, code, kind="RAL"):
    parts = [
        {"url": "low", "valueQuantity": {"value": low, "code": code}},
        {"url": "type", "valueCodeableConcept": make.concept(ALARMS, kind)},
    ]
    return {"url": f"{EHEALTH}referenceRange", "extension": parts}


@pytest.mark.parametrize("missing", ["unit", "system", "code"])
def test_a_number_says_which_unit_it_is_in(world, problems, missing) -> None:
    given = quantity(97, "%")
    del given[missing]

    ((text, place),) = problems(
        world.observation(world.an_order(), valueQuantity=given)
    )

    assert text.endswith(f"missing: {missing}")
    assert place == "Bundle.entry[0].resource.value"


@pytest.mark.parametrize(
    "given",
    [
        quantity(36, "kg"),
        quantity(36, "no unit at all"),
        quantity(36, "kPa", system="urn:oid:1.2.3"),
    ],
    ids=["another dimension", "no unit", "another system"],
)
def test_a_unit_that_no_reference_range_is_comparable_with_is_refused(
    world, problems, make, given
) -> None:
    order = world.an_order(extension=[alarm(make, 160, "mm[Hg]")])

    ((text, place),) = problems(world.observation(order, valueQuantity=given))

    assert "cannot be converted into mm[Hg]" in text
    assert order in text
    assert place == "Bundle.entry[0].resource.value.code"


def test_a_unit_that_only_looks_like_ucum_is_refused(world, problems, make) -> None:
    order = world.an_order(extension=[alarm(make, 90, "%")])
    given = quantity(97, "%", system="http://example.org")

    ((text, place),) = problems(world.observation(order, valueQuantity=given))

    assert "% of http://example.org cannot be converted into %" in text
    assert place == "Bundle.entry[0].resource.value.code"


def test_units_of_components_are_held_against_ranges_too(world, problems, make) -> None:
    order = world.an_order(extension=[alarm(make, 160, "mm[Hg]")])
    parts = [
        {"code": {"text": "systolic"}, "valueQuantity": quantity(120, "mm[Hg]")},
        {"code": {"text": "diastolic"}, "valueQuantity": quantity(80, "cm")},
    ]
    observation = world.observation(order, valueQuantity=None, component=parts)

    ((_, place),) = problems(observation)

    assert place == "Bundle.entry[0].resource.component[1].value.code"


@pytest.mark.parametrize(
    "given", [quantity(120, "mm[Hg]"), quantity(16, "kPa")], ids=["same", "convertible"]
)
def test_a_unit_that_can_be_converted_is_taken(world, make, given) -> None:
    order = world.an_order(extension=[alarm(make, 160, "mm[Hg]")])

    answer = world.submit(world.observation(order, valueQuantity=given))

    assert answer.status == 200, answer.body


def test_a_range_without_a_unit_of_its_own_refuses_no_measurement(world, make) -> None:
    """What is wrong with it is for its author, not for the patient."""
    of_another = alarm(make, 90, "kPa")
    of_another["extension"][0]["valueQuantity"]["system"] = "http://example.org"

    for one in (alarm(make, 90, "procent"), of_another):
        order = world.an_order(extension=[one])
        assert world.submit(world.observation(order)).status == 200


def daily(**repeat):
    """Make a regime of a slot of two hours each day."""
    return {
        "repeat": {
            "boundsPeriod": {
                "start": "2026-01-01T08:00:00+01:00",
                "end": "2026-02-01T08:00:00+01:00",
            },
            "duration": 2,
            "durationUnit": "h",
            "frequency": 1,
            "period": 1,
            "periodUnit": "d",
            **repeat,
        }
    }


def resolved(make, start, end):
    return make.timing("Resolved", start=start, end=end)


@pytest.mark.parametrize(
    "ends",
    [
        SLOT,
        # Seconds do not count, and a moment is the same wherever it is told.
        ("2026-01-08T07:00:30+00:00", "2026-01-08T09:00:30+00:00"),
    ],
)
def test_a_slot_of_the_regime_is_taken(world, make, ends) -> None:
    order = world.an_order(occurrenceTiming=daily())
    observation = world.observation(order, timing=resolved(make, *ends))

    assert world.submit(observation).status == 200


@pytest.mark.parametrize(
    "ends",
    [
        ("2026-01-08T12:00:00+01:00", "2026-01-08T14:00:00+01:00"),
        ("2026-01-08T08:00:00+01:00", "2026-01-08T09:00:00+01:00"),
        ("2026-03-08T08:00:00+01:00", "2026-03-08T10:00:00+01:00"),
        ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"),
    ],
    ids=["another time", "shorter", "after the end", "all of time"],
)
def test_a_slot_that_is_not_there_is_refused(world, problems, make, ends) -> None:
    order = world.an_order(occurrenceTiming=daily())

    ((text, place),) = problems(world.observation(order, timing=resolved(make, *ends)))

    assert text.endswith(f"ServiceRequest {order}, version 1, has no such slot.")
    assert place == "Bundle.entry[0].resource.extension[1]"


def test_a_slot_is_held_against_the_version_that_is_named(
    world, problems, make
) -> None:
    order = world.an_order(occurrenceTiming=daily())
    request = world.everything.get(f"ServiceRequest/{order}").json
    later = daily(duration=3)
    answer = world.everything.update({**request, "occurrenceTiming": later})
    assert answer.status == 200, answer.body
    mine = resolved(make, *SLOT)
    newer = {**mine, "extension": [{**mine["extension"][0], "valueId": "2"}]}
    newer["extension"] += mine["extension"][1:]

    assert world.submit(world.observation(order, timing=mine)).status == 200
    ((text, _),) = problems(world.observation(order, timing=newer))
    assert "version 2, has no such slot" in text


@pytest.mark.parametrize("kind", ["Adhoc", "Unresolved", "Extra"])
def test_what_names_no_slot_where_there_are_some_is_taken_with_a_warning(
    world, make, kind
) -> None:
    order = world.an_order(occurrenceTiming=daily())

    answer = world.submit(world.observation(order, timing=make.timing(kind)))

    assert answer.status == 200, answer.body
    (issue,) = answer.json["entry"][0]["response"]["outcome"]["issue"]
    assert issue["severity"] == "warning"
    assert "has slots" in issue["diagnostics"]
    assert issue["diagnostics"].endswith("; it asks for no extra measurements")
    assert issue["expression"] == ["Observation.extension[1]"]


def test_what_is_outside_of_the_slots_says_so_where_extras_are_asked_for(
    world, make
) -> None:
    extra = {"url": f"{EHEALTH}include-as-extra", "valueBoolean": True}
    order = world.an_order(occurrenceTiming=daily(), extension=[extra])

    adhoc = world.submit(world.observation(order, timing=make.timing("Adhoc")))
    answer = world.submit(world.observation(order, timing=make.timing("Extra")))

    (issue,) = adhoc.json["entry"][0]["response"]["outcome"]["issue"]
    assert issue["diagnostics"].endswith("or say Extra")

    assert answer.status == 200, answer.body
    assert "outcome" not in answer.json["entry"][0]["response"]


@pytest.mark.parametrize("kind", ["Extra", "Adhoc", "Unresolved", "Resolved"])
@pytest.mark.parametrize(
    "occurrence",
    [
        {},
        {"occurrencePeriod": {"start": "2026-01-01T08:00:00+01:00"}},
    ],
    ids=["nothing", "no end"],
)
def test_where_no_slot_can_be_told_all_is_taken(world, make, kind, occurrence) -> None:
    order = world.an_order(**occurrence)
    timing = resolved(make, *SLOT) if kind == "Resolved" else make.timing(kind)

    answer = world.submit(world.observation(order, timing=timing))

    assert answer.status == 200, answer.body
    assert "outcome" not in answer.json["entry"][0]["response"]


def test_an_ad_hoc_regime_has_no_slots(world, problems, make) -> None:
    bounds = {"boundsPeriod": {"start": "2026-01-01T08:00:00+01:00"}}
    order = world.an_order(occurrenceTiming={"repeat": bounds})

    assert world.submit(world.observation(order)).status == 200
    ((text, _),) = problems(world.observation(order, timing=resolved(make, *SLOT)))
    assert "has no such slot" in text
