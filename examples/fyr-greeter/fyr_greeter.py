"""Greets patients: one hook, one operation, one route, and typed settings."""

from collections.abc import Iterable, Iterator

import falcon
from pydantic import Field

from fyr.core import (
    Issue,
    Manifest,
    Operation,
    OperationCall,
    OperationParameter,
    Plugin,
    PluginSettings,
    Refused,
    Resource,
    Route,
    hookimpl,
)


class GreeterSettings(PluginSettings):
    """``[plugin.greeter]`` of the configuration."""

    greeting: str = Field("Hello", min_length=1, description="What everybody is told.")
    unwelcome: list[str] = Field(
        [], description="Family names; no Patient with one of them is stored."
    )


class Greeter(Plugin):
    """Says hello to patients, and turns some of them away."""

    manifest = Manifest("Greets patients.", core=">=0.1,<1", settings=GreeterSettings)
    settings: GreeterSettings

    @hookimpl
    def before_store(self, new: Resource | None) -> None:
        """Refuse a Patient with an unwelcome family name, whatever way it came."""
        if not new or new["resourceType"] != "Patient":
            return
        issues = [
            Issue("business-rule", f"{name} is not welcome", (place,))
            for place, name in _family_names(new)
            if name in self.settings.unwelcome
        ]
        if issues:
            raise Refused(issues)

    @hookimpl
    def register_operations(self) -> Iterable[Operation]:
        """Offer ``Patient/$greet`` and ``Patient/[id]/$greet``."""
        yield Operation(
            name="greet",
            handler=self.greet,
            levels=frozenset({"type", "instance"}),
            types=frozenset({"Patient"}),
            documentation="Greets a patient by name, or whoever is named.",
            parameters=(
                OperationParameter("name", "string", documentation="Whom to greet."),
                OperationParameter(
                    "return", "string", min=1, use="out", documentation="The greeting."
                ),
            ),
        )

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        """Offer ``/greeter/hello``."""
        yield Route("/greeter/hello", Hello(self), "Greets without FHIR.", public=True)

    def greet(self, call: OperationCall) -> Resource:
        """Answer ``$greet``: on an instance the patient's own name counts."""
        name = call.value("name")
        if name is None and call.resource_id:
            name = _given_name(call.subject())
        return {
            "resourceType": "Parameters",
            "parameter": [{"name": "return", "valueString": self.words_for(name)}],
        }

    def words_for(self, name: str | None) -> str:
        """Make the greeting."""
        return f"{self.settings.greeting}, {name or 'stranger'}!"


class Hello:
    """``/greeter/hello``: a Falcon resource of its own."""

    def __init__(self, greeter: Greeter) -> None:
        """Take who knows the words."""
        self._greeter = greeter

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Greet ``?name=``."""
        resp.media = {"greeting": self._greeter.words_for(req.get_param("name"))}


def _family_names(patient: Resource) -> Iterator[tuple[str, str]]:
    for position, name in enumerate(patient.get("name", [])):
        if "family" in name:
            yield f"Patient.name[{position}].family", name["family"]


def _given_name(patient: Resource) -> str | None:
    names = [
        given for name in patient.get("name", []) for given in name.get("given", [])
    ]
    return next((name for name in names if name), None)
