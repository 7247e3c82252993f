"""The plugin is held against what holds for all plugins, and imports what core publishes."""

from typing import ClassVar

from fyr.core.testing import PluginContract


class TestKeyService(PluginContract):
    plugin = "key_service"
    settings: ClassVar = {"hash_memory_kib": 32, "hash_passes": 1}
