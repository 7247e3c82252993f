"""Tokens that were found good, until they expire: most requests bring a known one.

Kept as headers are sent, so that no token is cut out of one. Found by the end of the
signature and then compared as a whole: a hash of four kilobytes takes ten times as long. Two generations of entries instead of a list in order of
use: what was asked for since the last change of generations stays, and a look-up needs
no lock.
"""

from dataclasses import dataclass
from datetime import datetime

from fyr.core.context import Principal
from fyr.core.security.keys import Keys

#: Letters of the end of a signature: more than anybody could make two tokens share.
_END = 43
#: What stands before the token in most headers; others are brought to this form.
SENT = "Bearer "


@dataclass(frozen=True, slots=True)
class Known:
    """What a good token says, and for how long."""

    #: the header that brings it
    sent: str
    principal: Principal
    begins: datetime
    ends: datetime
    keys: Keys
    #: of the keys, when the signature was checked
    generation: int


class TokenCache:
    """A bounded number of good tokens."""

    def __init__(self, size: int) -> None:
        """Take the number; 0 keeps none."""
        self._half = (size + 1) // 2
        self._young: dict[str, Known] = {}
        self._old: dict[str, Known] = {}

    def __len__(self) -> int:
        """Tell how many are kept."""
        return len(self._young) + len(self._old)

    def get(self, sent: str, now: datetime) -> Known | None:
        """Give what is known of a token that still holds; each request passes here.

        :param sent: ``SENT`` and the token.
        """
        key = sent[-_END:]
        known = self._young.get(key)
        if known is None:
            known = self._old.pop(key, None)
            if known is not None:
                self.put(known)
        if known is None or known.sent != sent:
            return None
        # Neither expired, nor its key withdrawn.
        if (
            known.begins <= now < known.ends
            and known.generation == known.keys.generation
        ):
            return known
        self._young.pop(key, None)
        return None

    def put(self, known: Known) -> None:
        """Keep what is known of a token."""
        if not self._half:
            return
        if len(self._young) >= self._half:
            self._old, self._young = self._young, {}
        self._young[known.sent[-_END:]] = known
