"""The settings of the plugin, ``[plugin.event_messages]``."""

from pydantic import Field

from fyr.core import PluginSettings


class EventMessagesSettings(PluginSettings):
    """Who may ask for events over HTTP."""

    privilege: str = Field(
        "Event.read",
        description=(
            "Privilege that a system needs for `/events`, as pages and as a stream;"
            " empty: every system may. No person may, and in open mode everybody who"
            " sends no token."
        ),
    )
