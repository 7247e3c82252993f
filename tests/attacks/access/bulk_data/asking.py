"""How exports are asked for, and their files."""

from dataclasses import replace
from typing import Any

from fyr.core.app import Application
from fyr.core.context import Principal
from fyr.core.testing.applications import client_of
from fyr.core.testing.bulk import begun
from fyr.core.testing.client import Client

AREAS = ("search", "administrative", "clinical")


class At:
    """A principal at a service; what it exports."""

    def __init__(self, app: Application, service: str, principal: Principal) -> None:
        self.app = app
        self.client = Client(
            client_of(app).wsgi,
            f"/{service}" if service == "fhir" else f"/{service}/fhir",
        ).acting_as(principal)

    def begun(self, path: str, body: Any = None) -> str:
        status = begun(self.client, path, body)
        return status.removeprefix("https://fyr.example.org")

    def ids(self, path: str) -> set[str]:
        status = self.begun(path)
        self.app.worker().drain()
        manifest = self.client.get(status).json
        ids = set()
        for file in manifest["output"]:
            local = file["url"].removeprefix("https://fyr.example.org")
            for line in self.client.get(local).body.splitlines():
                ids.add(line.split(b'"id":"')[1].split(b'"')[0].decode())
        return ids


class Exported:
    """Observations of episode 1, as the nurse of team a has exported them."""

    may = "$bulk-export Observation.search Observation.read"
    query = (
        "$export?_type=Observation"
        "&_typeFilter=Observation%3FepisodeOfCare%3DEpisodeOfCare/1"
    )

    def __init__(self, at: Any, kit: Any) -> None:
        nurse = kit.nurse("a", 1, may=self.may)
        self._at, self._user = at, nurse.user_id
        self.status = at("measurement", nurse).begun(self.query)

    def file(self, principal: Principal) -> Any:
        """Ask for the file as the same user, with a token of another kind."""
        same = replace(principal, user_id=self._user)
        client = self._at("measurement", same).client
        assert client.get(self.status).status == 200
        return client.get(f"{self.status}/Observation-1.ndjson")
