"""Long streams: server-sent events and websockets, on a port and in processes of their own.

waitress speaks no websockets, and a stream would hold one of its threads for hours. What
a plugin says about a stream is in :mod:`.stream`; :mod:`.room` has what all clients of a
process share, :mod:`.listener` speaks HTTP: ``docs/decisions/streams.md``.
"""

from fyr.core.streams.stream import (
    Stream,
    StreamItem,
    StreamListener,
    registered_streams,
    stream_url,
)

__all__ = ["Stream", "StreamItem", "StreamListener", "registered_streams", "stream_url"]
