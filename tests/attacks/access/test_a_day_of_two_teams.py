"""A citizen, their nurse and the nurse of another team, over HTTP, one request after another."""

import httpx
import pytest

from fyr.core.testing.applications import serving
from fyr.core.testing.postgres import available, running_postgres
from fyr.core.testing.principals import authorization
from fyr.core.testing.servers import absent

MAY = (
    "EpisodeOfCare.search EpisodeOfCare.read CarePlan.search CarePlan.read CarePlan.update"
    " Condition.read Observation.search Observation.read Observation.patch"
    " QuestionnaireResponse.read QuestionnaireResponse.search $submit-measurement"
    " Provenance.search"
)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def guarded(request, tmp_path_factory, kit):
    """A server of its own, on each database."""
    folder = tmp_path_factory.mktemp("day")
    if request.param == "sqlite":
        yield from kit.world(folder, "access_control")
        return
    if available():
        absent("postgresql", available())
    with running_postgres() as server:
        yield from kit.world(folder, "access_control", url=server.new_database())


@pytest.fixture
def person(guarded):
    """Give a function that lets somebody ask: ``ask("careplan", "CarePlan/1")``."""
    with serving(guarded.built) as running, httpx.Client() as client:

        def of(principal):
            def ask(service, path, method="GET", **more):
                url = f"{running.url}/{service}/fhir/{path}"
                headers = {
                    "Authorization": authorization(principal),
                    "Content-Type": "application/fhir+json",
                    **more.pop("headers", {}),
                }
                return client.request(method, url, headers=headers, **more)

            return ask

        yield of


def ids(answer):
    assert answer.status_code == 200, answer.text
    entries = answer.json().get("entry", [])
    return [
        one["resource"]["id"] for one in entries if one["search"]["mode"] == "match"
    ]


def test_each_sees_what_is_theirs(person, kit) -> None:
    nurse = person(kit.nurse("a", may=MAY))

    # A nurse finds the episodes of the team, and chooses one.
    assert ids(nurse("careplan", "EpisodeOfCare?team=CareTeam/a")) == ["1"]
    assert nurse("careplan", "EpisodeOfCare?team=CareTeam/b").status_code == 403
    assert nurse("careplan", "CarePlan/1").status_code == 403
    chosen = person(kit.nurse("a", 1, "Patient/1", may=MAY))

    # Plan and measurements of that episode are open, of others closed.
    assert chosen("careplan", "CarePlan/1").status_code == 200
    assert chosen("careplan", "ServiceRequest/1").status_code == 200
    assert chosen("careplan", "CarePlan/2").status_code == 403
    mine = "Observation?episodeOfCare=EpisodeOfCare/1"
    assert ids(chosen("measurement", mine)) == ["1"]
    assert chosen("measurement", mine.replace("e/1", "e/2")).status_code == 403

    # The nurse of the other team has the same privileges, and another patient.
    other = person(kit.nurse("b", 2, "Patient/2", may=MAY))
    assert other("careplan", "CarePlan/2").status_code == 200
    for path in ("CarePlan/1", "ServiceRequest/1", "Condition/1", "EpisodeOfCare/1"):
        assert other("careplan", path).status_code == 403
    assert other("measurement", "Observation/1").status_code == 403

    # Who chooses an episode that the team has no part in gains nothing by it.
    intruder = person(kit.nurse("b", 1, "Patient/1", may=MAY))
    assert intruder("careplan", "CarePlan/1").status_code == 403
    assert intruder("measurement", mine).status_code == 403
    assert intruder("measurement", "Observation/1").status_code == 403

    # The team of the plan alone reads what the plan lists, and says by what.
    planned = person(kit.nurse("plan-1", 1, may=MAY))
    assert planned("measurement", "Observation/1").status_code == 200
    assert planned("measurement", mine).status_code == 403
    assert ids(planned("measurement", f"{mine}&based-on=ServiceRequest/1")) == ["1"]
    assert (
        planned("measurement", f"{mine}&based-on=ServiceRequest/2").status_code == 403
    )

    # The citizen sees their own, whoever measured it.
    citizen = person(kit.citizen(1, may=MAY))
    assert ids(citizen("measurement", "Observation?patient=Patient/1")) == ["1"]
    assert citizen("measurement", "Observation?patient=Patient/2").status_code == 403
    assert citizen("measurement", "Observation/2").status_code == 403
    assert citizen("careplan", "CarePlan?patient=Patient/1").status_code == 200


def test_a_draft_is_written_by_the_citizen_and_read_by_the_team(
    person, kit, guarded
) -> None:
    draft = {
        key: value
        for key, value in guarded.everything.get("QuestionnaireResponse/1").json.items()
        if key not in ("id", "meta")
    }
    citizen = person(kit.citizen(1, "EpisodeOfCare/1", may=MAY))
    path = "QuestionnaireResponse"

    made = citizen("measurement", path, "POST", json=draft)
    assert made.status_code == 201, made.text
    one = f"{path}/{made.json()['id']}"
    done = {**made.json(), "status": "completed"}
    # Only $submit-measurement completes it: the table says so before access does.
    assert citizen("measurement", one, "PUT", json=done).status_code == 422
    stranger = person(kit.citizen(2, "EpisodeOfCare/2", may=MAY))
    assert stranger("measurement", path, "POST", json=draft).status_code == 403
    assert stranger("measurement", one).status_code == 403

    nurse = person(kit.nurse("a", 1, may=MAY))
    assert nurse("measurement", one).status_code == 200
    assert person(kit.nurse("b", 2, may=MAY))("measurement", one).status_code == 403
    guarded.everything.delete(one)


def test_a_refusal_says_what_is_missing_and_nothing_of_the_resource(
    person, kit
) -> None:
    poor = person(kit.nurse("a", 1))("careplan", "CarePlan/1")
    lost = person(kit.nurse("a", may=MAY))("careplan", "CarePlan/1")
    nobody = person(kit.who("PRACTITIONER", "Practitioner/1", may=MAY))
    other = person(kit.nurse("b", 2, may=MAY))("careplan", "CarePlan/1")

    def told(answer):
        (issue,) = answer.json()["issue"]
        assert (answer.status_code, issue["code"]) == (403, "processing")
        return issue["diagnostics"]

    assert told(poor) == "The token does not grant CarePlan.read on CarePlan."
    assert told(lost) == "The token's context lacks this: an episode of care."
    assert told(nobody("careplan", "CarePlan/1")) == (
        "A user of type PRACTITIONER needs a context in the token."
    )
    assert "Secret" not in told(other)
    assert "Patient/1" not in told(other)
