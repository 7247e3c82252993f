"""What a deployer says of questions to the reporting index."""

from __future__ import annotations

from pydantic import Field

from fyr.core import PluginSettings
from fyr.search.reporting.asking.knowing import Bounds


class ReportingPluginSettings(PluginSettings):
    """``[plugin.reporting]``: who may ask, what is told to whom, and what it may cost."""

    privilege: str = Field(
        "report-query",
        min_length=1,
        description="Privilege that asking takes, of persons and systems alike.",
    )
    non_anonymized_privilege: str = Field(
        "report-non-anonymized",
        min_length=1,
        description=(
            "Privilege that single rows, personal columns and small groups take; for"
            " everybody else data is anonymised."
        ),
    )
    least_patients: int = Field(
        5,
        ge=2,
        description="Patients that a group has at least where data is anonymised.",
    )
    max_groups: int = Field(
        10_000, ge=1, description="Groups of an answer, on all its pages; more is 422."
    )
    max_page: int = Field(
        10_000, ge=1, le=100_000, description="Groups or rows of a page."
    )
    seconds: float = Field(
        30.0,
        gt=0,
        le=600,
        description="How long an answer may take; then the work on it ends, with 503.",
    )
    at_once: int = Field(
        2, ge=1, description="Questions that one process answers at the same time."
    )
    wait_seconds: float = Field(
        1.0,
        ge=0,
        description="How long another one waits for its turn; then it is 429.",
    )

    @property
    def bounds(self) -> Bounds:
        """What one question may cost."""
        return Bounds(
            groups=self.max_groups,
            page=self.max_page,
            seconds=self.seconds,
            at_once=self.at_once,
            wait_seconds=self.wait_seconds,
        )
