"""The Provenances of an export are those that its caller may see, and no others."""

import json
from typing import Any

import pytest

from fyr.core.context import Principal
from fyr.core.testing.applications import client_of

from .asking import Exported

MAY, QUERY = Exported.may, Exported.query
ASSOCIATED = "includeAssociatedData=RelevantProvenanceResources"


@pytest.fixture
def noted(kit, app) -> None:
    """Have three measurements more in the first episode, with a Provenance each."""
    may = "Observation.* Provenance.*"
    system = client_of(app).acting_as(kit.who("SYSTEM", may=may))
    measured = system.get("/fhir/Observation/1").json
    more = [{**measured, "id": f"more-{n}"} for n in range(3)]
    targets = [*(one["id"] for one in more), "2"]
    of_them = [
        {
            "resourceType": "Provenance",
            "id": f"of-{target}",
            "target": [{"reference": f"Observation/{target}"}],
            "recorded": "2026-01-01T00:00:00Z",
            "agent": [{"who": {"display": "x"}}],
        }
        for target in targets
    ]
    for one in (*more, *of_them):
        assert system.update(one).status in (200, 201)
    app.worker().drain()


def exported(at: Any, nurse: Principal, query: str) -> tuple[set[str], str]:
    """Tell the Provenances that come along, and what is told of others."""
    mine = at("measurement", nurse)
    status = mine.begun(query)
    mine.app.worker().drain()
    manifest = mine.client.get(status).json
    found, told = set(), ""
    for kind in ("output", "error"):
        for file in manifest[kind]:
            path = file["url"].removeprefix("https://fyr.example.org")
            answer = mine.client.get(path)
            assert answer.status == 200
            if kind == "error":
                told += answer.body.decode()
            elif file["type"] == "Provenance":
                lines = answer.body.splitlines()
                found |= {json.loads(line)["id"] for line in lines}
    return found, told


@pytest.mark.parametrize("query", [QUERY, QUERY.replace("_type=Observation&", "")])
def test_a_nurse_exports_those_of_all_her_measurements(noted, at, kit, query) -> None:
    nurse = kit.nurse("a", 1, may=f"{MAY} Provenance.search")

    found, told = exported(at, nurse, f"{query}&{ASSOCIATED}")

    assert found == {"of-more-0", "of-more-1", "of-more-2"}
    assert "Provenance" not in told


def test_what_she_may_not_ask_for_is_told(noted, at, kit) -> None:
    nurse = kit.nurse("a", 1, may=MAY)

    found, told = exported(at, nurse, f"{QUERY}&{ASSOCIATED}")

    assert found == set()
    (issue,) = json.loads(told)["issue"]
    assert (issue["code"], issue["severity"]) == ("suppressed", "warning")
    assert issue["diagnostics"].startswith(
        "Provenance may not be seen here and is left out of 4 resources: The token"
    )
