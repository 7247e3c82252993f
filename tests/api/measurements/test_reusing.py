"""Measurements that are used again, by the citizen's choice."""

import pytest

from fyr.core.testing.applications import Events

EHEALTH = "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-"
TARGET = "urn:uuid:1d7f7c5e-3a04-4a59-8b0e-7d7f6f6d3c11"
#: Half an hour before the clock of the tests.
NOW = "2026-01-08T08:30:00+01:00"
SYSTEM = "http://ehealth.sundhed.dk/cs/"


@pytest.fixture
def store(store_url):
    """On each of the databases in turn."""
    return store_url


def criteria(make, allowed=True, unit="h", value=1, **qualities):
    """Make the reuse criteria of an order."""
    systems = {
        "situationQuality": "situation-quality",
        "usageQuality": "usage-quality",
        "deviceMeasuringQuality": "device-measuring-quality",
    }
    parts = [
        {"url": "allowed", "valueBoolean": allowed},
        {
            "url": "dataActuality",
            "valueDuration": {
                "value": value,
                "code": unit,
                "system": "http://unitsofmeasure.org",
            },
        },
    ]
    parts += [
        {
            "url": name,
            "valueCodeableConcept": make.concept(SYSTEM + systems[name], code),
        }
        for name, code in qualities.items()
    ]
    return {"url": f"{EHEALTH}reuseCriteria", "extension": parts}


@pytest.fixture
def reusing(world, make):
    """Measure once, and make a submission that uses it again; parts may be other ones."""

    def made(*, order=None, past=None, target=None, provenance=None, criteria_of=None):
        old_order = world.an_order()
        (measured,) = world.submitted(world.observation(old_order, **(past or {})))
        order = order or world.an_order(
            extension=[criteria(make, **(criteria_of or {}))]
        )
        again = {**world.observation(order, **(target or {})), "fullUrl": TARGET}
        said = world.reuse(TARGET, f"Observation/{measured['id']}")
        said |= provenance or {}
        return again, said

    return made


def test_a_measurement_is_used_again_with_its_provenance(world, reusing) -> None:
    again, said = reusing()

    stored, provenance = world.submitted(again, said)

    assert provenance["target"] == [{"reference": f"Observation/{stored['id']}"}]
    policies = [
        one["policy"] for one in world.provenances(f"Observation/{stored['id']}")
    ]
    assert len(policies) == 2


def test_the_coherent_provenance_is_of_the_measurements_alone(world, reusing) -> None:
    again, said = reusing()

    stored, _ = world.submitted(again, said)

    (coherent,) = [
        one
        for one in world.provenances(f"Observation/{stored['id']}")
        if "coherent-submitted-measurement" in one["policy"][0]
    ]
    assert coherent["target"] == [{"reference": f"Observation/{stored['id']}"}]


def test_what_is_used_again_is_told_as_received_once(world, reusing) -> None:
    again, said = reusing()
    events = Events(world.built)
    events.new()

    world.submitted(again, said)

    made = [one.type for one in events.new()]
    assert made == ["Observation", "Provenance", "Provenance"]


def test_a_provenance_with_another_policy_is_refused(reusing, problems) -> None:
    again, said = reusing(provenance={"policy": ["healthcare-act"]})

    assert problems(again, said) == [
        (
            "A Provenance that is submitted has the policy of reuse by the citizen's"
            " choice.",
            "Bundle.entry[1].resource.policy",
        )
    ]


def test_a_provenance_with_two_targets_is_refused(reusing, problems) -> None:
    again, said = reusing()
    said["target"] *= 2

    assert (
        "A Provenance has one target.",
        "Bundle.entry[1].resource.target",
    ) in problems(again, said)


def test_a_provenance_with_two_entities_is_refused(reusing, problems) -> None:
    again, said = reusing()
    said["entity"] *= 2

    assert (
        "A Provenance has one entity.",
        "Bundle.entry[1].resource.entity",
    ) in problems(again, said)


