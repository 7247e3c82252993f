"""What a deployer says of notifications: ``[plugin.notifications]``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from fyr.config.section import Section
from fyr.core import PluginSettings
from fyr.core.outgoing.http import OWN_HEADERS
from fyr.plugins.notifications.table import read_table

#: https://www.rfc-editor.org/rfc/rfc9110#name-tokens
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
#: Header that a repeat is known by.
ID_HEADER = "Fyr-Notification-Id"
_OURS = OWN_HEADERS | {"content-type", "soapaction", ID_HEADER.lower()}


class Receiver(Section):
    """A receiver over HTTP."""

    url: str = Field(
        "",
        pattern=r"^(https?://\S+)?$",
        description="Where it is told; empty: it is not.",
    )
    headers: dict[str, SecretStr] = Field(
        {}, description="Headers that are sent along, such as an `X-Api-Key`."
    )
    authorization: SecretStr | None = Field(
        None, description="The header `Authorization`: `Bearer …`, `Basic …`."
    )
    authorization_file: Path | None = Field(None, description="File that holds it.")
    tls_certificate: Path | None = Field(
        None, description="Certificate that is shown to the receiver, as PEM."
    )
    tls_key: Path | None = Field(None, description="Key of that certificate.")
    tls_ca: Path | None = Field(
        None,
        description="Certificates that vouch for it; none: those of `outgoing.tls_ca`.",
    )
    timeout_seconds: float | None = Field(
        None, gt=0, description="How long it may take; none: as `outgoing` says."
    )
    attempts: int | None = Field(
        None,
        ge=1,
        description="Tries before one is a dead letter; none: as `outgoing` says.",
    )

    @field_validator("headers")
    @classmethod
    def _are_headers(cls, headers: dict[str, SecretStr]) -> dict[str, SecretStr]:
        for name, value in headers.items():
            if not _TOKEN.fullmatch(name) or name.lower() in _OURS:
                raise ValueError(f"{name!r} is not a header that may be given")
            if not re.fullmatch(r"[ -~]*", value.get_secret_value()):
                raise ValueError(f"{name}: its value is not one of a header")
        return headers

    @model_validator(mode="after")
    def _has_a_key(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key go together")
        return self

    def sent_headers(self) -> dict[str, str]:
        """Give the headers with their values."""
        found = {name: one.get_secret_value() for name, one in self.headers.items()}
        if self.authorization is not None:
            found["Authorization"] = self.authorization.get_secret_value()
        return found


class Nas(Receiver):
    """The National Notification Service, or what speaks like it."""

    soap_version: Literal["1.1", "1.2"] = Field("1.1", description="Version of SOAP.")
    payload_as: Literal["element", "text"] = Field(
        "element",
        description=(
            "Whether the JSON stands in an element of its own inside of"
            " `NotifyContent`, or is its text."
        ),
    )


class NotificationsSettings(PluginSettings):
    """``[plugin.notifications]``: what is notified, and to whom."""

    topic_prefix: str = Field(
        "http://ehealth.sundhed.dk/fut/2020/02/27:",
        pattern=r"^[!-~]*$",
        description="What stands before the name of every topic.",
    )
    table: dict[int, dict[str, Any]] = Field(
        {}, description="Corrections of the table, by number: `docs/notifications.md`."
    )
    file: Path | None = Field(
        None,
        description=(
            "File in the data folder that notifications are added to, a line each;"
            " none: off."
        ),
    )
    mqtt: bool = Field(
        False, description="Publish them to the broker of `messages.url`."
    )
    mqtt_name: str = Field(
        "nas.{topic}",
        pattern=r"^[^+#]*\{topic\}[^+#]*$",
        description=(
            "Name that each has there, out of which `messages.topic` makes the MQTT"
            " topic; `{topic}` is the topic without its prefix."
        ),
    )
    webhook: Receiver = Field(
        Receiver(), description="A receiver of the JSON, by `POST`."
    )
    nas: Nas = Field(
        Nas(), description="A receiver of WS-Notification `Notify`, with CPR numbers."
    )

    @property
    def receivers(self) -> Mapping[str, Receiver]:
        """The receivers over HTTP that there are, by their short names."""
        named = {"webhook": self.webhook, "nas": self.nas}
        return {name: one for name, one in named.items() if one.url}

    @field_validator("table")
    @classmethod
    def _can_be_read(cls, table: dict[int, dict[str, Any]]) -> dict[int, Any]:
        read_table(table)
        return table
