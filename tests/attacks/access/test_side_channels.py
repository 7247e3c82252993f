"""Searches that would tell of what may not be seen by what they find, or in which order.

Each is asked inside of the nurse's own context, where the answer is allowed, but decided
by somebody else's data: a hit or none would tell what that says.
"""

import pytest

MINE = "episodeOfCare=EpisodeOfCare/1"
MAY = "Observation.search CarePlan.search Provenance.search Task.search Goal.search"


@pytest.fixture
def nurse(kit):
    return kit.nurse("a", 1, may=MAY)


@pytest.mark.parametrize(
    "criteria",
    [
        "subject:Patient.name=Secret1",
        "subject:Patient.address-city=Odense",
        "based-on:ServiceRequest.code=weigh",
        "_filter=subject.name eq Secret1",
        "_filter=not(subject.name eq Other)",
        "subject:Patient._has:Goal:subject:lifecycle-status=active",
        "subject:Patient.organization:missing=true",
    ],
)
def test_criteria_on_types_of_other_services_are_refused(
    guarded, nurse, criteria
) -> None:
    answer = guarded.at("measurement", nurse).get(f"Observation?{MINE}&{criteria}")

    assert answer.status in (400, 403), answer.body


PLANS = f"CarePlan?{MINE}&episodeOfCare.team=CareTeam/a"


@pytest.mark.parametrize(
    ("service", "query"),
    [
        ("careplan", f"{PLANS}&goal:Goal.lifecycle-status=active"),
        ("careplan", f"{PLANS}&episodeOfCare.status=active"),
        ("careplan", f"{PLANS}&part-of:CarePlan.status=active"),
        ("careplan", f"{PLANS}&condition:Condition.code=dia2"),
        ("task", f"ClinicalImpression?{MINE}&previous.status=completed"),
        ("task", f"ClinicalImpression?{MINE}&_has:Task:focus:status=requested"),
        ("task", f"ClinicalImpression?{MINE}&_has:Task:part-of:status=requested"),
        ("task", f"ClinicalImpression?{MINE}&_has:ClinicalImpression:previous:_id=2"),
        ("task", "Task?responsible=CareTeam/a&_has:Task:part-of:status=requested"),
        ("task", "Task?responsible=CareTeam/a&part-of:Task.patient=Patient/2"),
    ],
)
def test_criteria_on_other_resources_are_refused(
    world, kit, decides, service, query
) -> None:
    may = "CarePlan.search Task.search ClinicalImpression.search Condition.read"
    more = "RestrictionCategory$measurement-monitoring"
    one = kit.nurse("a", *([] if "Task?" in query else [1]), may=f"{may} {more}")

    answer = world.at(service, one).get(query)

    assert answer.status == (403 if decides else 200), answer.body


@pytest.mark.parametrize(
    ("true", "false"),
    [
        ("subject:Patient.name=Secret1", "subject:Patient.name=Other"),
        ("subject:Patient.address-city=Odense", "subject:Patient.address-city=Aarhus"),
        ("based-on:ServiceRequest.code=weigh", "based-on:ServiceRequest.code=bleed"),
        ("_filter=subject.name eq Secret1", "_filter=subject.name eq Other"),
        (
            "subject:Patient._has:Goal:subject:lifecycle-status=active",
            "subject:Patient._has:Goal:subject:lifecycle-status=proposed",
        ),
    ],
)
def test_such_criteria_tell_what_others_say_where_they_are_offered(
    unguarded, true, false
) -> None:
    """The attack without its guard: what the service does not offer is one."""
    hit = unguarded.everything.get(f"Observation?{MINE}&{true}")
    miss = unguarded.everything.get(f"Observation?{MINE}&{false}")

    assert [one["id"] for one in hit.resources] == ["1"]
    assert (miss.status, miss.resources) == (200, [])


#: Find what belongs to others, or tell how much that is.
REACHING = [
    "episodeOfCare=EpisodeOfCare/2",
    "episodeOfCare=EpisodeOfCare/1,EpisodeOfCare/2",
    "episodeOfCare:missing=false",
    "code=weight",
    "_id=2",
    "subject=Patient/2",
    "_filter=episodeOfCare eq EpisodeOfCare/1 or code eq weight",
    "_filter=episodeOfCare eq EpisodeOfCare/1 or not(code eq x)",
    "episodeOfCare=EpisodeOfCare/2&_summary=count",
    "episodeOfCare=EpisodeOfCare/2&_total=accurate&_count=0",
    "episodeOfCare=EpisodeOfCare/2&_sort=date",
]


@pytest.mark.parametrize("query", REACHING)
def test_a_search_reaches_others_where_nobody_decides(unguarded, nurse, query) -> None:
    # At the service of everything, which asks no search to say of whom it is.
    answer = unguarded.everything.acting_as(nurse).get(f"Observation?{query}")

    assert answer.status == 200, answer.body
    found = [one["id"] for one in answer.resources]
    assert "2" in found or (not found and answer.json["total"] == 1)


