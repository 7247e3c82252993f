"""The plugin is held against what holds for all plugins."""

from importlib.resources import files
from typing import ClassVar

from fyr.core.testing import PluginContract


def own_modules() -> set[str]:
    folder = files("fyr.plugins.notifications").iterdir()
    return {one.name.removesuffix(".py") for one in folder if one.name.endswith(".py")}


class TestNotifications(PluginContract):
    plugin = "notifications"
    settings: ClassVar = {"file": "notifications.jsonl"}
    private_imports = frozenset(
        {
            "fyr.config.load",
            "fyr.config.outgoing",
            "fyr.config.section",
            "fyr.config.settings",
            "fyr.core.app",
            "fyr.core.events.change",
            "fyr.core.errors.plugins",
            "fyr.core.json_lines",
            "fyr.core.model.definitions",
            "fyr.core.model.json",
            "fyr.core.outgoing",
            "fyr.core.outgoing.http",
            "fyr.core.store.resources",
            "fyr.core.telling",
            "fyr.core.telling.serving",
            *(f"fyr.plugins.notifications.{name}" for name in own_modules()),
        }
    )
