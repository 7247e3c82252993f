"""Secrets and keys at rest: hashed by argon2id, the hashes and the keys sealed.

https://www.rfc-editor.org/rfc/rfc9106. A PIN of four digits is found by trying all, however
slow its hash is; so what is in the database is of no use without the master key. Where
there is no key, a hash of nobody's is tried, which takes as long.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from secrets import token_bytes, token_urlsafe
from threading import BoundedSemaphore
from typing import TYPE_CHECKING

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from fyr.core import FyrError, Unavailable

if TYPE_CHECKING:
    from fyr.core import Sealer
    from fyr.plugins.key_service.settings import KeyServiceSettings

#: How long somebody waits for a turn to hash.
_WAIT_SECONDS = 2.0
_NOBODY = "nobody"


class Secrets:
    """Hashes and seals; safe to share between threads."""

    def __init__(self, sealer: Sealer, settings: KeyServiceSettings) -> None:
        """Take what seals, and how costly a hash is."""
        self._sealer = sealer
        self._hasher = PasswordHasher(
            time_cost=settings.hash_passes,
            memory_cost=settings.hash_memory_kib,
            parallelism=settings.hash_lanes,
        )
        self._turns = BoundedSemaphore(settings.parallel_hashes)
        #: what is wrong with what was found in the database
        self.problem = ""

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn to hash.

        :raises Unavailable: too many others do.
        """
        if not self._turns.acquire(timeout=_WAIT_SECONDS):
            raise Unavailable("too many secrets are being checked: try again")
        try:
            yield
        finally:
            self._turns.release()

    def hashed(self, secret: str, about: str) -> str:
        """Give what is kept of a secret.

        :param about: what it is for; needed to check it.
        """
        return self._sealed(self._hasher.hash(secret).encode(), about)

    def holds(self, kept: str | None, secret: str, about: str) -> bool:
        """Whether a secret is the one that was kept; no, in as much time, if none was."""
        # Made by whoever comes first, so that nobody learns by it who is who.
        decoy = self._decoy
        if kept is None:
            kept, about = decoy, _NOBODY
        hash_ = self._opened(kept, about).decode()
        try:
            self._hasher.verify(hash_, secret)
        except VerifyMismatchError:
            return False
        return about != _NOBODY

    @cached_property
    def _decoy(self) -> str:
        return self.hashed(token_urlsafe(), _NOBODY)

    def is_dated(self, kept: str, about: str) -> bool:
        """Whether a hash was made by other settings than those of now."""
        return self._hasher.check_needs_rehash(self._opened(kept, about).decode())

    def new_key(self, about: str) -> tuple[str, str]:
        """Make a key of 128 bits: in base64, and sealed."""
        key = token_bytes(16)
        return b64encode(key).decode(), self._sealed(key, about)

    def key(self, kept: str, about: str) -> str:
        """Give a key in base64."""
        return b64encode(self._opened(kept, about)).decode()

    def _sealed(self, content: bytes, about: str) -> str:
        return b64encode(self._sealer.seal(content, about)).decode()

    def _opened(self, kept: str, about: str) -> bytes:
        try:
            return self._sealer.open(b64decode(kept), about)
        except FyrError:
            self.problem = "keys are kept that cannot be opened"
            raise
