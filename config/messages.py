"""``[messages]``: the broker that event messages go to."""

from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from fyr.config.section import Section


class MessageSettings(Section):
    """``[messages]``: the broker that event messages go to."""

    url: str = Field(
        "",
        pattern=r"^(|(embedded|mqtts?)://(\[[0-9A-Fa-f:]+\]|[\w.-]+)(:\d{1,5})?)$",
        description=(
            "`mqtt://HOST:PORT`, `mqtts://HOST:PORT` (TLS), or `embedded://HOST:PORT`: a"
            " broker that `fyr serve` runs there, for one machine. Empty: no messages."
        ),
    )
    version: Literal["5", "3.1.1"] = Field(
        "5", description="MQTT version; 3.1.1 has no properties beside the body."
    )
    username: str = Field("", description="User of the broker.")
    password: SecretStr | None = Field(None, description="Password of that user.")
    password_file: Path | None = Field(
        None, description="File that holds the password."
    )
    client_id: str = Field(
        "fyr", pattern=r"^[0-9A-Za-z._-]+$", description="What client ids begin with."
    )
    tls_ca: Path | None = Field(
        None, description="Certificates that vouch for the broker; none: the system's."
    )
    tls_certificate: Path | None = Field(
        None, description="Certificate that Fyr shows the broker."
    )
    tls_key: Path | None = Field(None, description="Key of that certificate.")
    topic: str = Field(
        "fyr/events/{levels}",
        pattern=r"^[^+#]*\{(levels|name)\}[^+#]*$",
        description=(
            "MQTT topic of a message; `{levels}` is its name with `/` for each dot,"
            " `{name}` the name as it is."
        ),
    )
    window: int = Field(
        200, ge=1, le=60_000, description="Messages on their way at once, at most."
    )
    ack_seconds: float = Field(
        10.0, gt=0, description="How long the broker may take for one answer."
    )
    rest_seconds: float = Field(
        10.0,
        gt=0,
        description=(
            "Longest wait before a broker is tried again; and how often it is looked for"
            " while there is nothing to tell."
        ),
    )

    @field_validator("url")
    @classmethod
    def _has_a_port(cls, url: str) -> str:
        try:
            _ = urlsplit(url).port
        except ValueError as error:
            raise ValueError(f"{url}: {error}") from None
        return url
