"""Sends a message by HTTP: https://www.rfc-editor.org/rfc/rfc9110.

Connections are kept and used again. No redirect is followed and no proxy of the
environment is used: either could lead to where the policy would not. What goes wrong is
told by the receiver's scheme, host and port only, as paths may hold secrets.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from fyr.config.outgoing import OutgoingSettings
from fyr.core.outgoing.message import SendFailed, Undeliverable
from fyr.core.outgoing.policy import ReachPolicy, Unreachable
from fyr.core.outgoing.time_limits import Watch
from fyr.core.outgoing.tls import ClientTls

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, PoolManager

#: What is read of an answer.
_MAX_BYTES = 65_536
_CHUNK = 16_384
#: Receivers that connections are kept to.
_POOLS = 64
#: Statuses that say that the message itself is wrong.
_REFUSED = frozenset({400, 413, 415, 422})
#: Longest wait that a receiver may ask for.
_LONGEST_WAIT = 3600
_DEEPEST = 10
#: Headers that nobody may give, as they are the connection's own.
OWN_HEADERS = frozenset(
    "connection content-length expect host keep-alive proxy-authorization"
    " proxy-connection te trailer transfer-encoding upgrade".split()
)


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What a receiver said, and the beginning of its body."""

    status: int
    body: bytes
    content_type: str


class HttpSender:
    """Sends to receivers that the policy allows; safe to share between threads."""

    def __init__(
        self,
        settings: OutgoingSettings,
        *,
        agent: str = "fyr",
        tls: ClientTls | None = None,
    ) -> None:
        """Take what is allowed, the certificates and the time.

        :param tls: certificates of this sender; none: those of the settings.
        """
        self.policy = ReachPolicy(settings)
        self._settings = settings
        self._tls = tls or ClientTls(settings.tls_ca)
        self._agent = agent
        self._lock = threading.Lock()
        self._manager: PoolManager | None = None

    def post(
        self,
        url: str,
        body: bytes,
        content_type: str = "",
        headers: Mapping[str, str] | None = None,
        *,
        method: str = "POST",
        timeout_seconds: float | None = None,
    ) -> HttpAnswer:
        """Send a message, and give the answer when it is one of success (2xx).

        :param timeout_seconds: for all of it, the names and the answer included; none
            for the setting.
        :raises Undeliverable: the receiver says that it takes no such message.
        :raises SendFailed: anything else; ``Retry-After`` is what it asks to wait.
        """
        sent = {"User-Agent": self._agent, **(headers or {})}
        if content_type:
            sent["Content-Type"] = content_type
        if problem := self.policy.problem(url):
            raise SendFailed(f"{_shown(url)}: {problem}")
        seconds = timeout_seconds or self._settings.timeout_seconds
        with Watch(seconds) as watched, _told_by(_shown(url), watched):
            answer = self._pools().urlopen(
                method,
                url,
                body=body,
                headers=sent,
                redirect=False,
                retries=False,
                timeout=seconds,
                preload_content=False,
            )
            return _judged(_shown(url), answer, _read(answer))

    def reach(self, url: str, *, timeout_seconds: float) -> None:
        """Connect to a receiver, by TLS where that is asked for, and send it nothing.

        :param timeout_seconds: for all of it.
        :raises SendFailed: it cannot be reached, or may not be.
        """
        if problem := self.policy.problem(url):
            raise SendFailed(f"{_shown(url)}: {problem}")
        with Watch(timeout_seconds) as watched, _told_by(_shown(url), watched):
            pool: Any = self._pools().connection_from_url(url)
            connection = pool._new_conn()
            connection.timeout = timeout_seconds
            try:
                connection.connect()
            finally:
                connection.close()

    def close(self) -> None:
        """Give all connections back."""
        if self._manager is not None:
            self._manager.clear()

    def _pools(self) -> PoolManager:
        # Only a worker that has something to send pays for the library.
        with self._lock:
            if self._manager is None:
                from fyr.core.outgoing.connections import pool_manager

                # As many as are sent at a time: each finds its own again.
                self._manager = pool_manager(
                    self.policy,
                    self._tls,
                    pools=_POOLS,
                    connections=self._settings.at_once,
                )
            return self._manager


@contextmanager
def _told_by(shown: str, watched: Watch) -> Iterator[None]:
    """Tell all that can go wrong as a failure, without what might be secret."""
    from urllib3.exceptions import (
        HTTPError,
        NewConnectionError,
        SSLError,
        TimeoutError,
    )

    late = SendFailed(f"{shown} does not answer in time")
    try:
        yield
    except Unreachable as error:
        raise SendFailed(f"{shown}: {error}") from None
    except NewConnectionError as error:
        raise SendFailed(f"{shown} cannot be reached: {_reason(error)}") from None
    except TimeoutError:
        raise late from None
    except SSLError as error:
        if watched.over:
            raise late from None
        raise SendFailed(f"{shown}: TLS fails: {_reason(error)}") from None
    except (HTTPError, OSError, ValueError) as error:
        if watched.over:
            raise late from None
        raise SendFailed(f"{shown} cannot be reached: {_reason(error)}") from None
    if watched.over:
        # What was cut off can look like an end.
        raise late


def _reason(error: BaseException) -> str:
    """Name the innermost error: texts of libraries may hold the whole URL."""
    inner = error
    for _ in range(_DEEPEST):
        found = inner.__cause__ or inner.__context__ or _argument(inner)
        if found is None:
            break
        inner = found
    told = inner.strerror if isinstance(inner, OSError) else None
    return told or type(inner).__name__


def _argument(error: BaseException) -> BaseException | None:
    return next((one for one in error.args if isinstance(one, BaseException)), None)


def _read(answer: BaseHTTPResponse) -> bytes:
    body = b""
    try:
        for chunk in answer.stream(_CHUNK, decode_content=False):
            body += chunk
            if len(body) >= _MAX_BYTES:
                # The rest is not waited for, and the connection not used again.
                answer.close()
                break
    finally:
        answer.release_conn()
    return body[:_MAX_BYTES]


def _judged(shown: str, answer: BaseHTTPResponse, body: bytes) -> HttpAnswer:
    status = answer.status
    if 200 <= status < 300:
        return HttpAnswer(status, body, answer.headers.get("Content-Type", ""))
    told = f"{shown} answers {status}"
    if status in _REFUSED:
        raise Undeliverable(told, answer=body)
    wait = _wait(answer.headers.get("Retry-After", ""))
    raise SendFailed(told, wait_seconds=wait, answer=body)


def _wait(text: str) -> float:
    return min(float(text), _LONGEST_WAIT) if text.isascii() and text.isdigit() else 0.0


def _shown(url: str) -> str:
    """Write what may be told of a URL: its scheme, host and port."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
        host = parts.hostname or "?"
    except ValueError:
        return "the receiver"
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}"
