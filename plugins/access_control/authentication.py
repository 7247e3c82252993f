"""Who asks: the bearer token of a request, as a principal."""

from __future__ import annotations

from datetime import datetime

import structlog

from fyr.core import Clock, Principal, RequestContext
from fyr.core.security.bearer import InvalidToken, bearer_token
from fyr.core.security.keys import IssuerKeys
from fyr.core.security.verifying import TokenVerifier, TrustedIssuer
from fyr.plugins.access_control.development.issuer import (
    DevelopmentIssuer,
    trusted_name,
)
from fyr.plugins.access_control.settings import AccessControlSettings

log = structlog.get_logger("fyr.security")


class Authentication:
    """Checks the tokens of one application's requests."""

    def __init__(
        self,
        settings: AccessControlSettings,
        clock: Clock,
        development: DevelopmentIssuer | None = None,
    ) -> None:
        """Take whom to trust; nothing is fetched before :meth:`warm` or a request."""
        trusted = [
            TrustedIssuer(one, IssuerKeys(one, settings.tokens))
            for one in settings.issuers
        ]
        if development is None:
            self._verifier = TokenVerifier(trusted, settings.tokens)
        else:
            trusted += development.trusted()
            self._verifier = TokenVerifier(trusted, settings.tokens, trusted_name)
        self._known = self._verifier.known
        self._clock = clock

    def principal(self, context: RequestContext) -> Principal | None:
        """Tell who asks; ``None`` when the request brings no bearer token.

        :raises InvalidToken: the token does not hold.
        :raises fyr.core.Unavailable: its issuer's keys have never been had.
        """
        sent, now = context.authorization, context.now
        # Most requests bring a token that is known; the short way for them.
        if sent is not None and now is not None:
            known = self._known(sent, now)
            if known is not None:
                return known.principal
        return self.holder(sent, now)

    def holder(
        self, authorization: str | None, now: datetime | None = None
    ) -> Principal | None:
        """Tell whose the token of a header is, as :meth:`principal` does."""
        token = bearer_token(authorization)
        if token is None:
            return None
        try:
            return self._verifier.verify(token, now or self._clock())
        except InvalidToken as refusal:
            log.info("token refused", reason=refusal.reason)
            raise

    def problem(self) -> str:
        """Tell which issuers' tokens cannot be checked; empty when all can."""
        lacking = [
            f"{one.settings.realm_name}: {problem}"
            for one in self._verifier.issuers.values()
            if (problem := one.keys.problem())
        ]
        return "; ".join(lacking)

    def warm(self) -> None:
        """Begin to fetch the issuers' keys, before the first request needs them."""
        for one in self._verifier.issuers.values():
            one.keys.warm()

    def stop(self) -> None:
        """End the fetching."""
        for one in self._verifier.issuers.values():
            one.keys.stop()
