"""Odd input to the operations of care plans is refused, and is never a fault."""

import pytest

ODD = [
    "",
    " ",
    "x",
    "/",
    "PlanDefinition",
    "PlanDefinition/",
    "PlanDefinition/a/b",
    "EpisodeOfCare/",
    "EpisodeOfCare/none/_history/7",
    "Patient/1",
    "https://elsewhere.example.org/fhir/PlanDefinition/1",
    "urn:uuid:0d0a0f5c-29ee-4b7f-a2ba-0c5b3a3a0d3e",
    "#contained",
    "PlanDefinition?url=x",
    "æøå/☃",
    "../../etc/passwd",
    "x" * 5000,
]


def parameters(**values):
    given = [{"name": name, **one} for name, one in values.items()]
    return {"resourceType": "Parameters", "parameter": given}


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
@pytest.mark.parametrize("name", ["planDefinition", "episodeOfCare"])
def test_odd_references_are_refused_by_apply(clinic, name, odd) -> None:
    right = {
        "planDefinition": {"valueString": clinic.plan(clinic.activity())},
        "episodeOfCare": {"valueString": clinic.episode()},
    }
    client = clinic.careplan

    for given in ({"valueString": odd}, {"valueReference": {"reference": odd}}):
        answer = client.post("$apply", parameters(**{**right, name: given}))
        assert 400 <= answer.status < 500
        assert answer.issues
    query = {key: one["valueString"] for key, one in right.items()}
    assert 400 <= client.get("$apply", {**query, name: odd}).status < 500


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_odd_references_are_refused_for_care_teams(clinic, odd) -> None:
    episode = clinic.episode()
    client = clinic.careplan

    for operation, name in (
        ("update-care-teams", "addCareTeams"),
        ("update-care-teams", "removeCareteams"),
        ("is-context-allowed", "patient"),
        ("is-context-allowed", "careTeam"),
    ):
        sent = parameters(**{name: {"valueReference": {"reference": odd}}})
        answer = client.post(f"{episode}/${operation}", sent)
        assert 400 <= answer.status < 500, (operation, name)


def test_a_reference_without_a_reference_is_refused(clinic) -> None:
    nobody = {"valueReference": {"display": "somebody"}}
    episode = clinic.episode()
    client = clinic.careplan

    sent = parameters(planDefinition=nobody, episodeOfCare=nobody)
    assert client.post("$apply", sent).status == 400
    sent = parameters(addCareTeams=nobody)
    assert client.post(f"{episode}/$update-care-teams", sent).status == 400
    sent = parameters(patient=nobody)
    assert client.post(f"{episode}/$is-context-allowed", sent).status == 403


EPISODE = {"resourceType": "EpisodeOfCare", "status": "planned"}
WHOLE = {**EPISODE, "patient": {"reference": "Patient/none"}}


@pytest.mark.parametrize(
    "entries",
    [
        [],
        [{}],
        [{"resource": EPISODE}],
        [{"resource": WHOLE}],
        [{"resource": {**WHOLE, "patient": {"display": "x"}}}],
        [{"fullUrl": "urn:uuid:e", "resource": WHOLE}] * 2,
        [{"resource": WHOLE}, {"resource": {"resourceType": "Patient"}}],
        [{"resource": WHOLE}, {"request": {"method": "DELETE", "url": "Patient/1"}}],
        [
            {"fullUrl": "urn:uuid:e", "resource": {**WHOLE, "diagnosis": []}},
        ],
        [
            {
                "fullUrl": "urn:uuid:e",
                "resource": {**WHOLE, "diagnosis": [{"condition": {"display": "x"}}]},
            },
        ],
        [{"resource": {"resourceType": "Condition"}}],
        [{"resource": {"resourceType": "Bundle", "type": "batch"}}],
    ],
    ids=range(12),
)
def test_odd_bundles_begin_no_episode(clinic, entries) -> None:
    bundle = {"resourceType": "Bundle", "type": "transaction"}
    if entries:
        bundle["entry"] = entries
    sent = parameters(episodeOfCareAndProvenances={"resource": bundle})
    clinic.told()

    for body in (sent, bundle):
        answer = clinic.careplan.post("$create-episode-of-care", body)
        assert 400 <= answer.status < 500
        assert answer.issues
    assert clinic.told() == []


@pytest.mark.parametrize(
    "action",
    [
        {"definitionCanonical": "x"},
        {"definitionCanonical": "ActivityDefinition/"},
        {"definitionCanonical": "https://elsewhere.example.org/nothing|1"},
        {"definitionCanonical": "Questionnaire/1"},
    ],
    ids=range(4),
)
def test_odd_actions_are_told_by_apply(clinic, action) -> None:
    answer = clinic.apply(clinic.plan(action=[action]), clinic.episode())

    assert answer.status == 422
    assert answer.json["issue"][0]["expression"] == ["Parameters.parameter[0].value"]
