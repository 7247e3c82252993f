"""ClinicalImpressions as clients make them: what they may say, and about which plan."""

import pytest

from fyr.core import Principal

from ..guide import CS, EHEALTH, EPISODE, PATCH, concept, ext, to, url

MAY = "ClinicalImpression.create ClinicalImpression.read ClinicalImpression.patch"


def new(case, *items, finding="green", code="MeasurementAssessment", **more):
    plan = more.pop("plan", case.plan)
    extensions = [
        ext(EPISODE, valueReference=to(url(case.episode))),
        *(
            [ext("clinicalimpression-careplan", valueReference=to(url(plan)))]
            if plan
            else []
        ),
        *more.pop("extension", ()),
    ]
    investigation = {
        "code": concept("item-for-investigation"),
        "item": [to(url(one)) for one in items],
    }
    return {
        "resourceType": "ClinicalImpression",
        "meta": {"profile": [f"{EHEALTH}clinicalimpression"]},
        "status": "completed",
        "code": concept(code, f"{CS}clinicalimpression-codes"),
        "subject": to(url(case.patient)),
        "extension": extensions,
        **({"investigation": [investigation]} if items else {}),
        "finding": [
            {
                "itemCodeableConcept": concept(
                    finding, f"{CS}clinicalimpression-finding-codes"
                )
            }
        ],
        **more,
    }


def both(measurement):
    return f"{measurement}/_history/1", measurement


@pytest.fixture
def nurse(case):
    return case.ward.at("task", case.nurse(MAY))


def test_a_practitioner_assesses_a_measurement(case, nurse) -> None:
    made = nurse.create(new(case, *both(case.observation())))

    assert made.status == 201, made.body
    assert made.json["date"].startswith("2026-01-08T08:00:00")


@pytest.mark.parametrize(
    "finding", ["measurement-invalidated", "measurement-invalidation-retracted"]
)
def test_validity_is_said_by_its_operation_only(case, nurse, finding) -> None:
    answer = nurse.create(new(case, finding=finding, code="MeasurementValidityUpdate"))

    assert answer.status == 422
    assert answer.issues == [
        "Measurements are invalidated, and that is taken back, by the operation for it"
        " only."
    ]
    made = nurse.create(new(case)).json
    patch = [
        {
            "op": "replace",
            "path": "/finding/0/itemCodeableConcept/coding/0/code",
            "value": finding,
        }
    ]
    assert nurse.patch(f"ClinicalImpression/{made['id']}", patch, PATCH).status == 422


def test_validity_has_a_code_of_its_own(case, nurse) -> None:
    answer = nurse.create(new(case, finding="measurement-invalidated"))

    assert len(answer.issues) == 2
    assert "MeasurementValidityUpdate." in answer.issues[1]


@pytest.mark.parametrize("form", ["{}", "{}/_history/1"])
def test_what_is_investigated_is_named_with_and_without_its_version(
    case, nurse, form
) -> None:
    answer = nurse.create(new(case, form.format(case.observation())))

    assert answer.status == 422
    assert answer.issues == [
        "An investigation refers to its resource twice: with a version and without."
    ]


def test_the_care_plan_is_named_when_a_reference_leads_to_it(case, nurse) -> None:
    items = both(case.observation())
    answer = nurse.create(new(case, *items, plan=None))
    assert answer.status in (403, 422)

    system = case.ward.at("task", case.ward.system)
    answer = system.create(new(case, *items, plan=None))
    assert answer.status == 403
    may_all = Principal("SYSTEM", "s", frozenset(MAY.split()))
    answer = case.ward.at("task", may_all).create(new(case, *items, plan=None))
    assert answer.status == 422
    assert answer.issues == [
        f"The content breaks a rule: name the care plan that it is about: {case.plan}"
    ]


def test_measurements_of_two_plans_do_not_mix(case, ward, nurse) -> None:
    other = case.service_request()
    ward.of(
        "CarePlan",
        status="active",
        intent="order",
        subject=to(case.patient),
        activity=[{"reference": to(other)}],
    )
    items = [
        *both(case.observation()),
        *both(case.observation(request=other)),
    ]
    answer = nurse.create(new(case, *items))

    assert answer.status == 422
    assert "it concerns several care plans" in answer.issues[0]


def test_the_impression_before_leads_to_its_plan(case, nurse) -> None:
    first = nurse.create(new(case, *both(case.observation()))).json
    before = to(url(f"ClinicalImpression/{first['id']}"))

    assert nurse.create(new(case, previous=before)).status == 201


def approval(case, *items, decision="citizen-view-approved", view=True):
    made = new(
        case,
        *items,
        code="approved-view",
        extension=[
            ext("clinicalimpression-decision", valueCodeableConcept=concept(decision))
        ],
    )
    if view and items:
        made["investigation"][0]["extension"] = [
            ext(
                "clinicalimpression-viewInvestigationItem",
                valueReference=to("Basic/view"),
            )
        ]
    return made


def test_views_are_approved_for_the_answers_that_they_show(case, nurse, ward) -> None:
    answer = {"linkId": "q", "answer": [{"valueInteger": 1}]}
    response = case.response(ward.of("Questionnaire", status="active"), answer)

    assert nurse.create(approval(case, *both(response))).status == 201
    wrong = {
        "who approves views decides": approval(
            case, *both(response), decision="approved"
        ),
        "name the views that are approved": approval(case, *both(response), view=False),
        "views are approved for responses": approval(case, *both(case.observation())),
        "name the views that are approved, and": approval(case),
    }
    for text, one in wrong.items():
        answer = nurse.create(one)
        assert answer.status == 422
        assert [text in issue for issue in answer.issues] == [True], answer.issues


def test_an_approval_for_sharing_names_the_organization_of_who_approves(
    case, nurse
) -> None:
    decision = ext(
        "clinicalimpression-decision",
        valueCodeableConcept=concept("approved-for-sharing"),
    )
    made = nurse.create(new(case, extension=[decision])).json

    (found,) = [
        one
        for one in made["extension"]
        if one["url"].endswith("clinicalimpression-assessor-organization")
    ]
    assert found["valueReference"]["reference"] == url(case.organization)
    kept = case.ward.read(f"ClinicalImpression/{made['id']}")["extension"]
    assert {"url": found["url"], "valueReference": to(case.organization)} in kept


def test_what_was_entered_in_error_stays_so(case, nurse) -> None:
    place = f"ClinicalImpression/{nurse.create(new(case)).json['id']}"
    said = [{"op": "replace", "path": "/status", "value": "entered-in-error"}]
    assert nurse.patch(place, said, PATCH).status == 200

    back = [{"op": "replace", "path": "/status", "value": "completed"}]
    assert nurse.patch(place, back, PATCH).status == 422


def test_others_make_no_impression(case, ward) -> None:
    other = ward.of("CareTeam", status="active")
    for principal in (
        case.nurse(MAY, team=other),
        case.nurse("ClinicalImpression.read"),
        case.citizen(MAY),
    ):
        assert ward.at("task", principal).create(new(case)).status == 403
