"""A stream, what it tells and who listens: what plugins offer by ``register_streams``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from fyr.core.errors.plugins import PluginError

if TYPE_CHECKING:
    from fyr.config.server import ServerSettings
    from fyr.config.settings import Settings
    from fyr.core.context import RequestContext
    from fyr.core.events.change import Change

#: ``sse``: https://html.spec.whatwg.org/multipage/server-sent-events.html;
#: ``websocket``: https://www.rfc-editor.org/rfc/rfc6455
Kind = Literal["sse", "websocket"]


@dataclass(frozen=True, slots=True)
class StreamItem:
    """One thing that a stream tells.

    ``number`` is the position of the change that it is told of, by which a client that
    was away goes on. ``topic`` is what clients choose by, ``data`` the text that is sent.
    """

    number: int
    topic: str
    data: str


class StreamListener:
    """One client of a stream; made for it by :attr:`Stream.open`, one method at a time.

    Override what the stream needs. Only ``wants`` is asked on the loop that serves all
    clients, and must wait for nothing; the others have a thread.
    """

    #: the client has seen all up to this number; ``None``: it begins with what comes
    after: int | None = None

    def wants(self, item: StreamItem) -> bool:
        """Whether this client is told an item."""
        return True

    def received(self, text: str) -> Iterable[str]:
        """Take what a client said on its websocket, and answer.

        What ``wants`` says anew holds for all that is sent after the answer.

        :raises fyr.core.errors.FyrError: it is not understood, or not allowed: the
            websocket ends with this reason.
        """
        return ()

    def silent(self) -> Iterable[str]:
        """Give what is sent where nothing was for ``streams.heartbeat_seconds``.

        Besides a comment or a ping, which keep the connection in any case.
        """
        return ()

    def recheck(self, context: RequestContext) -> None:
        """Look whether this client may still listen, each ``streams.recheck_seconds``.

        What ``open`` decided by is to be asked again here.

        :param context: of its request, admitted anew.
        :raises fyr.core.errors.FyrError: it may not: the stream ends with this reason.
        """

    def ended(self) -> None:
        """Give back what this client had."""


@dataclass(frozen=True, slots=True)
class Stream:
    """Something that is told as it happens, to whoever listens.

    One process asks ``items`` once for each change, however many clients listen, and
    for nothing while nobody does. It is asked again for clients that catch up, and gives
    the same then; it reads nothing but the changes. Items of one change stay together.

    ``open`` makes the listener of a client, after ``authenticate`` and ``authorize`` were
    asked with the interaction ``route`` as for a :class:`~fyr.core.Route` of this path,
    and reads ``context.params``. What it raises is the answer.
    """

    #: exact path on the listener's port, such as ``/events``; a route may have it too
    path: str
    documentation: str
    items: Callable[[Sequence[Change]], Iterable[StreamItem]]
    open: Callable[[RequestContext], StreamListener]
    kinds: frozenset[Kind] = frozenset({"sse", "websocket"})
    #: whether nobody is asked who the client is: ``open``, or a token that it is told
    #: on its websocket, decides
    public: bool = False
    #: whether ``open`` decides who may listen; anybody else's access control then lets
    #: everyone pass who is known
    decides: bool = False

    def __post_init__(self) -> None:
        """Refuse what nobody could ask for.

        :raises ValueError: the path is relative or a template, or there is no kind.
        """
        if not self.path.startswith("/") or self.path == "/" or "{" in self.path:
            raise ValueError(
                f"a stream's path begins with '/' and is exact: {self.path}"
            )
        if not self.kinds:
            raise ValueError(f"{self.path}: neither sse nor websocket")


def registered_streams(streams: Iterable[Stream]) -> dict[str, Stream]:
    """Join the streams of all plugins, by path.

    :raises PluginError: two have one path.
    """
    found: dict[str, Stream] = {}
    for stream in streams:
        if stream.path in found:
            raise PluginError([f"two streams have the path {stream.path}"])
        found[stream.path] = stream
    return found


def stream_url(settings: Settings, path: str, kind: Kind = "sse") -> str:
    """Tell the address of a stream as clients see it; empty: there is no listener.

    That of ``streams.public_url``. Without it: ``server.public_url``, where a proxy stands
    there that knows streams from requests; its host with the streams' own port, where it
    names the server's own port, as nothing stands between then; and ``http`` or ``ws`` of
    this machine, where nothing is named.
    """
    port = settings.streams.port
    if port is None:
        return ""
    base = settings.streams.public_url or _beside(settings.server, port)
    if not base:
        base = f"http://{_shown(settings.streams.host or settings.server.host)}:{port}"
    base = base.rstrip("/")
    if kind == "websocket":
        base = "ws" + base.removeprefix("http")
    return base + path


def _beside(server: ServerSettings, port: int) -> str:
    """Tell the URL of the streams from that of the server; empty: it has none."""
    public = urlsplit(server.public_url)
    # A stream's port speaks no TLS: behind "https" there is always a proxy.
    if public.scheme != "http" or (public.port or 80) != server.port:
        return server.public_url
    return f"http://{_shown(public.hostname or '')}:{port}"


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host
