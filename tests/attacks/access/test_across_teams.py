"""Episodes of other teams: found for conditions of the solution's treatment area only."""

from dataclasses import replace

import pytest

from fyr.core import read_error_codes

CODES = read_error_codes("fyr.plugins.access_control")
NO_CODE = "EPISODEOFCARE_CROSS_TEAM_SEARCH_INVALID_CONDITION_PARAMETER"
OUTSIDE = "EPISODEOFCARE_CROSS_TEAM_SEARCH_CONDITION_INVALID_AGAINST_TREATMENT_AREA"
MAY = (
    "EpisodeOfCare.search EpisodeOfCare$cross-team-search CarePlan.read Condition.read"
)
SYSTEM = "http://example.org/conditions"


@pytest.fixture
def area(world, kit):
    """Solution xa treats one condition, which episode 2 is about."""
    condition = world.everything.get("Condition/2").json
    for identity, code in (("area-in", "inside"), ("area-out", "outside")):
        world.put({**condition, "id": identity, "code": kit.concept(code, SYSTEM)})
    episode = world.everything.get("EpisodeOfCare/2").json
    for identity in ("area-in", "area-out"):
        diagnosis = [{"condition": kit.to(f"Condition/{identity}")}]
        world.put({**episode, "id": identity, "diagnosis": diagnosis})
    world.put(
        {
            "resourceType": "ValueSet",
            "id": "area",
            "status": "active",
            "useContext": [
                {
                    "code": {"code": "system-treatment-area"},
                    "valueCodeableConcept": kit.concept("xa"),
                }
            ],
            "compose": {
                "include": [{"system": SYSTEM, "concept": [{"code": "inside"}]}]
            },
        }
    )
    yield
    for path in ("EpisodeOfCare/area-in", "EpisodeOfCare/area-out", "ValueSet/area"):
        world.everything.delete(path)


@pytest.mark.parametrize(
    ("query", "refused"),
    [
        (f"condition:Condition.code={SYSTEM}|inside", False),
        (f"condition:Condition.code={SYSTEM}|outside", True),
        (f"condition:Condition.code={SYSTEM}|inside,{SYSTEM}|outside", True),
        ("condition:Condition.code=inside", True),
        (f"condition:Condition.code:not={SYSTEM}|inside", True),
        ("", True),
        ("patient=Patient/2", True),
        ("team=CareTeam/b", True),
        (f"condition:Condition.code={SYSTEM}|inside&team=CareTeam/b", True),
    ],
)
def test_the_codes_that_are_asked_for_lie_in_the_area(
    world, kit, area, decides, query, refused
) -> None:
    nurse = replace(kit.nurse("a", may=MAY), tags=frozenset({"xa"}))

    answer = world.at("careplan", nurse).get(f"EpisodeOfCare?{query}")

    assert answer.status == (403 if decides and refused else 200), answer.body
    if decides and not refused:
        assert [one["id"] for one in answer.resources] == ["area-in"]


@pytest.mark.parametrize(
    ("tags", "may"),
    [
        ({"xb"}, MAY),
        (set(), MAY),
        ({"xa"}, MAY.replace("EpisodeOfCare$cross-team-search", "")),
    ],
)
def test_another_solution_or_no_privilege_finds_nothing(
    world, kit, area, decides, tags, may
) -> None:
    nurse = replace(kit.nurse("a", may=may), tags=frozenset(tags))
    query = f"EpisodeOfCare?condition:Condition.code={SYSTEM}|inside"

    answer = world.at("careplan", nurse).get(query)

    assert answer.status == (403 if decides else 200)


@pytest.mark.parametrize(
    ("query", "issue"),
    [
        ("patient=Patient/2", CODES[NO_CODE].issue()),
        ("condition=Condition/2", CODES[NO_CODE].issue()),
        (f"condition:Condition.code={SYSTEM}|outside", CODES[OUTSIDE].issue("xa")),
    ],
)
def test_a_search_across_teams_is_told_what_it_lacks(
    guarded, kit, query, issue
) -> None:
    nurse = replace(kit.nurse("a", may=MAY), tags=frozenset({"xa"}))

    answer = guarded.at("careplan", nurse).get(f"EpisodeOfCare?{query}")

    assert answer.issues == [issue.diagnostics]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("Provenance/1", "PROVENANCE_NO_READ_PRIVILEGE"),
        ("Provenance?target=EpisodeOfCare/1", "PROVENANCE_NO_SEARCH_PRIVILEGE"),
    ],
)
def test_a_privilege_for_provenance_that_is_missing_has_a_code_of_its_own(
    guarded, kit, path, code
) -> None:
    nurse = guarded.at("careplan", kit.nurse("a", 1, may="EpisodeOfCare.read"))

    answer = nurse.get(path)

    assert answer.status == 403
    assert answer.issues == [CODES[code].text]
