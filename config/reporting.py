"""The settings of the reporting index."""

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from fyr.config.section import Section


class ReportingSettings(Section):
    """``[reporting]``: the index that reports and questions of analysts are answered from."""

    url: str = Field(
        "",
        pattern=r"^(|embedded|https?://[^\s/@]+(/\S*)?)$",
        description=(
            "`embedded`: a file in the data folder, for one machine; or"
            " `https://HOST:PORT` of an Elasticsearch, 8 or 9; without a port 443, of"
            " `http://` 80. Empty: no such index."
        ),
    )
    username: str = Field("", description="User of Elasticsearch.")
    password: SecretStr | None = Field(None, description="Password of that user.")
    password_file: Path | None = Field(
        None, description="File that holds the password."
    )
    api_key: SecretStr | None = Field(
        None, description="API key of Elasticsearch, instead of a user."
    )
    api_key_file: Path | None = Field(None, description="File that holds the key.")
    tls_ca: Path | None = Field(
        None,
        description="Certificates that vouch for Elasticsearch; none: the system's.",
    )
    index_prefix: str = Field(
        "fyr",
        pattern=r"^[a-z][a-z0-9_]{0,40}$",
        description=(
            "What the names of its indices begin with; each deployment on a cluster has"
            " one of its own."
        ),
    )
    shards: int = Field(1, ge=1, description="Primary shards of an index.")
    replicas: int = Field(1, ge=0, description="Copies of each shard.")
    timeout_seconds: float = Field(
        30.0, gt=0, description="How long Elasticsearch may take for one answer."
    )

    @field_validator("url")
    @classmethod
    def _leads_somewhere(cls, url: str) -> str:
        try:
            parts = urlsplit(url)
            # Raises ValueError for a port that there is not.
            _ = parts.port
        except ValueError as error:
            raise ValueError(f"{url}: {error}") from None
        if parts.scheme and not parts.hostname:
            raise ValueError(f"{url}: it names no host")
        return url
