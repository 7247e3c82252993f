"""Who may submit, search and see measurements, on a server that decides."""

from pathlib import Path

import pytest

from fyr.core.context import Principal
from fyr.core.model.definitions import RESOURCE_TYPES
from fyr.core.testing.applications import application, settings_with
from fyr.core.testing.client import Client
from fyr.core.testing.clock import FakeClock

ROOT = "https://fyr.example.org"
TAGS = "http://ehealth.sundhed.dk/cs/ehealth-system"
SYSTEM = Principal("SYSTEM", "test", frozenset(f"{kind}.*" for kind in RESOURCE_TYPES))
HOMES = {
    "Patient": ("patient", "patient"),
    "EpisodeOfCare": ("careplan", "episode_of_care"),
    "CareTeam": ("organization", "care_team"),
}


def who(kind, *contexts, may="$submit-measurement"):
    """Make a principal with contexts such as ``Patient/1``."""
    chosen = {}
    for one in contexts:
        service, key = HOMES[one.partition("/")[0]]
        chosen[key] = f"{ROOT}/{service}/fhir/{one}"
    user = "4f5f6cf6-0000-4000-8000-000000000002"
    return Principal(kind, user, frozenset(may.split()), chosen)


@pytest.fixture
def closed(tmp_path: Path, new_world):
    options = {
        "plugins": {
            "enabled": ["search", "administrative", "clinical", "access_control"]
        },
        "security": {"mode": "closed"},
        "server": {"public_url": ROOT},
    }
    with application(settings_with(options, tmp_path), FakeClock()) as built:
        world = new_world(built, SYSTEM)
        world.submitter = lambda: at(world, the_patient(world))
        yield world


@pytest.fixture
def team(closed):
    """A care team on the episode of the patient."""
    name = f"CareTeam/{closed.put('CareTeam', status='active')['id']}"
    closed.episode = closed.an_episode(closed.patient, team=[{"reference": name}])
    return name


def at(world, principal) -> Client:
    return world.measurement.acting_as(principal)


def the_patient(world, **more):
    return who(
        "PATIENT", f"Patient/{world.patient}", f"EpisodeOfCare/{world.episode}", **more
    )


def test_a_patient_submits_for_the_episode_of_the_token(closed) -> None:
    observation = closed.observation(closed.an_order())

    answer = closed.submit(observation, by=at(closed, the_patient(closed)))

    assert answer.status == 200, answer.body
    (provenance,) = closed.provenances(
        "Observation/" + answer.json["entry"][0]["response"]["location"].split("/")[-3]
    )
    (agent,) = provenance["agent"]
    assert agent["who"]["reference"].endswith(f"Patient/{closed.patient}")


def test_a_practitioner_of_a_team_on_the_episode_submits(closed, team) -> None:
    observation = closed.observation(closed.an_order())
    nurse = who("PRACTITIONER", team, f"EpisodeOfCare/{closed.episode}")

    assert closed.submit(observation, by=at(closed, nurse)).status == 200


def test_a_practitioner_of_a_team_on_the_plan_submits_for_what_it_lists(closed) -> None:
    name = f"CareTeam/{closed.put('CareTeam', status='active')['id']}"
    listed, other = closed.an_order(), closed.an_order()
    closed.put(
        "CarePlan",
        status="active",
        intent="order",
        subject={"reference": f"Patient/{closed.patient}"},
        careTeam=[{"reference": name}],
        activity=[{"reference": {"reference": f"ServiceRequest/{listed}"}}],
        extension=[
            {
                "url": "http://hl7.org/fhir/StructureDefinition/workflow-episodeOfCare",
                "valueReference": {"reference": f"EpisodeOfCare/{closed.episode}"},
            }
        ],
    )
    nurse = at(closed, who("PRACTITIONER", name, f"EpisodeOfCare/{closed.episode}"))

    assert closed.submit(closed.observation(listed), by=nurse).status == 200
    assert closed.submit(closed.observation(other), by=nurse).status == 403


def strangers(world, team):
    other = world.put("Patient")["id"]
    episode = world.an_episode(other)
    return {
        "nobody": None,
        "without the privilege": the_patient(world, may="Observation.read"),
        "a patient of another episode": who(
            "PATIENT", f"Patient/{other}", f"EpisodeOfCare/{episode}"
        ),
        "the patient in another episode": who(
            "PATIENT",
            f"Patient/{world.patient}",
            f"EpisodeOfCare/{world.an_episode(world.patient)}",
        ),
        "a team that is not on it": who(
            "PRACTITIONER",
            f"CareTeam/{world.put('CareTeam', status='active')['id']}",
            f"EpisodeOfCare/{world.episode}",
        ),
        "a team without episode": who("PRACTITIONER", team),
    }


