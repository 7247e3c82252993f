"""``[server]``: the HTTP side."""

from typing import Literal

from pydantic import Field, IPvAnyNetwork

from fyr.config.section import URL, Section


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
        pattern=URL,
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
