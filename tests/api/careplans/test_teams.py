"""Care teams: which would fit, who is on plans and episodes, whose context that allows."""

from concurrent.futures import ThreadPoolExecutor

import pytest

EHEALTH = "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-"


def to(reference):
    return {"reference": reference}


def references(name, *teams):
    return [
        {
            "name": name,
            "valueReference": to(f"http://localhost/organization/fhir/{one}"),
        }
        for one in teams
    ]


def call(clinic, about, operation, *given):
    listed = [one for some in given for one in some]
    sent = {"resourceType": "Parameters", **({"parameter": listed} if listed else {})}
    return clinic.careplan.post(f"{about}/${operation}", sent)


def teams_of(clinic, reference, name="careTeam"):
    return [one["reference"] for one in clinic.read(reference).get(name, [])]


def history(resource):
    told = {}
    for one in resource["extension"]:
        if one["url"].endswith("teamHistory"):
            team, period = (
                next(iter(p.values())) for p in map(values, one["extension"])
            )
            told[team["reference"]] = "end" in period
    return told


def values(part):
    return {key: one for key, one in part.items() if key != "url"}


@pytest.fixture
def team(clinic):
    return clinic.team()


@pytest.fixture
def plans(clinic, team):
    """A care plan, and one that is a part of it."""
    plan = clinic.plan(clinic.activity(), clinic.plan(clinic.activity()))
    made = clinic.apply(plan, clinic.episode(team)).json
    whole = f"CarePlan/{made['id']}"
    (part,) = clinic.all.get("CarePlan", {"part-of": whole}).resources
    return whole, f"CarePlan/{part['id']}"


@pytest.mark.parametrize(
    ("add", "remove"),
    [("addCareTeams", "removeCareTeams"), ("addCareteams", "removeCareteams")],
)
def test_teams_of_a_plan_change_with_those_of_its_parts(
    clinic, plans, team, add, remove
) -> None:
    other = clinic.team()

    answer = call(
        clinic,
        plans[0],
        "update-care-teams",
        references(add, other),
        references(remove, team),
    )

    assert answer.status == 200, answer.body
    assert answer.json["id"] == plans[0].split("/")[1]
    for one in plans:
        assert teams_of(clinic, one) == [other]
        assert history(clinic.read(one)) == {team: True, other: False}


def test_a_change_of_teams_is_told_by_its_topic(clinic, plans, team) -> None:
    clinic.told()

    given = (
        references("addCareTeams", clinic.team()),
        references("removeCareTeams", team),
    )
    call(clinic, plans[0], "update-care-teams", *given)

    told = clinic.told()
    assert told.count(("ehealth-careplan.careteam", "reference_added")) == 2
    assert told.count(("ehealth-careplan.careteam", "reference_removed")) == 2


def test_teams_of_an_episode_change_and_are_remembered(clinic, team) -> None:
    episode, other = clinic.episode(team), clinic.team()
    clinic.told()

    answer = call(
        clinic, episode, "update-care-teams", references("addCareteams", other)
    )

    assert answer.status == 200, answer.body
    assert answer.json["resourceType"] == "EpisodeOfCare"
    assert teams_of(clinic, episode, "team") == [team, other]
    assert history(clinic.read(episode))[other] is False
    assert ("ehealth-episodeofcare.team", "reference_added") in clinic.told()


def test_a_team_that_is_on_it_already_changes_nothing(clinic, plans, team) -> None:
    before = clinic.read(plans[0])["meta"]["versionId"]

    answer = call(
        clinic, plans[0], "update-care-teams", references("addCareTeams", team)
    )

    assert answer.status == 200
    assert clinic.read(plans[0])["meta"]["versionId"] == before


@pytest.mark.parametrize(
    ("names", "wrong"),
    [
        (["addCareTeams", "removeCareTeams"], [1]),
        (["addCareTeams", "addCareTeams"], [1]),
        (["removeCareTeams", "removeCareteams"], [1]),
        # Those to add come first, wherever they stand.
        (["removeCareTeams", "addCareTeams", "addCareteams"], [2, 0]),
    ],
)
def test_a_team_that_is_named_more_than_once_is_refused(
    clinic, plans, team, names, wrong
) -> None:
    given = [references(name, team) for name in names]

    answer = call(clinic, plans[0], "update-care-teams", *given)

    assert answer.status == 422
    told = [one["expression"][0] for one in answer.json["issue"]]
    assert told == [f"Parameters.parameter[{one}].value" for one in wrong]
    assert f"{team} is named more than once" in answer.issues[0]
    assert teams_of(clinic, plans[0]) == [team]


def test_each_team_that_is_not_there_is_told_with_its_place(clinic, plans) -> None:
    given = references("addCareTeams", "CareTeam/no", clinic.team(), "CareTeam/nor")

    answer = call(clinic, plans[0], "update-care-teams", given)

    assert answer.status == 422
    told = [one["expression"] for one in answer.json["issue"]]
    assert told == [
        ["Parameters.parameter[0].value"],
        ["Parameters.parameter[2].value"],
    ]


def test_changes_at_one_time_lose_none(clinic, plans, team) -> None:
    others = [clinic.team() for _ in range(8)]

    def add(other):
        given = references("addCareTeams", other)
        return call(clinic, plans[0], "update-care-teams", given).status

    with ThreadPoolExecutor(len(others)) as pool:
        statuses = list(pool.map(add, others))

    assert statuses == [200] * len(others)
    for one in plans:
        assert set(teams_of(clinic, one)) == {team, *others}


