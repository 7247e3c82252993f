"""What a deployer says of notifications: ``[plugin.notifications]``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field, field_validator

from fyr.core import PluginSettings
from fyr.plugins.notifications.table import read_table


class NotificationsSettings(PluginSettings):
    """``[plugin.notifications]``: what is notified, and to whom."""

    topic_prefix: str = Field(
        "http://ehealth.sundhed.dk/fut/2020/02/27:",
        pattern=r"^[!-~]*$",
        description="What stands before the name of every topic.",
    )
    table: dict[int, dict[str, Any]] = Field(
        {}, description="Corrections of the table, by number: `docs/notifications.md`."
    )
    file: Path | None = Field(
        None,
        description=(
            "File in the data folder that notifications are added to, a line each;"
            " none: off."
        ),
    )
    mqtt: bool = Field(
        False, description="Publish them to the broker of `messages.url`."
    )
    mqtt_name: str = Field(
        "nas.{topic}",
        pattern=r"^[^+#]*\{topic\}[^+#]*$",
        description=(
            "Name that each has there, out of which `messages.topic` makes the MQTT"
            " topic; `{topic}` is the topic without its prefix."
        ),
    )

    @field_validator("table")
    @classmethod
    def _can_be_read(cls, table: dict[int, dict[str, Any]]) -> dict[int, Any]:
        read_table(table)
        return table
