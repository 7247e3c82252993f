"""The plugin is held against what holds for all plugins."""

from importlib.resources import files

from fyr.core.testing import PluginContract


def own_modules() -> set[str]:
    folder = files("fyr.plugins.subscriptions")
    own = {one.name for one in folder.iterdir()}
    channels = {f"channels.{one.name}" for one in (folder / "channels").iterdir()}
    return {one.removesuffix(".py") for one in own | channels if one.endswith(".py")}


class TestSubscriptions(PluginContract):
    plugin = "subscriptions"
    private_imports = frozenset(
        {
            "fyr.config.messages",
            "fyr.config.outgoing",
            "fyr.config.section",
            "fyr.config.settings",
            "fyr.core.app",
            "fyr.core.clock",
            "fyr.core.context",
            "fyr.core.events.change",
            "fyr.core.errors.plugins",
            "fyr.core.hosts",
            "fyr.core.interactions",
            "fyr.core.interactions.judge",
            "fyr.core.interactions.looking",
            "fyr.core.messages",
            "fyr.core.observability.metrics",
            "fyr.core.messages.mqtt",
            "fyr.core.model",
            "fyr.core.declarations.operations",
            "fyr.core.outgoing",
            "fyr.core.outgoing.http",
            "fyr.core.sealing",
            "fyr.core.searching",
            "fyr.core.store.port",
            "fyr.core.streams",
            *(f"fyr.plugins.subscriptions.{name}" for name in own_modules()),
        }
    )
