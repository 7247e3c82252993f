"""The searches, as data, and what to fill them with, sampled from the server itself."""

import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import quote

from http_client import Connection

Case = dict[str, str]

#: Rows: name, and a request with gaps for what a case has. A page has 50 resources
#: unless the row is about something else.
ROWS: dict[str, str] = {
    "metadata": "/metadata",
    "Patient page": "/Patient",
    "Patient _total=accurate": "/Patient?_total=accurate&_count=50",
    "Patient by identifier": "/Patient?identifier={identifier}&_count=50",
    "Observation by combo-code": "/Observation?combo-code={token}&_count=50",
    "Patient by gender": "/Patient?gender={gender}&_count=50",
    "Patient by family": "/Patient?family={family_start}&_count=50",
    "Patient by given": "/Patient?given={given_start}&_count=50",
    "Patient by gender and family": "/Patient?gender={gender}&family={family_start}&_count=50",
    "Observation by code _total=accurate": "/Observation?code={token}&_total=accurate&_count=50",
    "Observation by code and date": "/Observation?code={token}&date=ge{start}&date=lt{end}&_count=50",
    "Observation by date": "/Observation?date=ge{start}&date=lt{end}&_count=50",
    "Observation _sort=-date": "/Observation?_sort=-date&_count=50",
    "Patient _revinclude Encounter": "/Patient?_revinclude=Encounter:patient&_count=50",
    "Observation pages of 50": "/Observation?_count=50",
    "Patient read": "/Patient/{id}",
    "Patient by family:exact": "/Patient?family:exact={family}&_count=50",
    "Observation by patient": "/Observation?patient=Patient/{id}&_count=50",
    "Condition by patient": "/Condition?patient=Patient/{id}&_count=50",
    "Encounter by patient": "/Encounter?patient=Patient/{id}&_count=50",
    "MedicationRequest by patient": "/MedicationRequest?patient=Patient/{id}&_count=50",
    "Observation by patient _sort=-date": "/Observation?patient=Patient/{id}&_sort=-date&_count=50",
    "Observation by patient _include": "/Observation?patient=Patient/{id}&_include=Observation:subject&_count=50",
    "Patient with everything": "/Patient?_id={id}"
    + "".join(
        f"&_revinclude={kind}:patient"
        for kind in (
            "Observation",
            "Condition",
            "Encounter",
            "MedicationRequest",
            "Procedure",
            "Immunization",
            "DiagnosticReport",
            "AllergyIntolerance",
        )
    ),
}
#: Rows that go on to the next page with each request, and so many pages deep.
PAGED = {"Observation pages of 50": 10}
#: LOINC codes that synthetic patients have: the rows about codes take those that are there.
_CODES = ("8302-2", "29463-7", "39156-5", "8867-4", "9279-1", "8310-5", "59408-5")
#: Cases that a row goes through.
_CASES = 200
#: Patients that are looked at to find them.
_MOST_PATIENTS = 20_000


class Fetch:
    """A row as an operation: one of its requests, by chance."""

    def __init__(self, name: str, paths: list[str]) -> None:
        """Take what to ask for."""
        self.name, self.paths = name, paths

    def __call__(self, connection: Connection, chance: random.Random) -> str:
        """Ask, and want 200."""
        get(connection, chance.choice(self.paths))
        return self.name


class Turn:
    """A row as an operation that turns pages: each client the next of its own search."""

    def __init__(self, name: str, path: str, depth: int) -> None:
        """Take the first page's request, and after how many pages to start again."""
        self.name, self.path, self.depth = name, path, depth
        self._next: dict[int, tuple[int, str]] = {}

    def __call__(self, connection: Connection, _chance: random.Random) -> str:
        """Ask for the page that is next."""
        number, path = self._next.get(id(connection), (1, self.path))
        bundle = json.loads(get(connection, path))
        following = next_page(connection, bundle)
        if following is None or number >= self.depth:
            self._next.pop(id(connection), None)
        else:
            self._next[id(connection)] = (number + 1, following)
        return self.name


