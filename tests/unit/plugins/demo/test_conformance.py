"""The plugin is held against what holds for all plugins, and its steps make sense."""

from datetime import timedelta

from fyr.core.testing import PluginContract
from fyr.plugins.demo.clock import Clock
from fyr.plugins.demo.steps import STEPS


class TestDemo(PluginContract):
    plugin = "demo"
    # It builds a server, as `fyr serve` does.
    private_imports = frozenset(
        {
            "fyr.config.load",
            "fyr.config.settings",
            "fyr.core.app",
            "fyr.core.observability.masking",
            "fyr.core.messages.broker",
            "fyr.core.rest.app",
            "fyr.core.serving.http",
            "fyr.core.serving.main",
            "fyr.search",
        }
    )


def test_each_step_has_a_name_of_its_own() -> None:
    assert len({step.name for step in STEPS}) == len(STEPS)


def test_the_time_of_the_story_never_goes_back() -> None:
    clock = Clock()
    begin = clock()

    clock.go_to(begin + timedelta(days=3))
    later = clock()
    clock.go_to(begin)

    assert later >= begin + timedelta(days=3)
    assert clock() >= later
