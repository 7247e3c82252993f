"""The plugin is held against what holds for all plugins."""

from importlib.resources import files

from fyr.core.testing import PluginContract


def own_modules() -> set[str]:
    folder = files("fyr.plugins.reporting").iterdir()
    return {one.name.removesuffix(".py") for one in folder if one.name.endswith(".py")}


class TestReporting(PluginContract):
    plugin = "reporting"
    private_imports = frozenset(
        {
            "fyr.core.cli.options",
            "fyr.core.observability.masking",
            "fyr.core.model",
            "fyr.search",
            "fyr.search.reporting.asking.desk",
            "fyr.search.reporting.asking.knowing",
            "fyr.search.reporting.asking.reading",
            "fyr.search.reporting.asking.writing",
            *(f"fyr.plugins.reporting.{name}" for name in own_modules()),
        }
    )
