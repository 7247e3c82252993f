"""What plugins say about streams."""

import pytest

from fyr.config.settings import Settings
from fyr.core import Stream, StreamItem, StreamListener
from fyr.core.errors import Unavailable
from fyr.core.errors.plugins import PluginError
from fyr.core.events import Change
from fyr.core.streams import registered_streams, stream_url
from fyr.core.streams.watcher import items_of


def stream(path: str = "/ward", **more) -> Stream:
    options = {"items": lambda changes: (), "open": lambda _: StreamListener(), **more}
    return Stream(path, "Told.", **options)


def change(position: int) -> Change:
    return Change(position, "resource", "Device", "1", 1, "PUT", "", 0)


@pytest.mark.parametrize("path", ["ward", "/", "/ward/{id}"])
def test_a_stream_has_an_exact_path(path: str) -> None:
    with pytest.raises(ValueError, match="path"):
        stream(path)


def test_a_stream_is_told_in_some_way() -> None:
    with pytest.raises(ValueError, match="neither"):
        stream(kinds=frozenset())


def test_two_streams_with_one_path_stop_the_server() -> None:
    with pytest.raises(PluginError, match="two streams have the path /ward"):
        registered_streams([stream(), stream()])


@pytest.mark.parametrize(
    ("streams", "server", "kind", "url"),
    [
        ({"port": 8081}, {}, "sse", "http://127.0.0.1:8081/ward"),
        ({"port": 8081}, {}, "websocket", "ws://127.0.0.1:8081/ward"),
        ({"port": 1, "host": "::1"}, {}, "sse", "http://[::1]:1/ward"),
        (
            {"port": 1},
            {"public_url": "https://fhir.example.org/"},
            "websocket",
            "wss://fhir.example.org/ward",
        ),
        ({"port": 1, "public_url": "http://s"}, {}, "sse", "http://s/ward"),
        (
            {"port": 8081},
            {"public_url": "http://fyr.example.org:8080", "port": 8080},
            "websocket",
            "ws://fyr.example.org:8081/ward",
        ),
        (
            {"port": 8081},
            {"public_url": "http://[::1]", "port": 80},
            "sse",
            "http://[::1]:8081/ward",
        ),
        (
            {"port": 8081},
            {"public_url": "https://fyr.example.org:8080", "port": 8080},
            "sse",
            "https://fyr.example.org:8080/ward",
        ),
        (
            {"port": 8081},
            {"public_url": "http://proxy.example.org:9000/fyr", "port": 8080},
            "sse",
            "http://proxy.example.org:9000/fyr/ward",
        ),
        ({}, {"public_url": "https://fhir.example.org"}, "sse", ""),
    ],
)
def test_the_address_is_the_one_that_clients_see(streams, server, kind, url) -> None:
    settings = Settings(streams=streams, server=server)

    assert stream_url(settings, "/ward", kind) == url


def test_a_change_that_a_stream_fails_at_is_told_to_nobody_and_the_others_are() -> None:
    def items(changes):
        for one in changes:
            if one.position == 2:
                raise KeyError("topic")
            yield StreamItem(one.position, "", "told")

    found = items_of(stream(items=items), [change(number) for number in (1, 2, 3)])

    assert [item.number for item in found] == [1, 3]


def test_a_store_that_is_away_is_no_failure_of_a_stream() -> None:
    def items(changes):
        raise Unavailable("away")

    with pytest.raises(Unavailable):
        items_of(stream(items=items), [change(1), change(2)])