@dataclass(frozen=True)
class Facts:
    """What a server holds, as far as the rows have to know."""

    cases: list[Case]

    def operation(self, name: str) -> Fetch | Turn:
        """Make a row's operation."""
        if name in PAGED:
            return Turn(name, ROWS[name], PAGED[name])
        return Fetch(name, self.paths(name))

    def paths(self, name: str) -> list[str]:
        """Fill a row's request with each case; the same one is there once."""
        return list(dict.fromkeys(ROWS[name].format(**case) for case in self.cases))


def sample(connection: Connection) -> Facts:
    """Look at a server's patients and observations; the same data give the same cases."""
    patients = sorted(_patients(connection), key=_key)
    if not patients:
        raise RuntimeError("the server has no Patient to search for")
    chance = random.Random(5)
    known = [code for code in _CODES if _entries(connection, _first_of(code))]
    newest = _entries(connection, "/Observation?_sort=-date&_count=1")
    moment = str(newest[0]["resource"].get("effectiveDateTime", "")) if newest else ""
    last = date.fromisoformat(moment[:10]) if len(moment) >= 10 else date(2026, 1, 1)
    picked = chance.sample(patients, min(_CASES, len(patients)))
    return Facts([_case(one, known or ["8867-4"], last, chance) for one in picked])


def get(connection: Connection, path: str) -> bytes:
    """Ask for something that has to be there."""
    reply = connection.request("GET", path)
    if reply.status != 200:
        raise RuntimeError(
            f"{reply.status} for {re.sub('[?/].*', '', path[1:])}: {path}"
        )
    return reply.body


def next_page(connection: Connection, bundle: dict[str, Any]) -> str | None:
    """Tell the request for the next page, as the server gave it."""
    for link in bundle.get("link", []):
        if link["relation"] == "next":
            return connection.relative(str(link["url"]))
    return None


def found(body: bytes) -> int:
    """Count the entries of a page; one for anything else."""
    resource = json.loads(body)
    if resource["resourceType"] != "Bundle":
        return 1
    return len(resource.get("entry", []))


def _first_of(code: str) -> str:
    return f"/Observation?code={quote(f'http://loinc.org|{code}')}&_count=1"


def _entries(connection: Connection, path: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads(get(connection, path)).get("entry", [])
    return entries


def _patients(connection: Connection) -> Iterator[dict[str, Any]]:
    path: str | None = "/Patient?_count=200"
    seen = 0
    while path and seen < _MOST_PATIENTS:
        bundle = json.loads(get(connection, path))
        for entry in bundle.get("entry", []):
            if entry["resource"]["resourceType"] == "Patient":
                yield entry["resource"]
                seen += 1
        path = next_page(connection, bundle)


def _key(patient: dict[str, Any]) -> tuple[str, ...]:
    """Sort by what every server stores alike, not by the ids that it gives."""
    return tuple(sorted(str(one.get("value")) for one in patient.get("identifier", [])))


def _case(
    patient: dict[str, Any], codes: list[str], last: date, chance: random.Random
) -> Case:
    name = (patient.get("name") or [{}])[0]
    identifier = (patient.get("identifier") or [{}])[0]
    family = str(name.get("family", "Smith"))
    given = str((name.get("given") or ["Anna"])[0])
    start = last - timedelta(days=chance.randrange(30, 3 * 365))
    values = {
        "id": str(patient["id"]),
        "identifier": f"{identifier.get('system', '')}|{identifier.get('value', '')}",
        "family": family,
        "family_start": family[:4],
        "given_start": given[:4],
        "gender": str(patient.get("gender", "female")),
        "token": f"http://loinc.org|{chance.choice(codes)}",
        "start": start.isoformat(),
        "end": (start + timedelta(days=30)).isoformat(),
    }
    return {key: quote(value, safe="") for key, value in values.items()}
