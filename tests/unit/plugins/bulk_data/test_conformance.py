"""The plugin is held against what holds for all plugins."""

from importlib.resources import files

from fyr.core.testing import PluginContract


def own_modules() -> set[str]:
    folder = files("fyr.plugins.bulk_data").iterdir()
    return {one.name.removesuffix(".py") for one in folder if one.name.endswith(".py")}


class TestBulkData(PluginContract):
    plugin = "bulk_data"
    private_imports = frozenset(
        {
            "fyr.config.neighbours",
            "fyr.config.settings",
            "fyr.core.app",
            "fyr.core.blobs",
            "fyr.core.cli.options",
            "fyr.core.clock",
            "fyr.core.context",
            "fyr.core.errors",
            "fyr.core.interactions",
            "fyr.core.interactions.content",
            "fyr.core.interactions.everything",
            "fyr.core.interactions.judge",
            "fyr.core.interactions.outcomes",
            "fyr.core.interactions.telling",
            "fyr.core.jobs",
            "fyr.core.model",
            "fyr.core.model.definitions",
            "fyr.core.model.summary",
            "fyr.core.outgoing.connections",
            "fyr.core.outgoing.http",
            "fyr.core.outgoing.policy",
            "fyr.core.outgoing.tls",
            "fyr.core.rest.blob_content",
            "fyr.core.rest.body",
            "fyr.core.rest.http_dates",
            "fyr.core.rest.exchange",
            "fyr.core.rest.negotiation",
            "fyr.core.searching",
            "fyr.core.interactions.transaction",
            "fyr.core.store.migrating",
            "fyr.core.store.port",
            "fyr.core.store.statistics",
            *(f"fyr.plugins.bulk_data.{name}" for name in own_modules()),
        }
    )
