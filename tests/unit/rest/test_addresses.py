"""Which address is the client's, behind proxies and behind those who say they are."""

from ipaddress import ip_network

import pytest

from fyr.core.rest.addresses import Addresses

ADDRESSES = Addresses([ip_network("10.0.0.0/8"), ip_network("fd00::/8")])


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("198.51.100.7", None, "198.51.100.7"),
        ("198.51.100.7", "203.0.113.1", "198.51.100.7"),
        ("10.0.0.1", None, "10.0.0.1"),
        ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "203.0.113.1, 198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "203.0.113.1,198.51.100.7, 10.9.9.9", "198.51.100.7"),
        ("10.0.0.1", "10.0.0.2, 10.0.0.3", "10.0.0.2"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "nonsense", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.7, <script>", "10.0.0.1"),
        ("::ffff:10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("fd00::1", "2001:db8::7", "2001:db8::7"),
        ("fd00::1", "[2001:db8::7]", "2001:db8::7"),
        ("", "198.51.100.7", ""),
    ],
)
def test_the_client_is_the_last_that_is_no_proxy(
    peer: str, forwarded: str | None, client: str
) -> None:
    env = {"REMOTE_ADDR": peer}
    if forwarded is not None:
        env["HTTP_X_FORWARDED_FOR"] = forwarded

    assert ADDRESSES.client(env) == client


def test_without_proxies_nobody_is_believed() -> None:
    env = {"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": "198.51.100.7"}

    assert Addresses(()).client(env) == "10.0.0.1"
