"""``[fhir]``: how the REST interface behaves."""

from typing import Literal

from pydantic import Field

from fyr.config.section import Section


class FhirSettings(Section):
    """``[fhir]``: how the REST interface behaves."""

    default_count: int = Field(20, ge=1, description="Page size when none is asked.")
    max_count: int = Field(200, ge=1, description="Largest page; more is cut to it.")
    max_depth: int = Field(
        64, ge=8, le=200, description="Deepest nesting of a resource."
    )
    max_number_digits: int = Field(
        64, ge=18, description="Digits of the longest number that is taken."
    )
    max_bundle_entries: int = Field(
        10_000, ge=1, description="Entries of the largest batch or transaction."
    )
    bundle_seconds: float = Field(
        120.0,
        ge=0,
        description=(
            "How long entries of a Bundle are begun; those of a batch that are not fail"
            " alone, with 503, a transaction as a whole."
        ),
    )
    stale_version_status: Literal[412, 409] = Field(
        412, description="Answer to an `If-Match` that is stale."
    )
    page_link_seconds: int = Field(
        3600,
        ge=60,
        description="How long a paging link stays valid, in seconds; 60 at least.",
    )
    error_coding: str = Field(
        "",
        pattern=r"^([a-z][a-z0-9+.-]*:\S+)?$",
        description=(
            "Code system, such as `https://fhir.example.org/error-code`, that"
            " outcomes name the code of an error with, in `issue.details`; empty:"
            " they tell its text only."
        ),
    )
