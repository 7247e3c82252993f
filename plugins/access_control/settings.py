"""``[plugin.access_control]``: whose tokens are taken, and how they are checked."""

from collections import Counter
from typing import Literal, Self

from pydantic import Field, JsonValue, model_validator

from fyr.config.section import Section
from fyr.core import PluginSettings
from fyr.core.security.settings import IssuerSettings, TokenSettings


class SmartSettings(Section):
    """``[plugin.access_control.smart]``: what apps are told of authorization."""

    issuer: str = Field(
        "", description="Whose tokens apps are to get; empty: the first of `issuers`."
    )
    authorization_endpoint: str = Field("", description="Where users log in.")
    token_endpoint: str = Field("", description="Where tokens are had.")
    capabilities: list[str] = Field(
        ["permission-v2", "permission-v1", "permission-patient", "permission-user"],
        description="What the issuer and this server can do together.",
    )
    more: dict[str, JsonValue] = Field(
        {}, description="Other members of `smart-configuration`, as they are to be."
    )


class AccessControlSettings(PluginSettings):
    """All that a deployer says of who may call."""

    issuers: list[IssuerSettings] = Field(
        [], description="OpenID providers, or realms of one, whose tokens are taken."
    )
    tokens: TokenSettings = Field(
        TokenSettings(), description="How tokens are checked, whoever issued them."
    )
    decide_by: Literal["table", "smart"] = Field(
        "table",
        description=(
            "What decides: the table of services and privileges, or the SMART scopes of"
            " the token."
        ),
    )
    smart: SmartSettings = Field(
        SmartSettings(), description="What apps are told where scopes decide."
    )
    development: bool = Field(
        False,
        description=(
            "Trust tokens of `fyr dev token`, and serve `/dev/realms`; on loopback only."
        ),
    )

    @model_validator(mode="after")
    def _tell_issuers_apart(self) -> Self:
        names = {
            "issuer": [one.issuer for one in self.issuers],
            "realm": [one.realm_name for one in self.issuers],
        }
        for what, given in names.items():
            twice = [name for name, number in Counter(given).items() if number > 1]
            if twice:
                hint = "" if what == "issuer" else " (unset, it is the end of `issuer`)"
                told = f"{what} {', '.join(twice)}{hint}"
                raise ValueError(f"issuers: two have the {told}")
        return self
