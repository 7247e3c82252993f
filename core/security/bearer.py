"""The ``Authorization`` header and the challenge: https://www.rfc-editor.org/rfc/rfc6750.

Reasons are whole sentences of ours: nothing of a token gets into an answer or a log.
"""

from fyr.core.errors import Unauthenticated

_SCHEME = "bearer "


class InvalidToken(Unauthenticated):
    """A bearer token that does not hold; the sentence says why, without any of it."""

    def __init__(self, reason: str) -> None:
        """Take the reason; printable ASCII without quotes, as it goes into a header."""
        challenge = (
            f'Bearer realm="fyr", error="invalid_token", error_description="{reason}"'
        )
        super().__init__(
            f"the bearer token is not accepted: {reason}",
            headers={"WWW-Authenticate": challenge},
        )
        self.reason = reason


def bearer_token(authorization: str | None) -> str | None:
    """Give the token of a header; ``None`` when it is of another kind, or absent."""
    if authorization is None or authorization[:7].lower() != _SCHEME:
        return None
    return authorization[7:].strip(" ")
