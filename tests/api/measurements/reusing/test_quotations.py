"""Measurements that are used again say what they said, as quotations."""

import pytest

from .criteria import TARGET, criteria


def test_what_is_used_again_is_quoted(reusing, problems) -> None:
    again, said = reusing()
    said["entity"][0]["role"] = "source"

    assert problems(again, said) == [
        (
            "The content breaks a rule: what is used again is quoted: its role is quotation",
            "Bundle.entry[1].resource.entity[0].role",
        )
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
