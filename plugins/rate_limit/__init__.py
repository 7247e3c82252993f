"""Rate limits: how often somebody may ask, by address and by principal.

For the FHIR services and the routes of plugins that are not public, or *counted*; health,
metrics and what is refused before it is known to be a request are not. The numbers are of
one process: ``docs/decisions/rate-limits.md``.
"""

from __future__ import annotations

from math import ceil

from pydantic import Field

from fyr.core import Manifest, Plugin, RequestContext, hookimpl, network_of
from fyr.core.context import ANONYMOUS, SYSTEM
from fyr.core.errors import TooManyRequests
from fyr.core.hooks.plugin import PluginSettings
from fyr.plugins.rate_limit.buckets import Buckets

__all__ = ["RateLimit"]


class RateLimitSettings(PluginSettings):
    """``[plugin.rate_limit]``: how often somebody may ask; a rate of 0 is no limit."""

    address_per_second: float = Field(
        100.0, ge=0, description="Requests of one address in a second, on average."
    )
    address_burst: int = Field(
        500, ge=1, description="Requests of one address that may come at once."
    )
    principal_per_second: float = Field(
        50.0,
        ge=0,
        description="Requests of one principal in a second, on average; each entry of a"
        " Bundle counts.",
    )
    principal_burst: int = Field(
        250, ge=1, description="Requests of one principal that may come at once."
    )
    most: int = Field(
        20_000,
        ge=100,
        description="Addresses, and principals, that are remembered; those that have not"
        " asked for longest are forgotten first.",
    )


class RateLimit(Plugin):
    """Refuses who asks too often, with 429 and the time to wait."""

    manifest = Manifest(
        "Limits how often an address and a principal may ask.",
        settings=RateLimitSettings,
    )
    settings: RateLimitSettings

    def __init__(self, settings: RateLimitSettings) -> None:
        """Make the buckets, all of them full."""
        super().__init__(settings)
        self._addresses = Buckets(
            settings.address_per_second, settings.address_burst, settings.most
        )
        self._principals = Buckets(
            settings.principal_per_second, settings.principal_burst, settings.most
        )

    @hookimpl(quick=True, phase="early")
    def request_received(self, context: RequestContext) -> None:
        """Count a request for its address, whoever sends it."""
        if context.remote and context.now is not None and self._addresses.limits:
            seconds = self._addresses.take(
                network_of(context.remote), context.now.timestamp()
            )
            if seconds:
                raise _too_many("this address", seconds)

    @hookimpl(quick=True, phase="early")
    def authorize(self, context: RequestContext) -> None:
        """Count a request for its principal; entries of a Bundle are paid for later."""
        principal = context.principal
        if principal is ANONYMOUS or principal is SYSTEM or context.now is None:
            return
        if not self._principals.limits:
            return
        key = f"{principal.issuer} {principal.user_type} {principal.user_id}"
        now = context.now.timestamp()
        if context.parent is not None:
            # What a worker does later was paid for by the request that asked for it.
            if _is_of_request(context):
                self._principals.charge(key, now)
        elif seconds := self._principals.take(key, now):
            raise _too_many("this user", seconds)


def _is_of_request(context: RequestContext) -> bool:
    while context.parent is not None:
        context = context.parent
    return context.remote != ""


def _too_many(who: str, seconds: float) -> TooManyRequests:
    wait = ceil(seconds)
    return TooManyRequests(
        f"{who} asks too often: try again in {wait} s",
        headers={"Retry-After": str(wait)},
    )
