"""Every setting: name, type, default and one sentence, from which docs/settings.md is made.

One TOML file, then ``FYR_`` environment variables over it (``FYR_SERVER__PORT=9090``);
a secret may stand in a file that ``<name>_file`` names. Nothing unknown is accepted.
"""

import re
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, IPvAnyNetwork, SecretStr

from fyr.config.blobs import BlobSettings
from fyr.config.messages import MessageSettings
from fyr.config.outgoing import OutgoingSettings
from fyr.config.reporting import ReportingSettings
from fyr.config.section import Section
from fyr.config.streams import StreamSettings

_URL = r"^(https?://\S+)?$"


class ServerSettings(Section):
    """``[server]``: the HTTP side."""

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8080, ge=0, le=65535, description="Port; 0 takes a free one.")
    workers: int = Field(1, ge=1, le=64, description="HTTP worker processes.")
    threads: int = Field(8, ge=1, le=256, description="Threads of a worker.")
    pin_workers: bool = Field(
        True,
        description=(
            "Keep each HTTP worker on one processor, where the system can: its"
            " threads take turns anyway, and taking them on two processors costs more."
        ),
    )
    quick_reads: Literal["auto", "always", "never"] = Field(
        "auto",
        description=(
            "Answer reads by id where they are received instead of in one of the"
            " threads, which costs more than the read: `auto`, when no plugin has a"
            " say in reads but those marked as quick; `always`, with plugins that wait"
            " for nobody; `never`."
        ),
    )
    worker: bool = Field(
        True, description="Run an event and job worker beside the HTTP workers."
    )
    public_url: str = Field(
        "",
        pattern=_URL,
        description=(
            "URL that clients see; empty: taken from each request, which must name this"
            " machine, or the host of another public URL. Needed outside of loopback."
        ),
    )
    trusted_proxies: list[IPvAnyNetwork] = Field(
        [],
        description=(
            "Networks of the proxies before Fyr, such as `10.0.0.0/8`: whom they name in"
            " `X-Forwarded-For`, with or without a port, is the client in logs and for"
            " rate limits."
        ),
    )
    max_body_bytes: int = Field(
        50_000_000, ge=1024, description="Largest request body; more is 413."
    )
    max_header_bytes: int = Field(
        32_768,
        ge=4096,
        description=(
            "Largest head of a request, its URL included; more is 431. Longer searches"
            " are sent by POST."
        ),
    )
    head_seconds: float = Field(
        30.0,
        gt=0,
        description="How long a client may take to send the head of a request.",
    )
    body_seconds: float = Field(
        600.0,
        gt=0,
        description="How long a client may take to send a whole request.",
    )
    idle_seconds: int = Field(
        120,
        ge=1,
        description="How long a connection is kept on which nothing is sent.",
    )
    drain_seconds: float = Field(
        20.0, ge=0, description="How long a stop waits for running requests."
    )
    cors_origins: list[str] = Field(
        ["loopback"],
        description=(
            "Origins whose pages may call, such as `https://app.example.org`;"
            " `loopback`: pages of the machine that the browser runs on; `*`: all, in"
            " closed mode only."
        ),
    )
    cache: Literal["revalidate", "no-store"] = Field(
        "revalidate",
        description=(
            "Whether a browser may keep answers: `revalidate`, for its own user, and it"
            " asks with the ETag before it shows one again; `no-store`: never."
        ),
    )
    hsts_seconds: int = Field(
        0,
        ge=0,
        description=(
            "How long browsers are to come by HTTPS only (Strict-Transport-Security);"
            " 0: nothing is said. For servers that are reached by HTTPS."
        ),
    )
    access_log: bool = Field(False, description="Log one line for each request.")

    @property
    def root(self) -> str:
        """What stands before the paths of services, where no request tells it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url.rstrip("/") or f"http://{host}:{self.port}"


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

    public_url: str = Field("", pattern=_URL, description="Base URL that clients see.")
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
