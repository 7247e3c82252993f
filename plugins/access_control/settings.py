"""``[plugin.access_control]``: whose tokens are taken, and how they are checked."""

from collections import Counter
from typing import Self

from pydantic import Field, model_validator

from fyr.core import PluginSettings
from fyr.core.security.settings import IssuerSettings, TokenSettings


class AccessControlSettings(PluginSettings):
    """All that a deployer says of who may call."""

    issuers: list[IssuerSettings] = Field(
        [], description="OpenID providers, or realms of one, whose tokens are taken."
    )
    tokens: TokenSettings = Field(
        TokenSettings(), description="How tokens are checked, whoever issued them."
    )

    development: bool = Field(
        False,
        description=(
            "Trust tokens of `fyr dev token`, and serve `/dev/realms`; on loopback only."
        ),
    )

    @model_validator(mode="after")
    def _tell_issuers_apart(self) -> Self:
        for what in ("issuer", "realm_name"):
            times = Counter(getattr(one, what) for one in self.issuers)
            twice = [name for name, number in times.items() if number > 1]
            if twice:
                raise ValueError(f"issuers: two have the {what} {', '.join(twice)}")
        return self
