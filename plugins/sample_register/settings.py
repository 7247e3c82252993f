"""What a deployer says of the sample register: ``[plugin.sample_register]``."""

from pathlib import Path

from pydantic import Field

from fyr.core import PluginSettings


class SampleRegisterSettings(PluginSettings):
    """Which people there are."""

    file: Path | None = Field(
        None,
        description=(
            "TOML file of other people, in the form of `people.toml` in the plugin's"
            " folder; none: those people."
        ),
    )