def test_who_names_no_team_is_told_so(clinic, plans) -> None:
    assert call(clinic, plans[0], "update-care-teams").status == 400


def test_a_reference_that_leads_nowhere_is_not_passed_over(clinic, plans, team) -> None:
    given = references("removeCareTeams", team)
    nothing = {"name": "addCareTeams", "valueReference": {"display": "The ward"}}
    given.append(nothing)

    answer = call(clinic, plans[0], "update-care-teams", given)

    assert answer.status == 400
    assert answer.issues == ["addCareTeams refers to nothing: its reference is missing"]
    assert teams_of(clinic, plans[0]) == [team]


def test_a_team_that_is_not_there_cannot_be_added(clinic, plans) -> None:
    given = references("addCareTeams", "CareTeam/none")

    assert call(clinic, plans[0], "update-care-teams", given).status == 422


def test_what_is_no_team_cannot_be_added(clinic, plans) -> None:
    given = references("addCareTeams", "Organization/1")

    assert call(clinic, plans[0], "update-care-teams", given).status == 422


COPD = {"coding": [{"system": "urn:oid:1.2.208.176.2.4", "code": "DJ44"}]}
OTHER = {"coding": [{"system": "urn:oid:1.2.208.176.2.4", "code": "DE10"}]}


def organization(clinic, region, municipality):
    return clinic.put(
        {
            "resourceType": "Organization",
            "id": clinic.number(),
            "name": "x",
            "extension": [
                {"url": f"{EHEALTH}organization-regionCode", "valueString": region},
                {
                    "url": f"{EHEALTH}organization-municipalityCode",
                    "valueString": municipality,
                },
            ],
        }
    )


def suggested(clinic, plan, **where):
    given = [{"name": name, "valueString": one} for name, one in where.items()]
    answer = call(clinic, plan, "suggest-care-teams", given)
    assert answer.status == 200, answer.body
    return [f"{one['resourceType']}/{one['id']}" for one in answer.resources]


def test_teams_for_all_conditions_in_the_area_are_suggested(clinic, plans) -> None:
    place = clinic.number()
    here = organization(clinic, place, "0101")
    away = organization(clinic, f"{place}1", "0101")
    fits = clinic.team(reasonCode=[COPD, OTHER], managingOrganization=[to(here)])
    clinic.team(reasonCode=[OTHER], managingOrganization=[to(here)])
    clinic.team(reasonCode=[COPD], managingOrganization=[to(away)])
    clinic.team(reasonCode=[COPD], managingOrganization=[to(here)], status="inactive")

    assert suggested(clinic, plans[0], regionCode=place) == [fits, here]


def test_a_region_counts_more_than_a_municipality(clinic, plans) -> None:
    region, municipality = clinic.number(), clinic.number()
    one = organization(clinic, region, "x")
    other = organization(clinic, "x", municipality)
    first = clinic.team(reasonCode=[COPD], managingOrganization=[to(one)])
    second = clinic.team(reasonCode=[COPD], managingOrganization=[to(other)])

    both = suggested(clinic, plans[0], regionCode=region, municipalityCode=municipality)

    assert both == [first, one]
    assert suggested(clinic, plans[0], municipalityCode=municipality) == [second, other]


def test_who_says_no_place_is_told_so(clinic, plans) -> None:
    assert call(clinic, plans[0], "suggest-care-teams").status == 400


def allowed(clinic, episode, name, reference):
    given = [{"name": name, "valueReference": to(reference)}]
    answer = call(clinic, episode, "is-context-allowed", given)
    if answer.status != 200:
        return answer.status
    return [one["name"] for one in answer.json["parameter"]]


def test_a_patient_may_choose_their_own_episode(clinic) -> None:
    patient = clinic.patient()
    episode = clinic.episode(patient=patient)

    assert allowed(clinic, episode, "patient", patient) == ["Patient"]
    assert allowed(clinic, episode, "patient", clinic.patient()) == 403


def test_a_team_may_choose_an_episode_that_it_is_on(clinic, team) -> None:
    episode = clinic.episode(team)

    assert allowed(clinic, episode, "careTeam", team) == ["CareTeam", "EpisodeOfCare"]
    assert allowed(clinic, episode, "careTeam", clinic.team()) == 403


def test_a_team_may_choose_an_episode_by_a_plan_that_it_is_on(clinic, plans) -> None:
    other = clinic.team()
    call(clinic, plans[0], "update-care-teams", references("addCareTeams", other))
    extension = clinic.read(plans[0])["extension"][0]
    episode = extension["valueReference"]["reference"]

    assert allowed(clinic, episode, "careTeam", other) == ["CareTeam", "CarePlan"]


def test_nobody_is_no_context(clinic) -> None:
    assert call(clinic, clinic.episode(), "is-context-allowed").status == 403
    assert allowed(clinic, "EpisodeOfCare/none", "patient", "Patient/1") == 403


@pytest.mark.parametrize(
    ("operation", "given"),
    [
        ("suggest-care-teams", [{"name": "regionCode", "valueString": "1082"}]),
        ("update-care-teams", references("addCareTeams", "CareTeam/lungs")),
    ],
)
def test_the_teams_of_a_care_plan_that_is_not_there_are_not_found(
    clinic, operation, given
) -> None:
    clinic.put({"resourceType": "CareTeam", "id": "lungs", "status": "active"})

    answer = call(clinic, "CarePlan/none", operation, given)

    assert answer.status == 404
    assert answer.issues == ["There is no such care plan."]
