"""What a deployer says of auditing: ``[plugin.audit]``."""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator

from fyr.core import PluginSettings


class AuditSettings(PluginSettings):
    """Whose requests are audited, how surely, and where the log goes."""

    user_types: list[str] = Field(
        ["PRACTITIONER", "PATIENT", "SSL"],
        description="User types whose requests are audited; SYSTEM is not among them.",
    )
    durable: bool = Field(
        True,
        description=(
            "Keep what is read in the database before it is answered. Otherwise it is"
            " kept within `flush_seconds`, and a process that is killed loses that."
            " What is written is always kept together with the write."
        ),
    )
    strangers: Literal["counted", "each", "none"] = Field(
        "counted",
        description=(
            "What is told of requests that are refused with 401: `counted` one entry a"
            " minute for each address, with how many there were; `each` one for each,"
            " of which anybody can make any number, so limit them (`rate_limit`); or"
            " `none`."
        ),
    )
    required: bool = Field(
        True,
        description=(
            "Refuse requests (503) that cannot be audited. Otherwise they are answered,"
            " and the log says that an entry is missing."
        ),
    )
    flush_seconds: float = Field(
        0.02, gt=0, description="Without `durable`: how long an entry waits, at most."
    )
    buffer: int = Field(
        10_000, ge=1, description="Without `durable`: entries that may wait at once."
    )
    file: Path | None = Field(
        Path("audit.jsonl"),
        description=(
            "File in the data folder that AuditEvents are added to, a line each; none:"
            " empty."
        ),
    )
    store: bool = Field(
        False, description="Keep each AuditEvent as a resource of this server, too."
    )
    topic: str = Field(
        "virtual.ehealth-auditevent",
        min_length=1,
        description="Topic of AuditEvents, where `messages.url` names a broker.",
    )
    source: str = Field(
        "http://ehealth.sundhed.dk",
        description="System of the identifiers of users, services and traces.",
    )
    internal: list[str] = Field(
        [],
        description=(
            "Resource types, and operations without `$`, that stay in this log: their"
            " entries have the purpose `INTERNAL_AUDIT_ONLY`."
        ),
    )
    minlog_file: Path | None = Field(
        None,
        description=(
            "File in the data folder for the records of the national log (MinLog):"
            " which professional saw data of which citizen, by CPR number; none: off."
        ),
    )

    @field_validator("strangers", mode="before")
    @classmethod
    def _as_it_was_said(cls, told: Any) -> Any:
        """Take what was said before they were counted: each of them, or none."""
        words = {"true": "each", "false": "none"}
        return words.get(str(told).lower(), told)
