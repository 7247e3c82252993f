"""The sub-commands of ``fyr`` that are its own, whatever plugins there are."""

#: Sub-command -> module and function.
COMMANDS = {
    "serve": ("fyr.core.cli.serving", "serve"),
    "worker": ("fyr.core.cli.serving", "worker"),
    "load": ("fyr.core.cli.load", "load"),
    "plugins": ("fyr.core.cli.plugins", "plugins"),
    "plugin": ("fyr.core.cli.plugin_new", "plugin"),
    "migrate": ("fyr.core.cli.migrate", "migrate"),
    "config": ("fyr.core.cli.config", "config"),
    "events": ("fyr.core.cli.events", "events"),
    "outgoing": ("fyr.core.cli.outgoing", "outgoing"),
    "workflow": ("fyr.core.cli.workflow", "workflow"),
    "blobs": ("fyr.core.cli.blobs", "blobs"),
    "version": ("fyr.core.cli.version", "version"),
}
