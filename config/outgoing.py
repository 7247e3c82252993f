"""``[outgoing]``: what is sent to others, and whom it may be sent to."""

from pathlib import Path

from pydantic import Field, field_validator

from fyr.config.section import Section


class OutgoingSettings(Section):
    """``[outgoing]``: what is sent to others, and whom it may be sent to."""

    allow: list[str] = Field(
        [],
        description=(
            "Hosts (`hooks.example.org`, `*.example.org`), networks (`10.1.0.0/16`) or"
            " `loopback` that are sent to though their addresses are private, and by"
            " plain `http` too. All other private addresses are refused."
        ),
    )
    only: list[str] = Field(
        [],
        description=(
            "Hosts and networks, written in the same way: if there are any, nobody else"
            " is sent to."
        ),
    )
    tls_ca: Path | None = Field(
        None, description="Certificates that vouch for receivers; none: the system's."
    )
    timeout_seconds: float = Field(
        10.0, gt=0, description="How long a receiver may take for one message."
    )
    attempts: int = Field(
        24, ge=1, description="Tries before a message is given up, a dead letter."
    )
    backoff_seconds: float = Field(
        1.0, gt=0, description="First wait before a repeat; doubles, with jitter."
    )
    backoff_max_seconds: float = Field(900.0, gt=0, description="Longest wait.")
    at_once: int = Field(
        16,
        ge=2,
        description=(
            "Receivers that one worker sends to at a time, for each sender; those that"
            " failed last, or whose host took more than a second, have half of these"
            " places at most, and those of one host a quarter; together with those that"
            " have taken nothing yet, three quarters."
        ),
    )

    @field_validator("allow", "only")
    @classmethod
    def _are_places(cls, places: list[str]) -> list[str]:
        from ipaddress import ip_network

        for place in places:
            if "/" in place:
                ip_network(place)
            elif not place or any(sign in place for sign in ":@ "):
                raise ValueError(f"{place!r} is no host and no network")
        return places
