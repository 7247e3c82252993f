"""``Library/$evaluate``: rules run on what the caller gives, and nothing is kept."""

import json
from pathlib import Path

import pytest

from fyr.core import Principal

from ..guide import EHEALTH, EPISODE, ext, to, url
from .conftest import alarm

MAY = "Library$evaluate Library.read"
BMI = {
    "language": "fyr-rules/1",
    "define": {
        "weight": "%measurements.where(value.code = 'kg').value.value",
        "height": "%measurements.where(value.code = 'm').value.value",
    },
    "output": "%weight / (%height * %height)",
}
RECORDED = Path(__file__).parents[4] / "shared/data/ig-exchanges.jsonl"


def quantity(case, number, unit, **more):
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "x"},
        "subject": to(url(case.patient)),
        "basedOn": [to(url(case.request))],
        "valueQuantity": {"value": number, "code": unit},
        **more,
    }


def body(*resources):
    given = [{"name": f"m{n}", "resource": one} for n, one in enumerate(resources)]
    inner = {"resourceType": "Parameters", "parameter": given}
    outer = [{"name": "parameters", "resource": inner}]
    return {"resourceType": "Parameters", "parameter": outer}


def ask(client, library, *resources):
    return client.post(f"{library}/$evaluate", body(*resources))


@pytest.fixture(scope="module")
def library(ward):
    return ward.library(BMI)


@pytest.fixture
def case(ward, library):
    return ward.case(library=library)


@pytest.fixture
def system(case):
    principal = Principal("SYSTEM", "s", frozenset(MAY.split()))
    return case.ward.at("library", principal)


def output(answer):
    (found,) = answer.json["contained"]
    return found["parameter"]


def test_a_body_mass_index_is_calculated_as_it_was_by_the_guides_server(
    case, system, library
) -> None:
    measured = quantity(case, 1.7, "m"), quantity(case, 100, "kg")
    answer = ask(system, library, *measured)

    assert answer.status == 200, answer.body
    result, *facts = output(answer)
    assert result["name"] == "rule-output"
    assert round(result["valueDecimal"], 1) == 34.6
    assert [one["valueReference"]["reference"] for one in facts] == [
        f"{url(case.patient)}/_history/1",
        f"{url(case.request)}/_history/1",
        f"{url(case.activity)}/_history/1",
        f"{url(case.definition)}/_history/1",
    ]
    told = answer.json
    assert told["moduleCanonical"] == url(library)
    assert told["extension"] == [
        ext("guidanceresponse-episodeOfCare", valueReference=to(url(case.episode)))
    ]
    if RECORDED.exists():
        lines = map(json.loads, RECORDED.read_text().splitlines())
        recorded = next(one for one in lines if one["name"] == "POST_Library_evaluate")
        assert set(told) == set(recorded["response_body"])
        names = [one["name"] for one in output(answer)]
        (shape,) = recorded["response_body"]["contained"]
        assert names == [one["name"] for one in shape["parameter"]]


def test_findings_are_told_and_nothing_is_kept(ward) -> None:
    library = ward.library()
    case = ward.case(library=library, ranges=[alarm("RAL", high=88)])
    nurse = ward.at("library", case.nurse(MAY))
    answer = ask(nurse, library, quantity(case, 84, "%"))

    (found, *_) = output(answer)
    assert found["valueCodeableConcept"]["coding"][0]["code"] == "red"
    ward.work()
    assert case.tasks() == []
    assert case.impressions() == []


def test_the_library_of_the_activity_is_found_where_none_is_named(case, ward) -> None:
    nurse = ward.at("library", case.nurse(MAY))
    answer = nurse.post(
        "Library/$evaluate", body(quantity(case, 2, "m"), quantity(case, 80, "kg"))
    )

    assert output(answer)[0]["valueDecimal"] == 20


def test_people_ask_about_those_whom_their_token_is_about(case, ward, library) -> None:
    measured = quantity(case, 84, "kg")
    other = ward.case()
    team = ward.of("CareTeam", status="active")
    for stranger in (
        case.nurse(MAY, team=team),
        other.nurse(MAY),
        other.citizen(MAY),
        case.nurse("Library.read"),
    ):
        answer = ask(ward.at("library", stranger), library, measured)
        assert answer.status == 403, answer.body
    lying = quantity(case, 84, "kg", subject=to(url(other.patient)))
    assert ask(ward.at("library", case.nurse(MAY)), library, lying).status == 403
    assert ask(ward.at("library", case.citizen(MAY)), library, measured).status == 200


