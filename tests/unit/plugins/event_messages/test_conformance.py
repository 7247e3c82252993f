"""The plugin is held against what holds for all plugins."""

from importlib.resources import files

from fyr.core.testing import PluginContract


def own_modules() -> set[str]:
    folder = files("fyr.plugins.event_messages").iterdir()
    return {one.name.removesuffix(".py") for one in folder if one.name.endswith(".py")}


class TestEventMessages(PluginContract):
    plugin = "event_messages"
    private_imports = frozenset(
        {
            "fyr.config.messages",
            "fyr.core.app",
            "fyr.core.context",
            "fyr.core.events",
            "fyr.core.events.change",
            "fyr.core.messages",
            "fyr.core.messages.topics",
            "fyr.core.telling",
            "fyr.core.telling.serving",
            *(f"fyr.plugins.event_messages.{name}" for name in own_modules()),
        }
    )
