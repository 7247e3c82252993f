"""The plugins that the documentation shows, as their readers would use them."""

import importlib.util
import sys
from pathlib import Path

import pytest

from fyr.core.testing import PluginContract

EXAMPLES = Path(__file__).parents[2] / "examples"


def module_of(file: Path):
    spec = importlib.util.spec_from_file_location(file.stem, file)
    module = sys.modules[file.stem] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class TestEveryHook(PluginContract):
    plugin = "every_hook"
    acceptable = {"resourceType": "Basic", "code": {"text": "anything"}}  # noqa: RUF012

    @pytest.fixture
    def fyr_plugins(self):
        return {"every_hook": module_of(EXAMPLES / "every_hook.py")}

    def test_every_one_of_its_hooks_is_implemented(self, fyr_app) -> None:
        idle = [
            chain.name for chain in fyr_app.hooks if "every_hook" not in chain.plugins
        ]

        assert idle == []

    def test_its_rules_are_followed(self, fyr_client, fyr_events) -> None:
        dead = {"resourceType": "Patient", "id": "p", "deceasedBoolean": True}
        ward = fyr_client.with_headers(Authorization="Ward 7")
        number = {"resourceType": "Patient", "name": [{"family": "12"}]}
        lives_there = {
            **number,
            "name": [{"family": "Bo"}],
            "address": [{"city": "Ry"}],
        }
        made = fyr_client.create(lives_there).json
        fyr_events.deliver()

        assert fyr_client.update(dead).status == 201
        assert fyr_client.update(dead).status == 422
        assert fyr_client.create(number).issues == ["a family name is no number"]
        assert ward.delete(f"Patient/{made['id']}").status == 403
        assert "address" not in ward.get(f"Patient/{made['id']}").json
        assert (
            fyr_client.with_headers(Authorization="Ward ?").get("Patient").status == 401
        )
        assert fyr_client.get("_history").status == 422
        assert "open" in fyr_client.get("/every-hook/opening").json
        told = fyr_client.get("$count-told", {"type": "Patient"}).json
        assert told["parameter"] == [{"name": "count", "valueInteger": 1}]

    def test_its_service_offers_what_it_declares(self, fyr_client) -> None:
        assert fyr_client.get("/directory/fhir/Practitioner").status == 200
        assert fyr_client.get("/directory/fhir/Patient").status == 404


class TestGreeter(PluginContract):
    plugin = "greeter"

    @pytest.fixture
    def fyr_plugins(self):
        return {
            "greeter": module_of(EXAMPLES / "fyr-greeter" / "fyr_greeter.py").Greeter
        }

    def test_it_greets(self, fyr_client) -> None:
        answer = fyr_client.get("Patient/$greet", {"name": "Ada"})

        assert answer.json["parameter"][0]["valueString"] == "Hello, Ada!"
