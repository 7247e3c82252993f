"""The plugin is held against what holds for all plugins."""

from pathlib import Path

import fyr.plugins.access_control as area
from fyr.core.testing import PluginContract

#: Rooms of Fyr that are made for this plugin, and what it is started with.
ROOMS = (
    "config.load",
    "config.section",
    "config.settings",
    "core.app",
    "core.clock",
    "core.context",
    "core.errors.catalogue",
    "core.errors",
    "core.hosts",
    "core.model.definitions",
    "search.understanding.compartments",
)
SECURITY = ("bearer", "fetching", "keys", "publishing", "settings", "verifying")


def own_modules() -> set[str]:
    folder = Path(area.__file__).parent
    paths = (one.relative_to(folder).with_suffix("") for one in folder.rglob("*.py"))
    return {".".join((area.__name__, *path.parts)) for path in paths}


class TestAccessControl(PluginContract):
    plugin = "access_control"
    private_imports = frozenset(
        {
            *(f"fyr.{name}" for name in ROOMS),
            *(f"fyr.core.security.{name}" for name in SECURITY),
            *(name.removesuffix(".__init__") for name in own_modules()),
            "fyr.core.model",
        }
    )
