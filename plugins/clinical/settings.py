"""Settings of the clinical area."""

from __future__ import annotations

from pydantic import Field

from fyr.core import PluginSettings


class ClinicalSettings(PluginSettings):
    """What a deployment says of its plans, care plans and measurements."""

    environment: str = Field(
        default="fyr",
        min_length=1,
        description=(
            "Name of this environment in the identifiers of plans and questionnaires:"
            " new versions of them are made where they were first."
        ),
    )
