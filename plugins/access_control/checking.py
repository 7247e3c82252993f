"""What a deployer may not have meant of issuers: ``fyr config check``."""

from __future__ import annotations

from collections.abc import Iterator

from fyr.core.security.fetching import Unfetched
from fyr.core.security.publishing import fetch_keys
from fyr.core.security.settings import IssuerSettings
from fyr.plugins.access_control.settings import AccessControlSettings

#: Clocks that are set by the network are together within this.
_USUAL_SKEW = 60.0


def cautions(settings: AccessControlSettings) -> Iterator[str]:
    """Tell what lets in nobody, or more than was meant, a sentence each."""
    if not settings.issuers and not settings.development:
        yield "no issuers: each token is refused with 401"
    if settings.issuers and settings.development:
        yield (
            "development: whoever can read the data folder can be anybody, beside the"
            " users of the issuers"
        )
    for one in settings.issuers:
        for sentence in _of_issuer(one):
            yield f"issuer {one.issuer}: {sentence}"


def _of_issuer(issuer: IssuerSettings) -> Iterator[str]:
    if issuer.issuer.endswith("/"):
        yield (
            "it ends with a slash, as the tokens of few issuers do: it has to be exactly"
            " their iss"
        )
    if issuer.clock_skew_seconds > _USUAL_SKEW:
        yield (
            f"clock_skew_seconds: a token is good for {issuer.clock_skew_seconds:g}"
            " seconds longer than it says"
        )
    if issuer.claims.missing_user_type == "SYSTEM":
        yield (
            "claims.missing_user_type: whoever has a token that says nothing of a user"
            " type is a system, of whom no context is asked"
        )


def unreached(settings: AccessControlSettings) -> Iterator[str]:
    """Ask each issuer for its keys, and tell what is wrong with them."""
    for one in settings.issuers:
        try:
            keys = fetch_keys(one, settings.tokens.fetch_seconds)
        except Unfetched as error:
            yield f"issuer {one.issuer}: {error}"
            continue
        if not any(key.fits(name) for key in keys for name in one.algorithms):
            taken = ", ".join(one.algorithms)
            yield f"issuer {one.issuer}: no key of it is for algorithms {taken}"
