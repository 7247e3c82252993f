"""Every setting: name, type, default and one sentence, from which docs/settings.md is made.

One TOML file, then ``FYR_`` environment variables over it (``FYR_SERVER__PORT=9090``);
a secret may stand in a file that ``<name>_file`` names. Nothing unknown is accepted.
"""

import re
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr

from fyr.config.blobs import BlobSettings
from fyr.config.fhir import FhirSettings
from fyr.config.messages import MessageSettings
from fyr.config.outgoing import OutgoingSettings
from fyr.config.reporting import ReportingSettings
from fyr.config.search import SearchSettings
from fyr.config.section import URL, Section
from fyr.config.server import ServerSettings
from fyr.config.streams import StreamSettings


class StoreSettings(Section):
    """``[store]``: where resources are kept."""

    url: str = Field(
        "sqlite:///fyr.db",
        pattern=r"^(sqlite://(/.*)?|postgres(ql)?://.+)$",
        description=(
            "`sqlite:///FILE` (relative to the data folder), `sqlite://` (thrown away"
            " at the end, for tests: no server takes it) or `postgresql://USER@HOST:PORT/NAME`."
        ),
    )
    password: SecretStr | None = Field(
        None, description="Password of the database user."
    )
    password_file: Path | None = Field(
        None, description="File that holds the password."
    )
    pool_size: int = Field(8, ge=1, description="Connections of one process.")
    retries: int = Field(
        8, ge=0, description="Repeats of a transaction that lost a race."
    )
    migrate: bool = Field(
        True, description="Bring the schema up to date at start; else refuse to start."
    )

    @property
    def shown_url(self) -> str:
        """The URL as it may be shown: without a password that stands in it."""
        return re.sub(r"(//[^:/@]*):[^/]*@", r"\1:***@", self.url)


class EventSettings(Section):
    """``[events]``: the outbox and its consumers."""

    batch: int = Field(500, ge=1, description="Events a consumer takes at a time.")
    poll_seconds: float = Field(0.2, gt=0, description="Longest wait between looks.")
    lease_seconds: float = Field(
        15.0, gt=0, description="How long a worker holds a consumer."
    )
    attempts: int = Field(
        8, ge=1, description="Tries before an event is a dead letter."
    )
    backoff_seconds: float = Field(
        1.0, gt=0, description="First wait before a repeat; doubles, with jitter."
    )
    backoff_max_seconds: float = Field(300.0, gt=0, description="Longest wait.")
    keep_days: float = Field(
        30.0, gt=0, description="How long delivered events are kept for replay."
    )


class SecuritySettings(Section):
    """``[security]``: who may call."""

    mode: Literal["closed", "open"] = Field(
        "closed",
        description=(
            "`open`: everybody may do everything, on loopback only."
            " `closed`: a plugin must authenticate each request."
        ),
    )
    admin_token: SecretStr | None = Field(
        None,
        description=(
            "Bearer token of `/admin` and `/metrics`; none: in open mode they are for"
            " this machine, in closed mode for nobody."
        ),
    )
    admin_token_file: Path | None = Field(None, description="File that holds it.")
    link_secret: SecretStr | None = Field(
        None,
        description="Key that paging links are sealed with; none: made and stored.",
    )
    link_secret_file: Path | None = Field(None, description="File that holds it.")


class LogSettings(Section):
    """``[log]``: structured lines on standard error."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severity that is written."
    )
    format: Literal["auto", "json", "text"] = Field(
        "auto", description="`auto`: text on a terminal, JSON elsewhere."
    )


class PluginSettings(Section):
    """``[plugins]``: which take part; each one's own table is ``[plugin.NAME]``."""

    enabled: list[str] = Field(
        ["search"], description="Names of entry points in the group `fyr.plugins`."
    )
    folder: Path | None = Field(
        None,
        description=(
            "Folder of single-file plugins, for development: every file in it takes"
            " part, without being named."
        ),
    )
    quarantine_after: int = Field(
        20, ge=1, description="Failures in a row after which an isolated hook rests."
    )
    quarantine_seconds: float = Field(60.0, gt=0, description="How long it rests.")
    slow_hook_seconds: float = Field(
        5.0,
        ge=0.1,
        description=(
            "A call of a plugin that takes longer is told of, by name, while it does: in"
            " the log, on `/metrics` and `/admin/plugins`. It is not stopped."
        ),
    )


class ServiceSettings(Section):
    """``[services.NAME]``: one FHIR service of this deployment."""

    public_url: str = Field("", pattern=URL, description="Base URL that clients see.")
    path: str = Field(
        "",
        pattern=r"^([A-Za-z0-9._~-]+(/[A-Za-z0-9._~-]+)*)?$",
        description="Path that it is served under; empty: the one that it declares.",
    )
    former_urls: list[str] = Field(
        [],
        description="Base URLs it had before: references to them are still its own.",
    )
    absolute_references: bool | None = Field(
        None,
        description=(
            "Whether its answers hold absolute references; unset: as the service"
            " declares. What is kept is relative either way."
        ),
    )
    enabled: bool = Field(
        True,
        description=(
            "Whether this deployment serves it. One that does not, and has a"
            " `public_url`, is served elsewhere: references lead there."
        ),
    )


class Settings(Section):
    """Everything that a deployer decides."""

    data_dir: Path = Field(Path("data"), description="Folder for all that is kept.")
    demo: bool = Field(
        False, description="Load a few demo resources into an empty store."
    )
    server: ServerSettings = ServerSettings()
    fhir: FhirSettings = FhirSettings()
    search: SearchSettings = SearchSettings()
    store: StoreSettings = StoreSettings()
    blobs: BlobSettings = BlobSettings()
    events: EventSettings = EventSettings()
    messages: MessageSettings = MessageSettings()
    reporting: ReportingSettings = ReportingSettings()
    outgoing: OutgoingSettings = OutgoingSettings()
    streams: StreamSettings = StreamSettings()
    security: SecuritySettings = SecuritySettings()
    log: LogSettings = LogSettings()
    plugins: PluginSettings = PluginSettings()
    services: dict[str, ServiceSettings] = Field({}, description="By service name.")
    plugin: dict[str, dict[str, Any]] = Field(
        {}, description="Settings of plugins, by name."
    )
