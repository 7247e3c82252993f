"""The plugin is held against what holds for all plugins."""

from importlib.resources import files

from fyr.core.testing import PluginContract


def own_modules() -> set[str]:
    folder = files("fyr.plugins.storage_service").iterdir()
    return {one.name.removesuffix(".py") for one in folder if one.name.endswith(".py")}


class TestStorageService(PluginContract):
    plugin = "storage_service"
    private_imports = frozenset(
        {
            "fyr.config.load",
            "fyr.core.app",
            "fyr.core.blobs",
            "fyr.core.clock",
            "fyr.core.errors",
            "fyr.core.jobs",
            "fyr.core.rest.blob_content",
            "fyr.core.rest.body",
            "fyr.core.rest.exchange",
            "fyr.core.rest.instance",
            "fyr.core.store.migrating",
            "fyr.core.store.port",
            *(f"fyr.plugins.storage_service.{name}" for name in own_modules()),
        }
    )