NAMES = [
    "nobody",
    "without the privilege",
    "a patient of another episode",
    "the patient in another episode",
    "a team that is not on it",
    "a team without episode",
]


@pytest.mark.parametrize("name", NAMES)
def test_nobody_else_submits_and_nothing_is_stored(closed, team, name) -> None:
    principal = strangers(closed, team)[name]
    by = closed.measurement if principal is None else at(closed, principal)
    observation = closed.observation(closed.an_order())
    before = closed.stored()

    answer = closed.submit(observation, by=by)

    assert answer.status == (401 if principal is None else 403), answer.body
    assert closed.stored() == before


@pytest.mark.parametrize("name", NAMES)
def test_nobody_else_is_told_what_is_wrong_with_an_order(closed, team, name) -> None:
    principal = strangers(closed, team)[name]
    by = closed.measurement if principal is None else at(closed, principal)
    observation = closed.observation(closed.an_order(status="draft"))

    answer = closed.submit(observation, by=by)

    assert answer.status in (401, 403)
    assert "is not active" not in str(answer.issues)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "wrong",
    [
        {"status": "preliminary"},
        {"performer": None},
        {"timing": None},
        {"meta": {"tag": [{"system": TAGS, "code": "xa"}]}},
    ],
    ids=lambda one: next(iter(one)),
)
def test_nobody_else_is_told_what_is_wrong_with_what_they_send(
    closed, team, name, wrong
) -> None:
    principal = strangers(closed, team)[name]
    by = closed.measurement if principal is None else at(closed, principal)

    answer = closed.submit(closed.observation(closed.an_order(), **wrong), by=by)

    assert answer.status == (401 if principal is None else 403)
    assert len(answer.issues) == 1


def test_content_of_media_is_kept_for_nobody_else(closed, team) -> None:
    other = strangers(closed, team)["a patient of another episode"]
    broken = {"contentType": "image/png", "data": "bm90aGluZw=="}
    media = closed.media(closed.an_order(), content=broken)

    assert closed.submit(media, by=at(closed, other)).status == 403
    assert closed.submit(media).status == 422


def test_who_may_submit_is_told_what_is_wrong(closed) -> None:
    observation = closed.observation(closed.an_order(status="draft"))

    answer = closed.submit(observation, by=at(closed, the_patient(closed)))

    assert answer.status == 422
    assert "is not active" in answer.issues[0]


def test_a_patient_uses_a_measurement_again(closed) -> None:
    order = closed.an_order(
        extension=[
            {
                "url": "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-reuseCriteria",
                "extension": [{"url": "allowed", "valueBoolean": True}],
            }
        ]
    )
    by = at(closed, the_patient(closed))
    first = closed.submit(closed.observation(order), by=by)
    identity = first.json["entry"][0]["response"]["location"].split("/")[-3]
    target = "urn:uuid:1d7f7c5e-3a04-4a59-8b0e-7d7f6f6d3c11"
    again = {**closed.observation(order), "fullUrl": target}

    answer = closed.submit(
        again, closed.reuse(target, f"Observation/{identity}"), by=by
    )

    assert answer.status == 200, answer.body


def test_content_is_given_to_who_may_read_its_media(closed, team) -> None:
    (media,) = closed.submitted(
        closed.media(closed.an_order()), by=at(closed, the_patient(closed))
    )
    path = media["content"]["url"].removeprefix(ROOT)
    readers = strangers(closed, team)
    del readers["nobody"], readers["without the privilege"]
    mine = the_patient(closed, may="Media.read")

    assert at(closed, mine).get(path).status == 200
    for name, one in readers.items():
        reader = Principal(
            one.user_type, one.user_id, frozenset({"Media.read"}), one.context
        )
        assert at(closed, reader).get(path).status == 403, name
    assert at(closed, the_patient(closed)).get(path).status == 403
    assert closed.measurement.get(path).status == 401


def search(world, principal, *parameters):
    body = {"resourceType": "Parameters", "parameter": list(parameters)}
    by = world.measurement.acting_as(principal) if principal else world.measurement
    return by.post("$search-measurements", body)


