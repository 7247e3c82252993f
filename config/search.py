"""``[search]``: what searches find, and what is told about them."""

from pydantic import Field

from fyr.config.section import Section


class SearchSettings(Section):
    """``[search]``: what searches find, and what is told about them."""

    full_text: bool = Field(
        False,
        description=(
            "Offer `_text` and `_content`: a consumer keeps an index of all words."
        ),
    )
    slow_millis: float = Field(
        1000.0,
        ge=0,
        description="Searches that take longer are logged, without values; 0: none.",
    )
    timeout_seconds: float = Field(
        30.0,
        ge=0,
        description=(
            "Statements of a search that take longer are ended, with 503; 0: never."
        ),
    )
    explain_privilege: str = Field(
        "",
        description=(
            "Privilege that `_explain` asks for; empty: nobody has it. In open mode"
            " everybody may."
        ),
    )
    token_text: bool = Field(
        True,
        description=(
            "Offer `:text` on tokens: the texts of codes are indexed, some 140 to 190"
            " bytes for an Observation. Holds for what is stored after a change."
        ),
    )
    reindex_page: int = Field(
        100,
        ge=1,
        le=200,
        description="Resources that are indexed anew in one transaction.",
    )
    reindex_per_second: int = Field(
        0,
        ge=0,
        description="Most resources that are indexed anew in a second; 0: no limit.",
    )
