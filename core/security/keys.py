"""The public keys of one issuer, as it publishes them now.

A thread of each issuer's fetches them: every so often, and when a token names a key that
is not known, at most once in an interval, whoever asks how often. The last keys stay
when an issuer cannot be reached; one that never was is told apart from a wrong key.
"""

from __future__ import annotations

import threading
import time
from typing import Protocol

import structlog
from joserfc.jwk import Key

from fyr.core.errors import Unavailable
from fyr.core.security.fetching import Unfetched
from fyr.core.security.publishing import PublishedKey, fetch_keys
from fyr.core.security.settings import IssuerSettings, TokenSettings

#: How long a stop waits for a fetch.
_END_SECONDS = 2.0

log = structlog.get_logger("fyr.security")


class Keys(Protocol):
    """Where the keys of an issuer come from."""

    #: changes when a key has been withdrawn, and what it signed no longer holds
    generation: int

    def find(self, kid: str | None, algorithm: str) -> Key | None:
        """Give the key that a token names; ``None`` when the issuer has no such key.

        :raises Unavailable: the issuer's keys have never been had.
        """

    def warm(self) -> None:
        """Begin to get what has to be got."""

    def stop(self) -> None:
        """End what :meth:`warm` began."""

    def problem(self) -> str:
        """Tell why nothing of this issuer can be checked; empty when it can."""


class KeyRing:
    """Keys that are at hand and do not change; :class:`IssuerKeys` has others."""

    def __init__(self, keys: tuple[PublishedKey, ...] = ()) -> None:
        """Take the keys."""
        self.generation = 0
        self._keys = keys

    def find(self, kid: str | None, algorithm: str) -> Key | None:
        """Give the key of an id; without an id the only one that fits."""
        fitting = [
            one.key
            for one in self._keys
            if (kid is None or one.kid == kid) and one.fits(algorithm)
        ]
        return fitting[0] if len(fitting) == 1 else None

    def warm(self) -> None:
        """Nothing has to be got."""

    def stop(self) -> None:
        """Nothing was begun."""

    def problem(self) -> str:
        """There is none."""
        return ""


class IssuerKeys(KeyRing):
    """The keys that an issuer publishes, fetched by a thread of their own."""

    def __init__(self, issuer: IssuerSettings, settings: TokenSettings) -> None:
        """Take where they are; nothing is fetched before :meth:`warm` or :meth:`find`."""
        super().__init__()
        self._issuer = issuer
        self._settings = settings
        self._change = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stopping = False
        #: a fetch that somebody asked for is not over yet
        self._due = False
        self._asked_at = float("-inf")
        #: whether the issuer was ever reached
        self._had = False

    def find(self, kid: str | None, algorithm: str) -> Key | None:
        """Give the key of an id; one that is not known is asked for, with patience."""
        found = super().find(kid, algorithm)
        if found is None:
            self._ask()
            found = super().find(kid, algorithm)
        if found is None and not self._had:
            raise Unavailable(
                f"the keys of the issuer {self._issuer.realm_name} have not been had yet,"
                " so its tokens cannot be checked"
            )
        return found

    def warm(self) -> None:
        """Have the keys fetched by a thread, and kept fresh, from now on."""
        with self._change:
            if self._thread is not None or self._stopping:
                return
            name = f"fyr-keys-{self._issuer.realm_name}"
            self._thread = threading.Thread(target=self._run, name=name, daemon=True)
            self._due, self._asked_at = True, time.monotonic()
            self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        with self._change:
            self._stopping = True
            self._change.notify_all()
        if self._thread is not None:
            # One that waits for an issuer which hangs holds nothing, and ends by itself.
            self._thread.join(timeout=_END_SECONDS)

    def problem(self) -> str:
        """Tell whether the issuer has never been reached."""
        return "" if self._had else "its keys have not been had yet"

    def _ask(self) -> None:
        """Have the keys fetched, unless they just were, and wait a moment for them.

        All that wait for one fetch stop waiting together: an issuer that hangs holds
        up its requests for that moment once in an interval. One that was never reached
        is tried again and again without being asked to.
        """
        self.warm()
        with self._change:
            now = time.monotonic()
            pause = self._settings.unknown_key_seconds
            if self._had and not self._due and now - self._asked_at >= pause:
                self._due, self._asked_at = True, now
                self._change.notify_all()
            left = self._asked_at + self._settings.wait_seconds - now
            if self._due and left > 0:
                self._change.wait_for(lambda: not self._due, left)

    def _run(self) -> None:
        while not self._stopping:
            # One that began before it was asked for may have been too early.
            asked = self._due
            self._refresh()
            with self._change:
                if asked:
                    self._due = False
                    self._change.notify_all()
                self._change.wait_for(
                    lambda: self._due or self._stopping, self._pause()
                )

    def _pause(self) -> float:
        wanted = self._settings.refresh_seconds
        return wanted if self._had else min(wanted, self._settings.fetch_seconds)

    def _refresh(self) -> None:
        try:
            keys = fetch_keys(self._issuer, self._settings.fetch_seconds)
        except Unfetched as error:
            log.warning(
                "the keys of an issuer cannot be fetched",
                realm=self._issuer.realm_name,
                problem=str(error),
                keys=len(self._keys),
            )
            return
        now_gone = {(one.kid, one.thumbprint) for one in self._keys}
        now_gone -= {(one.kid, one.thumbprint) for one in keys}
        self._keys, self._had = keys, True
        if now_gone:
            self.generation += 1