PERIOD = {"name": "period", "valuePeriod": {"start": "2026-01-01"}}


def asked_for(world, *names):
    known = {
        "patient": f"Patient/{world.patient}",
        "episodeOfCare": f"EpisodeOfCare/{world.episode}",
    }
    return [
        {"name": name, "valueReference": {"reference": known[name]}} for name in names
    ]


def test_a_patient_finds_what_was_measured_in_the_episode_of_the_token(closed) -> None:
    (elsewhere,) = closed.submitted(closed.observation(closed.an_order()))
    closed.episode = closed.an_episode(closed.patient)
    (mine,) = closed.submitted(closed.observation(closed.an_order()))
    patient = the_patient(closed, may="$search-measurements")

    answer = search(closed, patient, PERIOD, *asked_for(closed, "patient"))

    assert answer.status == 200, answer.body
    found = [one["id"] for bundle in answer.resources for one in resources(bundle)]
    assert found == [mine["id"]]
    assert elsewhere["id"] not in found


def resources(bundle):
    return [one["resource"] for one in bundle["entry"]]


def test_a_patient_without_an_episode_finds_all_that_was_measured(closed) -> None:
    ids = []
    for _ in range(2):
        closed.episode = closed.an_episode(closed.patient)
        ids.append(closed.submitted(closed.observation(closed.an_order()))[0]["id"])
    patient = who("PATIENT", f"Patient/{closed.patient}", may="$search-measurements")

    answer = search(closed, patient, PERIOD, *asked_for(closed, "patient"))

    assert sorted(
        one["id"] for bundle in answer.resources for one in resources(bundle)
    ) == sorted(ids)


def test_a_practitioner_of_a_team_on_the_episode_finds_measurements(
    closed, team
) -> None:
    closed.submitted(closed.observation(closed.an_order()))
    nurse = who(
        "PRACTITIONER",
        team,
        f"EpisodeOfCare/{closed.episode}",
        may="$search-measurements",
    )

    answer = search(closed, nurse, PERIOD, *asked_for(closed, "episodeOfCare"))

    assert answer.status == 200, answer.body
    assert len(answer.resources) == 1


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("asked", ["patient", "episodeOfCare"])
def test_nobody_else_finds_measurements(closed, team, name, asked) -> None:
    closed.submitted(closed.observation(closed.an_order()))
    one = strangers(closed, team)[name]
    if one is not None and name != "without the privilege":
        may = frozenset({"$search-measurements"})
        one = Principal(one.user_type, one.user_id, may, one.context)

    answer = search(closed, one, PERIOD, *asked_for(closed, asked))

    found = [one for one in answer.json.get("entry", [])]
    assert not found
    # Who chose another episode of the same patient finds what is in it: nothing.
    empty = name == "the patient in another episode" and asked == "patient"
    assert answer.status == (200 if empty else 401 if one is None else 403)


def test_a_team_on_the_plan_sees_of_a_submission_what_the_plan_lists(closed) -> None:
    name = f"CareTeam/{closed.put('CareTeam', status='active')['id']}"
    listed, other = closed.an_order(), closed.an_order()
    closed.put(
        "CarePlan",
        status="active",
        intent="order",
        subject={"reference": f"Patient/{closed.patient}"},
        careTeam=[{"reference": name}],
        activity=[{"reference": {"reference": f"ServiceRequest/{listed}"}}],
        extension=[
            {
                "url": "http://hl7.org/fhir/StructureDefinition/workflow-episodeOfCare",
                "valueReference": {"reference": f"EpisodeOfCare/{closed.episode}"},
            }
        ],
    )
    seen, _ = closed.submitted(closed.observation(listed), closed.observation(other))
    nurse = who(
        "PRACTITIONER",
        name,
        f"EpisodeOfCare/{closed.episode}",
        may="$search-measurements",
    )
    by_order = {
        "name": "based-on",
        "valueReference": {"reference": f"ServiceRequest/{listed}"},
    }

    answer = search(
        closed, nurse, PERIOD, by_order, *asked_for(closed, "episodeOfCare")
    )
    everything = search(closed, nurse, PERIOD, *asked_for(closed, "episodeOfCare"))

    assert answer.status == 200, answer.body
    (bundle,) = answer.resources
    assert [one["id"] for one in resources(bundle)] == [seen["id"]]
    assert everything.status == 403