@pytest.mark.parametrize(
    "query",
    [
        *REACHING,
        "episodeOfCare:not=EpisodeOfCare/9",
        "episodeOfCare:identifier=x",
        "episodeOfCare=https://evil.example.org/careplan/fhir/EpisodeOfCare/1",
        "_contained=true&episodeOfCare=EpisodeOfCare/1",
    ],
)
def test_a_search_that_does_not_keep_to_the_episode_is_refused(
    guarded, nurse, query
) -> None:
    answer = guarded.at("measurement", nurse).get(f"Observation?{query}")

    assert answer.status in (400, 403), answer.body
    if answer.status == 400:
        assert "offers no" in answer.issues[0] or "modifier" in answer.issues[0]
    assert b"Secret" not in answer.body


@pytest.mark.parametrize(
    "query",
    [
        MINE,
        "episodeOfCare=https://fyr.example.org/careplan/fhir/EpisodeOfCare/1",
        "episodeOfCare:EpisodeOfCare=1",
        f"{MINE}&code=weight&_sort=-date&_total=accurate",
        "_filter=episodeOfCare eq EpisodeOfCare/1 and code eq weight",
    ],
)
def test_a_search_that_keeps_to_it_finds_what_lies_inside(
    guarded, nurse, query
) -> None:
    answer = guarded.at("measurement", nurse).get(f"Observation?{query}")

    assert answer.status == 200, answer.body
    assert [one["id"] for one in answer.resources] == ["1"]


def test_a_posted_search_is_judged_as_well(world, nurse, decides) -> None:
    client = world.at("measurement", nurse).with_headers(
        Content_Type="application/x-www-form-urlencoded"
    )

    assert client.post("Observation/_search", MINE).status == 200
    other = MINE.replace("/1", "/2")
    assert client.post("Observation/_search", other).status == (403 if decides else 200)
    split = client.post(f"Observation/_search?{MINE}", other)
    assert split.status == 200
    assert split.resources == []


def test_the_link_to_the_next_page_is_judged_as_well(
    world, nurse, kit, decides
) -> None:
    for number in range(3):
        one = world.everything.get("Observation/1").json
        world.put({**one, "id": f"page-{number}"})
    page = world.at("measurement", nurse).get(f"Observation?{MINE}&_count=2")
    (link,) = [one["url"] for one in page.json["link"] if one["relation"] == "next"]
    path = link.removeprefix(kit.root)

    assert world.at("measurement", nurse).get(path).status == 200
    other = world.at("measurement", kit.nurse("b", 2, may=MAY)).get(path)
    assert other.status == (403 if decides else 200)
    for number in range(3):
        world.everything.delete(f"Observation/page-{number}")


def test_material_of_patients_is_found_by_those_of_the_patient(guarded, kit) -> None:
    general = guarded.everything.get("DocumentReference/plan-1").json
    del general["subject"], general["context"]
    guarded.put({**general, "id": "general"})
    nurse = kit.nurse(
        "a", 0, "Patient/1", may="DocumentReference.search DocumentReference.read"
    )
    client = guarded.at("plan", nurse)

    def found(query):
        answer = client.get(f"DocumentReference{query}")
        if answer.status == 403:
            return "refused"
        return sorted(one["id"] for one in answer.resources)

    assert found("") == ["general"]
    assert found("?subject:missing=true") == ["general"]
    assert found("?subject=Patient/1") == ["plan-1"]
    assert found(f"?patient={kit.url('Patient/1')}") == ["plan-1"]
    for query in ("?subject=Patient/2", "?patient=2", "?subject:missing=false"):
        assert found(query) == "refused"
    assert found("?subject:not=Patient/9") in ("refused", [])
    guarded.put({**general, "id": "by-cpr", "subject": {"identifier": {"value": "1"}}})
    assert found("") == ["general"]
    assert guarded.at("plan", nurse).get("DocumentReference/by-cpr").status == 403
    guarded.everything.delete("DocumentReference/by-cpr")
    guarded.everything.delete("DocumentReference/general")


def test_appointments_of_patients_are_found_with_the_patient(guarded, kit) -> None:
    appointment = guarded.everything.get("Appointment/1").json
    nurse = {"actor": kit.to("Practitioner/1"), "status": "accepted"}
    everybody = [*appointment["participant"], nurse]
    guarded.put({**appointment, "id": "seen", "participant": everybody})
    may = "Appointment.read"

    def found(principal, query):
        return guarded.at("patient", principal).get(f"Appointment?{query}")

    without = found(kit.nurse("a", may=may), "practitioner=Practitioner/1")
    assert without.resources == []
    chosen = kit.nurse("a", 0, "Patient/1", may=may)
    assert len(found(chosen, "patient=Patient/1").resources) == 2
    assert found(chosen, "practitioner=Practitioner/1").status == 403
    guarded.everything.delete("Appointment/seen")
