"""What can be told about running plugins, and how they start and stop."""

import json
from datetime import UTC, datetime

import pytest

from fyr.core import Manifest, Plugin, hookimpl
from fyr.core.errors.plugins import PluginError
from fyr.core.hooks.isolation import Patience
from fyr.core.hooks.pipeline import Hooks
from fyr.core.hooks.plugin import PluginSettings
from fyr.core.hooks.registry import LoadedPlugin, PluginRegistry

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Noisy(Plugin):
    manifest = Manifest("Fails.")

    @hookimpl
    def completed(self):
        raise OSError("disk full")

    @hookimpl(after=["quiet"])
    def authorize(self): ...


class Quiet(Plugin):
    @hookimpl
    def authorize(self): ...


class Starting(Plugin):
    def __init__(self, told, error=None):
        super().__init__(PluginSettings())
        self._told = told
        self._error = error

    def start(self, application):
        self._told.append(("start", application))
        if self._error:
            raise self._error

    def stop(self):
        self._told.append("stop")


def registry_of(**targets) -> PluginRegistry:
    hooks = Hooks(targets, patience=Patience(2, 60), clock=lambda: NOON)
    plugins = [
        LoadedPlugin(
            name, "fyr-test", "1.0", Manifest("Fails."), target, PluginSettings()
        )
        for name, target in targets.items()
    ]
    return PluginRegistry(plugins, hooks)


@pytest.fixture
def registry() -> PluginRegistry:
    return registry_of(noisy=Noisy(PluginSettings()), quiet=Quiet(PluginSettings()))


def test_the_report_tells_who_a_plugin_is_and_what_it_does(registry, context) -> None:
    registry.hooks.authorize(context=context)
    noisy, quiet = registry.report()

    assert (noisy["name"], noisy["version"], noisy["distribution"]) == (
        "noisy",
        "1.0",
        "fyr-test",
    )
    assert (noisy["state"], noisy["calls"], noisy["failures"]) == ("active", 1, 0)
    assert [hook["hook"] for hook in noisy["hooks"]] == ["authorize", "completed"]
    assert noisy["hooks"][0]["order"] == ["quiet", "noisy"]
    assert quiet["mean_seconds"] == quiet["total_seconds"] > 0


def test_the_report_tells_failures_the_last_error_and_quarantine(
    registry, context
) -> None:
    for _ in range(3):
        registry.hooks.completed(context=context, status=200, seconds=0.1)
    noisy, _ = registry.report()

    assert (noisy["state"], noisy["failures"]) == ("quarantined", 2)
    assert noisy["last_error"] == "OSError: disk full"
    assert noisy["quarantined_until"] == "2026-01-01T12:01:00+00:00"
    assert registry.quarantined() == ["noisy"]


def test_the_report_is_plain_json(registry) -> None:
    assert json.loads(json.dumps(registry.report())) == registry.report()


def test_plugins_start_in_their_order_and_stop_in_the_other() -> None:
    first, second = [], []
    registry = registry_of(first=Starting(first), second=Starting(second))
    registry.start("the application")
    registry.stop()
    registry.stop()

    assert first == second == [("start", "the application"), "stop"]


def test_a_plugin_that_cannot_start_stops_those_before_it() -> None:
    first, second = [], []
    registry = registry_of(
        first=Starting(first), second=Starting(second, RuntimeError("no broker"))
    )

    with pytest.raises(
        PluginError, match="plugin second: cannot start: RuntimeError: no broker"
    ):
        registry.start("the application")
    assert first[-1] == second[-1] == "stop"


def test_a_plugin_that_is_a_module_needs_no_start() -> None:
    registry = registry_of(module=json)

    registry.start("the application")
    registry.stop()