def test_a_provenance_without_entity_is_refused(reusing, problems) -> None:
    again, said = reusing()
    del said["entity"]

    assert problems(again, said) == [
        ("A Provenance has one entity.", "Bundle.entry[1].resource.entity")
    ]


def test_a_target_that_is_not_submitted_is_refused(reusing, problems) -> None:
    again, said = reusing(provenance={"target": [{"reference": "urn:uuid:8a"}]})

    assert problems(again, said) == [
        (
            "A Provenance refers to urn:uuid:8a, which is not in the Bundle.",
            "Bundle.entry[1].resource.target[0]",
        )
    ]


@pytest.mark.parametrize(
    "entity", ["Observation/nowhere", "Patient/patient-1", "urn:x"]
)
def test_an_entity_that_is_no_measurement_is_refused(reusing, problems, entity) -> None:
    again, said = reusing()
    said["entity"][0]["what"] = {"reference": entity}

    assert problems(again, said) == [
        (f"{entity} cannot be used.", "Bundle.entry[1].resource.entity[0].what")
    ]


def test_a_measurement_that_was_invalidated_is_not_used_again(
    world, reusing, problems
) -> None:
    again, said = reusing()
    name = said["entity"][0]["what"]["reference"]
    world.everything.patch(
        name,
        [{"op": "replace", "path": "/status", "value": "entered-in-error"}],
        "application/json-patch+json",
    )

    ((text, _),) = problems(again, said)

    assert text == f"{name} cannot be used."


def test_target_and_entity_of_several_types_are_refused(
    world, reusing, problems
) -> None:
    again, said = reusing()
    asked, order = world.a_questionnaire()
    (answers,) = world.submitted(world.response(asked, order))
    said["entity"][0]["what"] = {"reference": f"QuestionnaireResponse/{answers['id']}"}

    assert ("Target and entity of a Provenance are of one type.") in [
        text for text, _ in problems(again, said)
    ]


def test_a_measurement_of_another_patient_is_not_used_again(
    world, reusing, problems
) -> None:
    again, said = reusing()
    mine = (world.patient, world.episode)
    world.patient = world.put("Patient")["id"]
    world.episode = world.an_episode(world.patient)
    (other,) = world.submitted(world.observation(world.an_order()))
    world.patient, world.episode = mine
    said["entity"][0]["what"] = {"reference": f"Observation/{other['id']}"}

    assert problems(again, said) == [
        (
            "Target and entity of a Provenance are of one patient.",
            "Bundle.entry[1].resource.entity[0].what",
        )
    ]


@pytest.mark.parametrize("when", ["2026-01-08T08:31:00+01:00", "2026-01-07"])
def test_target_and_entity_have_one_date(reusing, problems, when) -> None:
    again, said = reusing(target={"effectiveDateTime": when})

    assert [text for text, _ in problems(again, said)] == [
        "Target and entity of a Provenance have one date."
    ]


def test_the_same_moment_in_another_zone_is_the_same_date(world, reusing) -> None:
    again, said = reusing(target={"effectiveDateTime": "2026-01-08T07:30:00Z"})

    assert world.submit(again, said).status == 200


def test_the_date_that_a_provenance_tells_is_that_of_the_entity(
    reusing, problems
) -> None:
    again, said = reusing()
    said["entity"][0]["extension"] = [
        {
            "url": f"{EHEALTH}provenance-dateTimeOfReusedEntity",
            "valueDateTime": "2026-01-01T08:00:00Z",
        }
    ]

    assert [text for text, _ in problems(again, said)] == [
        "Target and entity of a Provenance have one date."
    ]


def test_what_is_used_again_cannot_be_used_again(world, reusing, problems) -> None:
    again, said = reusing()
    stored, _ = world.submitted(again, said)
    said["entity"][0]["what"] = {"reference": f"Observation/{stored['id']}"}

    assert [text for text, _ in problems(again, said)] == [
        "The entity of the Provenance reuses a measurement itself, so it cannot be"
        " reused."
    ]


