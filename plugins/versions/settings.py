"""What a deployer says of versions: ``[plugin.versions]``."""

from __future__ import annotations

from datetime import date
from typing import Self

from pydantic import Field, model_validator

from fyr.core import Deprecation, PluginSettings


class DeprecatedSettings(PluginSettings):
    """A part of this server that nobody should begin to use."""

    path: str = Field(
        pattern=r"^/[^?#\s]*[^/?#\s]$",
        description="Where it begins, such as `/careplan/fhir`.",
    )
    since: date = Field(description="From when on.")
    sunset: date | None = Field(
        None, description="When it will be gone, if that is known."
    )
    link: str = Field(
        "",
        pattern=r"^(https?://[!-;=?-~]+)?$",
        description="What is to be used instead.",
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.sunset is not None and self.sunset < self.since:
            raise ValueError("sunset: is before since")
        return self

    def deprecation(self) -> Deprecation:
        """Give what answers say of it."""
        return Deprecation(self.since, self.sunset, self.link)


class VersionsSettings(PluginSettings):
    """Which parts will go."""

    deprecated: list[DeprecatedSettings] = Field(
        [],
        description="Parts that will go: `path`, `since`, and if there are, `sunset` and"
        " `link`.",
    )
