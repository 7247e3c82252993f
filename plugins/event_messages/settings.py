"""The settings of the plugin, ``[plugin.event_messages]``."""

from pydantic import Field

from fyr.core import PluginSettings


class EventMessagesSettings(PluginSettings):
    """Who may ask for events over HTTP."""

    privilege: str = Field(
        "",
        description=(
            "Privilege that `GET /events` asks for; empty: every system may, and no"
            " person."
        ),
    )