@pytest.mark.parametrize("allowed", [False, None])
def test_an_order_that_does_not_allow_it_is_not_met_by_an_old_measurement(
    world, reusing, problems, make, allowed
) -> None:
    none = [] if allowed is None else [criteria(make, allowed=allowed)]
    again, said = reusing(order=world.an_order(extension=none))

    assert problems(again, said) == [
        (
            f"The resource {TARGET} may not be reused.",
            "Bundle.entry[1].resource.target[0]",
        )
    ]


@pytest.mark.parametrize(
    ("part", "kind", "system"),
    [
        ("situationQuality", "SQ", "situation-quality"),
        ("usageQuality", "UQ", "usage-quality"),
    ],
)
def test_a_quality_that_is_asked_for_and_missing_is_refused(
    reusing, problems, part, kind, system
) -> None:
    again, said = reusing(criteria_of={part: "normal"})

    assert [text for text, _ in problems(again, said)] == [
        "Reuse needs the quality normal, which the resource does not have."
    ]


@pytest.mark.parametrize(
    ("part", "kind", "system", "given", "passes"),
    [
        ("situationQuality", "SQ", "situation-quality", "normal", True),
        ("situationQuality", "SQ", "situation-quality", "sitting", True),
        ("situationQuality", "SQ", "situation-quality", "unknown", False),
        ("usageQuality", "UQ", "usage-quality", "entered-manually", True),
        ("usageQuality", "UQ", "usage-quality", "TBD", False),
        (
            "deviceMeasuringQuality",
            "DMQ",
            "device-measuring-quality",
            "high-precision-normal",
            True,
        ),
        ("deviceMeasuringQuality", "DMQ", "device-measuring-quality", "unknown", False),
    ],
)
def test_a_quality_is_the_one_asked_for_or_below_it(
    world, reusing, make, part, kind, system, given, passes
) -> None:
    quality = make.quality(kind, system, given)
    again, said = reusing(criteria_of={part: "normal"}, target={"extension": [quality]})

    answer = world.submit(again, said)

    assert answer.status == (200 if passes else 422)
    if not passes:
        assert answer.issues == [
            f"Reuse is not possible: the quality normal does not include {given}."
        ]


def test_a_device_of_unknown_quality_does_not_do_where_a_quality_is_asked_for(
    reusing, problems
) -> None:
    again, said = reusing(criteria_of={"deviceMeasuringQuality": "normal"})

    assert [text for text, _ in problems(again, said)] == [
        "Reuse is not possible: the quality normal does not include unknown."
    ]


@pytest.mark.parametrize(
    ("value", "unit", "passes"),
    [
        (29, "min", False),
        (31, "min", True),
        (1799, "s", False),
        (0.4, "h", False),
        (1, "d", True),
        (1, "wk", True),
        (1, "mo", True),
        (1, "a", True),
    ],
)
def test_a_measurement_is_used_again_until_it_is_too_old(
    world, reusing, value, unit, passes
) -> None:
    again, said = reusing(criteria_of={"value": value, "unit": unit})

    answer = world.submit(again, said)

    assert answer.status == (200 if passes else 422)
    if not passes:
        assert answer.issues == ["The measurement is too old to be reused."]


def test_what_is_used_again_is_quoted(reusing, problems) -> None:
    again, said = reusing()
    said["entity"][0]["role"] = "source"

    assert problems(again, said) == [
        (
            "The content breaks a rule: what is used again is quoted: its role is quotation",
            "Bundle.entry[1].resource.entity[0].role",
        )
    ]


def test_an_unknown_unit_of_time_is_refused(reusing, problems) -> None:
    again, said = reusing(criteria_of={"unit": "fortnight"})

    assert [text for text, _ in problems(again, said)] == [
        "A duration has a UCUM unit of s, min, h, d, wk, mo and a, not fortnight."
    ]


