"""What a deployer says of the Key Value Store: ``[plugin.key_value_store]``."""

from __future__ import annotations

from collections import Counter
from typing import Literal, Self

from pydantic import Field, model_validator

from fyr.core import PluginSettings


class ClientSettings(PluginSettings):
    """One application that has values, and who may use them."""

    realm: str = Field(
        min_length=1, description="Realm of the tokens, as the issuer's `realm` says."
    )
    client_id: str = Field(
        pattern=r"^[A-Za-z0-9._~-]{1,128}$",
        description="The client's id, which stands in the path.",
    )
    system_users: list[str] = Field(
        [], description="User ids of the system users who write for the client."
    )
    user_clients: list[str] = Field(
        [],
        description="Other clients by whose tokens its users come, a backend for one.",
    )


class KeyValueStoreSettings(PluginSettings):
    """Who has an area, and how much may be kept in it."""

    clients: list[ClientSettings] = Field(
        [],
        description="Clients that have an area: `realm`, `client_id`, `system_users`,"
        " `user_clients`. Nobody else has access.",
    )
    max_bytes: int = Field(
        1_048_576, ge=1, le=16_777_216, description="Largest value; more is 413."
    )
    max_client_values: int = Field(
        1000, ge=1, description="Most values of a client; more is 422."
    )
    max_user_values: int = Field(
        100, ge=1, description="Most values of one user of a client; more is 422."
    )
    inline_bytes: int = Field(
        65_536, ge=0, description="A value of more bytes than this is kept as a blob."
    )
    personal_data: Literal["checked", "dates", "off"] = Field(
        "checked",
        description="Which numbers are refused as civil registration numbers (CPR):"
        " `checked`: those with a date and a right check digit; `dates`: all with a"
        " date, as newer ones have no check digit; `off`: none.",
    )

    @model_validator(mode="after")
    def _tell_clients_apart(self) -> Self:
        times = Counter((one.realm, one.client_id) for one in self.clients)
        twice = ["/".join(one) for one, number in times.items() if number > 1]
        if twice:
            raise ValueError(f"clients: named twice: {', '.join(twice)}")
        return self
