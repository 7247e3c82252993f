"""The plugin is held against what holds for all plugins."""

from importlib.resources import files

from fyr.core.testing import PluginContract

#: Rooms of the core that are made for this plugin, and what it is started with.
ROOMS = ("app", "error_codes")
SECURITY = ("bearer", "keys", "publishing", "settings", "verifying")


def own_modules() -> set[str]:
    folder = files("fyr.plugins.access_control").iterdir()
    return {one.name.removesuffix(".py") for one in folder if one.name.endswith(".py")}


class TestAccessControl(PluginContract):
    plugin = "access_control"
    private_imports = frozenset(
        {
            *(f"fyr.core.{name}" for name in ROOMS),
            *(f"fyr.core.security.{name}" for name in SECURITY),
            *(f"fyr.plugins.access_control.{name}" for name in own_modules()),
        }
    )
