"""People from a TOML file, as the register gives them: Patients without an id."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fyr.core import PluginError, RegisteredPerson

if TYPE_CHECKING:
    from fyr.core import Resource

#: Identifier system of CPR numbers.
SYSTEM = "urn:oid:1.2.208.176.1.2"
#: Identifier system of the numbers of general practitioners.
PROVIDERS = "urn:oid:1.2.208.176.1.4"
_DANISH = "http://hl7.dk/fhir/core/"
_MUNICIPALITIES = (
    f"{_DANISH}StructureDefinition/dk-core-municipalityCodes",
    f"{_DANISH}CodeSystem/dk-core-municipality-codes",
)
_REGIONS = (
    f"{_DANISH}StructureDefinition/dk-core-RegionalSubDivisionCodes",
    f"{_DANISH}CodeSystem/dk-core-regional-subdivision-codes",
)
_PROTECTION = (
    "http://ehealth.sundhed.dk/fhir/StructureDefinition/"
    "ehealth-nameandaddressprotection"
)
_CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
#: A substitute: 60 is added to the day, so that it is nobody's.
_SUBSTITUTE = re.compile(r"(6[1-9]|[78]\d|9[01])(0[1-9]|1[0-2])\d{6}")


class Readable(Protocol):
    """A file, be it in a folder or in a package."""

    def read_text(self, encoding: str) -> str:
        """Give what is in it."""


class Person(BaseModel):
    """A person as the file has them."""

    # What is wrong is told without what was given: that is somebody's number or name.
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    number: str = Field(pattern=f"^{_SUBSTITUTE.pattern}$")
    earlier: list[str] = []
    given: list[str]
    family: str
    gender: str = Field(pattern="^(female|male|other|unknown)$")
    born: str
    died: str = ""
    line: str = ""
    postal_code: str = ""
    city: str = ""
    municipality: str = ""
    region: str = ""
    telecom: list[str] = []
    #: number of the general practitioner
    provider: str = ""
    protected_from: str = ""


def read_bundled() -> Mapping[str, RegisteredPerson]:
    """Read the people that come with the plugin."""
    return read_register(files(__package__) / "people.toml")


def read_register(file: Readable) -> Mapping[str, RegisteredPerson]:
    """Read people, by each of their numbers, those of before included.

    :raises PluginError: one cannot be taken; a number that might be somebody's is among
        the reasons. All are named by their place in the file, and by nothing else.
    """
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PluginError([f"sample_register: {error}"]) from None
    people: dict[str, RegisteredPerson] = {}
    problems: list[str] = []
    for position, values in enumerate(content.get("people", [])):
        try:
            person = Person.model_validate(values)
        except ValidationError as error:
            problems += [f"person {position}: {one}" for one in _told(error)]
            continue
        registered = RegisteredPerson(_patient(person), tuple(person.earlier))
        for number in (person.number, *person.earlier):
            if number in people:
                problems.append(f"person {position}: another one has the number, too")
            if not _SUBSTITUTE.fullmatch(number):
                problems.append(f"person {position}: earlier: not a substitute number")
            people[number] = registered
    if problems:
        raise PluginError([f"sample_register: {one}" for one in problems])
    return people


def _told(error: ValidationError) -> Iterator[str]:
    for one in error.errors(include_input=False, include_url=False):
        place = ".".join(map(str, one["loc"]))
        yield f"{place}: {one['msg']}"


def _patient(person: Person) -> Resource:
    """Write a person as a Patient, with nothing that is not known."""
    number = {"use": "official", "system": SYSTEM, "value": person.number}
    name = {"use": "official", "family": person.family, "given": person.given}
    telecom = [{"system": "other", "value": one} for one in person.telecom]
    practitioner = {"identifier": {"system": PROVIDERS, "value": person.provider}}
    elements: dict[str, Any] = {
        "identifier": [number],
        "name": [name],
        "telecom": telecom,
        "gender": person.gender,
        "birthDate": person.born,
        "deceasedDateTime": person.died,
        "address": _address(person),
        "generalPractitioner": [practitioner] if person.provider else [],
        **_protection(person),
    }
    known = {name: value for name, value in elements.items() if value}
    return {"resourceType": "Patient", **known}


def _address(person: Person) -> list[Resource]:
    if not person.line:
        return []
    codes = [
        _coded(*places, code)
        for places, code in (
            (_MUNICIPALITIES, person.municipality),
            (_REGIONS, person.region),
        )
        if code
    ]
    home = {
        "extension": codes,
        "use": "home",
        "line": [person.line],
        "city": person.city,
        "postalCode": person.postal_code,
        "country": "Danmark",
    }
    return [{name: value for name, value in home.items() if value}]


def _coded(url: str, system: str, code: str) -> Resource:
    coding = {"system": system, "code": code}
    return {"url": url, "valueCodeableConcept": {"coding": [coding]}}


def _protection(person: Person) -> Resource:
    """Say that name and address are protected, and label the resource so."""
    if not person.protected_from:
        return {}
    period = {"start": person.protected_from}
    restricted = {"system": _CONFIDENTIALITY, "code": "R"}
    return {
        "meta": {"security": [restricted]},
        "extension": [{"url": _PROTECTION, "valuePeriod": period}],
    }
