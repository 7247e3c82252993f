"""The plugin is held against what holds for all plugins, and imports what core publishes."""

from fyr.core.testing import PluginContract


class TestSampleRegister(PluginContract):
    plugin = "sample_register"
