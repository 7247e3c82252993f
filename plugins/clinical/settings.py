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
    guidance_content_kb: int = Field(
        default=0,
        ge=0,
        description=(
            "Largest content of an action guidance or a view, in thousands of characters"
            " of base64; 0: any. The guide says that it is limited, and not to what."
        ),
    )