@pytest.mark.parametrize(
    ("again", "place"),
    [
        (
            {
                "valueQuantity": {
                    "value": 96,
                    "unit": "%",
                    "system": "http://unitsofmeasure.org",
                    "code": "%",
                }
            },
            "value",
        ),
        ({"valueQuantity": None, "valueCodeableConcept": {"text": "97 %"}}, "value"),
        ({"component": [{"code": {"text": "more"}}]}, "component"),
    ],
)
def test_what_is_used_again_says_what_it_said(reusing, problems, again, place) -> None:
    again, said = reusing(target=again)

    assert problems(again, said) == [
        (
            f"The content breaks a rule: {place} is not what it is in the measurement"
            " that is used again",
            f"Bundle.entry[0].resource.{place}",
        )
    ]


def test_how_a_value_is_written_does_not_matter_to_its_reuse(world, reusing) -> None:
    written = {
        "value": 97.0,
        "unit": "percent",
        "system": "http://unitsofmeasure.org",
        "code": "%",
    }
    again, said = reusing(target={"valueQuantity": written})

    answer = world.submit(again, said)

    assert answer.status == 200, answer.body


def test_answers_are_used_again_as_they_were(world, make, refused) -> None:
    question = {"linkId": "1", "type": "integer", "text": "How many?"}
    asked, order = world.a_questionnaire(question)
    identity = f"ServiceRequest/{order}"
    stored = world.everything.get(identity).json
    stored["extension"].append(criteria(make))
    stored["occurrencePeriod"] = {"start": "2026-01-01T08:00:00+01:00"}
    assert world.everything.update(stored).status == 200
    one, two = ({"linkId": "1", "answer": [{"valueInteger": n}]} for n in (1, 2))
    (before,) = world.submitted(world.response(asked, order, one))
    said = world.reuse(TARGET, f"QuestionnaireResponse/{before['id']}")

    def again(item):
        return {**world.response(asked, order, item), "fullUrl": TARGET}

    ((_, place),) = refused(world.submit(again(two), said))
    assert place == "Bundle.entry[0].resource.item"
    assert world.submit(again(one), said).status == 200


def test_a_measurement_comes_from_one_place_only(reusing, problems) -> None:
    again, said = reusing()

    assert problems(again, said, said) == [
        (
            f"The content breaks a rule: another Provenance says where {TARGET} comes"
            " from",
            "Bundle.entry[2].resource.target[0]",
        )
    ]


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ({"activity": {"coding": [{"code": "CREATE"}]}}, "activity"),
        ({"agent": [{"who": {"reference": "Patient/other"}}]}, "agent[0].who"),
        ({"agent": [{"who": {"reference": "Practitioner/1"}}]}, "agent[0].who"),
        ({"agent": [{"who": {"display": "somebody"}}]}, "agent[0].who"),
        ({"agent": [{"who": {"identifier": {"value": "x"}}}]}, "agent[0].who"),
        ({"agent": [{"who": {"reference": "Device/1"}}]}, "agent"),
    ],
    ids="activity patient practitioner display identifier device".split(),
)
def test_what_is_used_again_is_a_quotation_that_the_patient_or_the_sender_chose(
    reusing, problems, more, place
) -> None:
    again, said = reusing(provenance=more)

    ((text, where),) = problems(again, said)

    assert "used again" in text
    assert where == f"Bundle.entry[1].resource.{place}"


def test_somebody_else_on_whose_behalf_it_was_chosen_is_refused(
    world, reusing, problems
) -> None:
    patient = {"reference": f"Patient/{world.patient}"}
    behalf = {"who": patient, "onBehalfOf": {"reference": "Patient/other"}}
    again, said = reusing(provenance={"agent": [behalf]})

    ((_, where),) = problems(again, said)

    assert where == "Bundle.entry[1].resource.agent[0].onBehalfOf"


def test_a_quotation_that_a_device_helped_with_is_taken(world, reusing) -> None:
    agents = [
        {"who": {"reference": f"{world.base('patient')}/Patient/{world.patient}"}},
        {"who": {"reference": "Device/1"}, "onBehalfOf": {"type": "Organization"}},
    ]
    quoted = {"coding": [{"code": "Quotation"}]}
    again, said = reusing(provenance={"agent": agents, "activity": quoted})

    answer = world.submit(again, said)

    assert answer.status == 200, answer.body
