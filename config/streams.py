"""``[streams]``: the listener for server-sent events and websockets."""

from pydantic import Field

from fyr.config.section import Section


class StreamSettings(Section):
    """``[streams]``: the listener for server-sent events and websockets."""

    host: str = Field(
        "", description="Address to listen on; empty: that of `server.host`."
    )
    port: int | None = Field(
        None,
        ge=0,
        le=65535,
        description="Port of its own; 0 takes a free one. Unset: there are no streams.",
    )
    processes: int = Field(
        1,
        ge=1,
        le=64,
        description="Processes that share the port; one has thousands of clients.",
    )
    public_url: str = Field(
        "",
        pattern=r"^(https?://\S+)?$",
        description=(
            "URL that clients see; empty: `server.public_url`, where a proxy tells streams"
            " from requests, or its host with this port, where it names `server.port`."
        ),
    )
    max_clients: int = Field(
        2000, ge=1, description="Clients of one process; more are 503."
    )
    max_clients_per_address: int = Field(
        500,
        ge=1,
        description=(
            "Clients of one process from one address, of IPv6 one network of 64 bits;"
            " more are 503. Behind a proxy, `server.trusted_proxies` tells them apart."
        ),
    )
    max_clients_per_user: int = Field(
        50,
        ge=1,
        description="Clients of one process with tokens of one user; more are 503.",
    )
    bind_seconds: float = Field(
        10.0,
        gt=0,
        description=(
            "How long a websocket that anybody may open is kept without a word that"
            " binds it to something."
        ),
    )
    heartbeat_seconds: float = Field(
        15.0,
        gt=0,
        description="Silence after which something is sent, so that nobody hangs up.",
    )
    stall_seconds: float = Field(
        30.0,
        gt=0,
        description=(
            "How long a client may take nothing of what is sent to it; then it is"
            " disconnected, and catches up when it comes back."
        ),
    )
    recheck_seconds: float = Field(
        60.0,
        gt=0,
        description=(
            "How often a client's token is checked again: it may have expired since."
        ),
    )
