"""What stops a server at start because of a plugin."""

from fyr.config.load import ConfigError


class PluginError(ConfigError):
    """Plugins cannot be used as configured; one sentence for each fault, all of them."""