def refused(answer, text):
    assert answer.status in (400, 422), answer.body
    assert any(text in issue for issue in answer.issues), answer.issues


def test_an_input_must_be_given(system, library) -> None:
    refused(
        system.post(f"{library}/$evaluate", {"resourceType": "Parameters"}),
        "Give the input of the rule",
    )


def test_the_input_is_measurements_of_one_activity(case, system, library) -> None:
    text = "The parameter 'parameters' holds one"
    refused(ask(system, library, {"resourceType": "Patient"}), text)
    other = quantity(case, 1, "m", basedOn=[to("ServiceRequest/other")])
    refused(ask(system, library, quantity(case, 1, "m"), other), text)


def test_what_it_leads_to_must_be_there(case, ward, system, library) -> None:
    nowhere = quantity(case, 1, "m", basedOn=[to("ServiceRequest/none")])
    refused(ask(system, library, nowhere), "No ServiceRequest can be found")
    lonely = case.service_request()
    alone = quantity(case, 1, "m", basedOn=[to(url(lonely))])
    refused(ask(system, library, alone), "No care plan refers to ServiceRequest")
    body = ward.read(case.request)
    ward.put({**body, "instantiatesCanonical": ["http://x/ActivityDefinition/none"]})
    refused(
        ask(system, library, quantity(case, 1, "m")),
        "No ActivityDefinition can be found for an input of type Observation.",
    )


def test_only_the_library_of_the_activity_is_run(case, ward, system) -> None:
    other = ward.library(BMI)
    refused(
        ask(system, other, quantity(case, 1, "m")), "is not the one that the Activity"
    )


def test_rules_that_cannot_be_run_are_told(ward, system) -> None:
    drools = ward.library("package rules", kind="application/x-drools")
    case = ward.case(library=drools)
    refused(ask(system, drools, quantity(case, 1, "m")), "no engine of this server")

    odd = {"name": "odd", "when": "%value < 'a'"}
    faulty = ward.library({"language": "fyr-rules/1", "rules": [odd]})
    case = ward.case(library=faulty)
    refused(
        ask(system, faulty, quantity(case, 1, "m")), "The rule cannot be read: odd:"
    )

    many = {"name": "much", "when": "".join(["'a'.repeat($this | ($this & 'a'))"])}
    costly = ward.library({"language": "fyr-rules/1", "rules": [many]})
    case = ward.case(library=costly)
    answer = ask(system, costly, quantity(case, 1, "m"))
    assert answer.status == 422
    assert answer.json["issue"][0]["code"] == "too-costly"

    empty = {**ward.read(costly), "id": ward.number()}
    del empty["content"]
    none = ward.put(empty)
    case = ward.case(library=none)
    refused(ask(system, none, quantity(case, 1, "m")), "has no rule to evaluate")


def test_what_rules_miss_is_told(ward, system) -> None:
    library = ward.library()
    case = ward.case(library=library, ranges=[alarm("RELRAL", high=1)])
    refused(
        ask(system, library, quantity(case, 1, "%")),
        f"A rule of category RefBaseNeeded with the focus {case.request} cannot",
    )


@pytest.mark.parametrize(
    ("parameter", "text"),
    [
        ({"use": "in", "type": "Address"}, "cannot take a parameter of type Address"),
        ({"use": "out", "type": "Address"}, "cannot give a parameter of type Address"),
    ],
)
def test_parameters_of_other_types_are_refused(ward, system, parameter, text) -> None:
    library = ward.library(BMI, parameter=[parameter])
    case = ward.case(library=library)
    refused(ask(system, library, quantity(case, 1, "m")), text)


@pytest.mark.parametrize(
    ("requirement", "text"),
    [
        ({"type": "Condition"}, "No earlier Condition can be found"),
        ({"type": "Observation"}, "A duration or a limit is missing"),
        ({"type": "Observation", "limit": 501}, "The limit 501 is above 500"),
    ],
)
def test_earlier_data_that_cannot_be_had_is_told(
    ward, system, requirement, text
) -> None:
    library = ward.library(BMI, dataRequirement=[requirement])
    case = ward.case(library=library)
    refused(ask(system, library, quantity(case, 1, "m")), text)


def test_the_profile_is_claimed(case, system, library) -> None:
    answer = ask(system, library, quantity(case, 2, "m"), quantity(case, 80, "kg"))

    assert answer.json["meta"]["profile"] == [f"{EHEALTH}guidanceresponse"]
    assert EPISODE not in json.dumps(answer.json)
